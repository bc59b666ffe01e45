/**
 * Tells a connection that is quiet from one that is dead: a browser does not show the pings of WebSocket, so the client asks
 * with a `ping` of the protocol when it has heard nothing for a while.
 */

import type { ClientClock } from "./clock.ts";

/** A welcome must have come by then. */
const WELCOME_MS = 10_000;
/** Time for an answer to be under way. */
const ANSWER_MS = 8_000;
const MIN_PING_MS = 1_000;

export interface SilenceEvents {
  /** Nothing was heard for the ping interval. */
  readonly ask: () => void;
  /** Nor for the time of an answer. */
  readonly stale: (silentMs: number) => void;
  /** Nor for the ping interval once more: there is nobody. */
  readonly dead: (silentMs: number) => void;
}

export class Silence {
  readonly #clock: ClientClock;
  readonly #events: SilenceEvents;
  #heardMs: number;
  /** What is to be done, and after how much silence; the first that has not been done yet. */
  #steps: readonly (readonly [afterMs: number, run: (silentMs: number) => void])[];
  #next = 0;
  #cancel: () => void;

  constructor(clock: ClientClock, events: SilenceEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#heardMs = clock.monotonic();
    this.#steps = [[WELCOME_MS, (silentMs) => events.dead(silentMs)]];
    this.#cancel = clock.schedule(() => this.#look(), WELCOME_MS);
  }

  /** From now on silence is measured by the server's own interval. */
  begin(pingIntervalMs: number): void {
    const pingMs = Math.max(MIN_PING_MS, Number.isFinite(pingIntervalMs) ? pingIntervalMs : 0);
    const { ask, stale, dead } = this.#events;
    this.#steps = [
      [pingMs, ask],
      [pingMs + ANSWER_MS, stale],
      [2 * pingMs + ANSWER_MS, dead],
    ];
    this.heard();
    this.#cancel();
    this.#look();
  }

  /** Called for every message: no more than a note is made, the timer looks at it when it is due. */
  heard(): void {
    this.#heardMs = this.#clock.monotonic();
    this.#next = 0;
  }

  stop(): void {
    this.#cancel();
    this.#steps = [];
  }

  #look(): void {
    const silentMs = this.#clock.monotonic() - this.#heardMs;
    for (let step = this.#steps[this.#next]; step !== undefined; step = this.#steps[this.#next]) {
      const [afterMs, run] = step;
      if (silentMs < afterMs) {
        this.#cancel = this.#clock.schedule(() => this.#look(), afterMs - silentMs);
        return;
      }
      this.#next += 1;
      run(silentMs);
    }
  }
}
