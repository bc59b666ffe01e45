/** Time, as it is passed in. */

import { MilepostError, shown } from "../errors.ts";

export interface Clock {
  /** Wall time, milliseconds since 1970; may jump. */
  now(): number;
  /** Milliseconds that only go forward. */
  monotonic(): number;
}

/** The machine's own clocks. */
export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Makes ISO 8601 texts, remembering the last one: events come many to the millisecond. */
export function isoMaker(): (epochMs: number) => string {
  let last = Number.NaN;
  let text = "";
  return (epochMs) => {
    if (epochMs !== last) {
      // 8.64e15 is the last millisecond that a Date can hold.
      if (!(Math.abs(epochMs) <= 8.64e15)) {
        throw new MilepostError(
          "INVALID_ARGUMENT",
          `clock.now() must give milliseconds since 1970, not ${shown(epochMs)}`,
        );
      }
      last = epochMs;
      text = new Date(epochMs).toISOString();
    }
    return text;
  };
}
