/** A foreseen end in words. */

import { clockText, dateText, durationText, shortDateText, type TimeZone } from "../text/duration.ts";
import type { EtaRange, EtaView } from "./eta.ts";
import type { HeadView } from "../upgrade/upgrade-view.ts";
import type { OverView } from "./usual.ts";

/** The end in words. */
export interface EtaWords {
  /** As "14:32", or why there is none. */
  readonly when: string;
  /** As "in about 12m 05s"; null when there is no time. */
  readonly left: string | null;
  /** As "between 14:25 and 14:50"; null when there is no time, and when all of it is the minute that `when` says. */
  readonly range: string | null;
  /** What it was worked out from; null when there is no time. */
  readonly basis: string | null;
  /** As "by earlier upgrades between 14:20 and 14:45"; null when none is known. */
  readonly usual: string | null;
  /** As "23m 00s over usual"; null while it is not over. */
  readonly over: string | null;
}

const BASIS = {
  usual: "from earlier upgrades",
  expected: "from the times expected",
  pace: "from the pace so far",
} as const;

/** What is said of the end at the moment of `head`. */
export function etaWords({ range, usual, over }: EtaView, head: HeadView, zone: TimeZone = "local"): EtaWords {
  const asOfMs = Date.parse(head.asOf);
  const at = (time: string): string => shortTime(time, asOfMs, zone);
  const between = ({ lowAt, highAt }: EtaRange): string =>
    at(lowAt) === at(highAt) ? `at ${at(lowAt)}` : `between ${at(lowAt)} and ${at(highAt)}`;
  const beside = {
    usual: usual === null ? null : `by earlier upgrades ${between(usual)}`,
    over: over === null ? null : overWords(over),
  };
  if (range === null) return { when: whyNone(head, zone), left: null, range: null, basis: null, ...beside };
  const isOneMinute = !range.isHeld && at(range.lowAt) === at(range.highAt);
  return {
    when: `${range.isHeld ? "not before " : ""}${at(range.isHeld ? range.lowAt : range.likelyAt)}`,
    left: range.isHeld ? "held by what is waited for" : `in about ${durationText(range.likelyMs)}`,
    range: isOneMinute ? null : `${range.isHeld ? "otherwise " : ""}${between(range)}`,
    basis: BASIS[range.from],
    ...beside,
  };
}

/** "23m 05s over usual". */
export function overWords({ ms, source }: OverView): string {
  return `${durationText(ms)} over ${source}`;
}

/** To the minute: a foreseen second would be invented. */
function shortTime(time: string, asOfMs: number, zone: TimeZone): string {
  return dayTimeText(time, asOfMs, zone).replace(/:\d\d$/, "");
}

/** The time of day of an ISO time, to the second, after its date when that is another one than that of `asOfMs` (epoch ms). */
export function dayTimeText(time: string, asOfMs: number, zone: TimeZone = "local"): string {
  const isToday = shortDateText(time, asOfMs, zone).includes(":");
  return isToday ? clockText(time, zone) : dateText(time, zone);
}

function whyNone({ status, completedAt, asOf }: HeadView, zone: TimeZone): string {
  if (completedAt !== null) return shortTime(completedAt, Date.parse(asOf), zone);
  if (status === "not_started") return "not started";
  return status === "paused" ? "paused" : "too early to say";
}
