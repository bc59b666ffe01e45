/**
 * Callbacks: called in the order of registration, after the append, one event at a time.
 *
 * - A command given inside a callback is appended at once; its callbacks follow when those of the present event are done, so
 *   everybody sees events in the order of seq, and depth of calls does not grow.
 * - A callback that throws, rejects, is slow or never settles is counted and reported, and hurts nobody else.
 */

import { MilepostError, shown } from "../errors.ts";
import { checkWord } from "../model/check.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { Task } from "../model/task.ts";
import { ProgressStatus } from "../model/vocabulary.ts";
import { report, silentLogger, type Logger } from "./logger.ts";

/** Told of every event. What it returns is not waited for; a promise that rejects is reported. */
export type EventCallback = (event: ProgressEvent) => unknown;
/** Told of a task that has just reached the status it was registered for. */
export type StatusCallback = (task: Task) => unknown;

/** How many callbacks are registered. */
export interface CallbackCounts {
  readonly eventCallbacks: number;
  /** Only statuses that have some. */
  readonly statusCallbacks: Readonly<Partial<Record<ProgressStatus, number>>>;
}

/** What went wrong in callbacks so far. */
export interface CallbackTroubles {
  readonly failed: number;
  readonly slow: number;
  readonly unsettled: number;
}

export interface CallbackManagerOptions {
  readonly logger?: Logger;
  /** A callback that takes longer is counted and reported; the first time with all that were called beside it. */
  readonly slowCallbackMs?: number;
  /** A promise from a callback that is still pending after this is counted and reported. */
  readonly settleTimeoutMs?: number;
  /** Milliseconds that only go forward. */
  readonly monotonic?: () => number;
}

type Callback = (subject: never) => unknown;

interface Registration {
  readonly callback: Callback;
  isActive: boolean;
}

interface Notice {
  readonly registrations: readonly Registration[];
  readonly subject: unknown;
}

export class CallbackManager {
  readonly #logger: Logger;
  readonly #slowCallbackMs: number;
  readonly #settleTimeoutMs: number;
  readonly #monotonic: () => number;
  /** Replaced, never changed, so that a round under way keeps its own list. */
  #event: readonly Registration[] = [];
  #status: ReadonlyMap<ProgressStatus, readonly Registration[]> = new Map();
  /** What events inside callbacks have to tell, while there is such. */
  #waiting: Notice[] = [];
  #isCalling = false;
  #isTimingEach = false;
  #troubles = { failed: 0, slow: 0, unsettled: 0 };

  constructor({
    logger = silentLogger,
    slowCallbackMs = 100,
    settleTimeoutMs = 30_000,
    monotonic = () => performance.now(),
  }: CallbackManagerOptions = {}) {
    this.#logger = logger;
    this.#slowCallbackMs = slowCallbackMs;
    this.#settleTimeoutMs = settleTimeoutMs;
    this.#monotonic = monotonic;
  }

  /** Calls `callback` for every event from now on. Returns the function that removes it. */
  addEventCallback(callback: EventCallback): () => void {
    const registration: Registration = { callback: checked(callback), isActive: true };
    this.#event = [...this.#event, registration];
    return () => {
      this.#event = without(this.#event, registration);
    };
  }

  /** Removes the first registration of `callback`; false if there is none. */
  removeEventCallback(callback: EventCallback): boolean {
    const registration = this.#event.find((candidate) => candidate.callback === callback);
    if (registration === undefined) return false;
    this.#event = without(this.#event, registration);
    return true;
  }

  /** Calls `callback` with a task each time it reaches `status`. Returns the function that removes it. */
  addStatusCallback(status: ProgressStatus, callback: StatusCallback): () => void {
    checkWord(status, "status", Object.values(ProgressStatus));
    const registration: Registration = { callback: checked(callback), isActive: true };
    this.#setStatus(status, [...(this.#status.get(status) ?? []), registration]);
    return () => this.#setStatus(status, without(this.#status.get(status) ?? [], registration));
  }

  /** Removes the first registration of `callback` for `status`; false if there is none. */
  removeStatusCallback(status: ProgressStatus, callback: StatusCallback): boolean {
    const registrations = this.#status.get(status) ?? [];
    const registration = registrations.find((candidate) => candidate.callback === callback);
    if (registration === undefined) return false;
    this.#setStatus(status, without(registrations, registration));
    return true;
  }

