/** What happens because of a command about one task. Part of `decide`. */

import { MilepostError, shown } from "../errors.ts";
import { TEXT_LIMITS } from "./check.ts";
import type { Command, ProgressReport, TaskStatusCommandType } from "./command.ts";
import type { Decision, Now } from "./decision.ts";
import { addTask } from "./decide-add-task.ts";
import type { EventDraft, Position } from "./event.ts";
import type { Mutable } from "./mutable.ts";
import { refuseAfterEnd } from "./refuse-after-end.ts";
import { canonicalJson, type JsonObject } from "./json.ts";
import type { Task } from "./task.ts";
import type { UpgradeProgress } from "./upgrade.ts";
import { isFinalTaskStatus, TASK_TRANSITIONS, type ProgressStatus } from "./vocabulary.ts";

/** At most one heartbeat of a task is kept in this time. */
export const HEARTBEAT_INTERVAL_MS = 10_000;

type TaskCommand = Extract<Command, { readonly taskId: string }>;

export function decideTask(state: UpgradeProgress, command: TaskCommand, now: Now): Decision {
  if (command.type === "addTask") return addTask(state, command);
  const task = state.tasks.get(command.taskId);
  if (task === undefined) {
    throw new MilepostError(
      "UNKNOWN_TASK",
      `${command.type}: upgrade ${shown(state.upgradeId)} has no task ${shown(command.taskId)}; add it first`,
      {
        context: { upgradeId: state.upgradeId, taskId: command.taskId },
      },
    );
  }
  switch (command.type) {
    case "updateTaskProgress":
      return progress(state, task, command);
    case "failTask":
      return fail(state, task, command);
    case "setWaitingOn":
      return waitingOn(state, task, command, now);
    case "clearWaitingOn":
      return task.waitingOn === null
        ? { repeats: task.lastSeq }
        : { drafts: [{ type: "task.waiting", taskId: task.taskId, waitingOn: null }] };
    case "heartbeat":
      return heartbeat(state, task, now);
    case "appendLog":
      return { drafts: [{ type: "log.appended", taskId: task.taskId, text: command.text }] };
    default:
      return changeStatus(state, task, command);
  }
}

function illegal(command: string, task: Task): MilepostError {
  const remedy = isFinalTaskStatus(task.status)
    ? "it can never change again; skip it when you run again, or add a new task"
    : task.status === "failed"
      ? "call retryTask first"
      : task.status === "paused"
        ? "call resumeTask first"
        : task.status === "not_started"
          ? "call startTask first"
          : "it is running";
  return new MilepostError(
    "ILLEGAL_TRANSITION",
    `${command}: task ${shown(task.taskId)} is ${task.status}; ${remedy}`,
    {
      context: { taskId: task.taskId, from: task.status, command },
    },
  );
}

const position = (task: Task): Position => ({
  percentage: task.percentage,
  ...(task.completedSteps !== null && { completedSteps: task.completedSteps }),
  ...(task.totalSteps !== null && { totalSteps: task.totalSteps }),
  ...(task.unit !== null && { unit: task.unit }),
});

/** Where a task starts from: nothing done, its steps as they were defined or last reported. A group stands where its children do. */
const beginning = ({ tasks }: UpgradeProgress, task: Task): Position => ({
  ...position(task),
  ...(!tasks.hasChildren(task.taskId) && { percentage: 0 }),
  ...(task.completedSteps !== null && { completedSteps: 0 }),
});

const finished = ({ tasks }: UpgradeProgress, task: Task): Position => ({
  ...position(task),
  ...(!tasks.hasChildren(task.taskId) && { percentage: 100 }),
  ...(task.totalSteps !== null && { completedSteps: task.totalSteps }),
});

interface Said {
  readonly message?: string;
  readonly details?: JsonObject;
}

const said = ({ message, details }: Said, otherwise?: string): Said => ({
  ...(message !== undefined ? { message } : otherwise !== undefined && { message: otherwise }),
  ...(details !== undefined && { details }),
});

type StatusCommand = { readonly type: TaskStatusCommandType; readonly taskId: string } & Said;

