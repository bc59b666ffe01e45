/** The newest events of a log in memory, a few megabytes of them, each encoded once. */

import { Block, piece } from "./block.ts";
import type { Encoding } from "./encoding.ts";
import type { Level } from "./protocol.ts";

const KEPT_BYTES = 4 * 1024 * 1024;

/** Encoded events, and how many they are. */
export interface Piece {
  readonly bytes: Buffer;
  readonly messages: number;
}

export class RecentEvents {
  /** They follow one another. */
  readonly #blocks: Block[] = [];
  #keptBytes = 0;
  #totalBytes = 0;

  /** The bytes of all frames there ever were here. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Adds the next event, its line without the newline. */
  add(seq: number, text: Buffer): void {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.isFull) {
      block = new Block(seq, { bytesBefore: this.#totalBytes });
      this.#blocks.push(block);
    }
    const before = block.sizeBytes;
    block.add(text);
    this.#totalBytes += block.sizeBytes - before;
    this.#keptBytes += block.sizeBytes - before;
    while (this.#keptBytes > KEPT_BYTES && this.#blocks.length > 1)
      this.#keptBytes -= this.#blocks.shift()?.sizeBytes ?? 0;
  }

  /** The block that holds event `seq`; undefined when it is no longer here. */
  block(seq: number): Block | undefined {
    let [low, high] = [0, this.#blocks.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const block = this.#blocks[middle] as Block;
      if (seq < block.firstSeq) high = middle - 1;
      else if (seq > block.lastSeq) low = middle + 1;
      else return block;
    }
    return undefined;
  }

  /** How many bytes of frames come after event `seq`, the newest not being meant; infinitely many when they are no longer here. */
  bytesAfter(seq: number): number {
    const block = this.block(seq + 1);
    return block === undefined ? Infinity : this.#totalBytes - block.bytesBefore - block.bytesUpTo(seq);
  }

  /** Events that are here, as they go over a connection; one slice of memory nearly always. */
  piece(fromSeq: number, toSeq: number, how: { readonly encoding: Encoding; readonly level: Level }): Piece {
    const pieces: Piece[] = [];
    for (let seq = fromSeq; seq <= toSeq;) {
      const block = this.block(seq) as Block;
      const last = Math.min(toSeq, block.lastSeq);
      pieces.push(piece(block, how, seq, last));
      seq = last + 1;
    }
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) return only;
    return {
      bytes: Buffer.concat(pieces.map(({ bytes }) => bytes)),
      messages: pieces.reduce((sum, { messages }) => sum + messages, 0),
    };
  }
}
