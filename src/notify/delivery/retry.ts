/** When something that failed is tried again: the schedule of Standard Webhooks, each delay somewhere within its 20 per cent. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Before attempt 1, 2, 3 …; as many attempts as delays. */
export const RETRY_DELAYS_MS: readonly number[] = [
  0,
  5_000,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

const SPREAD = 0.2;

/** No wait is longer, whatever a receiver asks for or a clock says. */
export const MAX_DELAY_MS = 24 * HOUR * (1 + SPREAD);

/** What is still not delivered after so long is a dead letter. Longer than all delays together. */
export const MAX_AGE_MS = 96 * HOUR;

/** Anything within a fifth of `delayMs`, so that those who failed together do not come back together. */
export function jittered(delayMs: number, random: () => number): number {
  return delayMs * (1 - SPREAD + 2 * SPREAD * random());
}

/** How long to wait after the failed attempt `attempts` (1, 2 …); undefined when that was the last one. */
export function retryDelayMs(attempts: number, random: () => number, retryAfterMs?: number): number | undefined {
  const delay = RETRY_DELAYS_MS[attempts];
  if (delay === undefined) return undefined;
  const asked = retryAfterMs !== undefined && retryAfterMs > 0 ? retryAfterMs : 0;
  return Math.min(MAX_DELAY_MS, Math.max(jittered(delay, random), asked));
}
