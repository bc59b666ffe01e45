/** The one that tells: takes what is due, in turns from the news, the lanes and the redriven dead letters, and keeps account. */

import { parseCursor } from "../../model/cursor.ts";
import type { ProgressEvent } from "../../model/event.ts";
import type { DeliveryStore } from "../../storage/storage.ts";
import { isoMaker } from "../../tracker/clock.ts";
import type { Notifier } from "../notifier.ts";
import { Account } from "./account.ts";
import { Caller, type Answer } from "./caller.ts";
import type { Circuit } from "./circuit.ts";
import type { DeliveryClock } from "./clock.ts";
import { deadLetterOf, type DeadLetter } from "./dead-letters.ts";
import { Lanes, MAX_LANES, type Lane } from "./lanes.ts";
import type { Found, Logs, Place } from "./place.ts";
import { readLanes } from "./read-lanes.ts";
import type { CheckRecord, DeliveryRecord } from "./record.ts";
import { Redrive } from "./redrive.ts";
import { RepeatTurn } from "./repeat-turn.ts";
import { Repeats } from "./repeats.ts";
import { MAX_DELAY_MS } from "./retry.ts";
import { keyOf, type Router } from "./router.ts";
import { Scan } from "./scan.ts";
import { settle, type Settled, type Told } from "./settle.ts";
import type { States } from "./states.ts";

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
  /** What the notifier's check said last. */
  readonly checked: () => CheckRecord | undefined;
  /** What waits to be tried again is tried at once. */
  readonly isEager: boolean;
  /** Told what became of events. */
  readonly onSettled: (settled: Settled) => void;
  /** Told when the log is not the one that was told. */
  readonly warn: (message: string) => void;
}

/** So many events are looked at between two looks at the lanes. */
const MAX_SCANNED = 1_000;

export class Sender {
  readonly #options: SenderOptions;
  readonly #lanes = new Lanes();
  readonly #redrive: Redrive;
  readonly #repeats: Repeats;
  readonly #repeatTurn: RepeatTurn;
  readonly #account: Account;
  readonly #caller: Caller;
  readonly #iso = isoMaker();
  #scan: Scan;
  /** All that is selected up to here is settled. */
  #place: Place;
  #turn = 0;
  #recoveries: number;

  constructor(options: SenderOptions, found: Found, record: DeliveryRecord | undefined) {
    this.#options = options;
    this.#place = found.place;
    this.#scan = this.#scanFrom(found);
    const { clock, circuit, store, notifier } = options;
    this.#recoveries = circuit.recoveries;
    this.#redrive = new Redrive(store, notifier, record?.redrive);
    this.#repeats = new Repeats(record?.repeats);
    this.#account = new Account({ ...options, compose: () => this.#compose() });
    const redriveUntil = (): number => this.#redrive.record.until;
    this.#caller = new Caller({ ...options, account: this.#account, redriveUntil }, record);
    this.#repeatTurn = new RepeatTurn({ ...options, repeats: this.#repeats, caller: this.#caller });
    if (record !== undefined)
      this.#lanes.restore(record.lanes, clock.monotonic(), clock.now() - Date.parse(record.savedAt));
    if (options.isEager) this.#lanes.release(clock.monotonic());
    if (found.fault !== undefined) this.#wentBack(found.fault, found.place);
    // So that a record which is missing later is one that was lost.
    if (record === undefined) this.#account.changed();
  }

  /** True if the other side wants nothing more: then it is not asked either whether it could be told. */
  get isStopped(): boolean {
    return this.#caller.isStopped;
  }

  get lanes(): readonly Lane[] {
    return this.#lanes.all();
  }

