/** Sums over leaf tasks, in integers, and the percentage they stand for. */

import type { Task } from "./task.ts";

/**
 * Sums over the leaves that count: neither skipped nor cancelled. `weight` in millionths, `done` in the same unit
 * (weight times percentage), both integers, so that adding and taking away in any order gives the same sum.
 */
export interface Rollup {
  readonly weight: number;
  readonly done: number;
  readonly leaves: number;
  readonly finished: number;
}

/** The greatest weight of a task. With a million tasks the sums stay below 2^53, where integers are exact. */
export const MAX_WEIGHT = 1000;

const WEIGHT_UNITS = 1_000_000;

export const NO_ROLLUP: Rollup = Object.freeze({ weight: 0, done: 0, leaves: 0, finished: 0 });

/** What one leaf adds to the sums. */
export function leafRollup(task: Task): Rollup {
  if (task.status === "skipped" || task.status === "cancelled") return NO_ROLLUP;
  return {
    weight: Math.round(task.weight * WEIGHT_UNITS),
    done: Math.round(task.weight * task.percentage * (WEIGHT_UNITS / 100)),
    leaves: 1,
    finished: task.status === "completed" ? 1 : 0,
  };
}

export function addRollup(a: Rollup, b: Rollup): Rollup {
  return {
    weight: a.weight + b.weight,
    done: a.done + b.done,
    leaves: a.leaves + b.leaves,
    finished: a.finished + b.finished,
  };
}

/** The sums with `after` in the place of `before`. */
export function replaceRollup(sums: Rollup, before: Rollup, after: Rollup): Rollup {
  return {
    weight: sums.weight - before.weight + after.weight,
    done: sums.done - before.done + after.done,
    leaves: sums.leaves - before.leaves + after.leaves,
    finished: sums.finished - before.finished + after.finished,
  };
}

/** The percentage of the sums, to two decimals: 100 exactly when every leaf that counts has completed, and there is one. */
export function rollupPercent({ weight, done, leaves, finished }: Rollup): number {
  if (leaves === 0) return 0;
  if (finished === leaves) return 100;
  if (weight === 0) return Math.min(99.99, Math.floor((finished / leaves) * 10_000) / 100);
  return Math.min(99.99, Math.round((done / weight) * 10_000) / 100);
}
