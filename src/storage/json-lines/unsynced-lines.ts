/**
 * The lines written since the last good sync, kept so that they can be written again elsewhere.
 *
 * Lines come one behind the other in the same memory (`LineEncoder`), so what is kept is a few stretches of it, not an object
 * per line: a hundred thousand small ones would cost more than the writes themselves.
 */

interface Stretch {
  readonly memory: ArrayBufferLike;
  readonly start: number;
  end: number;
}

export class UnsyncedLines {
  #stretches: Stretch[] = [];
  /** Bytes ever added, and bytes ever forgotten: a mark is a place between the two. */
  #added = 0;
  #forgotten = 0;

  get sizeBytes(): number {
    return this.#added - this.#forgotten;
  }

  add({ buffer, byteOffset, length }: Uint8Array): void {
    const last = this.#stretches.at(-1);
    if (last?.memory === buffer && last.end === byteOffset) last.end += length;
    else this.#stretches.push({ memory: buffer, start: byteOffset, end: byteOffset + length });
    this.#added += length;
  }

  /** The place behind all that is kept now. */
  mark(): number {
    return this.#added;
  }

  /** Forgets what was kept before a mark; what is forgotten already stays so. */
  drop(mark: number): void {
    while (this.#forgotten < mark) {
      const [first, ...rest] = this.#stretches as [Stretch, ...Stretch[]];
      const size = Math.min(first.end - first.start, mark - this.#forgotten);
      this.#forgotten += size;
      this.#stretches = first.start + size === first.end ? rest : [{ ...first, start: first.start + size }, ...rest];
    }
  }

  clear(): void {
    this.#stretches = [];
    this.#forgotten = this.#added;
  }

  /** The kept lines, in order. */
  bytes(): Buffer {
    return Buffer.concat(this.#stretches.map(({ memory, start, end }) => new Uint8Array(memory, start, end - start)));
  }
}
