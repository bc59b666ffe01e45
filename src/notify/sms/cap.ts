/** How many messages may go out in a time: they cost money, and a storm of them tells nobody anything. */

export class Cap {
  readonly #most: number;
  readonly #windowMs: number;
  readonly #monotonic: () => number;
  /** When the last ones went out, oldest first; at most `most`. */
  #times: number[] = [];

  constructor(most: number, windowMs: number, monotonic: () => number) {
    this.#most = most;
    this.#windowMs = windowMs;
    this.#monotonic = monotonic;
  }

  isReached(): boolean {
    const since = this.#monotonic() - this.#windowMs;
    this.#times = this.#times.filter((time) => time > since);
    return this.#times.length >= this.#most;
  }

  count(): void {
    this.#times.push(this.#monotonic());
  }
}