  clearAllCallbacks(): void {
    for (const registration of [...this.#event, ...[...this.#status.values()].flat()]) registration.isActive = false;
    this.#event = [];
    this.#status = new Map();
  }

  getCallbackCounts(): CallbackCounts {
    const statusCallbacks: Partial<Record<ProgressStatus, number>> = {};
    for (const [status, { length }] of this.#status) if (length > 0) statusCallbacks[status] = length;
    return { eventCallbacks: this.#event.length, statusCallbacks };
  }

  getTroubles(): CallbackTroubles {
    return { ...this.#troubles };
  }

  /** Tells everybody registered for events. */
  notifyEvent(event: ProgressEvent): void {
    if (this.#event.length > 0) this.#enqueue({ registrations: this.#event, subject: event });
  }

  /** Tells everybody registered for the task's present status. */
  notifyStatusChange(task: Task): void {
    const registrations = this.#status.get(task.status);
    if (registrations !== undefined && registrations.length > 0) this.#enqueue({ registrations, subject: task });
  }

  #setStatus(status: ProgressStatus, registrations: readonly Registration[]): void {
    this.#status = new Map(this.#status).set(status, registrations);
  }

  #enqueue(notice: Notice): void {
    if (this.#isCalling) {
      this.#waiting.push(notice);
      return;
    }
    this.#isCalling = true;
    try {
      this.#callAll(notice);
      // Not for...of with shift: 10,000 waiting notices must not cost 10,000 moves each.
      for (let index = 0; index < this.#waiting.length; index++) this.#callAll(this.#waiting[index] as Notice);
    } finally {
      // Setting a length is a slow thing for an array.
      if (this.#waiting.length > 0) this.#waiting = [];
      this.#isCalling = false;
    }
  }

  /** Reading a clock costs more than most callbacks do: all are timed together until that was slow once, then each by itself. */
  #callAll(notice: Notice): void {
    const began = this.#monotonic();
    if (this.#isTimingEach) return this.#callEach(notice, began);
    const { registrations, subject } = notice;
    for (const registration of registrations) if (registration.isActive) this.#call(registration.callback, subject);
    const tookMs = this.#monotonic() - began;
    if (tookMs <= this.#slowCallbackMs) return;
    this.#isTimingEach = true;
    this.#slow(registrations, tookMs);
  }

  #callEach({ registrations, subject }: Notice, began: number): void {
    let before = began;
    for (const registration of registrations) {
      if (!registration.isActive) continue;
      this.#call(registration.callback, subject);
      const after = this.#monotonic();
      if (after - before > this.#slowCallbackMs) this.#slow([registration], after - before);
      before = after;
    }
  }

  #call(callback: Callback, subject: unknown): void {
    try {
      const result = callback(subject as never);
      if (isThenable(result)) this.#watch(callback, result);
    } catch (error) {
      this.#failed(callback, error);
    }
  }

  #watch(callback: Callback, result: PromiseLike<unknown>): void {
    const timer = setTimeout(() => {
      this.#troubles.unsettled += 1;
      report(this.#logger, "warn", `callback ${nameOf(callback)} has not settled for ${this.#settleTimeoutMs} ms`);
    }, this.#settleTimeoutMs).unref();
    result.then(
      () => clearTimeout(timer),
      (error: unknown) => {
        clearTimeout(timer);
        this.#failed(callback, error);
      },
    );
  }

  #slow(registrations: readonly Registration[], tookMs: number): void {
    this.#troubles.slow += 1;
    const names = registrations.map(({ callback }) => nameOf(callback)).join(", ");
    const who = registrations.length === 1 ? `callback ${names}` : `callbacks ${names} together`;
    report(this.#logger, "warn", `${who} took ${Math.round(tookMs)} ms; commands wait for callbacks`);
  }

  #failed(callback: Callback, error: unknown): void {
    this.#troubles.failed += 1;
    report(this.#logger, "error", `callback ${nameOf(callback)} failed`, error);
  }
}

function checked<T>(callback: T): T {
  if (typeof callback === "function") return callback;
  throw new MilepostError("INVALID_ARGUMENT", `a callback must be a function, not ${shown(callback)}`);
}

function without(registrations: readonly Registration[], gone: Registration): readonly Registration[] {
  gone.isActive = false;
  return registrations.filter((registration) => registration !== gone);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/** A function's own name; one that cannot be asked has none. */
function nameOf(callback: Callback): string {
  try {
    return callback.name === "" ? "(anonymous)" : callback.name;
  } catch {
    return "(unnamed)";
  }
}
