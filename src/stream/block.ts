/** Consecutive events of a log in memory, each encoded once for everybody who reads it. */

import type { LineBatch } from "../storage/storage.ts";
import { frameLines, roomToFrame, sseEncoding, typeOf, webSocketEncoding, type Encoding } from "./encoding.ts";
import type { Level } from "./protocol.ts";

/** A block that grows is closed at so many bytes. */
const BLOCK_BYTES = 256 * 1024;
/** Room for the first events of a block that grows. */
const FIRST_BYTES = 4096;

/** Events encoded one behind the other in memory that is never written twice, so that slices of it may be sent as they are. */
class Encoded {
  readonly encoding: Encoding;
  #bytes: Buffer;
  readonly #ends: number[];

  /** @param bytes - what is there already, or room for what comes. */
  constructor(encoding: Encoding, bytes: Buffer, ends: number[] = []) {
    this.encoding = encoding;
    this.#bytes = bytes;
    this.#ends = ends;
  }

  get count(): number {
    return this.#ends.length;
  }

  get usedBytes(): number {
    return this.#ends.at(-1) ?? 0;
  }

  add(text: Buffer): void {
    const at = this.usedBytes;
    const needed = at + this.encoding.size(text.length, text.length);
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#ends.push(this.encoding.write(this.#bytes, at, text));
  }

  /** The events `from` to `to`, counted from 0, `to` not included. */
  slice(from: number, to: number): Buffer {
    return this.#bytes.subarray(this.startOf(from), this.startOf(to));
  }

  startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number);
  }

  /** What was given out keeps the old memory. */
  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.usedBytes);
    this.#bytes = larger;
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const emptyFrames = (): Encoded => new Encoded(webSocketEncoding, Buffer.allocUnsafeSlow(FIRST_BYTES));

export class Block {
  readonly firstSeq: number;
  /** The bytes of all events of the log before this block, as far as its owner counts. */
  readonly bytesBefore: number;
  readonly #frames: Encoded;
  #sse: Encoded | undefined;

  constructor(firstSeq: number, { bytesBefore = 0, frames = emptyFrames() } = {}) {
    this.firstSeq = firstSeq;
    this.bytesBefore = bytesBefore;
    this.#frames = frames;
  }

  get lastSeq(): number {
    return this.firstSeq + this.#frames.count - 1;
  }

  get sizeBytes(): number {
    return this.#frames.usedBytes;
  }

  get isFull(): boolean {
    return this.#frames.usedBytes >= BLOCK_BYTES;
  }

  has(seq: number): boolean {
    return seq >= this.firstSeq && seq <= this.lastSeq;
  }

  /** Adds the next event. `text` is its line without the newline. */
  add(text: Buffer): void {
    this.#frames.add(text);
  }

  /** Adds the events of the next batch. */
  addBatch({ bytes, ends }: LineBatch): void {
    const lines = asBuffer(bytes);
    let from = 0;
    for (const end of ends) {
      this.add(lines.subarray(from, end - 1));
      from = end;
    }
  }

  /** The JSON text of an event of this block. */
  text(seq: number): Buffer {
    const index = seq - this.firstSeq;
    const framed = this.#frames.slice(index, index + 1);
    const length = framed[1] as number;
    return framed.subarray(length < 126 ? 2 : length === 126 ? 4 : 10);
  }

  /** The bytes from this block's beginning to the end of event `seq`. */
  bytesUpTo(seq: number): number {
    return this.#frames.startOf(seq - this.firstSeq + 1);
  }

  /** The last event, from `fromSeq` on, up to which there are at most about `maxBytes`; at least `fromSeq`. */
  lastWithin(fromSeq: number, maxBytes: number): number {
    const limit = this.bytesUpTo(fromSeq - 1) + maxBytes;
    let seq = this.lastSeq;
    if (this.bytesUpTo(seq) <= limit) return seq;
    for (seq = fromSeq; seq < this.lastSeq && this.bytesUpTo(seq + 1) <= limit;) seq += 1;
    return seq;
  }

  /** Events of this block as they go over a connection; `toSeq` included. */
  encoded(encoding: Encoding, fromSeq: number, toSeq: number): Buffer {
    const all = encoding === webSocketEncoding ? this.#frames : this.#asSse();
    return all.slice(fromSeq - this.firstSeq, toSeq - this.firstSeq + 1);
  }

  #asSse(): Encoded {
    this.#sse ??= new Encoded(sseEncoding, Buffer.allocUnsafeSlow(this.sizeBytes));
    for (let index = this.#sse.count; index < this.#frames.count; index++)
      this.#sse.add(this.text(this.firstSeq + index));
    return this.#sse;
  }
}

/**
 * The whole of a batch that a reader gave, as one block.
 *
 * @param memory - where the batch lies, for good, if it may become frames there; without it the block has memory of its own.
 */
export function blockOf({ firstSeq, bytes: lines, ends: lineEnds }: LineBatch, memory?: Buffer): Block {
  let frames = memory;
  let start = memory === undefined ? 0 : lines.byteOffset - memory.byteOffset;
  const room = roomToFrame(lineEnds);
  if (frames === undefined || lines.buffer !== frames.buffer || start < room) {
    frames = Buffer.allocUnsafeSlow(room + lines.length);
    frames.set(lines, (start = room));
  }
  const ends = frameLines(frames, start, lineEnds);
  return new Block(firstSeq, { frames: new Encoded(webSocketEncoding, frames.subarray(0, ends.at(-1)), ends) });
}

/** True if a subscriber of this level gets an event of this type. */
export function isOfLevel(level: Level, type: string): boolean {
  if (level === "logs") return true;
  if (level === "tasks") return type !== "log.appended";
  return !type.startsWith("task.") && type !== "log.appended";
}

/** What a subscriber gets of these events, and how many messages that is. */
export function piece(
  block: Block,
  { encoding, level }: { readonly encoding: Encoding; readonly level: Level },
  fromSeq: number,
  toSeq: number,
): { readonly bytes: Buffer; readonly messages: number } {
  if (level === "logs") return { bytes: block.encoded(encoding, fromSeq, toSeq), messages: toSeq - fromSeq + 1 };
  const kept: Buffer[] = [];
  for (let seq = fromSeq; seq <= toSeq; seq++) {
    if (isOfLevel(level, typeOf(block.text(seq)))) kept.push(block.encoded(encoding, seq, seq));
  }
  return { bytes: Buffer.concat(kept), messages: kept.length };
}
