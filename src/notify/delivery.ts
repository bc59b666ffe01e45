/**
 * Tells one notifier of one upgrade: every event that its rules select, in the order of each key, until it is taken or given up.
 *
 * States
 *   standby   another process tells this notifier of this upgrade; looks every five seconds whether it still does
 *   telling   one batch at a time: news from the log, lanes that are due, dead letters that somebody wants told again
 *   idle      all is told that is due; woken by the log, by the next lane, or by a look for redrives
 *   unusable    the notifier says that it cannot tell anything (delivery/check.ts); it is asked again now and then
 *   in trouble  the log cannot be read, or outcomes cannot be kept: nothing is told until they can
 *
 * Guarantees
 *   At least once. The record (a cursor, and the lanes) is written behind the outcomes and never before, so a crash repeats at
 *     most the batch that was under way, with the same event ids. A record that is lost or is of another history leads back to
 *     the newest place that is known to be shared, and is warned of, once.
 *   Order per key (a task, or the upgrade). An event that is not taken holds back its own key alone (delivery/lanes.ts), for the
 *     attempts of delivery/retry.ts; then it is a dead letter with the reason, and the key goes on. Where a notifier takes a batch
 *     in part, what it took of a key stands before what it did not.
 *   Nothing is selected and then dropped: refused, tried often enough, or gone from the log are dead letters, durable before the
 *     record passes them. No copy is kept: what waits is a place in the log, so that memory does not grow with what is behind.
 *   Isolation. A delivery reads what is stored, by itself; a call has a time limit and is not waited for beyond it. Nobody waits
 *     for a delivery but `close`, for a bounded time. What all deliveries to one notifier share is its circuit (delivery/circuit.ts).
 *   Time. Waiting goes by the monotonic clock; over a restart, by wall time that counts for no more than the longest wait.
 */

import { isMilepostError } from "../errors.ts";
import { firstCursor } from "../model/cursor.ts";
import type { DeliveryLock, DeliveryStore, Storage } from "../storage/storage.ts";
import { report, silentLogger, type Logger } from "../tracker/logger.ts";
import type { NotifierCheck } from "./delivery/check.ts";
import { Circuit } from "./delivery/circuit.ts";
import { Alarm, systemDeliveryClock, type DeliveryClock } from "./delivery/clock.ts";
import { findPlace, findStart, openFirst, type Found } from "./delivery/place.ts";
import { parseRecord, type DeliveryRecord } from "./delivery/record.ts";
import { LOOK_MS } from "./delivery/redrive.ts";
import { everything, type Router } from "./delivery/router.ts";
import { Sender } from "./delivery/sender.ts";
import { foldedStates, type States } from "./delivery/states.ts";
import { Tally, type DeliveryCounts } from "./delivery/tally.ts";
import type { Notifier } from "./notifier.ts";

export { NotifierCheck } from "./delivery/check.ts";
export { Circuit } from "./delivery/circuit.ts";
export { isAtEnd, leftOf } from "./delivery/left.ts";
export { requestRedrive } from "./delivery/dead-letters.ts";
export { keyOf, type Router, type Routing } from "./delivery/router.ts";
export { deliveryClock, systemDeliveryClock, type DeliveryClock } from "./delivery/clock.ts";

export interface DeliveryOptions {
  readonly notifier: Notifier;
  readonly storage: Pick<Storage, "openReader" | "watch" | "deliveries">;
  readonly upgradeId: string;
  /** Which events are told. Default all. */
  readonly router?: Router;
  /** Shared by all deliveries to this notifier in this process. */
  readonly circuit?: Circuit;
  /** Shared likewise: asks the notifier whether it can tell, before it is told. Without it nobody asks. */
  readonly check?: NotifierCheck;
  /** Calls `onChange` soon after the log has grown. Default: the storage's watch. */
  readonly watch?: (onChange: () => void) => () => void;
  /** Where a notifier begins that was never told of this upgrade: also behind a cursor, if the run is still that one. Default `beginning`. */
  readonly whenNew?: "beginning" | "end" | { readonly after: string };
  /** Of which run; default the newest. */
  readonly fromRun?: number;
  /** True if what waits to be tried again is tried when it begins, whatever its schedule says. */
  readonly isEager?: boolean;
  /** For one call. Default 30,000. */
  readonly timeoutMs?: number;
  readonly clock?: DeliveryClock;
  readonly random?: () => number;
  readonly logger?: Logger;
}