function changeStatus(state: UpgradeProgress, task: Task, command: StatusCommand): Decision {
  const repeated = repeats(task, command.type);
  if (repeated !== undefined) return { repeats: repeated };
  refuseAfterEnd(state, command.type, task.taskId);
  const draft = statusDraft(state, task, command);
  if (draft === undefined) throw illegal(command.type, task);
  return { drafts: [draft] };
}

const TARGETS: Readonly<Record<TaskStatusCommandType, ProgressStatus>> = {
  startTask: "in_progress",
  resumeTask: "in_progress",
  retryTask: "in_progress",
  completeTask: "completed",
  pauseTask: "paused",
  skipTask: "skipped",
  cancelTask: "cancelled",
};

/** The seq of the event that already made it so. A completed task has been started, so an agent may run again from its top. */
function repeats(task: Task, command: TaskStatusCommandType): number | undefined {
  if (command === "startTask" && task.status === "completed") return task.startedSeq ?? task.statusSeq;
  return task.status === TARGETS[command] ? task.statusSeq : undefined;
}

function statusDraft(state: UpgradeProgress, task: Task, command: StatusCommand): EventDraft | undefined {
  const to = TARGETS[command.type];
  if (!TASK_TRANSITIONS[task.status].includes(to)) return undefined;
  const { taskId, attempt } = task;
  const at = { taskId, attempt, status: to } as const;
  switch (command.type) {
    case "completeTask":
      return { type: "task.completed", ...at, ...finished(state, task), ...said(command, "Task completed") };
    case "pauseTask":
      return { type: "task.paused", ...at, ...position(task), ...said(command, "Task paused") };
    case "skipTask":
      return { type: "task.skipped", ...at, ...position(task), ...said(command, "Task skipped") };
    case "cancelTask":
      return { type: "task.cancelled", ...at, ...position(task), ...said(command, "Task cancelled") };
    default:
      return advanceDraft(state, task, command);
  }
}

/** Which event brings a task into progress depends on where it comes from; `startTask` fits all, the other two only their own. */
function advanceDraft(state: UpgradeProgress, task: Task, command: StatusCommand): EventDraft | undefined {
  const { taskId, attempt } = task;
  const at = { taskId, attempt, status: "in_progress" } as const;
  if (task.status === "not_started" && command.type === "startTask") {
    return { type: "task.started", ...at, ...beginning(state, task), ...said(command, "Task started") };
  }
  if (task.status === "paused" && command.type !== "retryTask") {
    return { type: "task.resumed", ...at, ...position(task), ...said(command, "Task resumed") };
  }
  if (task.status === "failed" && command.type !== "resumeTask") {
    return {
      type: "task.retried",
      ...at,
      attempt: attempt + 1,
      ...beginning(state, task),
      ...said(command, `Attempt ${attempt + 1}`),
    };
  }
  return undefined;
}

function fail(state: UpgradeProgress, task: Task, command: Extract<Command, { type: "failTask" }>): Decision {
  if (task.status === "failed") return { repeats: task.statusSeq };
  refuseAfterEnd(state, "failTask", task.taskId);
  if (!TASK_TRANSITIONS[task.status].includes("failed")) throw illegal("failTask", task);
  const { errorMessage, details } = command;
  const { taskId, attempt } = task;
  const message = `Task failed: ${errorMessage}`.slice(0, TEXT_LIMITS.message).toWellFormed();
  return {
    drafts: [
      {
        type: "task.failed",
        taskId,
        attempt,
        status: "failed",
        ...position(task),
        errorMessage,
        message,
        ...(details !== undefined && { details }),
      },
    ],
  };
}

function progress(
  state: UpgradeProgress,
  task: Task,
  command: Extract<Command, { type: "updateTaskProgress" }>,
): Decision {
  refuseAfterEnd(state, "updateTaskProgress", task.taskId);
  if (task.status !== "not_started" && task.status !== "in_progress") throw illegal("updateTaskProgress", task);
  const { percentage, completedSteps, totalSteps } = command;
  const tellsPosition = percentage !== undefined || completedSteps !== undefined || totalSteps !== undefined;
  if (tellsPosition && state.tasks.hasChildren(task.taskId)) {
    throw new MilepostError(
      "TASK_HAS_CHILDREN",
      `updateTaskProgress: task ${shown(task.taskId)} has children, its percentage is theirs; report on them, or pass a message alone`,
    );
  }
  const report = progressDraft(task, command);
  if (task.status === "in_progress") return { drafts: [report] };
  const { taskId, attempt } = task;
  const started = { type: "task.started", taskId, attempt, status: "in_progress", ...beginning(state, task) } as const;
  return { drafts: [{ ...started, message: "Task started" }, report] };
}

