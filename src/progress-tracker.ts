/** The public class: puts storage, log, tracker, callbacks and the command socket together. */

import { MilepostError } from "./errors.ts";
import { checkList } from "./model/check.ts";
import { positionOf, type InsightInput, type ProgressReport, type WaitingOnInput } from "./model/command.ts";
import type { ProgressEvent } from "./model/event.ts";
import type { JsonObject } from "./model/json.ts";
import { checkFields } from "./model/known-fields.ts";
import { currentTask, estimatedCompletion, progressSummary, type ProgressSummary } from "./model/summary.ts";
import type { Task } from "./model/task.ts";
import type { UpgradeProgress } from "./model/upgrade.ts";
import type { ProgressStatus, TaskType } from "./model/vocabulary.ts";
import {
  eventBridgeOf,
  openAwaiting,
  openNow,
  systemInfo,
  tellNotifiers,
  type NewTask,
  type OpenedParts,
  type ProgressTrackerOptions,
  type SystemInfo,
} from "./progress-tracker-options.ts";
import type { EventBridgeNotifier } from "./notify/eventbridge.ts";
import { trackerUpgrades } from "./server/tracker-upgrades.ts";
import { WebSocketServer } from "./server/websocket-server.ts";
import type { Storage } from "./storage/storage.ts";
import type { CallbackManager, EventCallback, StatusCallback } from "./tracker/callback-manager.ts";
import { systemClock, type Clock } from "./tracker/clock.ts";
import { trackerEvents, type EventsOptions, type EventSource } from "./tracker/events.ts";
import { Liaison } from "./tracker/liaison.ts";
import { errorText, report, silentLogger, type Logger } from "./tracker/logger.ts";
import type { OpenedTracker } from "./tracker/open.ts";
import { ProgressStorage } from "./tracker/progress-storage.ts";
import { recentEvents } from "./tracker/recent-events.ts";
import { taskReport, type TaskReport } from "./tracker/reports.ts";
import { runNow } from "./tracker/steps.ts";
import { runTask, TASK_OPTIONS, type RunOptions, type TaskHandle, type TaskOptions } from "./tracker/task-run.ts";

/**
 * Tracks one upgrade. Commands are synchronous and return their event, which is then in the log (it survives a kill);
 * `await flush()` waits for stable storage. A repeated command that already holds returns the event that made it so.
 *
 * Wrong use throws a {@link MilepostError} and writes nothing. Trouble with the storage does not throw: events wait, in
 * order, health says `degraded`, and `flush()` rejects.
 */