/** Where a delivery stands, for people. */
export interface DeliveryStatus {
  readonly notifier: string;
  readonly state: "standby" | "telling" | "idle" | "unusable" | "in_trouble" | "closed";
  /** Keys of which an event waits to be tried again, or is held back. */
  readonly waiting: number;
  /** True if all is told, and nothing will be due unless the log grows or somebody asks for a redrive. */
  readonly isSettled: boolean;
  /** What became of events since the start. */
  readonly counts: DeliveryCounts;
}

const STANDBY_MS = 5_000;
const TROUBLE_MS = 5_000;

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #clock: DeliveryClock;
  readonly #circuit: Circuit;
  readonly #store: DeliveryStore;
  readonly #states: States;
  readonly #logger: Logger;
  readonly #alarm: Alarm;
  readonly #tally: Tally;
  readonly #closing = new AbortController();
  readonly #settled = new Set<() => void>();
  #state: DeliveryStatus["state"] = "standby";
  #sender: Sender | undefined;
  #lock: DeliveryLock | undefined;
  #running: Promise<void> | undefined;
  /** The last trouble that was reported; told again only when it is another one. */
  #trouble: string | undefined;

  constructor(options: DeliveryOptions) {
    const { clock = systemDeliveryClock, random = Math.random, logger = silentLogger, storage, upgradeId } = options;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#circuit = options.circuit ?? new Circuit({ clock, random });
    this.#store = storage.deliveries(upgradeId);
    this.#states = foldedStates(storage, upgradeId);
    this.#alarm = new Alarm(clock);
    this.#tally = new Tally({ upgradeId, notifier: options.notifier.name, logger });
  }

  get status(): DeliveryStatus {
    const waiting = this.#sender?.lanes.length ?? 0;
    const isSettled = this.#state === "idle" && this.#sender?.dueAt === undefined;
    const { name: notifier } = this.#options.notifier;
    return { notifier, state: this.#state, waiting, isSettled, counts: this.#tally.counts };
  }

  /** Tells from now on. Never throws and never rejects: what goes wrong is logged. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves true when all is told that is due before `timeoutMs` have passed; false when the time is up, or another process tells. */
  async drain(timeoutMs: number): Promise<boolean> {
    const deadline = this.#clock.monotonic() + timeoutMs;
    let isLate = false;
    const late = (): void => {
      isLate = true;
      this.#changed();
    };
    const cancel = this.#clock.schedule(late, timeoutMs, true);
    try {
      // So that it looks at the log once more before it says that it has told all.
      this.#alarm.ring();
      for (;;) {
        await new Promise<void>((resolve) => this.#settled.add(resolve));
        if (isLate || ["closed", "standby", "unusable"].includes(this.#state)) return false;
        if (this.#state === "idle" && (this.#sender?.dueAt ?? Number.POSITIVE_INFINITY) > deadline) return true;
      }
    } finally {
      cancel();
    }
  }

  /** Lets it tell for `drainTimeoutMs`, then ends. What is left is told by whoever opens the upgrade next. May be called twice. */
  async close({ drainTimeoutMs = 0 }: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    if (this.#running !== undefined && drainTimeoutMs > 0 && this.#state !== "closed") await this.drain(drainTimeoutMs);
    this.#closing.abort(new Error("the delivery is closed"));
    this.#alarm.ring();
    await this.#running;
    this.#enter("closed");
  }

  async #run(): Promise<void> {
    const { storage, upgradeId, watch = (onChange) => storage.watch(upgradeId, onChange) } = this.#options;
    const { signal } = this.#closing;
    const stopWatching = watch(() => this.#alarm.ring());
    try {
      while (!signal.aborted) await this.#alarm.sleep(await this.#turn(signal));
      await this.#sender?.keep({ andMoves: true });
    } catch (error) {
      this.#report(error);
    } finally {
      stopWatching();
      this.#release();
      this.#states.close();
    }
  }

  /** Tells all that is due; returns for how long there is nothing to do. */
  async #turn(signal: AbortSignal): Promise<number> {
    try {
      if (this.#lock?.isHeld() !== true && !(await this.#begin())) return STANDBY_MS;
      const retryInMs = await this.#uncheckedMs();
      if (retryInMs !== undefined) {
        this.#enter("unusable");
        return retryInMs;
      }
      this.#enter("telling");
      while (!signal.aborted && (await (this.#sender as Sender).step(signal))) {
        this.#trouble = undefined;
        if (this.#lock?.isHeld() !== true) return 0;
      }
      this.#trouble = undefined;
      this.#enter("idle");
      const dueInMs = (this.#sender?.dueAt ?? Number.POSITIVE_INFINITY) - this.#clock.monotonic();
      return Math.min(LOOK_MS, dueInMs);
    } catch (error) {
      if (isMilepostError(error, "UNKNOWN_UPGRADE")) this.#release();
      else this.#report(error);
      this.#enter("in_trouble");
      return TROUBLE_MS;
    }
  }

  /** Undefined when the notifier can tell, as far as is known; else for how long there is nothing to do. */
  async #uncheckedMs(): Promise<number | undefined> {
    const { check } = this.#options;
    const before = check?.record;
    if (check === undefined || this.#sender?.isStopped === true || (await check.passes())) return undefined;
    // So that people find it in the record.
    if (check.record !== before) this.#sender?.touch();
    await this.#sender?.keep();
    return Math.min(LOOK_MS, Math.max(1, check.dueInMs));
  }

  /** Takes the right to tell, and reads where that goes on. False while another has it, or there is no log. */
  async #begin(): Promise<boolean> {
    this.#release();
    this.#lock = await this.#store.lock(this.#options.notifier.name);
    if (this.#lock === undefined) {
      this.#enter("standby");
      return false;
    }
    try {
      this.#sender = await this.#open();
    } finally {
      if (this.#sender === undefined) this.#release();
    }
    if (this.#sender === undefined) this.#enter("idle");
    return this.#sender !== undefined;
  }

  async #open(): Promise<Sender | undefined> {
    const { storage, upgradeId, notifier } = this.#options;
    const { timeoutMs = 30_000, router = everything, random = Math.random, isEager = false, check } = this.#options;
    const text = await this.#store.load(notifier.name);
    const record = text === undefined ? undefined : parseRecord(text);
    const found = await this.#find(text, record);
    if (found === undefined) return undefined;
    return new Sender(
      {
        notifier,
        router,
        logs: storage,
        upgradeId,
        store: this.#store,
        states: this.#states,
        circuit: this.#circuit,
        clock: this.#clock,
        random,
        timeoutMs,
        isEager,
        checked: () => check?.record,
        onSettled: (settled) => this.#tally.settled(settled),
        warn: (message) => report(this.#logger, "warn", message),
      },
      found,
      record,
    );
  }

  async #find(text: string | undefined, record: DeliveryRecord | undefined): Promise<Found | undefined> {
    const { storage, upgradeId, notifier, whenNew = "beginning", fromRun } = this.#options;
    if (record !== undefined) return findPlace(storage, upgradeId, { run: record.run, cursor: record.cursor });
    const wasSent = (await this.#store.readSent(notifier.name)).length > 0;
    if (text === undefined && !wasSent) return findStart(storage, upgradeId, { run: fromRun, from: whenNew });
    const open = await openFirst(storage, upgradeId);
    if (open === undefined) return undefined;
    const fault = text === undefined ? "its record is missing" : "its record cannot be read";
    return { open, place: { run: open.run, cursor: firstCursor(open.reader.header.logId) }, fault };
  }

  #enter(state: DeliveryStatus["state"]): void {
    this.#state = state;
    if (state !== "telling") this.#changed();
  }

  #changed(): void {
    const waiting = [...this.#settled];
    this.#settled.clear();
    for (const resolve of waiting) resolve();
  }

  #release(): void {
    this.#sender?.close();
    this.#sender = undefined;
    this.#lock?.release();
    this.#lock = undefined;
  }

  #report(error: unknown): void {
    const { notifier, upgradeId } = this.#options;
    const text = String(error);
    if (text !== this.#trouble) report(this.#logger, "warn", `${notifier.name} is not told of ${upgradeId} now`, error);
    this.#trouble = text;
  }
}
