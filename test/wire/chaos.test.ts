import { expect, test } from "vitest";

import { tempFolder } from "../temp-folder.ts";
import { chaos } from "./chaos.ts";

const isLong = process.env["MILEPOST_LONG"] === "1";

test(
  "[W1, W2, W9] W01: with cut connections and a server that is killed, fifty clients see every event once, in order, and only states that were",
  { timeout: isLong ? 900_000 : 60_000 },
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const result = await chaos({
      folder: tempFolder(),
      seconds: isLong ? 600 : 8,
      eventsPerSecond: 200,
      clients: 50,
      killEveryMs: isLong ? 20_000 : 2_500,
      seed,
    }).catch((error: unknown) => {
      throw new Error(`with the seed ${seed}`, { cause: error });
    });
    console.log(`W01: ${JSON.stringify(result)}`);
    expect(result.kills).toBeGreaterThanOrEqual(isLong ? 20 : 1);
    expect(result.connections).toBeGreaterThan(isLong ? 5_000 : 100);
    expect(result.recoveries).toBeGreaterThan(isLong ? 1_000 : 20);
    expect(Math.min(...Object.values(result.cuts))).toBeGreaterThan(5);
  },
);
