/** How one task changes by one event. Part of `evolve`. */

import type { EventOf, Position, ProgressEvent } from "./event.ts";
import type { Mutable } from "./mutable.ts";
import { copyTask, type Task } from "./task.ts";

type StatusEvent = EventOf<
  | "task.started"
  | "task.completed"
  | "task.failed"
  | "task.retried"
  | "task.paused"
  | "task.resumed"
  | "task.skipped"
  | "task.cancelled"
>;

/** The task after `event`; the same record when the event says nothing about it. */
export function evolveTask(task: Task, event: ProgressEvent, atMs: number): Task {
  const next = copyTask(task);
  switch (event.type) {
    case "task.progressed":
      progress(next, event, atMs);
      break;
    case "task.waiting":
      next.waitingOn = event.waitingOn;
      break;
    case "task.heartbeat":
    case "log.appended":
      break;
    case "task.started":
    case "task.completed":
    case "task.failed":
    case "task.retried":
    case "task.paused":
    case "task.resumed":
    case "task.skipped":
    case "task.cancelled":
      changeStatus(next, event, atMs);
      break;
    default:
      return task;
  }
  next.lastSeenMs = atMs;
  next.lastSeq = event.seq;
  return Object.freeze(next);
}

/** An event carries the whole position, so what an earlier report said never shows through. */
function takePosition(next: Mutable<Task>, event: Position): void {
  next.percentage = event.percentage;
  next.completedSteps = event.completedSteps ?? null;
  next.totalSteps = event.totalSteps ?? null;
  next.unit = event.unit ?? null;
}

function progress(next: Mutable<Task>, event: EventOf<"task.progressed">, atMs: number): void {
  takePosition(next, event);
  next.isMeasured = event.isMeasured ?? true;
  next.message = event.message ?? null;
  next.reportDetails = event.details ?? null;
  next.lastAdvanceMs = event.advancedMs ?? atMs;
}

function changeStatus(next: Mutable<Task>, event: StatusEvent, atMs: number): void {
  takePosition(next, event);
  next.status = event.status;
  next.statusSeq = event.seq;
  next.attempt = event.attempt;
  next.message = event.message ?? null;
  if (event.details !== undefined) next.reportDetails = event.details;
  if (next.pausedSinceMs !== null) next.pausedMs += Math.max(0, atMs - next.pausedSinceMs);
  next.pausedSinceMs = null;
  switch (event.type) {
    case "task.started":
      begin(next, event, atMs);
      next.startedSeq ??= event.seq;
      break;
    case "task.retried":
      begin(next, event, atMs);
      next.pausedMs = 0;
      next.isMeasured = false;
      break;
    case "task.paused":
      next.pausedSinceMs = atMs;
      break;
    case "task.resumed":
      break;
    case "task.failed":
      next.attempts = withAttempt(next, event, atMs);
      next.errorMessage = event.errorMessage;
      end(next, event, atMs);
      break;
    case "task.completed":
      next.isMeasured = true;
      end(next, event, atMs);
      break;
    default:
      end(next, event, atMs);
  }
}

function begin(next: Mutable<Task>, event: StatusEvent, atMs: number): void {
  next.startedAt = event.time;
  next.startedMs = atMs;
  next.completedAt = null;
  next.endedMs = null;
  next.errorMessage = null;
  next.waitingOn = null;
  next.lastAdvanceMs = atMs;
}

function end(next: Mutable<Task>, event: StatusEvent, atMs: number): void {
  next.completedAt = event.time;
  next.endedMs = atMs;
  next.waitingOn = null;
}

/** Failed attempts kept per task: the first and the newest ones. */
const MAX_ATTEMPTS = 1000;

function withAttempt(task: Task, event: EventOf<"task.failed">, atMs: number): Task["attempts"] {
  const { attempts, startedAt, startedMs } = task;
  const { attempt, percentage, errorMessage } = event;
  const ended = { attempt, startedAt, startedMs, endedAt: event.time, endedMs: atMs, percentage, errorMessage };
  const kept = attempts.length < MAX_ATTEMPTS ? attempts : [...attempts.slice(0, 1), ...attempts.slice(2)];
  return [...kept, ended];
}
