/** Time for the client: two clocks and a timer, as they are passed in. */

/** What the client knows of time. */
export interface ClientClock {
  /** Wall time, milliseconds since 1970; may jump. */
  now(): number;
  /** Milliseconds that only go forward. */
  monotonic(): number;
  /** Calls `run` once, `delayMs` from now. Returns the function that takes it back. */
  schedule(run: () => void, delayMs: number): () => void;
}

/** The clocks of the browser or of Node. */
export const systemClock: ClientClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule: (run, delayMs) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
