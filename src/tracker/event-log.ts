/**
 * The log of one upgrade, open for writing: numbers events, stores them, folds them, and only then tells.
 *
 * Storing: straight into a synchronous storage; into a queue while the storage is in trouble, or when it answers later.
 * Nothing overtakes: while the queue holds something, everything goes through it. The queue has a limit; who asks first
 * (`isFull`) may wait with what can be replaced.
 * Telling: after the append. With the storage in trouble a queued event is told at once; with an asynchronous storage,
 * once it is stored.
 */

import { isMilepostError, MilepostError } from "../errors.ts";
import { firstCursor, formatCursor } from "../model/cursor.ts";
import type { Now } from "../model/decision.ts";
import type { EventDraft, ProgressEvent, WriterIdentity } from "../model/event.ts";
import { evolve } from "../model/evolve.ts";
import { emptyUpgrade, logTimeAt, type UpgradeProgress } from "../model/upgrade.ts";
import { LineEncoder } from "../storage/line.ts";
import type { LogHeader, LogWriter } from "../storage/storage.ts";
import { isoMaker, type Clock } from "./clock.ts";
import { newTerm, uuidV7Maker } from "./ids.ts";
import { AppendQueue, type Accepted } from "./append-queue.ts";
import { stateParts } from "./restore-state.ts";
import { stamped } from "./stamp.ts";

export interface EventLogOptions {
  readonly writer: LogWriter;
  readonly isSynchronous: boolean;
  readonly state: UpgradeProgress;
  readonly clock: Clock;
  readonly createId?: (() => string) | undefined;
  readonly identity: WriterIdentity;
  readonly syncIntervalMs: number;
  readonly maxQueuedEvents: number;
  /** Called for every event, in order, with the state right after it. Must not throw. */
  readonly tell: (event: ProgressEvent, state: UpgradeProgress) => void;
  /** Called when trouble with the storage begins or ends. Must not throw. */
  readonly onTrouble: (trouble: MilepostError | undefined) => void;
}

/** What `startUpgrade` may change about a finished upgrade. */
export interface UpgradeIds {
  readonly planId: string;
  readonly clusterName: string;
}

/** One reading of the clocks: a command is decided and recorded at the same moment. */
export interface Moment extends Now {
  /** Wall time, milliseconds since 1970. */
  readonly epochMs: number;
  /** Milliseconds since the term began. */
  readonly ms: number;
}

const RECENT_EVENTS = 256;

