/**
 * The events of one log, held with the state at every 256th: any state is folded from the one before it, by the same `evolve`
 * that made the live one. The oldest are dropped beyond a bound, and that is said (`firstSeq`).
 */

import { parseCursor } from "../../../src/model/cursor.ts";
import type { ProgressEvent } from "../../../src/model/event.ts";
import { evolve } from "../../../src/model/evolve.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../../src/model/upgrade.ts";
import { feedEntry, type FeedEntry } from "../../../src/view/log/feed.ts";
import { LogText } from "../../../src/view/log/log-text.ts";
import { StretchLog, type Stretches } from "../../../src/view/timeline/stretches.ts";

/** How much is held. Events beside text of logs take about one kilobyte each with what is made of them. */
export interface HistoryBounds {
  readonly maxEvents: number;
  /** Of the texts of logs. */
  readonly maxLogBytes: number;
}

export const HISTORY_BOUNDS: HistoryBounds = { maxEvents: 50_000, maxLogBytes: 32 * 1024 * 1024 };

const EVENTS_PER_BLOCK = 256;

interface Block {
  /** The state before its first event. */
  readonly before: UpgradeProgress;
  readonly events: ProgressEvent[];
  logBytes: number;
}

export class HeldLog {
  /** The log that the events are of. */
  readonly logId: string;
  readonly #bounds: HistoryBounds;
  readonly #blocks: Block[] = [];
  readonly #stretches = new StretchLog();
  readonly #logText = new LogText();
  #entries: FeedEntry[] = [];
  #state: UpgradeProgress;
  #count = 0;
  #logBytes = 0;
  /** The state that was asked for last: what is played comes one by one. */
  #asked: { readonly block: Block; readonly index: number; readonly state: UpgradeProgress } | undefined;

  /** @param first - the first event of the log. */
  constructor(first: ProgressEvent, bounds: HistoryBounds = HISTORY_BOUNDS) {
    this.logId = parseCursor(first.cursor).logId;
    this.#bounds = bounds;
    this.#state = emptyUpgrade({ upgradeId: first.upgradeId, planId: "", clusterName: "" });
    this.append(first);
  }

  /** The first event that is held; 1 unless older ones were dropped. */
  get firstSeq(): number {
    return this.#blocks[0]?.events[0]?.seq ?? 0;
  }

  get lastSeq(): number {
    return this.#state.seq;
  }

  get cursor(): string {
    return this.#state.cursor;
  }

  /** The state after the last event. */
  get state(): UpgradeProgress {
    return this.#state;
  }

  /** Events in words, oldest first. */
  get entries(): readonly FeedEntry[] {
    return this.#entries;
  }

  get stretches(): Stretches {
    return this.#stretches;
  }

  get logText(): LogText {
    return this.#logText;
  }

  /** Takes an event of this log that comes after all that are held. */
  append(event: ProgressEvent): void {
    const before = this.#state;
    const after = evolve(before, event);
    let block = this.#blocks.at(-1);
    if (block === undefined || block.events.length >= EVENTS_PER_BLOCK) {
      block = { before, events: [], logBytes: 0 };
      this.#blocks.push(block);
    }
    block.events.push(event);
    this.#state = after;
    this.#count += 1;
    this.#stretches.take(event, before, after);
    const bytes = this.#logText.take(event, after);
    block.logBytes += bytes;
    this.#logBytes += bytes;
    const entry = feedEntry(event, after);
    if (entry !== undefined) this.#entries.push(entry);
    this.#keepBounds();
  }

  /** The event `seq`; undefined when it is not held. */
  event(seq: number): ProgressEvent | undefined {
    const block = this.#blockOf(seq);
    return block?.events[indexOf(block.events, seq)];
  }

  /** The last event at or before a log time (ms); the first one held when there is none. */
  seqAt(logMs: number): number {
    let block = this.#blocks[0];
    for (const each of this.#blocks) if (each.before.clock.lastMs <= logMs) block = each;
    if (block === undefined) return 0;
    let state = block.before;
    let seq = Math.max(this.firstSeq, state.seq);
    for (const event of block.events) {
      state = evolve(state, event);
      if (state.clock.lastMs > logMs) break;
      seq = event.seq;
    }
    return seq;
  }

  /** The event so many places after (before, when negative) the event `seq`, as far as there are any. */
  seqBeside(seq: number, places: number): number {
    let at = seq;
    const [step, end] = places < 0 ? [-1, this.firstSeq] : [1, this.lastSeq];
    for (let left = Math.abs(places); left > 0 && at !== end; left--) {
      do at += step;
      while (at !== end && this.event(at) === undefined);
    }
    return at;
  }

  /** The state right after the event `seq`; undefined when it is not held. */
  stateAt(seq: number): UpgradeProgress | undefined {
    if (seq === this.#state.seq) return this.#state;
    const block = this.#blockOf(seq);
    const index = block === undefined ? -1 : indexOf(block.events, seq);
    if (block === undefined || index === -1) return undefined;
    const near = this.#asked?.block === block && this.#asked.index <= index ? this.#asked : undefined;
    let state = near?.state ?? block.before;
    for (let next = (near?.index ?? -1) + 1; next <= index; next++)
      state = evolve(state, block.events[next] as ProgressEvent);
    this.#asked = { block, index, state };
    return state;
  }

  #blockOf(seq: number): Block | undefined {
    let [low, high] = [0, this.#blocks.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#blocks[middle]?.events[0]?.seq ?? 0) <= seq) low = middle;
      else high = middle - 1;
    }
    return this.#blocks[low];
  }

  #keepBounds(): void {
    const { maxEvents, maxLogBytes } = this.#bounds;
    while (this.#blocks.length > 1 && (this.#count > maxEvents || this.#logBytes > maxLogBytes)) {
      const dropped = this.#blocks.shift() as Block;
      this.#count -= dropped.events.length;
      this.#logBytes -= dropped.logBytes;
      const { firstSeq } = this;
      this.#stretches.forgetBefore(firstSeq);
      this.#logText.forgetBefore(firstSeq);
      const kept = this.#entries.findIndex(({ seq }) => seq >= firstSeq);
      this.#entries = kept === -1 ? [] : this.#entries.slice(kept);
    }
  }
}

/** Seqs ascend without gaps, but in a log that was salvaged. */
function indexOf(events: readonly ProgressEvent[], seq: number): number {
  const guess = seq - (events[0]?.seq ?? 0);
  return events[guess]?.seq === seq ? guess : events.findIndex((event) => event.seq === seq);
}
