/** How much there is to do, and that it has become more: "scope grew 12 to 14". */

import type { Task } from "../model/task.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";

/** Numbers of tasks: known before the first of them began, and now. */
export interface ScopeView {
  readonly from: number;
  readonly to: number;
}

/**
 * How many tasks were added after work began. Null when none was, and when there was no scope to grow: one who adds each task as it
 * begins has told none.
 */
export function scopeGrowth({ tasks }: Pick<UpgradeProgress, "tasks">): ScopeView | null {
  let firstStart = Infinity;
  for (const { startedSeq } of tasks.values()) if (startedSeq !== null) firstStart = Math.min(firstStart, startedSeq);
  if (firstStart === Infinity) return null;
  let from = 0;
  for (const { addedSeq } of tasks.values()) if (addedSeq < firstStart) from += 1;
  return growth(from, tasks.size);
}

/** The same among the children of a group. */
export function growthAmong(children: readonly { readonly task: Task }[]): ScopeView | null {
  let firstStart = Infinity;
  for (const { task } of children) if (task.startedSeq !== null) firstStart = Math.min(firstStart, task.startedSeq);
  return growth(children.filter(({ task }) => task.addedSeq < firstStart).length, children.length);
}

const growth = (from: number, to: number): ScopeView | null => (from < 2 || from === to ? null : { from, to });
