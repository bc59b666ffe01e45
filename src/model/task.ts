/** The state of one task. Records are frozen and replaced, never changed. */

import type { EventOf, WaitingOn } from "./event.ts";
import type { JsonObject } from "./json.ts";
import type { Mutable } from "./mutable.ts";
import type { ProgressStatus, TaskType } from "./vocabulary.ts";

/** An attempt that failed. Times as in {@link Task}. */
export interface Attempt {
  readonly attempt: number;
  readonly startedAt: string | null;
  readonly startedMs: number | null;
  readonly endedAt: string;
  readonly endedMs: number;
  readonly percentage: number;
  readonly errorMessage: string;
}

/**
 * A task as the fold of its events. Fields that end in `At` are wall times (ISO 8601, labels); fields that end in `Ms`
 * are log time: milliseconds since the log began, never going back.
 */
export interface Task {
  readonly taskId: string;
  readonly taskName: string;
  readonly taskType: TaskType;
  readonly parentTaskId: string | null;
  readonly status: ProgressStatus;
  /** 0 to 100; of a task with children, rolled up from them. */
  readonly percentage: number;
  /** False while nothing was reported: the percentage is then unknown, not nought. */
  readonly isMeasured: boolean;
  readonly weight: number;
  readonly completedSteps: number | null;
  readonly totalSteps: number | null;
  readonly unit: string | null;
  readonly expectedMs: number | null;
  /** What `addTask` was given; the newest report's own is `reportDetails`. */
  readonly details: JsonObject | null;
  readonly reportDetails: JsonObject | null;
  readonly message: string | null;
  readonly errorMessage: string | null;
  readonly waitingOn: WaitingOn | null;
  readonly attempt: number;
  /** The attempts that failed, oldest first; also the present one while the status is `failed`. */
  readonly attempts: readonly Attempt[];
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  /** Paused time of this attempt so far, not counting a pause that still lasts. */
  readonly pausedMs: number;
  /** When the pause that still lasts began. */
  readonly pausedSinceMs: number | null;
  /** Last sign of life: any event of the task. */
  readonly lastSeenMs: number;
  /** When the percentage or the steps last moved forward, or the attempt began. */
  readonly lastAdvanceMs: number;
  /** Seq of the event that added it, of the first that started it, of the one that gave it its status, and of its newest. */
  readonly addedSeq: number;
  readonly startedSeq: number | null;
  readonly statusSeq: number;
  readonly lastSeq: number;
}

/** The task as `task.added` makes it. */
export function newTask(event: EventOf<"task.added">, atMs: number): Task {
  return Object.freeze({
    taskId: event.taskId,
    taskName: event.taskName,
    taskType: event.taskType,
    parentTaskId: event.parentTaskId,
    status: event.status,
    percentage: 0,
    isMeasured: false,
    weight: event.weight,
    completedSteps: event.totalSteps === null ? null : 0,
    totalSteps: event.totalSteps,
    unit: event.unit,
    expectedMs: event.expectedMs,
    details: event.details,
    reportDetails: null,
    message: null,
    errorMessage: null,
    waitingOn: null,
    attempt: 1,
    attempts: [],
    startedAt: null,
    completedAt: null,
    startedMs: null,
    endedMs: null,
    pausedMs: 0,
    pausedSinceMs: null,
    lastSeenMs: atMs,
    lastAdvanceMs: atMs,
    addedSeq: event.seq,
    startedSeq: null,
    statusSeq: event.seq,
    lastSeq: event.seq,
  });
}

/**
 * A copy to be changed and frozen. Every report makes one, so all fields are named: spreading a frozen record of this many
 * costs several times as much.
 */
export function copyTask(task: Task): Mutable<Task> {
  return {
    taskId: task.taskId,
    taskName: task.taskName,
    taskType: task.taskType,
    parentTaskId: task.parentTaskId,
    status: task.status,
    percentage: task.percentage,
    isMeasured: task.isMeasured,
    weight: task.weight,
    completedSteps: task.completedSteps,
    totalSteps: task.totalSteps,
    unit: task.unit,
    expectedMs: task.expectedMs,
    details: task.details,
    reportDetails: task.reportDetails,
    message: task.message,
    errorMessage: task.errorMessage,
    waitingOn: task.waitingOn,
    attempt: task.attempt,
    attempts: task.attempts,
    startedAt: task.startedAt,
    completedAt: task.completedAt,
    startedMs: task.startedMs,
    endedMs: task.endedMs,
    pausedMs: task.pausedMs,
    pausedSinceMs: task.pausedSinceMs,
    lastSeenMs: task.lastSeenMs,
    lastAdvanceMs: task.lastAdvanceMs,
    addedSeq: task.addedSeq,
    startedSeq: task.startedSeq,
    statusSeq: task.statusSeq,
    lastSeq: task.lastSeq,
  };
}

/** How long the current attempt has worked, pauses left out; null while it has not started. */
export function taskDurationMs(task: Task, nowMs: number): number | null {
  if (task.startedMs === null) return null;
  const until = task.endedMs ?? task.pausedSinceMs ?? Math.max(nowMs, task.startedMs);
  return Math.max(0, until - task.startedMs - task.pausedMs);
}
