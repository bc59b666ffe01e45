/** A clock that stands still until it is told to move. */

import type { Clock } from "../src/tracker/clock.ts";

export interface ManualClock extends Clock {
  /** Lets time pass on both clocks. */
  pass(ms: number): void;
  /** Moves the wall clock alone. */
  jump(ms: number): void;
}

/** Begins at a fixed wall time. */
export function manualClock(wall = Date.parse("2026-03-01T08:00:00.000Z")): ManualClock {
  let monotonic = 1_000;
  return {
    now: () => wall,
    monotonic: () => monotonic,
    pass: (ms) => {
      wall += ms;
      monotonic += ms;
    },
    jump: (ms) => {
      wall += ms;
    },
  };
}
