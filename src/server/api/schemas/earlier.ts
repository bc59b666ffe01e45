/** What earlier upgrades tell, and two upgrades side by side. The types are the view's; `Exact` holds the two together. */

import { z } from "zod";

import type { UsualTimes } from "../../../view/estimate/usual-times.ts";
import type { ComparedPair } from "../../../view/upgrade/compare.ts";
import { held, type Exact } from "./exact.ts";
import { status } from "./state.ts";
import { named, time } from "./values.ts";

const ms = z.number().min(0);
const runs = z.int().min(1).describe("The number of earlier upgrades that it is taken from");
const usual = z.object({
  p50: ms.describe("Half of them took no longer (ms)"),
  p90: ms.describe("Nine of ten took no longer (ms)"),
  runs,
});
const usualTask = usual.extend({
  startMs: ms.nullable().describe("How long after the upgrade it starts; null when each of them was paused"),
});

/** How long things usually take. */
export const usualTimes = z.object({
  upgrades: z.int().min(0).describe("The number of earlier upgrades"),
  whole: usual.nullable().describe("The whole upgrade, from those that completed"),
  names: z
    .array(usualTask.extend({ taskType: z.string(), taskName: z.string() }))
    .describe("By type and name: for a task whose id none of them had"),
  tasks: z.array(usualTask.extend({ taskId: z.string() })),
});

const comparedUpgrade = z.object({
  upgradeId: z.string(),
  run: z.int().min(1),
  clusterName: z.string(),
  status,
  startedAt: time.nullable(),
  hasEnded: z.boolean(),
});
const side = z.object({
  status,
  workedMs: ms.nullable().describe("All attempts, without pauses; null when it has not begun"),
  pausedMs: ms,
  attempts: z.int().min(0),
  hasEnded: z.boolean(),
});
const row = z.object({
  id: z.string(),
  name: z.string(),
  depth: z.int().min(0),
  hasChildren: z.boolean(),
  earlier: side.nullable(),
  later: side.nullable(),
  moreMs: z.number().nullable().describe("How much longer the later one took; null while that cannot be said"),
});

/** Two upgrades side by side. */
export const comparison = z.object({
  later: comparedUpgrade,
  earlier: comparedUpgrade.nullable().describe("Null when there is none to compare with"),
  choices: z.array(z.string()).describe("What else it could be compared with, the newest first"),
  whole: row.nullable(),
  phases: z.array(row),
  counts: z.object({ both: z.int().min(0), onlyLater: z.int().min(0), onlyEarlier: z.int().min(0) }),
  tasks: z.array(row).describe("What cost the most more first, then what is new, then what is gone"),
});

named.add(usualTimes, { id: "UsualTimes" }).add(comparison, { id: "Comparison" });

held<Exact<z.infer<typeof usualTimes>, UsualTimes>>();
held<Exact<z.infer<typeof comparison>, ComparedPair>>();
