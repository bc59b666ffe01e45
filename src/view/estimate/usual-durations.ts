/** How long things usually take: what earlier upgrades tell about the tasks of this one. */

import type { Task } from "../../model/task.ts";
import type { Usual, UsualTask, UsualTimes } from "./usual-times.ts";

/** What makes a task the same as one of an earlier upgrade: its id, else its name and type. */
type TaskKey = Pick<Task, "taskId" | "taskName" | "taskType">;

/** What earlier upgrades tell. What none of them tells is undefined. */
export interface UsualDurations {
  /** The number of earlier upgrades. */
  readonly upgrades: number;
  /** How long the whole upgrade takes, from those that completed. */
  readonly whole: Usual | undefined;
  usualMs(task: TaskKey): Usual | undefined;
  /** How long after the upgrade the task usually starts (ms), from upgrades that were never paused. */
  usualStartMs(task: TaskKey): number | undefined;
}

/** Makes it possible to ask what was told. */
export function usualDurations({ upgrades, whole, names, tasks }: UsualTimes): UsualDurations {
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  /** By type, then by name: a key of both would have to be made for each question. */
  const byType = Map.groupBy(names, ({ taskType }) => taskType);
  const byName = new Map([...byType].map(([type, of]) => [type, new Map(of.map((task) => [task.taskName, task]))]));
  const find = ({ taskId, taskType, taskName }: TaskKey): UsualTask | undefined =>
    byId.get(taskId) ?? byName.get(taskType)?.get(taskName);
  return {
    upgrades,
    whole: whole ?? undefined,
    usualMs: find,
    usualStartMs: (task) => find(task)?.startMs ?? undefined,
  };
}

/** Nothing is known of any earlier upgrade. */
export const NOTHING_USUAL = usualDurations({ upgrades: 0, whole: null, names: [], tasks: [] });
