/** What lies further back in a log than what is in memory: read in blocks that everybody shares, a few of them kept. */

import { MilepostError } from "../errors.ts";
import type { LineBatch, LogReader } from "../storage/storage.ts";
import { blockOf, type Block } from "./block.ts";
import type { LogSource } from "./upgrades.ts";

/** Blocks begin at these distances, so that readers at different places want the same ones. */
const STRIDE_EVENTS = 512;
/** The first piece that is read; who reads on gets ever larger ones, since each costs something for itself. */
const READ_BYTES = 256 * 1024;
const MAX_READ_BYTES = 1024 * 1024;
/** Of the memory that is read into so much is left free, so that what is read becomes frames where it lies (`roomToFrame`). */
const ROOM_SHARE = 1 / 32;
const MAX_BLOCK_BYTES = 1024 * 1024;
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

export class History {
  readonly #source: LogSource;
  readonly #logId: string;
  #reader: LogReader | undefined;
  /** What is read goes here first. */
  #memory: Buffer | undefined;
  #readBytes = READ_BYTES;
  /** Where the reader stands. */
  #seq = 0;
  /** The newest last. */
  readonly #kept = new Map<number, Block>();
  #keptBytes = 0;
  /** One after the other: there is one reader. */
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(source: LogSource, logId: string) {
    this.#source = source;
    this.#logId = logId;
  }

  /** A block that holds event `seq`. @throws CURSOR_GONE when the log's history has changed; CORRUPT. */
  async block(seq: number): Promise<Block> {
    const found = this.#find(seq);
    if (found !== undefined) return found;
    const read = this.#last.then(() => this.#find(seq) ?? this.#read(seq));
    this.#last = read.catch(() => undefined);
    return read;
  }

  close(): void {
    this.#isClosed = true;
    this.#reader?.close();
    this.#reader = undefined;
    this.#memory = undefined;
    this.#kept.clear();
  }

  #find(seq: number): Block | undefined {
    for (const [key, block] of this.#kept) {
      if (!block.has(seq)) continue;
      this.#kept.delete(key);
      this.#kept.set(key, block);
      return block;
    }
    return undefined;
  }

  async #read(seq: number): Promise<Block> {
    // Who reads on from the last block goes on where it ended; others begin at places that they share.
    const first = this.#seq === seq - 1 ? seq : seq - ((seq - 1) % STRIDE_EVENTS);
    const block = this.#kept.get(first) ?? (await this.#readFrom(first));
    // Large events: the block ended before it came to this one.
    return block.has(seq) ? block : this.#readFrom(seq);
  }

  async #readFrom(first: number): Promise<Block> {
    const readsOn = first > 1 && this.#seq === first - 1;
    this.#readBytes = readsOn ? Math.min(2 * this.#readBytes, MAX_READ_BYTES) : READ_BYTES;
    const reader = await this.#standingAt(first - 1);
    let block: Block | undefined;
    const last = first + STRIDE_EVENTS - 1;
    while (block === undefined || (block.lastSeq < last && block.sizeBytes < MAX_BLOCK_BYTES)) {
      const memory = this.#memoryFor(this.#readBytes);
      const batch = await reader.read(this.#readBytes, memory.subarray(memory.length - this.#readBytes));
      if (batch === undefined) break;
      this.#seq = batch.lastSeq;
      if (block === undefined) block = this.#blockOf(batch, memory);
      else block.addBatch(batch);
    }
    if (block === undefined || !block.has(first)) throw this.#changed(first);
    this.#keep(block);
    return block;
  }

  #memoryFor(readBytes: number): Buffer {
    const size = Math.ceil(readBytes * (1 + ROOM_SHARE));
    if (this.#memory?.length !== size) this.#memory = Buffer.allocUnsafeSlow(size);
    return this.#memory;
  }

  /** What fills most of the memory that it was read into keeps it. */
  #blockOf(batch: LineBatch, memory: Buffer): Block {
    if (batch.bytes.length < memory.length / 2) return blockOf(batch);
    this.#memory = undefined;
    return blockOf(batch, memory);
  }

  async #standingAt(seq: number): Promise<LogReader> {
    if (this.#isClosed) throw this.#changed(seq);
    this.#reader ??= await this.#source.openReader();
    if (this.#reader?.header.logId !== this.#logId) throw this.#changed(seq);
    if (this.#seq !== seq && !(await this.#reader.seek(seq))) throw this.#changed(seq);
    this.#seq = seq;
    return this.#reader;
  }

  #keep(block: Block): void {
    this.#keptBytes += block.sizeBytes - (this.#kept.get(block.firstSeq)?.sizeBytes ?? 0);
    this.#kept.set(block.firstSeq, block);
    for (const [key, { sizeBytes }] of this.#kept) {
      if (this.#keptBytes <= MAX_KEPT_BYTES || this.#kept.size === 1) break;
      this.#kept.delete(key);
      this.#keptBytes -= sizeBytes;
    }
  }

  #changed(seq: number): MilepostError {
    return new MilepostError("CURSOR_GONE", `the log of ${this.#source.ref} no longer holds event ${seq} as it was`);
  }
}
