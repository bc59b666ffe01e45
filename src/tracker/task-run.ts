/** `tracker.run`: a task round a function. */

import { MilepostError, shown } from "../errors.ts";
import { positionOf, TASK_FIELDS, type ProgressReport, type WaitingOnInput } from "../model/command.ts";
import { HEARTBEAT_INTERVAL_MS } from "../model/decide-task.ts";
import type { ProgressEvent, TaskDefinition } from "../model/event.ts";
import { checkFields } from "../model/known-fields.ts";
import type { Task } from "../model/task.ts";
import { isFinalUpgradeStatus, type ProgressStatus } from "../model/vocabulary.ts";
import { textOf } from "./logger.ts";

/** What `addTask` takes beside id, name and type. */
export type TaskOptions = Partial<
  Pick<TaskDefinition, "parentTaskId" | "weight" | "totalSteps" | "unit" | "expectedMs" | "details">
>;

export interface RunOptions extends TaskOptions {
  readonly taskType?: string;
  /** On a task that is already completed: throw ALREADY_DONE (the default), or return undefined without running. */
  readonly ifDone?: "throw" | "skip";
  readonly signal?: AbortSignal;
}

/** The names of {@link TaskOptions}. */
export const TASK_OPTIONS: ReadonlySet<string> = new Set(TASK_FIELDS);
const RUN_OPTIONS: ReadonlySet<string> = new Set(["taskType", "ifDone", "signal", ...TASK_FIELDS]);

/** What the function is given. */
export interface TaskHandle {
  readonly taskId: string;
  /** Aborted when the task is cancelled, when the upgrade ends, when the tracker closes, or by the caller's own signal. */
  readonly signal: AbortSignal;
  progress(report: number | ProgressReport, message?: string, details?: object): void;
  log(text: string): void;
  waitingOn(waitingOn: WaitingOnInput | null): void;
  heartbeat(): void;
}

/** What `runTask` needs of a tracker. */
export interface TaskTracker {
  execute(command: object): unknown;
  task(taskId: string): Task | undefined;
  upgradeStatus(): ProgressStatus;
  onEvent(listener: (event: ProgressEvent) => void): () => void;
  readonly closing: AbortSignal;
}

interface TaskRun<T> {
  readonly taskId: string;
  readonly taskName: string;
  readonly work: (task: TaskHandle) => T | Promise<T>;
  readonly options: RunOptions;
}

/** @throws ALREADY_DONE; CANCELLED when it ended meanwhile; what the commands throw; what `work` throws, after failing the task. */
export async function runTask<T>(
  tracker: TaskTracker,
  { taskId, taskName, work, options }: TaskRun<T>,
): Promise<T | undefined> {
  checkFields(options, RUN_OPTIONS, "the options of run");
  const { taskType, ifDone = "throw", signal, ...definition } = options;
  if (typeof work !== "function")
    throw new MilepostError("INVALID_ARGUMENT", `run: the work must be a function, not ${shown(work)}`);
  tracker.execute({ type: "addTask", taskId, taskName, taskType, ...definition });
  if (tracker.task(taskId)?.status === "completed") {
    if (ifDone === "skip") return undefined;
    throw new MilepostError(
      "ALREADY_DONE",
      `run: task ${shown(taskId)} is completed; pass { ifDone: "skip" } to pass over it`,
      { context: { taskId } },
    );
  }
  tracker.execute({ type: "startTask", taskId });
  const cancelling = new AbortController();
  const stopListening = tracker.onEvent((event) => {
    const cause = endedBy(event, taskId);
    if (cause !== undefined) cancelling.abort(new MilepostError("CANCELLED", `task ${shown(taskId)}: ${cause}`));
  });
  const heartbeat = setInterval(() => beat(tracker, taskId), HEARTBEAT_INTERVAL_MS).unref();
  const signals = [cancelling.signal, tracker.closing, ...(signal === undefined ? [] : [signal])];
  try {
    const value = await work(handle(tracker, taskId, AbortSignal.any(signals)));
    if (isOpen(tracker, taskId)) tracker.execute({ type: "completeTask", taskId });
    // The work has ended all the same; that it was done could not be recorded, and its caller must know.
    else cancelling.signal.throwIfAborted();
    return value;
  } catch (error) {
    failQuietly(tracker, taskId, error);
    throw error;
  } finally {
    clearInterval(heartbeat);
    stopListening();
  }
}

function handle(tracker: TaskTracker, taskId: string, signal: AbortSignal): TaskHandle {
  return {
    taskId,
    signal,
    progress: (report, message, details) =>
      void tracker.execute({ ...positionOf(report), type: "updateTaskProgress", taskId, message, details }),
    log: (text) => void tracker.execute({ type: "appendLog", taskId, text }),
    waitingOn: (waitingOn) =>
      void tracker.execute(
        waitingOn === null ? { type: "clearWaitingOn", taskId } : { type: "setWaitingOn", taskId, waitingOn },
      ),
    heartbeat: () => void tracker.execute({ type: "heartbeat", taskId }),
  };
}

/** Why the work should stop, when the event says so. */
function endedBy(event: ProgressEvent, taskId: string): string | undefined {
  if (event.type === "task.cancelled" && event.taskId === taskId) return "it was cancelled";
  const isEnd =
    event.type === "upgrade.cancelled" || event.type === "upgrade.failed" || event.type === "upgrade.completed";
  return isEnd ? `the upgrade is ${event.status}` : undefined;
}

const isOpen = (tracker: TaskTracker, taskId: string): boolean =>
  tracker.task(taskId)?.status === "in_progress" && !isFinalUpgradeStatus(tracker.upgradeStatus());

/** What the function threw is what its caller must see, whatever becomes of the report. */
function failQuietly(tracker: TaskTracker, taskId: string, error: unknown): void {
  try {
    if (isOpen(tracker, taskId))
      tracker.execute({ type: "failTask", taskId, errorMessage: textOf(error).slice(0, 16_384) });
  } catch {
    // The tracker is fenced or closed, and has said so.
  }
}

function beat(tracker: TaskTracker, taskId: string): void {
  try {
    if (isOpen(tracker, taskId)) tracker.execute({ type: "heartbeat", taskId });
  } catch {
    // The upgrade has ended meanwhile; the next report of the function will say so.
  }
}