  /** Monotonic time at which something is due; undefined when nothing waits. */
  get dueAt(): number | undefined {
    const { clock } = this.#options;
    const repeatInMs = this.#repeats.dueInMs(clock.now(), clock.monotonic());
    const repeatAt = repeatInMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() + repeatInMs;
    const dueAt = Math.min(this.#lanes.next()?.nextAt ?? Number.POSITIVE_INFINITY, repeatAt);
    return dueAt === Number.POSITIVE_INFINITY ? undefined : dueAt;
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
    const kinds = [
      () => this.#tellNews(signal),
      () => this.#tellLanes(signal),
      () => this.#tellAgain(signal),
      () => this.#tellRepeat(signal),
    ];
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
    await this.#account.keepNowAndThen();
    return false;
  }

  /** Writes down what became of what was told. @throws STORAGE_DEGRADED, UNKNOWN_UPGRADE. */
  keep(options?: { readonly andMoves?: boolean }): Promise<void> {
    return this.#account.keep(options);
  }

  /** Has the record written with the next `keep`, also when nothing was told. */
  touch(): void {
    this.#account.changed();
  }

  #compose(): Omit<DeliveryRecord, "version" | "savedAt"> {
    const { clock, circuit, checked } = this.#options;
    const [repeats, check] = [this.#repeats.records, checked()];
    return {
      ...this.#place,
      lanes: this.#lanes.toRecords(clock.monotonic()),
      redrive: this.#redrive.record,
      ...(repeats !== undefined && { repeats }),
      ...this.#caller.record,
      ...(check !== undefined && { check }),
      ...(circuit.isOpen && { isCircuitOpen: true }),
    };
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
    this.#account.changed();
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
    this.#account.moved();
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
    const { key, holdUntilMs = 0, repeatMs } = routing;
    if (repeatMs !== undefined) {
      this.#repeats.add(event, { run, key: keyOf(event), everyMs: repeatMs });
      this.#account.changed();
    }
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
    const reason = `held back until ${new Date(holdUntilMs).toISOString()}`;
    this.#lanes.add({ run, key, seq, last: seq, told: [], attempts: 0, since: now, nextAt, reason });
    return undefined;
  }

  async #route(event: ProgressEvent, run: number) {
    const { router, states } = this.#options;
    return router.route(event, router.needsState ? await states.newest(run) : undefined);
  }

  async #tellLanes(signal: AbortSignal): Promise<boolean> {
    const { clock, logs, upgradeId, notifier, router, states } = this.#options;
    const now = clock.monotonic();
    const first = this.#lanes.due(now);
    if (first === undefined) return false;
    const { run } = first;
    const lanes = this.#lanes.dueWith(first, now);
    const state = router.needsState ? await states.newest(run) : undefined;
    const keyOfEvent = (event: ProgressEvent): string | undefined => {
      const routing = router.route(event, state);
      return "key" in routing ? routing.key : undefined;
    };
    const reading = { lanes, limits: notifier.limits, keyOf: keyOfEvent };
    const { events, through, isThere } = await readLanes(logs, upgradeId, reading);
    if (events.length > 0) {
      const told = new Set(events.map(({ key }) => key));
      if (!(await this.#tell({ run, events, through }, signal))) return false;
      const passed = lanes.filter(({ key }) => !told.has(key));
      this.#lanes.pass(passed, through);
      return true;
    }
    const lost = isThere ? [] : lanes.filter(({ last }) => last > through);
    this.#account.add({ letters: lost.map((lane) => this.#lostLetter(lane)), notes: [] });
    for (const lane of lanes) this.#lanes.remove(lane);
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
    const answer = await this.#caller.call(
      told.run,
      told.events.map(({ event }) => event),
      signal,
    );
    if (answer === undefined) return false;
    const at = this.#iso(clock.now());
    const context = { notifier: notifier.name, lanes: this.#lanes, now: clock.monotonic(), at, random };
    this.#account.add(settle(told, answer.outcomes, { ...context, counts: !answer.isProbe }));
    this.#place = this.#scan.place;
    await this.keep();
    return true;
  }

  async #tellAgain(signal: AbortSignal): Promise<boolean> {
    const { clock, logs, upgradeId } = this.#options;
    const batch = await this.#redrive.next({ logs, upgradeId, now: clock.monotonic() });
    if (batch === undefined) return false;
    const at = this.#iso(clock.now());
    let answer: Answer | undefined;
    if (batch.events.length > 0) {
      answer = await this.#caller.call(batch.run, batch.events, signal);
      if (answer === undefined) return false;
    }
    this.#account.add(this.#redrive.settle(batch, answer?.outcomes ?? [], at));
    await this.keep();
    return true;
  }

  async #tellRepeat(signal: AbortSignal): Promise<boolean> {
    const isBehind = (run: number, key: string): boolean => this.#lanes.get(run, key) !== undefined;
    const settled = await this.#repeatTurn.take({ newestRun: this.#place.run, isBehind, signal });
    if (settled === undefined) return false;
    this.#account.add(settled);
    await this.keep();
    return true;
  }
}
