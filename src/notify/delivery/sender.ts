/** The one that tells: takes what is due, in turns from the news, the lanes and the redriven dead letters, and keeps account. */

import { MilepostError } from "../../errors.ts";
import { parseCursor } from "../../model/cursor.ts";
import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { DeliveryStore } from "../../storage/storage.ts";
import { isoMaker } from "../../tracker/clock.ts";
import type { Notifier, Outcome } from "../notifier.ts";
import type { Circuit } from "./circuit.ts";
import type { DeliveryClock } from "./clock.ts";
import { deadLetterOf, type DeadLetter } from "./dead-letters.ts";
import { Lanes, MAX_LANES, type Lane } from "./lanes.ts";
import type { Found, Logs, Place } from "./place.ts";
import { readLane } from "./read-lane.ts";
import { formatRecord, type DeliveryRecord } from "./record.ts";
import { Redrive } from "./redrive.ts";
import { MAX_DELAY_MS } from "./retry.ts";
import type { Router } from "./router.ts";
import { Scan } from "./scan.ts";
import type { SentNote } from "./sent.ts";
import { settle, type Told } from "./settle.ts";
import type { States } from "./states.ts";
import { tell } from "./tell.ts";

export interface SenderOptions {
  readonly notifier: Notifier;
  readonly router: Router;
  readonly logs: Logs;
  readonly upgradeId: string;
  readonly store: DeliveryStore;
  readonly states: States;
  readonly circuit: Circuit;
  readonly clock: DeliveryClock;
  readonly random: () => number;
  readonly timeoutMs: number;
  /** Told when the log is not the one that was told. */
  readonly warn: (message: string) => void;
}

/** So many events are looked at between two looks at the lanes. */
const MAX_SCANNED = 5_000;
/** A record that only says that nothing was selected is not worth a write for each event. */
const SAVE_MOVES_MS = 5_000;

export class Sender {
  readonly #options: SenderOptions;
  readonly #lanes = new Lanes();
  readonly #redrive: Redrive;
  readonly #iso = isoMaker();
  #scan: Scan;
  /** All that is selected up to here is settled. */
  #place: Place;
  #letters: DeadLetter[] = [];
  #notes: SentNote[] = [];
  /** Outcomes that the record does not know. */
  #isUnsaved: boolean;
  #hasMoved = false;
  #savedAt: number;
  #turn = 0;
  #recoveries: number;

  constructor(options: SenderOptions, found: Found, record: DeliveryRecord | undefined) {
    this.#options = options;
    this.#place = found.place;
    this.#scan = this.#scanFrom(found);
    const { clock, circuit } = options;
    this.#savedAt = clock.monotonic();
    this.#recoveries = circuit.recoveries;
    this.#redrive = new Redrive(options.store, options.notifier, record?.redrive);
    if (record !== undefined)
      this.#lanes.restore(record.lanes, clock.monotonic(), clock.now() - Date.parse(record.savedAt));
    if (found.fault !== undefined) this.#wentBack(found.fault, found.place);
    // So that a record which is missing later is one that was lost.
    this.#isUnsaved = record === undefined || found.fault !== undefined;
  }

  get lanes(): readonly Lane[] {
    return this.#lanes.all();
  }

  /** Monotonic time at which something is due; undefined when nothing waits. */
  get dueAt(): number | undefined {
    return this.#lanes.next()?.nextAt;
  }

