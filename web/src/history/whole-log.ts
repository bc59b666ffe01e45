/**
 * All of one log in memory that does not grow with it. Held are its newest events and, while somebody looks at another place, those
 * round it; of the rest some states to fold on from, when it was, and what should be seen. So every state can be had, and exactly.
 */

import type { ProgressEvent } from "../../../src/model/event.ts";
import { evolve } from "../../../src/model/evolve.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../../src/model/upgrade.ts";
import type { FeedEntry } from "../../../src/view/log/feed.ts";
import { StretchLog } from "../../../src/view/timeline/stretches.ts";
import { HeldLog, type HeldBounds } from "./held-log.ts";

/** How much is held of a log. */
export interface LogBounds {
  readonly newest: HeldBounds;
  /** Round the place that is looked at; more than two pages, so that reading ahead never drops it. */
  readonly past: HeldBounds;
  /** At least 2: the beginning, and one to go on from. */
  readonly maxCheckpoints: number;
  readonly maxMarks: number;
}

const MEBIBYTE = 1024 * 1024;

const LOG_BOUNDS: LogBounds = {
  newest: { maxEvents: 20_480, maxLogBytes: 16 * MEBIBYTE },
  past: { maxEvents: 4_096, maxLogBytes: 8 * MEBIBYTE },
  maxCheckpoints: 8,
  maxMarks: 2_000,
};

/** Between two checkpoints there are at least so many events; twice as many whenever half of them were dropped. */
const FIRST_APART = 4_096;

export class WholeLog {
  readonly firstSeq: number;
  /** Log time of the first event, ms. */
  readonly fromMs: number;
  readonly newest: HeldLog;
  readonly stretches = new StretchLog();
  readonly #bounds: LogBounds;
  #past: HeldLog | undefined;
  /** Where `past` ended before its newest page. */
  #pageSeq = 0;
  #marks: FeedEntry[] = [];
  #checkpoints: UpgradeProgress[];
  #apart = FIRST_APART;
  /** Places of what was dropped, with their log times: some bytes for 256 events. */
  readonly #moments: { readonly seq: number; readonly ms: number }[];

  /** @param first - the first event of the log. */
  constructor(first: ProgressEvent, bounds: LogBounds = LOG_BOUNDS) {
    const beginning = emptyUpgrade({ upgradeId: first.upgradeId, planId: "", clusterName: "" });
    this.#bounds = bounds;
    this.#checkpoints = [beginning];
    this.newest = new HeldLog(beginning, bounds.newest);
    this.append(first);
    this.firstSeq = first.seq;
    this.fromMs = this.state.clock.lastMs;
    this.#moments = [{ seq: first.seq, ms: this.fromMs }];
  }

  get lastSeq(): number {
    return this.newest.lastSeq;
  }

  /** The state after the last event. */
  get state(): UpgradeProgress {
    return this.newest.state;
  }

  /** What should be seen when the whole log is looked at; of very many the newest. */
  get marks(): readonly FeedEntry[] {
    return this.#marks;
  }

  /** Takes the event that comes next. `after` is the state after it, if somebody has folded it already. */
  append(event: ProgressEvent, after?: UpgradeProgress): void {
    const { newest } = this;
    const { before, state } = newest;
    const entry = newest.append(event, after ?? evolve(state, event));
    this.stretches.take(event, state, newest.state);
    if (entry?.isMark === true) this.#marks.push(entry);
    if (this.#marks.length > this.#bounds.maxMarks) this.#marks = this.#marks.slice(-this.#bounds.maxMarks / 2);
    if (newest.before !== before) this.#dropped(before, newest.before);
  }

  /** The part that holds the event `seq`; undefined when it would have to be read. */
  at(seq: number): HeldLog | undefined {
    return [this.newest, this.#past].find((part) => part?.holds(seq));
  }

  /** The part that has to be read on from its end for the event `seq` to be held, with some after it; undefined when none has. */
  missing(seq: number | undefined): HeldLog | undefined {
    if (seq === undefined || seq < this.firstSeq || seq >= this.newest.firstSeq) return void (this.#past = undefined);
    const from = this.#checkpoints.findLast((state) => state.seq < seq) as UpgradeProgress;
    const known = this.#past;
    const isNear = known !== undefined && seq >= known.firstSeq && from.seq <= known.lastSeq;
    const past = isNear ? known : new HeldLog(from, this.#bounds.past);
    this.#past = past;
    if (past.holds(seq) && (seq <= this.#pageSeq || past.lastSeq >= this.newest.firstSeq)) return undefined;
    this.#pageSeq = past.lastSeq;
    return past;
  }

  /** The last event at or before a log time (ms); of what is not held, one near it. */
  seqAt(logMs: number): number {
    const part = [this.newest, this.#past].find(
      (each) => each !== undefined && each.before.clock.lastMs <= logMs && logMs <= each.state.clock.lastMs,
    );
    if (part !== undefined) return part.seqAt(logMs);
    const next = this.#moments.findIndex(({ ms }) => ms > logMs);
    if (next === -1) return this.lastSeq;
    const [a, b] = [this.#moments[next - 1], this.#moments[next]];
    if (a === undefined || b === undefined) return this.firstSeq;
    const near = a.seq + Math.floor(((b.seq - a.seq) * (logMs - a.ms)) / (b.ms - a.ms));
    // What is played goes on behind what is held, never back into it.
    return this.#past !== undefined && this.#past.state.clock.lastMs < logMs
      ? Math.max(near, this.#past.lastSeq + 1)
      : near;
  }

  /** Some events were dropped: those after the state `from`, up to `to`. */
  #dropped(from: UpgradeProgress, to: UpgradeProgress): void {
    this.#moments.push({ seq: to.seq, ms: to.clock.lastMs });
    if (from.seq - (this.#checkpoints.at(-1) as UpgradeProgress).seq < this.#apart) return;
    this.#checkpoints.push(from);
    if (this.#checkpoints.length <= this.#bounds.maxCheckpoints) return;
    this.#checkpoints = this.#checkpoints.filter((_, index) => index % 2 === 0);
    this.#apart *= 2;
  }
}
