/** The tasks of an upgrade as branches: each with its children and what they come to, worked out from the leaves up. */

import type { Task } from "../../model/task.ts";
import type { TaskEntry, TaskMap } from "../../model/task-map.ts";
import type { ShownStatus } from "../text/status-words.ts";

/** A task with its children. */
export interface Branch {
  readonly task: Task;
  readonly children: readonly Branch[];
  /** What it is shown as: its own status, or, for a group that nobody reports on, what its children come to. */
  readonly status: ShownStatus;
  /** True if nothing in it asks to be seen: all has ended well, or nothing has begun. */
  readonly isQuiet: boolean;
  /** Log times (ms) of the first start and, when all has ended, the last end in it. */
  readonly startedMs: number | null;
  readonly endedMs: number | null;
}

/**
 * Branches of tasks in their places. None of these ever changes, so whoever looks at every state of a large upgrade makes only the
 * branches of what has changed in between, and those above them.
 */
const grown = new WeakMap<TaskEntry, Branch>();

/** The parts of one page ask for the same branches, each by itself. */
const grownOf = new WeakMap<TaskMap, readonly Branch[]>();

/** The root branches, in the order in which they were added. What has not changed since another call is the same object. */
export function branchesOf(tasks: TaskMap): readonly Branch[] {
  let roots = grownOf.get(tasks);
  if (roots === undefined) grownOf.set(tasks, (roots = branchesBelow(tasks, null)));
  return roots;
}

function branchesBelow(tasks: TaskMap, taskId: string | null): readonly Branch[] {
  return tasks.childrenOf(taskId).map((entry) => branchOf(tasks, entry));
}

function branchOf(tasks: TaskMap, entry: TaskEntry): Branch {
  let branch = grown.get(entry);
  if (branch === undefined) {
    const { task, rollup } = entry;
    branch = rollup === null ? leaf(task) : parent(task, branchesBelow(tasks, task.taskId));
    grown.set(entry, branch);
  }
  return branch;
}

function leaf(task: Task): Branch {
  const status = ownStatus(task);
  return {
    task,
    children: [],
    status,
    isQuiet: isQuietStatus(status),
    startedMs: task.startedMs,
    endedMs: task.endedMs,
  };
}

function ownStatus({ status, waitingOn }: Task): ShownStatus {
  return waitingOn !== null && (status === "in_progress" || status === "not_started") ? "waiting" : status;
}

function isQuietStatus(status: ShownStatus): boolean {
  return status === "completed" || status === "skipped" || status === "cancelled" || status === "not_started";
}

function parent(task: Task, children: readonly Branch[]): Branch {
  const own = ownStatus(task);
  const status = own === "not_started" ? groupStatus(children) : own;
  const isQuiet =
    isQuietStatus(status) && children.every((child) => child.isQuiet && hasBegun(child) === hasBegun({ status }));
  let started: number | null = null;
  let ended: number | null = null;
  for (const { startedMs, endedMs } of children) {
    if (startedMs !== null) started = Math.min(started ?? startedMs, startedMs);
    if (endedMs !== null) ended = Math.max(ended ?? endedMs, endedMs);
  }
  return {
    task,
    children,
    status,
    isQuiet,
    startedMs: task.startedMs ?? started,
    endedMs: task.endedMs ?? (isEnded(status) ? ended : null),
  };
}

const hasBegun = ({ status }: { readonly status: ShownStatus }): boolean => status !== "not_started";

const isEnded = (status: ShownStatus): boolean =>
  status === "completed" || status === "failed" || status === "skipped" || status === "cancelled";

/** What children come to: running while any of them runs or is still to come after others; else the worst of how they ended. */
function groupStatus(children: readonly Branch[]): ShownStatus {
  const seen = new Set(children.map(({ status }) => status));
  if (seen.size === 1)
    return children[0]?.status === "waiting" ? "in_progress" : (children[0]?.status ?? "not_started");
  if (seen.has("in_progress") || seen.has("waiting")) return "in_progress";
  if (seen.has("paused")) return "paused";
  if (seen.has("failed")) return "failed";
  return seen.has("not_started") ? "in_progress" : seen.has("completed") ? "completed" : "cancelled";
}