  /**
   * Tells one batch of what is due. False when nothing is due now.
   *
   * @throws STORAGE_DEGRADED when outcomes cannot be kept: then nothing is told until they are. CORRUPT and others of reading.
   */
  async step(signal: AbortSignal): Promise<boolean> {
    await this.keep();
    const { circuit, clock } = this.#options;
    if (circuit.recoveries !== this.#recoveries) {
      this.#recoveries = circuit.recoveries;
      this.#lanes.release(clock.monotonic());
    }
    const kinds = [() => this.#tellNews(signal), () => this.#tellLane(signal), () => this.#tellAgain(signal)];
    try {
      for (let tries = 0; tries < kinds.length; tries++) {
        const kind = kinds[this.#turn] as () => Promise<boolean>;
        this.#turn = (this.#turn + 1) % kinds.length;
        if (await kind()) return true;
      }
    } catch (error) {
      this.#scan.close();
      this.#scan = this.#scanFrom({ open: undefined, place: this.#place });
      throw error;
    }
    if (this.#hasMoved && clock.monotonic() - this.#savedAt >= SAVE_MOVES_MS) await this.keep({ andMoves: true });
    return false;
  }

  /** Writes down what became of what was told. @throws STORAGE_DEGRADED, UNKNOWN_UPGRADE. */
  async keep({ andMoves = false } = {}): Promise<void> {
    if (!this.#isUnsaved && !(andMoves && this.#hasMoved)) return;
    const { store, notifier, clock } = this.#options;
    if (this.#letters.length > 0) await store.addDeadLetters(this.#letters.map((letter) => JSON.stringify(letter)));
    this.#letters = [];
    if (this.#notes.length > 0)
      await store.addSent(
        notifier.name,
        this.#notes.map((note) => JSON.stringify(note)),
      );
    this.#notes = [];
    const now = clock.monotonic();
    const record: DeliveryRecord = {
      version: 1,
      ...this.#place,
      lanes: this.#lanes.toRecords(now),
      redrive: this.#redrive.record,
      savedAt: this.#iso(clock.now()),
    };
    await store.save(notifier.name, formatRecord(record));
    this.#isUnsaved = this.#hasMoved = false;
    this.#savedAt = now;
  }

  close(): void {
    this.#scan.close();
  }

  #scanFrom(found: Found): Scan {
    const { logs, upgradeId } = this.#options;
    return new Scan(logs, { upgradeId, found, onFault: (fault, place) => this.#wentBack(fault, place) });
  }

  #wentBack(fault: string, place: Place): void {
    const { notifier, warn } = this.#options;
    this.#place = place;
    this.#lanes.cutAfter(place.run, parseCursor(place.cursor).seq);
    this.#isUnsaved = true;
    warn(
      `${notifier.name}: ${fault}; it is told again from event ${parseCursor(place.cursor).seq + 1} of run ${place.run}`,
    );
  }

  async #tellNews(signal: AbortSignal): Promise<boolean> {
    if (this.#lanes.size >= MAX_LANES) return false;
    const { events, run, scanned } = await this.#select();
    if (events.length > 0) return this.#tell({ run, events }, signal);
    if (scanned === 0) return false;
    this.#place = this.#scan.place;
    this.#hasMoved = true;
    return scanned === MAX_SCANNED;
  }

  /** Reads on until there is a batch, or enough was looked at. */
  async #select(): Promise<Told & { readonly scanned: number }> {
    const { maxEvents, maxBytes } = this.#options.notifier.limits;
    const events: { event: ProgressEvent; key: string }[] = [];
    let sizeBytes = 0;
    let scanned = 0;
    let run = this.#place.run;
    for (; scanned < MAX_SCANNED && this.#lanes.size < MAX_LANES; scanned++) {
      const next = await this.#scan.peek();
      if (next === undefined) break;
      if (next.run !== run && events.length > 0) break;
      ({ run } = next);
      const key = await this.#keyOf(next.event, run);
      if (key !== undefined) {
        sizeBytes += next.sizeBytes;
        if (events.length > 0 && (events.length >= maxEvents || sizeBytes > maxBytes)) break;
        events.push({ event: next.event, key });
      }
      this.#scan.take();
    }
    return { run, events, scanned };
  }

  /** Undefined for what is not told now: not selected, held back, or behind one that waits. */
  async #keyOf(event: ProgressEvent, run: number): Promise<string | undefined> {
    const routing = await this.#route(event, run);
    if ("skip" in routing) return undefined;
    const { key, holdUntilMs = 0 } = routing;
    const lane = this.#lanes.get(run, key);
    if (lane !== undefined) {
      lane.last = Math.max(lane.last, event.seq);
      return undefined;
    }
    const holdMs = holdUntilMs - this.#options.clock.now();
    if (holdMs <= 0) return key;
    const now = this.#options.clock.monotonic();
    const nextAt = now + Math.min(MAX_DELAY_MS, holdMs);
    const { seq } = event;
    this.#lanes.add({ run, key, seq, last: seq, told: [], attempts: 0, since: now, nextAt, reason: "held back" });
    return undefined;
  }

  async #route(event: ProgressEvent, run: number) {
    const { router, states } = this.#options;
    return router.route(event, router.needsState ? await states.newest(run) : undefined);
  }

  async #tellLane(signal: AbortSignal): Promise<boolean> {
    const { clock, logs, upgradeId, notifier } = this.#options;
    const lane = this.#lanes.due(clock.monotonic());
    if (lane === undefined) return false;
    const state = this.#options.router.needsState ? await this.#options.states.newest(lane.run) : undefined;
    const belongs = (event: ProgressEvent): boolean => {
      const routing = this.#options.router.route(event, state);
      return "key" in routing && routing.key === lane.key;
    };
    const { events, through, isThere } = await readLane(logs, upgradeId, { lane, limits: notifier.limits, belongs });
    if (events.length > 0)
      return this.#tell({ run: lane.run, events: events.map((event) => ({ event, key: lane.key })), through }, signal);
    if (!isThere) this.#letters.push(this.#lostLetter(lane));
    this.#lanes.remove(lane);
    this.#isUnsaved = true;
    return true;
  }

  #lostLetter({ run, seq, attempts }: Lane): DeadLetter {
    const { notifier, clock } = this.#options;
    const about = { notifier: notifier.name, run, at: this.#iso(clock.now()), attempts };
    const code = "LOST";
    const message = "the log does not hold it any more, nor what waited behind it";
    return deadLetterOf({ id: "", seq, type: "writer.closed" }, { ...about, code, message });
  }

  async #tell(told: Told, signal: AbortSignal): Promise<boolean> {
    const { notifier, random, clock } = this.#options;
    const answer = await this.#call(
      told.run,
      told.events.map(({ event }) => event),
      signal,
    );
    if (answer === undefined) return false;
    const at = this.#iso(clock.now());
    const context = { notifier: notifier.name, lanes: this.#lanes, now: clock.monotonic(), at, random };
    const { letters, notes } = settle(told, answer.outcomes, { ...context, counts: !answer.isProbe });
    this.#letters.push(...letters);
    this.#notes.push(...notes);
    this.#place = this.#scan.place;
    this.#isUnsaved = true;
    await this.keep();
    return true;
  }

  async #tellAgain(signal: AbortSignal): Promise<boolean> {
    const { clock, logs, upgradeId } = this.#options;
    const batch = await this.#redrive.next({ logs, upgradeId, now: clock.monotonic() });
    if (batch === undefined) return false;
    const at = this.#iso(clock.now());
    const answer = batch.events.length === 0 ? undefined : await this.#call(batch.run, batch.events, signal);
    if (batch.events.length > 0 && answer === undefined) return false;
    const { letters, notes } = this.#redrive.settle(batch, answer?.outcomes ?? [], at);
    this.#letters.push(...letters);
    this.#notes.push(...notes);
    this.#isUnsaved = true;
    await this.keep();
    return true;
  }

