/** Logs that wait to be read: each once, a few at a time, and one that changes while it is read once more. */

/** So many at a time: a storage that answers later is kept busy, and none of them waits long for the others. */
const MAX_READERS = 4;

export class ReadingList {
  readonly #read: (ref: string) => Promise<void>;
  readonly #waiting = new Set<string>();
  readonly #reading = new Set<string>();
  #onEmpty: (() => void)[] = [];

  /** @param read - must not reject. */
  constructor(read: (ref: string) => Promise<void>) {
    this.#read = read;
  }

  add(ref: string): void {
    this.#waiting.add(ref);
    if (this.#reading.size < MAX_READERS && !this.#reading.has(ref)) void this.#readOn();
  }

  /** Resolves when nothing waits any more. */
  async empty(): Promise<void> {
    if (this.#waiting.size + this.#reading.size > 0) await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
  }

  clear(): void {
    this.#waiting.clear();
  }

  async #readOn(): Promise<void> {
    for (let ref = this.#next(); ref !== undefined; ref = this.#next()) {
      this.#waiting.delete(ref);
      this.#reading.add(ref);
      await this.#read(ref);
      this.#reading.delete(ref);
    }
    if (this.#waiting.size + this.#reading.size > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  #next(): string | undefined {
    for (const ref of this.#waiting) if (!this.#reading.has(ref)) return ref;
    return undefined;
  }
}
