/**
 * One reader of one log: a place in it, and the link that it goes out on.
 *
 * 1. Join: where its cursor is, when that lies on the history; else a snapshot. `subscribed` says which.
 * 2. Catch up: what lies between its place and the end, exactly, as fast as the link takes it.
 * 3. Live: at the end it gets what is new in the turn in which it came. A link that does not take it ends this; back to 2.
 *
 * What was in the log when it joined is given exactly, however long that takes. A reader that falls too far behind what came
 * later is slow: it gets `skipped`, and then only what stands for the stretch (`conflation.ts`).
 * When the log's history changes, it joins anew, with a snapshot.
 *
 * Nothing is queued for it. A reader that does not read costs its place in the log, and what its link holds.
 */

import { isMilepostError } from "../errors.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { Clock } from "../tracker/clock.ts";
import { isOfLevel, piece, type Block } from "./block.ts";
import { Conflation } from "./conflation.ts";
import type { StreamCounters } from "./counters.ts";
import { nextTurn } from "./fold-in-turns.ts";
import type { Link } from "./link.ts";
import type { LiveLog } from "./live-log.ts";
import type { LiveReader, News } from "./news.ts";
import { SummaryReader } from "./paced-summaries.ts";
import { upgradeChannel, type Level } from "./protocol.ts";

/** How far a reader may be behind. */
export interface Budget {
  readonly maxLagBytes: number;
  readonly maxLagMs: number;
}

export const BUDGET: Budget = { maxLagBytes: 1024 * 1024, maxLagMs: 10_000 };

/** A piece of history is sent in writes of at most about so many bytes. */
const WRITE_BYTES = 64 * 1024;
const NO_GENERATION = -1;

/** What all subscribers of a server share. */
export interface SubscriberContext {
  readonly clock: Clock;
  readonly counters: StreamCounters;
  readonly budget: Budget;
}

export interface SubscriberOptions {
  readonly log: LiveLog;
  readonly link: Link;
  readonly context: SubscriberContext;
  /** Default `logs`. */
  readonly level?: Level | undefined;
  /** Goes into the first `subscribed`. */
  readonly requestId?: string | undefined;
}

/** Is told once, when a subscriber has come to its end. */
export interface SubscriberOwner {
  /** @param error - what {@link Subscriber.run} throws, or nothing. */
  ended(error?: unknown): void;
}

/** There are ten thousand of these, most of them live and idle: then nothing of it runs, and it is these fields. */
export class Subscriber implements LiveReader {
  readonly #log: LiveLog;
  readonly #link: Link;
  readonly #context: SubscriberContext;
  readonly #level: Level;
  #requestId: string | undefined;
  #owner: SubscriberOwner | undefined;
  /** Everything up to it was sent, or left out and said so. */
  #seq = 0;
  /** The history that it has joined; none yet. */
  #generation = NO_GENERATION;
  /** Up to here it gets everything. */
  #exactUntil = 0;
  #behindSince: number | undefined;
  #isLive = false;
  #isStopped = false;
  /** At level `summary`, from when it has joined. */
  #summaries: SummaryReader | undefined;

  constructor({ log, link, context, level = "logs", requestId }: SubscriberOptions) {
    this.#log = log;
    this.#link = link;
    this.#context = context;
    this.#level = level;
    this.#requestId = requestId;
  }

