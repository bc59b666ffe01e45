/** Reads a journal forward, checking every line that it gives out. */

import { MilepostError } from "../../errors.ts";
import { parseCursor } from "../../model/cursor.ts";
import { openToRead, readAt, readInto, systemErrorCode, unusable, type FileSystem } from "../files.ts";
import { headAt, holdsWholeLine, isSealed, MAX_LINE_BYTES, parseLine, seqAt } from "../line.ts";
import type { LineBatch, LogHeader, LogReader, StoredSnapshot } from "../storage.ts";
import {
  encodeHeader,
  faultOf,
  journalFiles,
  journalPath,
  opensTerm,
  readChain,
  readHeader,
  type Segment,
} from "./journal.ts";
import { loadSnapshot } from "./snapshot.ts";
import { TermLines } from "./term-lines.ts";

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** Where a log stands that was read to its end: the newest file, the place behind its last whole line, and that line. */
export interface JournalEnd {
  readonly chain: readonly Segment[];
  readonly bytes: number;
  readonly seq: number;
  readonly lastLine: Uint8Array | undefined;
}

export class JournalReader implements LogReader {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #snapshotPath: string;
  #chain: readonly Segment[];
  /** The highest number seen, of any file that has its header: another one means that the chain may have changed. */
  #newestFile: number | undefined;
  #header: LogHeader;
  #index = 0;
  #fd: number | undefined;
  #offset = 0;
  #seq = 0;
  /** The term of the last line read; unknown at the beginning and after a seek to the middle. */
  #term: string | undefined;
  /** The lines of that term, once one has been read. */
  #lines: TermLines | undefined;
  #lastLine: Uint8Array | undefined;

  constructor(
    fs: FileSystem,
    { directory, snapshotPath, header }: { directory: string; snapshotPath: string; header: LogHeader },
  ) {
    this.#fs = fs;
    this.#directory = directory;
    this.#snapshotPath = snapshotPath;
    this.#newestFile = this.#newest();
    this.#chain = readChain(fs, directory);
    this.#header = headerOf(this.#chain) ?? header;
    this.#enter(0);
  }

  get header(): LogHeader {
    return this.#header;
  }

