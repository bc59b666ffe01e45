import { describe, expect, it } from "vitest";

import { tempFolder } from "../temp-folder.ts";
import { quickFolder } from "./quick-folder.ts";
import { isLong } from "./child.ts";
import { crashLoop, type CrashLoopOptions } from "./crash-loop.ts";

const LIMIT_MS = isLong ? 3_600_000 : 120_000;

/** Two loops side by side: the machine has more than one core, and two upgrades have nothing in common. */
async function sideBySide(options: Omit<CrashLoopOptions, "path" | "upgradeId">, path = tempFolder()) {
  const half = Math.ceil(options.cycles / 2);
  const [first, second] = await Promise.all([
    crashLoop({ ...options, path, upgradeId: "first", cycles: half, seed: 1 }),
    crashLoop({ ...options, path, upgradeId: "second", cycles: options.cycles - half, seed: 2 }),
  ]);
  return {
    cycles: first.cycles + second.cycles,
    acked: first.acked + second.acked,
    runs: first.runs + second.runs,
    violations: [...first.violations, ...second.violations],
  };
}

describe("kill -9", () => {
  it(
    "[L1] [L3] [L4] loses nothing acknowledged, doubles nothing, and leaves a log that opens by itself (D01)",
    async () => {
      const cycles = isLong ? 500 : 50;
      const { cycles: made, acked, violations } = await sideBySide({ cycles, minAcked: 50 * cycles });
      expect(violations).toEqual([]);
      console.log(`D01: ${made} kills, ${acked} acknowledged`);
      expect(acked).toBeGreaterThanOrEqual(100 * cycles);
    },
    LIMIT_MS,
  );

  it(
    "[L2] [L11] is survived while flushes and snapshots are under way",
    async () => {
      const cycles = isLong ? 100 : 4;
      const flushing = await sideBySide({ cycles, mode: "flush" });
      const saving = await sideBySide({ cycles, mode: "snapshots" });
      expect([...flushing.violations, ...saving.violations]).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    "[U3] [S6] never loses a finished run nor makes two of one while the next run is begun",
    async () => {
      const cycles = isLong ? 200 : 12;
      // In memory, where a run takes a millisecond: the kills then fall between runs often enough.
      const options = { cycles, mode: "runs", tasks: 1, maxDelayMs: 60 } as const;
      const { runs, violations } = await sideBySide(options, quickFolder());
      expect(violations).toEqual([]);
      expect(runs).toBeGreaterThanOrEqual(cycles / 2);
    },
    LIMIT_MS,
  );
});
