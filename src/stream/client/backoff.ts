/** How long a client waits before it connects again: full jitter, so that those who were cut together do not come back together. */

import { MilepostError, shown } from "../../errors.ts";

/** Timers take no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Bounds of the waiting time, in milliseconds. */
export interface Backoff {
  /** The most that is waited before the first attempt; it doubles with each. Default 500. */
  readonly minMs?: number;
  /** The most that is ever waited. Default 20,000. */
  readonly maxMs?: number;
}

/** The bounds, with their defaults. @throws INVALID_ARGUMENT. */
export function checkBackoff({ minMs = 500, maxMs = 20_000 }: Backoff = {}): Required<Backoff> {
  if (minMs >= 0 && minMs <= maxMs && maxMs <= MAX_TIMER_MS) return { minMs, maxMs };
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `backoff must have 0 <= minMs <= maxMs <= ${MAX_TIMER_MS}, not ${shown(minMs)} and ${shown(maxMs)}`,
  );
}

/** Milliseconds to wait before attempt 1, 2, 3 …: anything between nothing and a bound that doubles. */
export function retryDelayMs(attempt: number, random: () => number, { minMs, maxMs }: Required<Backoff>): number {
  return Math.round(random() * Math.min(maxMs, minMs * 2 ** (attempt - 1)));
}
