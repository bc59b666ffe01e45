/** One timer for all connections of a server, instead of several for each. */

import type { Clock } from "../tracker/clock.ts";

export interface Ticking {
  /** @param now - monotonic milliseconds. */
  tick(now: number): void;
}

const INTERVAL_MS = 250;

export class Pulse {
  readonly #clock: Clock;
  readonly #members = new Set<Ticking>();
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#members.size;
  }

  add(member: Ticking): void {
    this.#members.add(member);
    this.#timer ??= setInterval(() => this.beat(), INTERVAL_MS).unref();
  }

  delete(member: Ticking): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Called by its own timer. */
  beat(): void {
    const now = this.#clock.monotonic();
    for (const member of this.#members) member.tick(now);
  }
}
