/** How often Slack is asked: one request at a time begins, a gap after the one before, and none while Slack wants to be left alone. */

import type { Clock } from "../../tracker/clock.ts";
import type { Outcome } from "../notifier.ts";

export interface PaceOptions {
  /** Between the beginnings of two requests. */
  readonly gapMs: number;
  readonly clock: Clock;
  /** Rejects when the signal ends it. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Whoever would have to wait longer comes back another time: a delivery waits for a notifier for so long only. */
const MAX_WAIT_MS = 10_000;

export interface Pace {
  /**
   * Makes a request when its turn has come. While Slack wants no requests, or too many wait, there is none, and the outcome says
   * when to come back.
   *
   * @param notBefore - monotonic; how early it may be.
   */
  request(ask: () => Promise<Outcome>, signal: AbortSignal, notBefore?: number): Promise<Outcome>;
}

export function createPace({ gapMs, clock, sleep }: PaceOptions): Pace {
  let nextAt = Number.NEGATIVE_INFINITY;
  let heldUntil = Number.NEGATIVE_INFINITY;

  const until = async (at: number, signal: AbortSignal): Promise<void> => {
    const ms = at - clock.monotonic();
    if (ms > 0) await sleep(ms, signal);
    signal.throwIfAborted();
  };
  const heldBack = (waitMs: number, message: string): Outcome => ({
    status: "retry",
    code: "HELD_BACK",
    message,
    retryAfterMs: Math.ceil(waitMs),
  });
  const held = (): Outcome | undefined => {
    const waitMs = heldUntil - clock.monotonic();
    return waitMs > 0 ? heldBack(waitMs, "Slack asked for fewer requests before") : undefined;
  };

  return {
    request: async (ask, signal, notBefore = Number.NEGATIVE_INFINITY) => {
      await until(notBefore, signal);
      const early = held();
      if (early !== undefined) return early;
      const turn = Math.max(clock.monotonic(), nextAt);
      const waitMs = turn - clock.monotonic();
      if (waitMs > MAX_WAIT_MS) return heldBack(waitMs, "other messages to Slack come first");
      nextAt = turn + gapMs;
      await until(turn, signal);
      // Somebody else may have been told so in the meantime.
      const late = held();
      if (late !== undefined) return late;
      const outcome = await ask();
      if (outcome.status === "retry" && outcome.retryAfterMs !== undefined) {
        heldUntil = Math.max(heldUntil, clock.monotonic() + outcome.retryAfterMs);
      }
      return outcome;
    },
  };
}
