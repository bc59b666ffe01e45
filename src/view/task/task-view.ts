/** What is shown of one task. */

import { taskDurationMs, type Task } from "../../model/task.ts";
import type { Branch } from "./branches.ts";
import { sinceMs } from "../upgrade/log-time.ts";
import { safeText } from "../text/safe-text.ts";
import { growthAmong, type ScopeView } from "./scope.ts";
import type { ShownStatus } from "../text/status-words.ts";
import { overPlan, plannedMs, type OverView } from "../estimate/usual.ts";
import type { UsualDurations } from "../estimate/usual-durations.ts";

/** The moment for which a view is made: wall time (epoch ms) and log time (ms) of the same instant. */
export interface Moment {
  readonly asOfMs: number;
  readonly logMs: number;
  /** What is known of earlier upgrades, where somebody has read them. */
  readonly usual?: UsualDurations | undefined;
}

export interface StepsView {
  readonly completed: number;
  readonly total: number;
  readonly unit: string | null;
}

interface WaitingView {
  /** What is waited for: its kind and name. */
  readonly on: string;
  readonly message: string | null;
  /** What to do about it. */
  readonly remedy: string | null;
  readonly elapsedMs: number;
}

/** Texts are safe to show; ids are as they are stored. */
export interface TaskView {
  readonly taskId: string;
  readonly name: string;
  readonly taskType: string;
  readonly status: ShownStatus;
  /** 0 to 100; null when unknown, and for a task that has not begun. */
  readonly percent: number | null;
  readonly steps: StepsView | null;
  readonly attempt: number;
  /** How long it has worked, pauses left out (ms); null while it has not begun. */
  readonly elapsedMs: number | null;
  /** How long this attempt was paused, a pause that still lasts included (ms). */
  readonly pausedMs: number;
  /** How far it is over its plan; null while it is not. */
  readonly over: OverView | null;
  /** Of a group: that children were added after the first of them began. */
  readonly grown: ScopeView | null;
  readonly waitingOn: WaitingView | null;
  /** What it said last; of a failed task, why it failed. */
  readonly message: string | null;
  readonly hasChildren: boolean;
}

/** What `decide` says when the caller says nothing: it tells no more than the status does. */
const MEANINGLESS =
  /^((Task|Upgrade) (started|completed|paused|resumed|skipped|cancelled)|Upgrade started: .*|Attempt \d+)$/s;

/** A message worth showing, made safe; null for none and for one that only repeats the status. */
export function tellingMessage(message: string | null | undefined): string | null {
  return message == null || message === "" || MEANINGLESS.test(message) ? null : safeText(message);
}

export function taskView(branch: Branch, now: Moment): TaskView {
  const { task, children, status } = branch;
  const elapsedMs = elapsed(branch, now);
  return {
    taskId: task.taskId,
    name: safeText(task.taskName),
    taskType: task.taskType,
    status,
    percent: status === "not_started" || !task.isMeasured ? null : task.percentage,
    steps: children.length > 0 ? childSteps(branch) : ownSteps(branch),
    attempt: task.attempt,
    elapsedMs,
    pausedMs: pausedFor(task, now),
    over: overPlan(elapsedMs, plannedMs(task, now.usual)),
    grown: children.length > 0 ? growthAmong(children) : null,
    waitingOn: waiting(branch, now),
    message: task.status === "failed" ? safeText(task.errorMessage ?? "") || null : tellingMessage(task.message),
    hasChildren: children.length > 0,
  };
}

function ownSteps({ task }: Branch): StepsView | null {
  if (task.totalSteps === null) return null;
  return { completed: task.completedSteps ?? 0, total: task.totalSteps, unit: unitOf(task.unit) };
}

/** A group counts its children; those that were skipped or cancelled do not count. */
function childSteps({ task, children }: Branch): StepsView | null {
  const counted = children.filter(({ status }) => status !== "skipped" && status !== "cancelled");
  const completed = counted.filter(({ status }) => status === "completed").length;
  return counted.length === 0 ? null : { completed, total: counted.length, unit: unitOf(task.unit) };
}

const unitOf = (unit: string | null): string | null => (unit === null ? null : safeText(unit));

function elapsed(branch: Branch, { logMs }: Moment): number | null {
  if (branch.task.startedMs !== null) return taskDurationMs(branch.task, logMs);
  if (branch.startedMs === null) return null;
  return Math.max(0, (branch.endedMs ?? logMs) - branch.startedMs);
}

function pausedFor({ pausedMs, pausedSinceMs }: Task, { logMs }: Moment): number {
  return pausedMs + (pausedSinceMs === null ? 0 : Math.max(0, logMs - pausedSinceMs));
}

function waiting({ task: { waitingOn } }: Branch, { asOfMs }: Moment): WaitingView | null {
  if (waitingOn === null) return null;
  const { kind, name, message, remedy, since } = waitingOn;
  return {
    on: safeText(`${kind} ${name}`),
    message: message === undefined || message === "" ? null : safeText(message),
    remedy: remedy === undefined || remedy === "" ? null : safeText(remedy),
    elapsedMs: sinceMs(since, asOfMs),
  };
}