  /**
   * Sends until it is stopped or the link is gone.
   *
   * @param after - a cursor; without one a snapshot comes first.
   * @throws CORRUPT, STORAGE_UNUSABLE, UNKNOWN_UPGRADE (the log is gone) when the log cannot be read on.
   */
  run(after?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.start(after, {
        ended: (error?: Error) => (error === undefined ? resolve() : reject(error)),
      });
    });
  }

  /** The same for an owner that waits for nothing. */
  start(after: string | undefined, owner: SubscriberOwner): void {
    this.#owner = owner;
    void this.#drive(after);
  }

  stop(): void {
    this.#isStopped = true;
    this.interrupt();
  }

  tell(news: News): void {
    if (!this.#link.canTake) {
      this.#behindSince = this.#context.clock.monotonic();
      return this.interrupt();
    }
    const { bytes, messages } = news.encoded(this.#link.encoding, this.#level);
    if (messages > 0) this.#link.write(bytes, messages);
    this.#seq = news.toSeq;
  }

  interrupt(): void {
    if (!this.#isLive) return;
    this.#isLive = false;
    this.#log.leave(this);
    void this.#drive(undefined);
  }

  get #isRunning(): boolean {
    return !this.#isStopped && this.#link.isOpen;
  }

  get #isCurrent(): boolean {
    return this.#isRunning && this.#log.generation === this.#generation && this.#log.trouble === undefined;
  }

  /** Works until the reader is live, when there is nothing to do until it is told or interrupted, or until it has ended. */
  async #drive(after: string | undefined): Promise<void> {
    try {
      for (let cursor = after; this.#isRunning; cursor = undefined) {
        if (this.#log.trouble !== undefined) throw this.#log.trouble;
        const isCaughtUp = await this.#isCaughtUp(cursor);
        // Events that came, or an end, while this was being said belong to before.
        if (isCaughtUp && this.#isCurrent && this.#seq === this.#log.head) return this.#beLive();
      }
      this.#end();
    } catch (error) {
      this.#end(error);
    }
  }

  /** False when it has to join, anew: the history has changed. */
  async #isCaughtUp(after: string | undefined): Promise<boolean> {
    try {
      if (!this.#isCurrent) {
        if (this.#generation >= 0) this.#context.counters.resets += 1;
        this.#generation = this.#log.generation;
        await this.#join(after);
      }
      return await this.#catchUp();
    } catch (error) {
      if (!isMilepostError(error, "CURSOR_GONE")) throw error;
      // The history changed while it was read: anew, from what it is now.
      this.#generation = NO_GENERATION;
      return false;
    }
  }

  #beLive(): void {
    this.#behindSince = undefined;
    this.#isLive = true;
    this.#log.join(this);
  }

  #end(error?: unknown): void {
    this.#summaries?.stop();
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.ended(error);
  }

  async #join(after: string | undefined): Promise<void> {
    const [log, link] = [this.#log, this.#link];
    const at = after === undefined ? undefined : await log.locate(after);
    this.#seq = at ?? (await this.#sendSnapshot());
    if (!this.#isCurrent) return;
    const cursor = await log.cursorAt(this.#seq);
    if (!this.#isCurrent) return;
    const channel = upgradeChannel(log.ref);
    const requestId = this.#requestId === undefined ? {} : { requestId: this.#requestId };
    const recovered = at !== undefined;
    const head = log.cursor;
    link.write(link.encoding.message({ type: "subscribed", channel, cursor, head, recovered, ...requestId }), 1);
    this.#requestId = undefined;
    this.#exactUntil = log.head;
    this.#behindSince = undefined;
    if (this.#level === "summary") this.#summaries ??= new SummaryReader(log, link, this.#context.clock);
  }

  async #sendSnapshot(): Promise<number> {
    const [log, link] = [this.#log, this.#link];
    const snapshot = await log.snapshot();
    for (const message of snapshot.messages(link.encoding)) {
      if (!link.canTake) await link.ready();
      await snapshot.pass();
      if (!this.#isCurrent) break;
      link.write(message, 1);
    }
    return snapshot.seq;
  }

  /** True once it has sent all there is, in this turn; false when the history has changed, or it has ended. */
  async #catchUp(): Promise<boolean> {
    while (this.#isCurrent) {
      if (!this.#link.canTake) await this.#link.ready();
      else if (this.#seq === this.#log.head) return true;
      else if (this.#isSlow()) await this.#conflate();
      else await this.#sendPiece();
    }
    return false;
  }

  #isSlow(): boolean {
    const { budget, clock } = this.#context;
    if (this.#seq < this.#exactUntil) return false;
    if (this.#log.bytesAfter(this.#seq) > budget.maxLagBytes) return true;
    return this.#behindSince !== undefined && clock.monotonic() - this.#behindSince > budget.maxLagMs;
  }

  async #sendPiece(): Promise<void> {
    const [log, link, level] = [this.#log, this.#link, this.#level];
    const found = log.block(this.#seq + 1);
    const block = found instanceof Promise ? await found : found;
    if (!this.#isCurrent) return;
    const last = Math.min(log.head, block.lastWithin(this.#seq + 1, WRITE_BYTES));
    const { bytes, messages } = piece(block, { encoding: link.encoding, level }, this.#seq + 1, last);
    if (messages > 0) link.write(bytes, messages);
    this.#seq = last;
  }

  /** Tells the stretch up to the present end by what stands for it. */
  async #conflate(): Promise<void> {
    const [log, link, level] = [this.#log, this.#link, this.#level];
    const { counters, clock } = this.#context;
    const [from, to] = [this.#seq, log.head];
    const conflation = new Conflation();
    await this.#eachPart(from, to, (events) => {
      for (const event of events) conflation.note(event);
    });
    const [fromCursor, toCursor] = [await log.cursorAt(from), await log.cursorAt(to)];
    if (!this.#isCurrent) return;
    const channel = upgradeChannel(log.ref);
    const skipped = { type: "skipped", channel, from: fromCursor, to: toCursor, reason: "slow" } as const;
    link.write(link.encoding.message(skipped), 1);
    counters.conflations += 1;
    await this.#eachPart(from, to, (events, block) => {
      const kept = events.filter(
        (event) => event.seq === to || (conflation.keeps(event) && isOfLevel(level, event.type)),
      );
      counters.eventsLeftOut += events.length - kept.length;
      const encoded = kept.map(({ seq }) => block.encoded(link.encoding, seq, seq));
      if (kept.length > 0) link.write(Buffer.concat(encoded), kept.length);
    });
    this.#seq = to;
    // Counted anew: the stretch is over.
    this.#behindSince = link.canTake ? undefined : clock.monotonic();
  }

  /** Calls `each` for a stretch, a part in a turn of the event loop, when the link can take. Ends early when it is no longer current. */
  async #eachPart(
    from: number,
    to: number,
    each: (events: readonly ProgressEvent[], block: Block) => void,
  ): Promise<void> {
    const [log, link] = [this.#log, this.#link];
    for (let seq = from + 1; seq <= to;) {
      const block = await log.block(seq);
      const last = Math.min(to, block.lastWithin(seq, WRITE_BYTES));
      await nextTurn();
      if (!link.canTake) await link.ready();
      if (!this.#isCurrent) return;
      const events: ProgressEvent[] = [];
      for (; seq <= last; seq++) events.push(JSON.parse(block.text(seq).toString("utf8")) as ProgressEvent);
      each(events, block);
    }
  }
}
