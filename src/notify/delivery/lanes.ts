/**
 * What has to wait: one lane for each key of which an event was not taken, or that is held back.
 *
 * A lane holds no events, only where they are: from `seq` to `last`, those of its key that were not told already. The reader of
 * news passes them by; when the lane is due they are read from the log again.
 */

import { MAX_DELAY_MS } from "./retry.ts";

/** As it stands in the record; `nextInMs` and `ageMs` as of the moment when it was written. */
export interface LaneRecord {
  readonly run: number;
  readonly key: string;
  readonly seq: number;
  readonly last: number;
  readonly told: readonly number[];
  readonly attempts: number;
  readonly ageMs: number;
  readonly nextInMs: number;
  readonly reason?: string;
}

export interface Lane {
  readonly run: number;
  readonly key: string;
  /** The first event that waits, and the last of the key that the reader has come by. */
  seq: number;
  last: number;
  /** Behind the first: taken all the same, in a batch that was taken in part. */
  told: readonly number[];
  /** Of the first: how often it was tried, since when (monotonic), and when next. */
  attempts: number;
  since: number;
  nextAt: number;
  /** Why the last attempt failed, or what is waited for. */
  reason: string | undefined;
}

/** So many at most; then no news is read until one of them is empty. */
export const MAX_LANES = 256;

export class Lanes {
  readonly #lanes = new Map<string, Lane>();

  get size(): number {
    return this.#lanes.size;
  }

  all(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  get(run: number, key: string): Lane | undefined {
    return this.#lanes.get(nameOf(run, key));
  }

  add(lane: Lane): Lane {
    this.#lanes.set(nameOf(lane.run, lane.key), lane);
    return lane;
  }

  remove({ run, key }: Lane): void {
    this.#lanes.delete(nameOf(run, key));
  }

  /** The lane that has been due for longest. */
  due(now: number): Lane | undefined {
    const next = this.next();
    return next !== undefined && next.nextAt <= now ? next : undefined;
  }

  /** What is told together with a lane that is due: all of its run that are due and were not tried; one that was is told alone. */
  dueWith(lane: Lane, now: number): readonly Lane[] {
    if (lane.attempts > 0) return [lane];
    return this.all().filter(({ run, attempts, nextAt }) => run === lane.run && attempts === 0 && nextAt <= now);
  }

  /** Goes on behind `seq` in lanes of which nothing stands up to there. */
  pass(lanes: readonly Lane[], seq: number): void {
    for (const lane of lanes) {
      lane.seq = Math.max(lane.seq, seq + 1);
      if (lane.seq > lane.last) this.remove(lane);
    }
  }

  /** The lane that is due first. */
  next(): Lane | undefined {
    let first: Lane | undefined;
    for (const lane of this.#lanes.values()) if (first === undefined || lane.nextAt < first.nextAt) first = lane;
    return first;
  }

  /** What failed while the notifier was in trouble is tried now. */
  release(now: number): void {
    for (const lane of this.#lanes.values()) if (lane.attempts > 0) lane.nextAt = Math.min(lane.nextAt, now);
  }

  /** Forgets what lies behind a place that is read from again. */
  cutAfter(run: number, seq: number): void {
    for (const lane of this.all()) {
      if (lane.run > run || (lane.run === run && lane.seq > seq)) this.remove(lane);
      else if (lane.run === run) lane.last = Math.min(lane.last, seq);
    }
  }

  /** @param now - monotonic. */
  toRecords(now: number): readonly LaneRecord[] {
    return this.all().map(({ since, nextAt, reason, ...lane }) => ({
      ...lane,
      ageMs: Math.max(0, Math.round(now - since)),
      nextInMs: Math.max(0, Math.round(nextAt - now)),
      ...(reason === undefined ? {} : { reason }),
    }));
  }

  /**
   * Takes up what a record says.
   *
   * @param awayMs - wall time since it was written. Wall clocks jump, so it counts for as long as any wait can be, at most.
   */
  restore(records: readonly LaneRecord[], now: number, awayMs: number): void {
    const away = Math.min(MAX_DELAY_MS, Math.max(0, awayMs));
    for (const { ageMs, nextInMs, reason, ...lane } of records) {
      const nextAt = now + Math.min(MAX_DELAY_MS, Math.max(0, nextInMs - away));
      this.add({ ...lane, since: now - ageMs - away, nextAt, reason });
    }
  }
}

const nameOf = (run: number, key: string): string => `${run}/${key}`;