export class ProgressTracker implements AsyncDisposable {
  readonly upgradeId: string;
  readonly planId: string;
  readonly clusterName: string;
  readonly storage: ProgressStorage;
  readonly callbacks: CallbackManager;
  readonly notifier: EventBridgeNotifier;
  readonly websocket: WebSocketServer;
  readonly #opened: OpenedTracker;
  readonly #driver: Storage;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #liaison: Liaison;
  readonly #telling: { close(): Promise<void> };
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  /**
   * Opens the upgrade, resuming it if the storage holds it. `parts` are what {@link open} has opened.
   *
   * @throws INVALID_ID, LOCKED, UPGRADE_MISMATCH, CORRUPT, NEWER_FORMAT, STORAGE_UNUSABLE; ASYNC_STORAGE: use {@link open}.
   */
  constructor(options: ProgressTrackerOptions, parts: OpenedParts = openNow(options)) {
    const { logger = silentLogger, clock = systemClock } = options;
    this.upgradeId = options.upgradeId;
    this.planId = parts.opened.ids.planId;
    this.clusterName = parts.opened.ids.clusterName;
    this.callbacks = parts.callbacks;
    this.#opened = parts.opened;
    this.#driver = parts.storage;
    this.#clock = clock;
    this.#logger = logger;
    const { tracker } = parts.opened;
    this.storage = new ProgressStorage({
      storage: parts.storage,
      upgradeId: options.upgradeId,
      logger,
      saveSnapshot: (progress) => tracker.log.saveSnapshot(progress),
    });
    this.notifier = eventBridgeOf(options);
    this.websocket = new WebSocketServer({
      port: options.websocketPort ?? 8765,
      enabled: options.enableWebsocket ?? false,
      logger,
      upgrades: trackerUpgrades(this.#source()),
    });
    this.#liaison = new Liaison({
      ...parts.opened,
      upgradeId: options.upgradeId,
      logger,
      snapshotEvery: options.snapshotEvery ?? 20_000,
    });
    this.#telling = tellNotifiers(options, parts, this.notifier);
  }

  /** Opens an upgrade in any storage, also one that answers later. @throws as the constructor. */
  static async open(options: ProgressTrackerOptions): Promise<ProgressTracker> {
    return new ProgressTracker(options, await openAwaiting(options));
  }

  /** The current state; immutable. */
  get progress(): UpgradeProgress {
    return this.#opened.tracker.state;
  }

  /** Executes a command given as data. */
  execute(command: unknown): ProgressEvent {
    return this.#opened.tracker.execute(command);
  }

  /** On a finished upgrade this begins its next run; the finished one stays readable as `<id>@<n>`. */
  startUpgrade(phase?: string): ProgressEvent {
    return this.execute({ type: "startUpgrade", phase });
  }

  setCurrentPhase(phase: string, message?: string): ProgressEvent {
    return this.execute({ type: "setCurrentPhase", phase, message });
  }

  pauseUpgrade(message?: string): ProgressEvent {
    return this.execute({ type: "pauseUpgrade", message });
  }

  resumeUpgrade(message?: string): ProgressEvent {
    return this.execute({ type: "resumeUpgrade", message });
  }

  /** With unfinished tasks the event lists them, a warning is raised, and they keep their status. */
  completeUpgrade(message?: string): ProgressEvent {
    return this.execute({ type: "completeUpgrade", message });
  }

  failUpgrade(error: unknown): ProgressEvent {
    return this.execute({ type: "failUpgrade", errorMessage: errorText(error) });
  }

  cancelUpgrade(message?: string): ProgressEvent {
    return this.execute({ type: "cancelUpgrade", message });
  }

  /** @returns the task; one that exists with this definition is left as it is. @throws TASK_EXISTS for another definition. */
  addTask(taskId: string, taskName: string, taskType?: TaskType, options: TaskOptions = {}): Task {
    checkFields(options, TASK_OPTIONS, "the options of a task");
    this.execute({ ...options, type: "addTask", taskId, taskName, taskType });
    return this.progress.tasks.get(taskId) as Task;
  }

  addTasks(tasks: readonly NewTask[]): readonly Task[] {
    return checkList(tasks, "tasks").map(({ taskId, taskName, taskType, ...options }) =>
      this.addTask(taskId, taskName, taskType, options),
    );
  }

  startTask(taskId: string, message?: string): ProgressEvent {
    return this.execute({ type: "startTask", taskId, message });
  }

  /** Reports a percentage, or steps; a task that has not started is started. @throws INVALID_PERCENT, ILLEGAL_TRANSITION. */
  updateTaskProgress(
    taskId: string,
    progress: number | ProgressReport,
    message?: string,
    details?: JsonObject,
  ): ProgressEvent {
    const type = "updateTaskProgress";
    if (typeof progress === "number") return this.execute({ type, taskId, percentage: progress, message, details });
    return this.execute({ ...positionOf(progress ?? null), type, taskId, message, details });
  }

  completeTask(taskId: string, message?: string): ProgressEvent {
    return this.execute({ type: "completeTask", taskId, message });
  }

  failTask(taskId: string, error: unknown): ProgressEvent {
    return this.execute({ type: "failTask", taskId, errorMessage: errorText(error) });
  }

  /** Another attempt at a failed task; earlier attempts are kept. */
  retryTask(taskId: string, message?: string): ProgressEvent {
    return this.execute({ type: "retryTask", taskId, message });
  }

  pauseTask(taskId: string, message?: string): ProgressEvent {
    return this.execute({ type: "pauseTask", taskId, message });
  }

  resumeTask(taskId: string, message?: string): ProgressEvent {
    return this.execute({ type: "resumeTask", taskId, message });
  }

  skipTask(taskId: string, message?: string): ProgressEvent {
    return this.execute({ type: "skipTask", taskId, message });
  }

  cancelTask(taskId: string, message?: string): ProgressEvent {
    return this.execute({ type: "cancelTask", taskId, message });
  }

  setWaitingOn(taskId: string, waitingOn: WaitingOnInput): ProgressEvent {
    return this.execute({ type: "setWaitingOn", taskId, waitingOn });
  }

  clearWaitingOn(taskId: string): ProgressEvent {
    return this.execute({ type: "clearWaitingOn", taskId });
  }

  /** A sign of life; at most one per task and 10 s is kept. */
  heartbeat(taskId: string): ProgressEvent {
    return this.execute({ type: "heartbeat", taskId });
  }

  appendLog(taskId: string, text: string): ProgressEvent {
    return this.execute({ type: "appendLog", taskId, text });
  }

  raiseInsight(insight: Partial<InsightInput> & Pick<InsightInput, "id" | "level" | "message">): ProgressEvent {
    return this.execute({ type: "raiseInsight", insight });
  }

  clearInsight(insightId: string, message?: string): ProgressEvent {
    return this.execute({ type: "clearInsight", insightId, message });
  }

  /**
   * Adds and starts a task, runs `work`, completes the task or fails it, and returns what `work` returned.
   *
   * @returns undefined for a completed task with `{ ifDone: "skip" }`.
   * @throws ALREADY_DONE on a completed task; what `work` throws.
   */
  run<T>(
    taskId: string,
    taskName: string,
    work: (task: TaskHandle) => T | Promise<T>,
    options: RunOptions = {},
  ): Promise<T | undefined> {
    const tracker = {
      execute: (command: object) => this.execute(command),
      task: (id: string) => this.progress.tasks.get(id),
      upgradeStatus: () => this.progress.status,
      onEvent: (listener: (event: ProgressEvent) => void) => this.#opened.tracker.onEvent(listener),
      closing: this.#closing.signal,
    };
    return runTask(tracker, { taskId, taskName, work, options });
  }

  getProgressSummary(): ProgressSummary {
    return progressSummary(this.progress, this.#opened.tracker.log.now());
  }

  getTaskProgress(taskId: string): TaskReport | undefined {
    const task = this.progress.tasks.get(taskId);
    if (task === undefined) return undefined;
    return taskReport(
      task,
      this.#opened.tracker.log.now(),
      runNow(recentEvents(this.#driver, this.#opened.tracker.log, task)),
    );
  }

  /** The weighted mean over the leaf tasks that are not skipped or cancelled, 0 to 100. */
  calculateProgressPercentage(): number {
    return this.progress.overallPercentage;
  }

  getCurrentTask(): Task | undefined {
    return currentTask(this.progress);
  }

  /** ISO 8601, UTC; null while there is nothing to go by. */
  getEstimatedCompletionTime(): string | null {
    return estimatedCompletion(this.progress, this.#opened.tracker.log.now().logMs, this.#clock.now());
  }

  getSystemInfo(): SystemInfo {
    return systemInfo(this);
  }

  /** Calls `callback` for every event from now on. Returns the function that removes it. */
  addEventCallback(callback: EventCallback): () => void {
    return this.callbacks.addEventCallback(callback);
  }

  /** Calls `callback` with a task each time it reaches `status`. Returns the function that removes it. */
  addStatusCallback(status: ProgressStatus, callback: StatusCallback): () => void {
    return this.callbacks.addStatusCallback(status, callback);
  }

  /** The events after a cursor (all when absent), then live ones until the signal or `close()` ends it. @throws CURSOR_GONE. */
  events(options: EventsOptions = {}): AsyncGenerator<ProgressEvent, undefined> {
    return trackerEvents(this.#source(), options);
  }

  #source(): EventSource {
    const { tracker } = this.#opened;
    return { storage: this.#driver, upgradeId: this.upgradeId, tracker, closing: this.#closing.signal };
  }

  /** Resolves false when it is not enabled or cannot listen; the reason is logged, and tracking goes on. */
  startWebsocketServer(): Promise<boolean> {
    return this.websocket.start();
  }

  stopWebsocketServer(): Promise<void> {
    return this.websocket.stop();
  }

  /** Resolves when all so far is on stable storage (it survives a power cut). @throws STORAGE_DEGRADED, FENCED. */
  flush(): Promise<void> {
    return this.#opened.tracker.log.flush();
  }

  /** Flushes, says goodbye in the log, and frees the upgrade. May be called twice. @throws STORAGE_DEGRADED when events could not be stored. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  cleanup(): Promise<void> {
    return this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort(new MilepostError("CLOSED", "the tracker was closed"));
    try {
      await this.#liaison.close();
      await this.#opened.tracker.close();
    } catch (error) {
      report(this.#logger, "error", "close", error);
      throw error;
    } finally {
      await this.#telling.close();
      // Last, so that whoever watches is told the end.
      await this.websocket.stop();
      this.callbacks.clearAllCallbacks();
    }
  }
}
