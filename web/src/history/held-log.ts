/**
 * A part of a log: its events with the state at every 1,024th, so that any state is folded from the one before it, by the same
 * `evolve` that made the live one. It grows at its end; the oldest are dropped beyond a bound.
 */

import { parseCursor } from "../../../src/model/cursor.ts";
import type { ProgressEvent } from "../../../src/model/event.ts";
import { evolve } from "../../../src/model/evolve.ts";
import type { UpgradeProgress } from "../../../src/model/upgrade.ts";
import { feedEntry, type FeedEntry } from "../../../src/view/log/feed.ts";
import { LogText } from "../../../src/view/log/log-text.ts";

/** How much is held. Events beside text of logs take about half a kilobyte each with what is made of them. */
export interface HeldBounds {
  readonly maxEvents: number;
  /** Of the texts of logs. */
  readonly maxLogBytes: number;
}

/**
 * To fold so many takes a browser some milliseconds. Each state that is kept keeps with it what the tasks were then, and what was
 * shown of them.
 */
const EVENTS_PER_BLOCK = 1024;
/** What is dropped at a time is always a small part. */
const DROPS = 64;

interface Block {
  /** The state before its first event. */
  before: UpgradeProgress;
  readonly events: ProgressEvent[];
}

export class HeldLog {
  readonly #bounds: HeldBounds;
  readonly #blocks: Block[];
  readonly #logText = new LogText();
  #entries: FeedEntry[] = [];
  #state: UpgradeProgress;
  #count = 0;
  /** The state that was asked for last: what is played comes one by one. */
  #asked: { readonly block: Block; readonly index: number; readonly state: UpgradeProgress } | undefined;

  /** @param before - the state that the first event comes after. */
  constructor(before: UpgradeProgress, bounds: HeldBounds) {
    this.#bounds = bounds;
    this.#state = before;
    this.#blocks = [{ before, events: [] }];
  }

  get logId(): string {
    return parseCursor(this.#state.cursor).logId;
  }

  /** The state before the first event that is held. */
  get before(): UpgradeProgress {
    return (this.#blocks[0] as Block).before;
  }

  /** The first event that is held. */
  get firstSeq(): number {
    return this.#blocks[0]?.events[0]?.seq ?? this.#state.seq + 1;
  }

  get lastSeq(): number {
    return this.#state.seq;
  }

  /** The state after the last event. */
  get state(): UpgradeProgress {
    return this.#state;
  }

  /** Events in words, oldest first. */
  get entries(): readonly FeedEntry[] {
    return this.#entries;
  }

  get logText(): LogText {
    return this.#logText;
  }

  /** Takes an event that comes after all that are held, and the state after it. Returns what it says in words. */
  append(event: ProgressEvent, after: UpgradeProgress): FeedEntry | undefined {
    let block = this.#blocks.at(-1) as Block;
    if (block.events.length >= EVENTS_PER_BLOCK) {
      block = { before: this.#state, events: [] };
      this.#blocks.push(block);
    }
    block.events.push(event);
    this.#state = after;
    this.#count += 1;
    this.#logText.take(event, after);
    const entry = feedEntry(event, after);
    if (entry !== undefined) this.#entries.push(entry);
    this.#keepBounds();
    return entry;
  }

  /** True if the event `seq` is in this part. */
  holds(seq: number): boolean {
    return seq >= this.firstSeq && seq <= this.lastSeq;
  }

  /** The last event at or before a log time (ms); the first one held when there is none. */
  seqAt(logMs: number): number {
    const block = (this.#blocks.findLast(({ before }) => before.clock.lastMs <= logMs) ?? this.#blocks[0]) as Block;
    let state = block.before;
    let seq = Math.max(this.firstSeq, state.seq);
    for (const event of block.events) {
      state = evolve(state, event);
      if (state.clock.lastMs > logMs) break;
      seq = event.seq;
    }
    return seq;
  }

  /** The state right after the event `seq`; undefined when it is not held. Of one that a salvage has lost: after the one before it. */
  stateAt(seq: number): UpgradeProgress | undefined {
    if (!this.holds(seq)) return undefined;
    if (seq === this.#state.seq) return this.#state;
    const block = this.#blocks.findLast(({ before }) => before.seq < seq) as Block;
    let index = this.#asked?.block === block && this.#asked.state.seq <= seq ? this.#asked.index : 0;
    let state = index > 0 ? (this.#asked as { readonly state: UpgradeProgress }).state : block.before;
    for (let event = block.events[index]; event !== undefined && event.seq <= seq; event = block.events[index]) {
      state = evolve(state, event);
      index += 1;
    }
    this.#asked = { block, index, state };
    return state;
  }

  /** Drops the oldest events while there are too many. */
  #keepBounds(): void {
    const { maxEvents, maxLogBytes } = this.#bounds;
    while (this.#count > maxEvents || this.#logText.bytes > maxLogBytes) {
      const block = this.#blocks[0] as Block;
      const dropped = block.events.splice(0, Math.ceil(this.#count / DROPS));
      block.before = dropped.reduce((state, event) => evolve(state, event), block.before);
      if (block.events.length === 0 && this.#blocks.length > 1) this.#blocks.shift();
      this.#asked = undefined;
      this.#count -= dropped.length;
      const { firstSeq } = this;
      this.#logText.forgetBefore(firstSeq);
      const kept = this.#entries.findIndex(({ seq }) => seq >= firstSeq);
      this.#entries = kept === -1 ? [] : this.#entries.slice(kept);
    }
  }
}