  get end(): JournalEnd {
    return { chain: this.#chain, bytes: this.#offset, seq: this.#seq, lastLine: this.#lastLine };
  }

  read(maxBytes: number = CHUNK_BYTES, memory?: Buffer): LineBatch | undefined {
    for (;;) {
      const segment = this.#chain[this.#index];
      const batch = segment === undefined ? undefined : this.#readSegment(segment, maxBytes, memory);
      if (batch !== undefined) return batch;
      if (this.#index + 1 < this.#chain.length) this.#next();
      else if (!this.#reload()) return undefined;
    }
  }

  seek(seq: number): boolean {
    if (!Number.isSafeInteger(seq) || seq < 0) return false;
    this.#reload();
    let index = this.#chain.length - 1;
    while (index > 0 && (this.#chain[index] as Segment).afterSeq >= seq) index -= 1;
    this.#enter(index);
    if (seq === this.#seq) return true;
    this.#offset = this.#searchStart(seq);
    for (;;) {
      const batch = this.read();
      if (batch === undefined) return false;
      if (batch.lastSeq < seq) continue;
      this.#stepBack(batch, seq);
      return true;
    }
  }

  snapshot(): StoredSnapshot | undefined {
    const snapshot = loadSnapshot(this.#fs, this.#snapshotPath);
    if (snapshot !== undefined && this.#standsAt(snapshot)) return snapshot;
    this.seek(0);
    return undefined;
  }

  /** True, with the reader right behind it, if the snapshot lies on this history. */
  #standsAt({ seq, cursor }: StoredSnapshot): boolean {
    if (parseCursor(cursor).logId !== this.#header.logId || !this.seek(seq) || this.#lastLine === undefined)
      return false;
    return parseLine(this.#lastLine).cursor === cursor;
  }

  close(): void {
    if (this.#fd !== undefined) this.#fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Goes to the beginning of a file of the chain. */
  #enter(index: number): void {
    this.close();
    this.#index = Math.max(0, index);
    const segment = this.#chain[this.#index];
    this.#offset = segment?.headerBytes ?? 0;
    this.#seq = segment?.afterSeq ?? 0;
    this.#term = this.#lines = undefined;
  }

  /** Goes on with the next file, which may repeat lines of the last one: those that its writer could not sync (`writer.ts`). */
  #next(): void {
    const [seq, term, lastLine] = [this.#seq, this.#term, this.#lastLine];
    const readPast = this.#offset > (this.#chain[this.#index]?.endBytes ?? 0);
    this.#enter(this.#index + 1);
    this.#term = term;
    this.#lines = undefined;
    if (this.#seq === seq) return;
    if (this.#seq > seq || !readPast)
      throw this.#corrupt(this.#offset, `begins after seq ${this.#seq}, but the file before it ends at ${seq}`);
    this.#term = this.#lines = undefined;
    while (this.#seq < seq) {
      const batch = this.read();
      if (batch === undefined) throw historyChanged(seq);
      if (batch.lastSeq >= seq) this.#stepBack(batch, seq);
    }
    if (lastLine === undefined || this.#lastLine === undefined || Buffer.compare(lastLine, this.#lastLine) !== 0)
      throw historyChanged(seq);
  }

  /** Looks for files that came since; true if the place where this reader stands has changed by it. */
  #reload(): boolean {
    const current = this.#chain[this.#index];
    if (current !== undefined && this.#isNewest(current)) return false;
    const newestFile = this.#newest();
    const chain = readChain(this.#fs, this.#directory);
    const logId = chain[0]?.header.logId;
    if (current !== undefined && logId !== current.header.logId) throw historyChanged(this.#seq);
    const index = chain.findIndex(({ path }) => path === current?.path);
    if (current !== undefined && index < 0) throw historyChanged(this.#seq);
    const isOtherFile = current !== undefined && this.#fd !== undefined && this.#reopen(current);
    const grew =
      isOtherFile ||
      chain.length > this.#chain.length ||
      (chain[index]?.endBytes ?? null) !== (current?.endBytes ?? null);
    this.#chain = chain;
    this.#newestFile = newestFile;
    this.#header = headerOf(chain) ?? this.#header;
    if (current === undefined) this.#enter(0);
    else this.#index = index;
    return grew;
  }

  /** The highest number; undefined while its file is still being made, so that the next look finds a difference. */
  #newest(): number | undefined {
    const file = journalFiles(this.#fs, this.#directory)[0];
    if (file === undefined) return undefined;
    return readHeader(this.#fs, journalPath(this.#directory, file)) === undefined ? undefined : file;
  }

  /** True if no file came since, and this one is still the one that is open. */
  #isNewest(current: Segment): boolean {
    if (journalFiles(this.#fs, this.#directory)[0] !== this.#newestFile) return false;
    return this.#isOpen(current);
  }

  #isOpen({ path }: Segment): boolean {
    return (
      this.#fd === undefined ||
      this.#fs.fstatSync(this.#fd).ino === this.#fs.statSync(path, { throwIfNoEntry: false })?.ino
    );
  }

  #readSegment(segment: Segment, maxBytes: number, memory?: Buffer): LineBatch | undefined {
    const fd = (this.#fd ??= this.#open(segment));
    const end = segment.endBytes ?? this.#fs.fstatSync(fd).size;
    if (segment.endBytes === null && end < this.#offset) throw historyChanged(this.#seq);
    for (let size = Math.max(1, maxBytes); this.#offset < end; size *= 4) {
      const place = { position: this.#offset, length: Math.min(size, end - this.#offset) };
      const bytes = readInto(this.#fs, fd, place, memory);
      if (bytes.length === 0) break;
      const batch = this.#take(segment, bytes);
      if (batch !== undefined) return batch;
      // Less than was asked for: the file ends before the place that the next one's header names.
      const isAll = this.#offset + bytes.length >= end || bytes.length < place.length;
      if (isAll || bytes.length > MAX_LINE_BYTES) return this.#stop(segment, this.#offset);
    }
    return segment.endBytes !== null && this.#offset < segment.endBytes ? this.#stop(segment, this.#offset) : undefined;
  }

  #open(segment: Segment): number {
    let fd: number;
    try {
      fd = openToRead(this.#fs, segment.path);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") throw historyChanged(this.#seq);
      throw unusable(segment.path, error);
    }
    // The next run may have put a file of its own there.
    if (Buffer.compare(readAt(this.#fs, fd, 0, segment.headerBytes), encodeHeader(segment.header)) === 0) return fd;
    this.#fs.closeSync(fd);
    throw historyChanged(this.#seq);
  }

  /** The file at the path is another one (`restore.ts`): goes on in it, if it holds what was read last. */
  #reopen(segment: Segment): boolean {
    const lastLine = this.#lastLine ?? Buffer.alloc(0);
    if (this.#isOpen(segment)) return false;
    this.close();
    const fd = (this.#fd = this.#open(segment));
    if (this.#offset <= segment.headerBytes) return true;
    const bytes = readAt(this.#fs, fd, this.#offset - lastLine.length, lastLine.length);
    if (Buffer.compare(bytes, lastLine) !== 0) throw historyChanged(this.#seq);
    return true;
  }

  /** The whole lines at the beginning of `bytes`. */
  #take(segment: Segment, bytes: Buffer): LineBatch | undefined {
    const firstSeq = this.#seq + 1;
    const ends: number[] = [];
    let isSound = true;
    for (;;) {
      // When one of them is damaged it is found one by one.
      if (isSound && this.#lines !== undefined) {
        isSound = this.#lines.measure(bytes, ends.at(-1) ?? 0, this.#seq, ends);
        this.#seq = firstSeq + ends.length - 1;
      }
      const at = ends.at(-1) ?? 0;
      const end = bytes.indexOf(NEWLINE, at) + 1;
      if (end === 0) break;
      if (!isSealed(bytes, at, end)) {
        if (at === 0) return this.#stop(segment, this.#offset);
        break;
      }
      const fault = this.#accept(bytes, at, end);
      if (fault !== undefined) {
        if (at === 0) throw this.#corrupt(this.#offset, fault);
        break;
      }
      ends.push(end);
    }
    const at = ends.at(-1);
    if (at === undefined) return undefined;
    this.#offset += at;
    this.#lastLine = lastLineOf(bytes, at);
    return { bytes: bytes.subarray(0, at), ends, firstSeq, lastSeq: this.#seq };
  }

  /** A whole line must be the next event of this very log; what is wrong with it when it is not. */
  #accept(bytes: Buffer, start: number, end: number): string | undefined {
    const place = { seq: this.#seq, logId: this.#header.logId, term: this.#term };
    const head = headAt(bytes, start);
    const fault = faultOf(head, place, () => opensTerm(bytes.subarray(start, end)));
    if (fault !== undefined || head === undefined) return fault;
    if (this.#term !== head.term || this.#lines === undefined) this.#lines = new TermLines(head);
    this.#term = head.term;
    this.#seq = head.seq;
    return undefined;
  }

  /** The line at `offset` is not whole: the end for now, or damage. */
  #stop(segment: Segment, offset: number): LineBatch | undefined {
    if (segment.endBytes !== null) throw this.#corrupt(offset, "holds a damaged line");
    const fd = this.#fd as number;
    const rest = readAt(this.#fs, fd, offset, Math.max(0, this.#fs.fstatSync(fd).size - offset));
    const end = rest.indexOf(NEWLINE) + 1;
    // Its writer has finished it since it was read.
    if (end > 0 && isSealed(rest, 0, end)) return this.#take(segment, rest);
    if (holdsWholeLine(rest, 0)) throw this.#corrupt(offset, "holds a damaged line with whole ones behind it");
    return undefined;
  }

  /** Leaves the reader right after `seq`, a line of the batch that was just read. */
  #stepBack(batch: LineBatch, seq: number): void {
    const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
    const at = batch.ends[seq - batch.firstSeq] ?? 0;
    this.#lastLine = lastLineOf(bytes, at);
    this.#offset -= bytes.length - at;
    this.#seq = seq;
    this.#term = headAt(Buffer.from(this.#lastLine), 0)?.term;
    this.#lines = undefined;
  }

  /** A place at or before the line `seq`, found by halving: lines say their seq at their beginning. Sets the seq before it. */
  #searchStart(seq: number): number {
    const segment = this.#chain[this.#index];
    if (segment === undefined) return 0;
    const fd = (this.#fd ??= this.#open(segment));
    let low = this.#offset;
    let high = segment.endBytes ?? this.#fs.fstatSync(fd).size;
    while (high - low > CHUNK_BYTES) {
      const middle = low + Math.floor((high - low) / 2);
      const bytes = readAt(this.#fs, fd, middle, Math.min(CHUNK_BYTES, high - middle));
      const start = bytes.indexOf(NEWLINE) + 1;
      const found = start === 0 ? -1 : seqAt(bytes, start);
      if (found > 0 && found <= seq) {
        low = middle + start;
        this.#seq = found - 1;
      } else high = middle;
    }
    return low;
  }

  #corrupt(offset: number, what: string): MilepostError {
    const file = this.#chain[this.#index]?.path ?? this.#directory;
    return new MilepostError(
      "CORRUPT",
      `${file} ${what} (byte ${offset}, after seq ${this.#seq}); run \`milepost verify\`, then \`milepost salvage\` to go on with what is whole`,
      {
        context: { file, offset, seq: this.#seq },
      },
    );
  }
}

function headerOf(chain: readonly Segment[]): LogHeader | undefined {
  const header = chain.at(-1)?.header;
  return header && { logId: header.logId, upgradeId: header.upgradeId, run: header.run };
}

function lastLineOf(bytes: Buffer, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, bytes.lastIndexOf(NEWLINE, end - 2) + 1, end);
}

function historyChanged(seq: number): MilepostError {
  return new MilepostError(
    "CURSOR_GONE",
    `the log has changed below seq ${seq}: what was read is no longer its history; read it again from its beginning`,
    {
      context: { seq },
    },
  );
}