  /** Undefined when `signal` ended it. */
  async #call(
    run: number,
    events: readonly ProgressEvent[],
    signal: AbortSignal,
  ): Promise<{ readonly outcomes: readonly Outcome[]; readonly isProbe: boolean } | undefined> {
    const { circuit, notifier, clock, timeoutMs, states } = this.#options;
    const state = await states.newest(run);
    if (state === undefined) throw gone(this.#options.upgradeId, run);
    const pass = await circuit.enter(signal);
    if (pass === undefined) return undefined;
    const outcomes = await tell(notifier, batchOf(events, state), { clock, timeoutMs, signal });
    if (outcomes === undefined) pass.abandoned();
    else if (outcomes.some(({ status }) => status !== "retry")) pass.answered();
    else pass.failed((events[0] as ProgressEvent).id, retryAfterOf(outcomes));
    return outcomes && { outcomes, isProbe: pass.isProbe };
  }
}

const batchOf = (events: readonly ProgressEvent[], state: UpgradeProgress) => Object.freeze({ events, state });

/** Told to wait, and not only with one of the events. */
function retryAfterOf(outcomes: readonly Outcome[]): number | undefined {
  const asked = outcomes.map((outcome) => (outcome.status === "retry" ? (outcome.retryAfterMs ?? 0) : 0));
  return asked.every((ms) => ms > 0) ? Math.max(...asked) : undefined;
}

function gone(upgradeId: string, run: number): MilepostError {
  return new MilepostError("UNKNOWN_UPGRADE", `the log of run ${run} of ${upgradeId} is not there now`, {
    context: { upgradeId, run },
  });
}
