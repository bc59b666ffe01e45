/**
 * The heart: a command is checked, decided, appended, folded and then told.
 *
 * `ProgressTracker` is this with names for every command.
 */

import { isProxy } from "node:util/types";

import { isMilepostError, MilepostError, shown } from "../errors.ts";
import { checkCommand, type Command } from "../model/command.ts";
import { decide } from "../model/decide.ts";
import type { Decision } from "../model/decision.ts";
import type { EventDraft, ProgressEvent } from "../model/event.ts";
import { assessHealth, type HealthThresholds } from "../model/health.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../model/vocabulary.ts";
import type { CallbackManager } from "./callback-manager.ts";
import type { EventLog, Moment, UpgradeIds } from "./event-log.ts";
import { HeldReports } from "./held-reports.ts";

export interface TrackerOptions {
  readonly log: EventLog;
  readonly ids: UpgradeIds;
  readonly callbacks: CallbackManager;
  readonly healthThresholds: HealthThresholds;
  /** Reads a stored event again, for commands that repeat what already holds. */
  readonly readEvent: (seq: number) => ProgressEvent;
}

export class Tracker {
  readonly #options: TrackerOptions;
  readonly #held = new HeldReports();
  /** What commands with a request have led to, the oldest first. */
  readonly #requests = new Map<string, ProgressEvent>();
  readonly #listeners = new Set<(event: ProgressEvent) => void>();
  #isClosed = false;

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  get state(): UpgradeProgress {
    return this.#options.log.state;
  }

  get log(): EventLog {
    return this.#options.log;
  }

  /** @throws the errors of `checkCommand` and `decide`, FENCED, CLOSED; then nothing was written. */
  execute(input: unknown): ProgressEvent {
    const command = checkCommand(input, isProxy, "request");
    const request = requestOf(input);
    return request === undefined ? this.#perform(command) : this.#performOnce(command, request);
  }

  /**
   * A request that comes again while its event still waits for the storage, or after its sender had given up waiting for this
   * process, is not in the log yet: it is known here.
   */
  #performOnce(command: Command, request: string): ProgressEvent {
    const known = this.#requests.get(request);
    if (known !== undefined) return known;
    const event = this.#perform(command, request);
    this.#requests.set(request, event);
    const [oldest] = this.#requests.keys();
    if (this.#requests.size > MAX_REQUESTS && oldest !== undefined) this.#requests.delete(oldest);
    return event;
  }

  /** Records the health if it is another one than recorded. */
  recordHealth(): void {
    const { log, healthThresholds } = this.#options;
    if (this.#isClosed) return;
    const verdict = assessHealth(
      this.state,
      { isWriterAlive: true, trouble: log.trouble?.message },
      log.now().logMs,
      healthThresholds,
    );
    if (verdict.state === (this.state.health?.state ?? "progressing")) return;
    this.#perform({ type: "recordHealth", health: verdict.state, reasons: verdict.reasons });
  }

  /** What every event does once it has happened: told to callbacks, in order. */
  tell(event: ProgressEvent, state: UpgradeProgress): void {
    const { callbacks } = this.#options;
    callbacks.notifyEvent(event);
    const task = CHANGES_STATUS.has(event.type) && "taskId" in event ? state.tasks.get(event.taskId) : undefined;
    if (task !== undefined) callbacks.notifyStatusChange(task);
    for (const listener of this.#listeners) listener(event);
  }

  /** Calls `listener` after each event, for readers that then look at the log themselves. Returns the function that stops it. */
  onEvent(listener: (event: ProgressEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called when trouble with the storage begins or ends. */
  onTrouble(): void {
    if (this.log.trouble === undefined) this.#release();
    this.recordHealth();
  }

  /** Appends what was held back while the queue was full, as far as it takes it. */
  #release(): void {
    while (!this.log.isFull) {
      const command = this.#held.next();
      if (command === undefined) return;
      this.#performIfLegal(command);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (let command = this.#held.next(); command !== undefined; command = this.#held.next())
      this.#performIfLegal(command);
    await this.log.close();
  }

  #perform(command: Command, request?: string): ProgressEvent {
    if (this.#isClosed) throw new MilepostError("CLOSED", `${command.type}: this tracker is closed; open another one`);
    const { log } = this.#options;
    if (command.type === "startUpgrade" && isFinalUpgradeStatus(this.state.status)) log.beginNextRun();
    const mayWait = log.isFull && HeldReports.takes(command);
    if (!mayWait) this.#releaseFor(command);
    const now = log.now();
    const decision = decide(this.state, command, now);
    // A report that also starts its task is a state change: that never waits.
    return mayWait && "drafts" in decision && decision.drafts.length === 1
      ? this.#hold(command, decision.drafts[0] as EventDraft)
      : this.#append(decision, now, request);
  }

  #append(decision: Decision, now: Moment, request?: string): ProgressEvent {
    if ("repeats" in decision) return this.#repeated(decision.repeats);
    const drafts = request === undefined ? decision.drafts : marked(decision.drafts, request);
    return this.log.append(drafts, this.#options.ids, now);
  }

  /** A disk that cannot be read now throws into no command either: then the answer is the event's seq and no more. */
  #repeated(seq: number): ProgressEvent {
    const queued = this.log.recent(seq);
    if (queued !== undefined) return queued;
    try {
      return this.#options.readEvent(seq);
    } catch (error) {
      if (isMilepostError(error) && !isMilepostError(error, "STORAGE_UNUSABLE", "STORAGE_DEGRADED")) throw error;
      const { upgradeId } = this.state;
      return Object.freeze({
        seq,
        type: "event.unread",
        time: this.log.now().time,
        upgradeId,
      }) as unknown as ProgressEvent;
    }
  }

  /** The answer has no seq and no cursor yet: it gets them when the queue takes it. */
  #hold(command: Command, draft: EventDraft): ProgressEvent {
    this.#held.put(command);
    return Object.freeze({ ...draft, time: this.log.now().time, upgradeId: this.state.upgradeId }) as ProgressEvent;
  }

  /** A status change of a task comes after what the task reported before it. */
  #releaseFor(command: Command): void {
    if (!("taskId" in command)) return;
    for (const held of this.#held.take(command.taskId)) this.#performIfLegal(held);
  }

  /** What was held may have been overtaken (its task ended by another way); then it says nothing that still matters. */
  #performIfLegal(command: Command): void {
    try {
      const now = this.log.now();
      this.#append(decide(this.state, command, now), now);
    } catch (error) {
      if (error instanceof MilepostError && error.code === "FENCED") throw error;
    }
  }
}

/** Which request a command came with, so that it is known from the log when it comes again: see `EventEnvelope.request`. */
function requestOf(input: unknown): string | undefined {
  const { request } = input as { readonly request?: unknown };
  if (request === undefined || (typeof request === "string" && REQUEST.test(request))) return request;
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `request must be 1 to 64 lower-case hexadecimal digits and dots, not ${shown(request)}; leave it out`,
  );
}

/** Of commands with a request, so many are known. */
const MAX_REQUESTS = 10_000;
const REQUEST = /^[0-9a-f.]{1,64}$/;

/** The mark is on the last one: that is the command's answer, and all are one append. */
function marked(drafts: readonly EventDraft[], request: string): readonly EventDraft[] {
  return drafts.map((draft, index) => (index === drafts.length - 1 ? { ...draft, request } : draft));
}

const CHANGES_STATUS: ReadonlySet<string> = new Set([
  "task.started",
  "task.completed",
  "task.failed",
  "task.retried",
  "task.paused",
  "task.resumed",
  "task.skipped",
  "task.cancelled",
]);
