/** Shares the event loop out: so many may go on in one of its turns, the others in later ones, in the order in which they came. */
export class Turnstile {
  readonly #perTurn: number;
  #left: number;
  #isTurning = false;
  #waiting: (() => void)[] = [];

  constructor(perTurn: number) {
    this.#perTurn = this.#left = perTurn;
  }

  /** Resolves when whoever asks may go on: at once, unless so many have in this turn, or wait. */
  pass(): Promise<void> {
    this.#turnLater();
    if (this.#left === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#left -= 1;
    return Promise.resolve();
  }

  #turnLater(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurning = false;
    const next = this.#waiting.splice(0, this.#perTurn);
    this.#left = this.#perTurn - next.length;
    if (next.length > 0) this.#turnLater();
    for (const resolve of next) resolve();
  }
}