export class EventLog {
  readonly #options: EventLogOptions;
  readonly #encoder = new LineEncoder();
  readonly #iso = isoMaker();
  readonly #createId: (epochMs: number) => string;
  readonly #queue: AppendQueue;
  #header: LogHeader;
  #state: UpgradeProgress;
  #term = newTerm();
  #termBegan = 0;
  #isOpened = false;
  /** By seq modulo its length. */
  readonly #recent: (ProgressEvent | undefined)[] = new Array<ProgressEvent | undefined>(RECENT_EVENTS);

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#createId = options.createId ?? uuidV7Maker();
    this.#header = options.writer.header;
    this.#state = options.state;
    this.#queue = new AppendQueue(options);
  }

  /** The state with every event that was accepted. */
  get state(): UpgradeProgress {
    return this.#state;
  }

  /** Why the storage does not take writes now; undefined when it does. */
  get trouble(): MilepostError | undefined {
    return this.#queue.trouble;
  }

  /** True when the queue has reached its limit, so that what can be replaced should wait. */
  get isFull(): boolean {
    return this.#queue.isFull;
  }

  /** The moment, as decisions and events need it. */
  now(): Moment {
    const { clock } = this.#options;
    const epochMs = clock.now();
    const ms = this.#isOpened ? Math.max(0, Math.round(clock.monotonic() - this.#termBegan)) : 0;
    const logMs = this.#isOpened ? this.#state.clock.baseMs + ms : logTimeAt(this.#state.clock, epochMs);
    return { time: this.#iso(epochMs), logMs, epochMs, ms };
  }

  /**
   * Appends events; they have happened when this returns. Returns the last of them.
   *
   * @throws FENCED: nothing was appended, and nothing will be any more. Trouble with the storage does not throw.
   */
  append(drafts: readonly EventDraft[], ids: UpgradeIds, at: Moment = this.now()): ProgressEvent {
    this.#queue.refuseFenced();
    const before = this.#state;
    const wasOpened = this.#isOpened;
    const all = wasOpened ? drafts : [this.#opening(ids, at), ...drafts];
    // Before anybody is told: a callback may give a command of its own.
    this.#isOpened = true;
    const accepted = all.map((draft) => this.#accept(draft, at));
    const last = accepted.at(-1) as Accepted;
    const bytes = accepted.length === 1 ? last.line : Buffer.concat(accepted.map(({ line }) => line));
    try {
      this.#queue.append({ accepted, bytes, afterSeq: before.seq });
    } catch (error) {
      this.#state = before;
      this.#isOpened = wasOpened;
      throw error;
    }
    return last.event;
  }

  #accept(draft: EventDraft, at: Moment): Accepted {
    const event = this.#stamp(draft, at);
    this.#state = evolve(this.#state, event);
    this.#recent[event.seq % RECENT_EVENTS] = event;
    return { event, state: this.#state, line: this.#encoder.encode(JSON.stringify(event)) };
  }

  /** One of the newest events, waiting or stored: most repeated commands are answered from here. */
  recent(seq: number): ProgressEvent | undefined {
    const event = this.#recent[seq % RECENT_EVENTS];
    return event?.seq === seq ? event : this.queued(seq);
  }

  /** An event that waits in the queue; undefined when it is stored, or not there. */
  queued(seq: number): ProgressEvent | undefined {
    return this.#queue.find(seq);
  }

  /** The events after `seq` that wait in the queue. */
  queuedAfter(seq: number): readonly ProgressEvent[] {
    return this.#queue.after(seq);
  }

  /** The lines after `seq` that wait in the queue. */
  queuedLines(seq: number): readonly Uint8Array[] {
    return this.#queue.linesAfter(seq);
  }

  /** Resolves when all events so far are on stable storage. @throws STORAGE_DEGRADED, FENCED. */
  flush(): Promise<void> {
    return this.#queue.flush();
  }

  /** Keeps a snapshot of `state`, one of this log. @throws STORAGE_DEGRADED. */
  async saveSnapshot(state: UpgradeProgress = this.#state): Promise<void> {
    if (state.seq === 0) return;
    await this.flush();
    await this.#options.writer.saveSnapshot({ seq: state.seq, cursor: state.cursor }, stateParts(state));
  }

  /** Sets the finished log aside and begins the next run's. @throws STORAGE_DEGRADED when events of the finished one still wait. */
  beginNextRun(): void {
    const { writer } = this.#options;
    this.#queue.retry();
    if (this.#queue.isWaiting) {
      throw new MilepostError(
        "STORAGE_DEGRADED",
        "the finished run still waits to be stored; start the next one when the storage takes writes",
        { cause: this.trouble },
      );
    }
    const header = writer.beginNextRun();
    if (header instanceof Promise)
      throw new MilepostError("ASYNC_STORAGE", "this storage begins a next run asynchronously; open the upgrade again");
    this.#header = header;
    const { upgradeId, planId, clusterName } = this.#state;
    this.#state = emptyUpgrade(
      { upgradeId, planId, clusterName },
      { cursor: firstCursor(header.logId), run: header.run },
    );
    this.#term = newTerm();
    this.#isOpened = false;
    this.#recent.fill(undefined);
  }

  /** Says goodbye in the log if this term wrote anything, makes all durable, frees the lock. */
  async close(): Promise<void> {
    const { writer } = this.#options;
    try {
      if (this.#isOpened && !this.#queue.isFenced) {
        this.append([{ type: "writer.closed", term: this.#term }], this.#state);
        await this.flush();
      }
    } catch (error) {
      // Displaced while nothing waited: all that was acknowledged is in the log, and the goodbye is no longer ours to say.
      if (!isMilepostError(error, "FENCED") || this.#queue.isWaiting) throw error;
    } finally {
      this.#queue.stop();
      await writer.close();
    }
  }

  #opening(ids: UpgradeIds, { logMs }: Moment): EventDraft {
    const { logId, run } = this.#header;
    this.#termBegan = this.#options.clock.monotonic();
    return {
      type: "writer.opened",
      logId,
      term: this.#term,
      after: this.#state.seq,
      logMs,
      run,
      ...ids,
      writer: this.#options.identity,
    };
  }

  #stamp(draft: EventDraft, { epochMs, ms, time }: Moment): ProgressEvent {
    const { logId, upgradeId } = this.#header;
    const seq = this.#state.seq + 1;
    const cursor = formatCursor({ logId, term: this.#term, seq });
    return stamped({ seq, cursor, ms, id: this.#createId(epochMs), time, upgradeId }, draft);
  }
}
