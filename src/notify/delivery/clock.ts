/** Time for deliveries: two clocks, a timer, and waiting. */

import { systemClock, type Clock } from "../../tracker/clock.ts";

export interface DeliveryClock extends Clock {
  /**
   * Calls `run` once, `delayMs` from now. Returns the function that takes it back.
   *
   * @param keepsAlive - true if somebody waits for it, so that the process must not end before.
   */
  schedule(run: () => void, delayMs: number, keepsAlive?: boolean): () => void;
}

/** The machine's timers with these clocks. */
export const deliveryClock = (clock: Clock): DeliveryClock => ({
  now: () => clock.now(),
  monotonic: () => clock.monotonic(),
  schedule: (run, delayMs, keepsAlive = false) => {
    const timer = setTimeout(run, delayMs);
    if (!keepsAlive) timer.unref();
    return () => clearTimeout(timer);
  },
});

/** The machine's own. */
export const systemDeliveryClock = deliveryClock(systemClock);

/** Lets one loop sleep until something rings, or time is up. A ring while it does not sleep ends its next sleep at once. */
export class Alarm {
  readonly #clock: DeliveryClock;
  #hasRung = false;
  #wake: (() => void) | undefined;

  constructor(clock: DeliveryClock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  /** @param maxMs - without it only a ring ends it. */
  async sleep(maxMs?: number): Promise<void> {
    if (!this.#hasRung) {
      await new Promise<void>((resolve) => {
        const cancel = maxMs === undefined ? undefined : this.#clock.schedule(resolve, Math.max(0, maxMs));
        this.#wake = () => {
          cancel?.();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#hasRung = false;
  }
}