type ProgressDraft = Extract<EventDraft, { type: "task.progressed" }>;

function progressDraft(task: Task, command: ProgressReport & Said): ProgressDraft {
  const draft: Mutable<ProgressDraft> = {
    type: "task.progressed",
    taskId: task.taskId,
    attempt: task.attempt,
    status: "in_progress",
    percentage: task.percentage,
  };
  takePosition(draft, task, command);
  if (command.message !== undefined) draft.message = command.message;
  if (command.details !== undefined) draft.details = command.details;
  const steps = draft.completedSteps ?? 0;
  const stepsBefore = task.completedSteps ?? 0;
  if (draft.percentage < task.percentage || steps < stepsBefore) draft.regressed = true;
  if (!task.isMeasured && command.percentage === undefined && command.completedSteps === undefined)
    draft.isMeasured = false;
  const advanced = draft.percentage > task.percentage || steps > stepsBefore;
  if (!advanced && task.status === "in_progress") draft.advancedMs = task.lastAdvanceMs;
  return draft;
}

/** What the report says of the position; of what it does not say, where the task stood. */
function takePosition(draft: Mutable<ProgressDraft>, task: Task, report: ProgressReport): void {
  const totalSteps = report.totalSteps ?? task.totalSteps ?? undefined;
  const completedSteps = report.completedSteps ?? task.completedSteps ?? undefined;
  const unit = report.unit ?? task.unit ?? undefined;
  if (report.completedSteps !== undefined && totalSteps === undefined) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `task ${shown(task.taskId)} has no totalSteps; pass it with completedSteps ${report.completedSteps}, or to addTask`,
    );
  }
  const isCounting = report.completedSteps !== undefined || report.totalSteps !== undefined;
  const isCounted = isCounting && completedSteps !== undefined && totalSteps !== undefined;
  if (isCounted && completedSteps > totalSteps) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `completedSteps ${completedSteps} is more than totalSteps ${totalSteps}; raise totalSteps in the same call when the scope has grown`,
    );
  }
  if (report.percentage !== undefined) draft.percentage = report.percentage;
  else if (isCounted) draft.percentage = percentOfSteps(completedSteps, totalSteps);
  if (completedSteps !== undefined) draft.completedSteps = completedSteps;
  if (totalSteps !== undefined) draft.totalSteps = totalSteps;
  if (unit !== undefined) draft.unit = unit;
}

function percentOfSteps(completed: number, total: number): number {
  return completed === total ? 100 : Math.min(99.99, Math.round((completed / total) * 10_000) / 100);
}

function waitingOn(
  state: UpgradeProgress,
  task: Task,
  command: Extract<Command, { type: "setWaitingOn" }>,
  now: Now,
): Decision {
  refuseAfterEnd(state, "setWaitingOn", task.taskId);
  if (isFinalTaskStatus(task.status) || task.status === "failed") throw illegal("setWaitingOn", task);
  const { kind, name, message } = command.waitingOn;
  const isSame = task.waitingOn?.kind === kind && task.waitingOn.name === name;
  const next = { ...command.waitingOn, since: isSame && task.waitingOn ? task.waitingOn.since : now.time };
  if (canonicalJson(next) === canonicalJson(task.waitingOn)) return { repeats: task.lastSeq };
  return {
    drafts: [
      { type: "task.waiting", taskId: task.taskId, waitingOn: next, message: message ?? `Waiting on ${kind} ${name}` },
    ],
  };
}

function heartbeat(state: UpgradeProgress, task: Task, now: Now): Decision {
  refuseAfterEnd(state, "heartbeat", task.taskId);
  if (isFinalTaskStatus(task.status) || task.status === "failed") throw illegal("heartbeat", task);
  const isRecent = task.lastSeq !== task.addedSeq && now.logMs - task.lastSeenMs < HEARTBEAT_INTERVAL_MS;
  return isRecent ? { repeats: task.lastSeq } : { drafts: [{ type: "task.heartbeat", taskId: task.taskId }] };
}
