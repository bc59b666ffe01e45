/** Time, as it is passed in. */

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
      last = epochMs;
      text = new Date(epochMs).toISOString();
    }
    return text;
  };
}
