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
import { isOfLevel, piece } from "./block.ts";
import { Conflation } from "./conflation.ts";
import type { StreamCounters } from "./counters.ts";
import type { Link } from "./link.ts";
import type { LiveLog } from "./live-log.ts";
import type { LiveReader, News } from "./news.ts";
import { upgradeChannel, type Level } from "./protocol.ts";

/** How far a reader may be behind. */
export interface Budget {
  readonly maxLagBytes: number;
  readonly maxLagMs: number;
}

export const BUDGET: Budget = { maxLagBytes: 1024 * 1024, maxLagMs: 10_000 };

/** A piece of history is sent in writes of at most about so many bytes. */
const WRITE_BYTES = 64 * 1024;

export interface SubscriberOptions {
  readonly log: LiveLog;
  readonly link: Link;
  readonly clock: Clock;
  readonly counters: StreamCounters;
  readonly level?: Level;
  readonly budget?: Budget;
  /** Goes into the first `subscribed`. */
  readonly requestId?: string | undefined;
}

export class Subscriber implements LiveReader {
  readonly #options: Required<Omit<SubscriberOptions, "requestId">>;
  #requestId: string | undefined;
  /** Everything up to it was sent, or left out and said so. */
  #seq = 0;
  #generation = 0;
  /** Up to here it gets everything. */
  #exactUntil = 0;
  #behindSince: number | undefined;
  #wake: (() => void) | undefined;
  #isStopped = false;

  constructor({ requestId, level = "logs", budget = BUDGET, ...options }: SubscriberOptions) {
    this.#options = { ...options, level, budget };
    this.#requestId = requestId;
  }

  /**
   * Sends until it is stopped or the link is gone.
   *
   * @param after - a cursor; without one a snapshot comes first.
   * @throws CORRUPT, STORAGE_UNUSABLE, UNKNOWN_UPGRADE (the log is gone) when the log cannot be read on.
   */
  async run(after?: string): Promise<void> {
    for (let cursor = after; this.#isRunning; cursor = undefined) {
      const { log } = this.#options;
      if (log.trouble !== undefined) throw log.trouble;
      this.#generation = log.generation;
      try {
        await this.#join(cursor);
        await this.#follow();
      } catch (error) {
        // The history changed while it was read: anew, from what it is now.
        if (!isMilepostError(error, "CURSOR_GONE")) throw error;
      }
      if (this.#isRunning) this.#options.counters.resets += 1;
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.interrupt();
  }

  tell(news: News): void {
    const { link, level, log } = this.#options;
    if (!link.canTake) {
      this.#behindSince = this.#options.clock.monotonic();
      log.leave(this);
      this.interrupt();
      return;
    }
    const { bytes, messages } = news.encoded(link.encoding, level);
    if (messages > 0) link.write(bytes, messages);
    this.#seq = news.toSeq;
  }

  interrupt(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  get #isRunning(): boolean {
    return !this.#isStopped && this.#options.link.isOpen;
  }

  get #isCurrent(): boolean {
    const { log } = this.#options;
    return this.#isRunning && log.generation === this.#generation && log.trouble === undefined;
  }

  async #join(after: string | undefined): Promise<void> {
    const { log, link } = this.#options;
    const at = after === undefined ? undefined : await log.locate(after);
    this.#seq = at ?? (await this.#sendSnapshot());
    if (!this.#isCurrent) return;
    const cursor = await log.cursorAt(this.#seq);
    const channel = upgradeChannel(log.ref);
    const requestId = this.#requestId === undefined ? {} : { requestId: this.#requestId };
    const recovered = at !== undefined;
    link.write(link.encoding.message({ type: "subscribed", channel, cursor, recovered, ...requestId }), 1);
    this.#requestId = undefined;
    this.#exactUntil = log.head;
    this.#behindSince = undefined;
  }

  async #sendSnapshot(): Promise<number> {
    const { log, link } = this.#options;
    const snapshot = await log.snapshot();
    for (const message of snapshot.messages(link.encoding)) {
      if (!link.canTake) await link.ready();
      if (!this.#isCurrent) break;
      link.write(message, 1);
    }
    return snapshot.seq;
  }

  async #follow(): Promise<void> {
    const { log, link } = this.#options;
    while (this.#isCurrent) {
      if (!link.canTake) await link.ready();
      else if (this.#seq === log.head) await this.#beLive();
      else if (this.#isSlow()) await this.#conflate();
      else await this.#sendPiece();
    }
  }

  /** Until the link takes no more, the history changes, or it is stopped. */
  #beLive(): Promise<void> {
    this.#behindSince = undefined;
    return new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#options.log.join(this);
    }).then(() => this.#options.log.leave(this));
  }

  #isSlow(): boolean {
    const { log, budget, clock } = this.#options;
    if (this.#seq < this.#exactUntil) return false;
    if (log.bytesAfter(this.#seq) > budget.maxLagBytes) return true;
    return this.#behindSince !== undefined && clock.monotonic() - this.#behindSince > budget.maxLagMs;
  }

  async #sendPiece(): Promise<void> {
    const { log, link, level } = this.#options;
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
    const { log, link, counters, level } = this.#options;
    const [from, to] = [this.#seq, log.head];
    const conflation = new Conflation();
    await this.#eachBetween(from, to, (event) => conflation.note(event));
    const [fromCursor, toCursor] = [await log.cursorAt(from), await log.cursorAt(to)];
    if (!this.#isCurrent) return;
    const channel = upgradeChannel(log.ref);
    const skipped = { type: "skipped", channel, from: fromCursor, to: toCursor, reason: "slow" } as const;
    link.write(link.encoding.message(skipped), 1);
    counters.conflations += 1;
    let kept: Buffer[] = [];
    const send = (): void => {
      if (kept.length > 0) link.write(Buffer.concat(kept), kept.length);
      kept = [];
    };
    await this.#eachBetween(from, to, (event, encoded) => {
      if (event.seq === to || (conflation.keeps(event) && isOfLevel(level, event.type))) kept.push(encoded());
      else counters.eventsLeftOut += 1;
      return kept.length >= 100 ? send() : undefined;
    });
    send();
    this.#seq = to;
    // Counted anew: the stretch is over.
    this.#behindSince = link.canTake ? undefined : this.#options.clock.monotonic();
  }

  /** Calls `each` for every event of a stretch, a block at a time, when the link can take. Ends early when it is no longer current. */
  async #eachBetween(
    from: number,
    to: number,
    each: (event: ProgressEvent, encoded: () => Buffer) => void,
  ): Promise<void> {
    const { log, link } = this.#options;
    for (let seq = from + 1; seq <= to && this.#isCurrent;) {
      const block = await log.block(seq);
      if (!link.canTake) await link.ready();
      const last = Math.min(to, block.lastSeq);
      for (; seq <= last; seq++) {
        const at = seq;
        const event = JSON.parse(block.text(at).toString("utf8")) as ProgressEvent;
        each(event, () => block.encoded(link.encoding, at, at));
      }
    }
  }
}
