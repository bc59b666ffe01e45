/** Playing a recorded upgrade again: where the record is after a while, and what is said of a place in it. */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import { clockText, dateText, durationText, shortDateText, type TimeZone } from "../text/duration.ts";
import type { FeedEntry } from "./feed.ts";

/** How many times as fast as it was. */
export const PLAY_SPEEDS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600] as const;
export type PlaySpeed = (typeof PLAY_SPEEDS)[number];

/** Whoever has not chosen a speed wants a record to take at least so long, in ms, and a minute to take at least a second. */
const LEAST_MS = 5_000;
const FASTEST = 60;

/** The speed at which a record of such a length (ms) is played until another one is chosen. */
export function playSpeed(lengthMs: number): PlaySpeed {
  return PLAY_SPEEDS.findLast((speed) => speed <= FASTEST && lengthMs / speed >= LEAST_MS) ?? PLAY_SPEEDS[0];
}

/** A place in words. */
export interface PlaceText {
  /** When it was. */
  readonly time: string;
  /** How long before now; null for less than a second. */
  readonly ago: string | null;
  /** "event 12 of 340". */
  readonly position: string;
}

export interface PlaceOptions {
  /** Wall time now, epoch ms. */
  readonly nowMs: number;
  readonly lastSeq: number;
  readonly zone?: TimeZone | undefined;
}

/** What is said of the place that a state is at. */
export function placeText({ seq, clock }: UpgradeProgress, { nowMs, lastSeq, zone }: PlaceOptions): PlaceText {
  const time = clock.lastTime ?? "";
  const isToday = shortDateText(time, nowMs, zone) === clockText(time, zone);
  const agoMs = nowMs - Date.parse(time);
  return {
    time: isToday ? clockText(time, zone) : dateText(time, zone),
    ago: agoMs >= 1000 ? `${durationText(agoMs)} ago` : null,
    position: `event ${seq} of ${lastSeq}`,
  };
}

/** A mark on the scrubber. */
export interface Mark {
  readonly entry: FeedEntry;
  /** Where it is, as a part of the width. */
  readonly left: number;
}

/** How much a mark asks to be seen. */
const RANK: Readonly<Record<FeedEntry["tone"], number>> = { bad: 4, attention: 3, good: 2, active: 1, quiet: 0 };

/** The marks of a log on a scale, at least so far apart (a part of the width); where several are near, the one that asks most to be seen. */
export function marksOf(
  entries: readonly FeedEntry[],
  { fromMs, toMs, apart }: { readonly fromMs: number; readonly toMs: number; readonly apart: number },
): readonly Mark[] {
  const marks: Mark[] = [];
  if (!(toMs > fromMs)) return marks;
  for (const entry of entries) {
    if (!entry.isMark || entry.logMs < fromMs || entry.logMs > toMs) continue;
    const left = (entry.logMs - fromMs) / (toMs - fromMs);
    const last = marks.at(-1);
    if (last === undefined || left - last.left >= apart) marks.push({ entry, left });
    else if (RANK[entry.tone] > RANK[last.entry.tone]) marks[marks.length - 1] = { entry, left: last.left };
  }
  return marks;
}

/** The next mark after the event `seq`, or with `back` the last before it. */
export function markBeside(entries: readonly FeedEntry[], seq: number, isBack: boolean): FeedEntry | undefined {
  return isBack
    ? entries.findLast((entry) => entry.isMark && entry.seq < seq)
    : entries.find((entry) => entry.isMark && entry.seq > seq);
}

/** The newest entry at or before the event `seq`. */
export function entryAt(entries: readonly FeedEntry[], seq: number): FeedEntry | undefined {
  const count = entriesUntil(entries, seq);
  return entries[count - 1];
}

/** How many entries there are up to the event `seq`. */
export function entriesUntil(entries: readonly FeedEntry[], seq: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] as FeedEntry).seq <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
