/** A call that is made at most so often: the first time at once, and the last time always. */

import type { Clock } from "../../tracker/clock.ts";

export class Paced {
  readonly #call: () => void;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #calledMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(call: () => void, { intervalMs, clock }: { readonly intervalMs: number; readonly clock: Clock }) {
    this.#call = call;
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /** Makes the call, now or as soon as it may be made again. */
  request(): void {
    if (this.#timer !== undefined) return;
    const waitMs = this.#calledMs + this.#intervalMs - this.#clock.monotonic();
    if (waitMs <= 0) return this.#callNow();
    // A timer may go off up to a millisecond early.
    this.#timer = setTimeout(() => this.#callNow(), Math.ceil(waitMs) + 1).unref();
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #callNow(): void {
    this.cancel();
    this.#calledMs = this.#clock.monotonic();
    this.#call();
  }
}
