/** How much there is to do, and that it has become more: "scope grew 12 to 14". */

import type { Task } from "../../model/task.ts";
import type { Look } from "../../model/task-map.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";

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
  const firstStart = Math.min(...tasks.findAll(firstStartAmong));
  if (firstStart === Infinity) return null;
  // They stand in the order in which they were added.
  let from = tasks.size;
  while (from > 0 && (tasks.at(from - 1) as Task).addedSeq >= firstStart) from -= 1;
  return growth(from, tasks.size);
}

const firstStartAmong: Look<number> = (entries) =>
  Math.min(...entries.map(({ task }) => task.startedSeq ?? Number.POSITIVE_INFINITY));

/** The same among the children of a group. */
export function growthAmong(children: readonly { readonly task: Task }[]): ScopeView | null {
  let firstStart = Infinity;
  for (const { task } of children) if (task.startedSeq !== null) firstStart = Math.min(firstStart, task.startedSeq);
  return growth(children.filter(({ task }) => task.addedSeq < firstStart).length, children.length);
}

const growth = (from: number, to: number): ScopeView | null => (from < 2 || from === to ? null : { from, to });
