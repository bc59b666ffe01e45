/** From the wall time at which something is shown to the log's own time, in which durations are counted. */

import type { UpgradeProgress } from "../../model/upgrade.ts";

/**
 * The log time (ms) at a wall time (epoch ms): that of the newest event, plus the wall time since it. Never before the newest
 * event, so a clock that was set back shows no duration that shrinks below what is recorded.
 */
export function logTimeAt({ clock }: UpgradeProgress, asOfMs: number): number {
  return clock.lastMs + sinceMs(clock.lastTime, asOfMs);
}

/** Milliseconds from an ISO time to a wall time, never negative; 0 for no time. */
export function sinceMs(time: string | null, asOfMs: number): number {
  return time === null ? 0 : Math.max(0, asOfMs - Date.parse(time)) || 0;
}
