/** How one task changes by one event. Part of `evolve`. */

import type { EventOf, Position, ProgressEvent } from "./event.ts";
import type { Task } from "./task.ts";

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
  switch (event.type) {
    case "task.progressed":
      return progressed(task, event, atMs);
    case "task.waiting":
      return Object.freeze({ ...task, waitingOn: event.waitingOn, ...seen(event, atMs) });
    case "task.heartbeat":
    case "log.appended":
      return Object.freeze({ ...task, ...seen(event, atMs) });
    case "task.started":
    case "task.completed":
    case "task.failed":
    case "task.retried":
    case "task.paused":
    case "task.resumed":
    case "task.skipped":
    case "task.cancelled":
      return statusChanged(task, event, atMs);
    default:
      return task;
  }
}

const seen = (event: ProgressEvent, atMs: number): Pick<Task, "lastSeenMs" | "lastSeq"> => ({
  lastSeenMs: atMs,
  lastSeq: event.seq,
});

/** An event carries the whole position, so what an earlier report said never shows through. */
function position(event: Position): Pick<Task, "percentage" | "completedSteps" | "totalSteps" | "unit"> {
  return {
    percentage: event.percentage,
    completedSteps: event.completedSteps ?? null,
    totalSteps: event.totalSteps ?? null,
    unit: event.unit ?? null,
  };
}

function progressed(task: Task, event: EventOf<"task.progressed">, atMs: number): Task {
  const { percentage, completedSteps, totalSteps, unit } = position(event);
  return Object.freeze({
    ...task,
    percentage,
    completedSteps,
    totalSteps,
    unit,
    isMeasured: event.isMeasured ?? true,
    message: event.message ?? null,
    reportDetails: event.details ?? null,
    lastSeenMs: atMs,
    lastAdvanceMs: event.advancedMs ?? atMs,
    lastSeq: event.seq,
  });
}

function statusChanged(task: Task, event: StatusEvent, atMs: number): Task {
  const pause = task.pausedSinceMs === null ? 0 : Math.max(0, atMs - task.pausedSinceMs);
  const changed = {
    ...task,
    ...position(event),
    status: event.status,
    statusSeq: event.seq,
    attempt: event.attempt,
    message: event.message ?? null,
    ...(event.details !== undefined && { reportDetails: event.details }),
    pausedMs: task.pausedMs + pause,
    pausedSinceMs: null,
    ...seen(event, atMs),
  };
  return Object.freeze({ ...changed, ...byType(task, event, atMs) });
}

function byType(task: Task, event: StatusEvent, atMs: number): Partial<Task> {
  switch (event.type) {
    case "task.started":
      return { ...begin(event, atMs), startedSeq: task.startedSeq ?? event.seq };
    case "task.retried":
      return { ...begin(event, atMs), pausedMs: 0, isMeasured: false };
    case "task.paused":
      return { pausedSinceMs: atMs };
    case "task.resumed":
      return {};
    case "task.failed":
      return { ...end(event, atMs), errorMessage: event.errorMessage, attempts: withAttempt(task, event, atMs) };
    case "task.completed":
      return { ...end(event, atMs), isMeasured: true };
    default:
      return end(event, atMs);
  }
}

function begin(event: StatusEvent, atMs: number): Partial<Task> {
  return {
    startedAt: event.time,
    startedMs: atMs,
    completedAt: null,
    endedMs: null,
    errorMessage: null,
    waitingOn: null,
    lastAdvanceMs: atMs,
  };
}

function end(event: StatusEvent, atMs: number): Partial<Task> {
  return { completedAt: event.time, endedMs: atMs, waitingOn: null };
}

/** Failed attempts kept per task: the first and the newest ones. */
const MAX_ATTEMPTS = 1000;

function withAttempt(task: Task, event: EventOf<"task.failed">, atMs: number): Task["attempts"] {
  const { attempt, startedAt, startedMs } = task;
  const { percentage, errorMessage } = event;
  const ended = { attempt, startedAt, startedMs, endedAt: event.time, endedMs: atMs, percentage, errorMessage };
  const kept =
    task.attempts.length < MAX_ATTEMPTS ? task.attempts : [...task.attempts.slice(0, 1), ...task.attempts.slice(2)];
  return [...kept, ended];
}
