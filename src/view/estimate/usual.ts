/** How far something is over the time that it was thought to take. */

import type { Task } from "../../model/task.ts";
import type { UsualDurations } from "./usual-durations.ts";

/** Where a plan comes from: earlier upgrades, or what the task was added with. */
export type PlanSource = "usual" | "expected";

/** How long a task is thought to take (ms): usually `p50`, and nine times in ten at most `p90`. */
export interface PlannedMs {
  readonly p50: number;
  readonly p90: number;
  readonly source: PlanSource;
}

/** How far something is over its plan; shown beside "over usual" or "over expected". */
export interface OverView {
  readonly ms: number;
  readonly source: PlanSource;
}

/** The plan of a task: what was expected when it was added, else what it usually takes; undefined when nobody knows. */
export function plannedMs(task: Task, usual: UsualDurations | undefined): PlannedMs | undefined {
  if (task.expectedMs !== null) return { p50: task.expectedMs, p90: task.expectedMs, source: "expected" };
  // Of very many tasks none is looked up where nothing can be found.
  const known = usual === undefined || usual.upgrades === 0 ? undefined : usual.usualMs(task);
  return known === undefined ? undefined : { p50: known.p50, p90: known.p90, source: "usual" };
}

/** A part of the plan below which a difference is not worth a word. */
const NOTABLE_PART = 0.05;
const NOTABLE_MS = 1000;

/** How far a duration is over its plan: null until it is longer than nine in ten were, then the time beyond the usual one. */
export function overPlan(elapsedMs: number | null, plan: PlannedMs | undefined): OverView | null {
  if (elapsedMs === null || plan === undefined || elapsedMs <= plan.p90) return null;
  const ms = elapsedMs - plan.p50;
  return ms < Math.max(NOTABLE_MS, plan.p50 * NOTABLE_PART) ? null : { ms, source: plan.source };
}
