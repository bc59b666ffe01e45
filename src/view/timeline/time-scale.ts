/** A window of time on a scale: where things lie in it, its ticks, and moving it. Log time (ms) throughout. */

/** What is seen of the time of an upgrade. */
export interface TimeWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where something lies in a window, as parts of its width, cut at its edges. */
export interface Placed {
  readonly left: number;
  readonly width: number;
}

export interface Tick {
  readonly left: number;
  /** The time of day, or the date when the day begins or the steps are days. */
  readonly text: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Round steps between ticks. */
const STEPS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28, 91, 364].map((count) => count * DAY),
];

/** No window is shorter. */
const SHORTEST_WINDOW_MS = 2 * SECOND;

/** Where a stretch lies; undefined when it lies outside. One of no length has no width. */
export function placeIn({ fromMs, toMs }: TimeWindow, startMs: number, endMs: number): Placed | undefined {
  const spanMs = toMs - fromMs;
  if (spanMs <= 0 || endMs < fromMs || startMs > toMs) return undefined;
  const left = (Math.max(startMs, fromMs) - fromMs) / spanMs;
  const right = (Math.min(Math.max(endMs, startMs), toMs) - fromMs) / spanMs;
  return { left, width: Math.max(0, right - left) };
}

/** The moment (log time, ms) at a part of the window's width. */
const momentIn = ({ fromMs, toMs }: TimeWindow, part: number): number => fromMs + (toMs - fromMs) * part;

export interface TickOptions {
  /** About so many at most. */
  readonly count: number;
  /** What is to be added to log time to give wall time (epoch ms). */
  readonly wallOffsetMs: number;
  /** What is to be added to UTC at a wall time to give the reader's local time (ms). */
  readonly utcOffsetMs: (wallMs: number) => number;
}

/** Ticks at round local times, at most `count` and one. */
export function ticksOf(window: TimeWindow, { count, wallOffsetMs, utcOffsetMs }: TickOptions): readonly Tick[] {
  const spanMs = window.toMs - window.fromMs;
  if (!(spanMs > 0) || !Number.isFinite(spanMs)) return [];
  const stepMs = roundStep(spanMs, count);
  const zoneMs = utcOffsetMs(window.fromMs + wallOffsetMs);
  const shiftMs = wallOffsetMs + zoneMs;
  const ticks: Tick[] = [];
  for (
    let localMs = Math.ceil((window.fromMs + shiftMs) / stepMs) * stepMs;
    localMs <= window.toMs + shiftMs;
    localMs += stepMs
  ) {
    const logMs = localMs - shiftMs;
    const shownMs = logMs + wallOffsetMs + utcOffsetMs(logMs + wallOffsetMs);
    ticks.push({ left: (logMs - window.fromMs) / spanMs, text: tickText(shownMs, stepMs) });
  }
  return ticks;
}

/** The ticks that are at least so far (a part of the width) from a place, which has a word of its own. */
export function ticksApart(ticks: readonly Tick[], place: number | undefined, distance: number): readonly Tick[] {
  return place === undefined ? ticks : ticks.filter(({ left }) => Math.abs(left - place) >= distance);
}

/** The shortest round step with at most `count` of them in a span; beyond the longest, whole multiples of it. */
function roundStep(spanMs: number, count: number): number {
  const least = spanMs / Math.max(1, count);
  const longest = STEPS_MS.at(-1) as number;
  return STEPS_MS.find((step) => step >= least) ?? Math.ceil(least / longest) * longest;
}

/** `localMs` is local time as if it were UTC. */
function tickText(localMs: number, stepMs: number): string {
  const date = new Date(localMs);
  if (Number.isNaN(date.getTime())) return "";
  const iso = date.toISOString();
  if (stepMs >= DAY || iso.slice(11, 19) === "00:00:00") return iso.slice(0, 10);
  return stepMs < MINUTE ? iso.slice(11, 19) : iso.slice(11, 16);
}

/** The window that holds a stretch with a little room after it. Its end moves in round steps, so that a live scale does not creep. */
export function windowRound(fromMs: number, toMs: number): TimeWindow {
  const spanMs = Math.max(SHORTEST_WINDOW_MS, (toMs - fromMs) * 1.08);
  const stepMs = roundStep(spanMs, 40);
  return { fromMs, toMs: fromMs + Math.ceil(spanMs / stepMs) * stepMs };
}

/** The window made longer (`factor` above 1) or shorter round a part of its width, within `bounds`. */
export function zoomed(
  window: TimeWindow,
  factor: number,
  { at, bounds }: { at: number; bounds: TimeWindow },
): TimeWindow {
  const spanMs = window.toMs - window.fromMs;
  const longestMs = bounds.toMs - bounds.fromMs;
  const nextMs = Math.min(longestMs, Math.max(SHORTEST_WINDOW_MS, spanMs * factor));
  return within(momentIn(window, at) - nextMs * at, nextMs, bounds);
}

/** The window moved by a part of its width, within `bounds`. */
export function panned({ fromMs, toMs }: TimeWindow, part: number, bounds: TimeWindow): TimeWindow {
  const spanMs = toMs - fromMs;
  return within(fromMs + spanMs * part, spanMs, bounds);
}

function within(fromMs: number, spanMs: number, bounds: TimeWindow): TimeWindow {
  const start = Math.max(bounds.fromMs, Math.min(fromMs, bounds.toMs - spanMs));
  return { fromMs: start, toMs: start + spanMs };
}
