import { describe, expect, it } from "vitest";

import { isLong } from "./child.ts";
import { powerCuts } from "./power-cut.ts";
import { quickFolder } from "./quick-folder.ts";

const LIMIT_MS = isLong ? 600_000 : 60_000;

describe("a power cut", () => {
  it(
    "[L2] [L4] takes nothing that a flush has promised, wherever it falls, whatever the disk did first (D13, D14)",
    async () => {
      const seeds = isLong ? 100 : 12;
      const { states, violations } = await powerCuts({ root: quickFolder(), seeds, cutsPerSeed: 60 });
      expect(violations).toEqual([]);
      console.log(`D13: ${states} crash states`);
      expect(states).toBe(seeds * 60);
    },
    LIMIT_MS,
  );
});
