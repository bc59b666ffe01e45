/** All that is shown of one task when somebody looks into it. */

import type { JsonObject } from "../../model/json.ts";
import type { Attempt, Task } from "../../model/task.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { branchesOf } from "./branches.ts";
import { pathTo } from "./open-rows.ts";
import { safeText } from "../text/safe-text.ts";
import { taskView, type Moment, type TaskView } from "./task-view.ts";
import { plannedMs, type PlannedMs } from "../estimate/usual.ts";

/** One attempt. Durations in ms, pauses included, as earlier attempts do not tell them apart. */
export interface AttemptView {
  readonly attempt: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly elapsedMs: number | null;
  /** Where it stood when it failed. */
  readonly percent: number;
  readonly errorMessage: string;
}

/** Texts are safe to show; ids are as they are stored. */
export interface TaskDetailsView {
  readonly task: TaskView;
  /** The tasks that it is part of, the outermost first. */
  readonly above: readonly { readonly taskId: string; readonly name: string }[];
  readonly weight: number;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly plan: PlannedMs | null;
  /** Since its last sign of life, and since it last advanced; null unless it runs. */
  readonly silentMs: number | null;
  readonly sinceAdvanceMs: number | null;
  /** The attempts that failed, the newest first. */
  readonly failedAttempts: readonly AttemptView[];
  /** What it was added with, and what its newest report brought: JSON in lines. */
  readonly details: readonly string[] | null;
  readonly reportDetails: readonly string[] | null;
}

/** The details at a moment; undefined when there is no such task (yet). */
export function taskDetails(state: UpgradeProgress, taskId: string, now: Moment): TaskDetailsView | undefined {
  const path = state.tasks.has(taskId) ? pathTo(branchesOf(state.tasks), taskId) : undefined;
  const branch = path?.at(-1);
  if (path === undefined || branch === undefined) return undefined;
  const { task } = branch;
  const isRunning = task.status === "in_progress";
  return {
    task: taskView(branch, now),
    above: path.slice(0, -1).map((each) => ({ taskId: each.task.taskId, name: safeText(each.task.taskName) })),
    weight: task.weight,
    startedAt: task.startedAt,
    completedAt: task.completedAt,
    plan: plannedMs(task, now.usual) ?? null,
    silentMs: isRunning ? Math.max(0, now.logMs - task.lastSeenMs) : null,
    sinceAdvanceMs: isRunning ? Math.max(0, now.logMs - task.lastAdvanceMs) : null,
    failedAttempts: task.attempts.map(attemptView).reverse(),
    details: jsonLines(task.details),
    reportDetails: jsonLines(task.reportDetails),
  };
}

function attemptView({
  attempt,
  startedAt,
  startedMs,
  endedAt,
  endedMs,
  percentage,
  errorMessage,
}: Attempt): AttemptView {
  const elapsedMs = startedMs === null ? null : Math.max(0, endedMs - startedMs);
  return { attempt, startedAt, endedAt, elapsedMs, percent: percentage, errorMessage: safeText(errorMessage) };
}

function jsonLines(details: JsonObject | null): readonly string[] | null {
  return details === null ? null : JSON.stringify(details, null, 2).split("\n").map(safeText);
}

/** The tasks at work, of which some are listed. */
export interface WorkView {
  readonly tasks: readonly TaskView[];
  /** How many run beyond those listed. */
  readonly more: number;
}

/** What is being worked on: the leaves that run and do not wait, those that began first. */
export function workView(state: UpgradeProgress, now: Moment, maxTasks = 3): WorkView {
  const running = leavesAtWork(state);
  const tasks = new Set(running.slice(0, maxTasks));
  const views = new Map<Task, TaskView>();
  const visit = (branches: ReturnType<typeof branchesOf>): void => {
    for (const branch of branches) {
      if (views.size === tasks.size) return;
      if (tasks.has(branch.task)) views.set(branch.task, taskView(branch, now));
      else visit(branch.children);
    }
  };
  visit(branchesOf(state.tasks));
  return { tasks: [...tasks].map((task) => views.get(task) as TaskView), more: running.length - tasks.size };
}

function leavesAtWork({ tasks, status }: UpgradeProgress): readonly Task[] {
  const running: Task[] = [];
  // What an upgrade has left behind when it ended is not worked on.
  if (isFinalUpgradeStatus(status)) return running;
  for (const task of tasks.active())
    if (task.status === "in_progress" && task.waitingOn === null && !tasks.hasChildren(task.taskId)) running.push(task);
  return running.sort((a, b) => (a.startedMs ?? 0) - (b.startedMs ?? 0));
}
