/**
 * Writes a journal.
 *
 * - A write goes to a fixed place, right behind the last whole line. What a failed write left there is overwritten by the next
 *   one, and is a torn tail until then.
 * - Lines are kept in memory until they are synced. After a failed sync the file is never synced again: a new file begins
 *   whose header fixes the old one's end at the last synced line, and the lines since are written again there.
 * - Every CHECK_INTERVAL_MS, after a write: is the lock still ours, is the file still the one at its path?
 */

import { MilepostError } from "../../errors.ts";
import { degraded, makeDirectory, syncDirectory, writeFully, type FileSystem } from "../files.ts";
import { parseLine } from "../line.ts";
import { encodeHeader, JOURNAL_FORMAT, journalFiles, journalPath, type JournalHeader } from "./journal.ts";
import { CHECK_INTERVAL_MS, type Lock } from "./lock.ts";
import type { JournalEnd } from "./reader.ts";
import { restoreFile } from "./restore.ts";
import type { LogHeader } from "../storage.ts";

interface Place {
  readonly bytes: number;
  readonly seq: number;
}

/** The file that lines go to. */
interface OpenFile {
  readonly fd: number;
  readonly file: number;
  readonly path: string;
}

export interface JournalWriterOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly header: LogHeader;
  readonly lock: Lock;
}

export class JournalWriter {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #header: LogHeader;
  readonly #lock: Lock;
  #generation = 0;
  #open: OpenFile | undefined;
  /** What the next new file names as its `previous`; null for a log's first file. */
  #previousFile: number | null = null;
  #end: Place = { bytes: 0, seq: 0 };
  #synced: Place = { bytes: 0, seq: 0 };
  #unsynced: { readonly lines: Uint8Array; readonly lastSeq: number }[] = [];
  #checkedAt = 0;
  #syncing: Promise<void> | undefined;
  #isFenced = false;

  constructor(options: JournalWriterOptions) {
    this.#fs = options.fs;
    this.#directory = options.directory;
    this.#header = options.header;
    this.#lock = options.lock;
  }

  get seq(): number {
    return this.#end.seq;
  }

  /**
   * Takes up where the log ends; called once, when it has been read. After a take-over a file begins at once, of a higher
   * generation: the writer that was displaced may still be writing into the old one.
   */
  begin(end: JournalEnd): void {
    const { isTakeOver } = this.#lock;
    const newest = end.chain.at(-1);
    this.#end = { bytes: end.bytes, seq: end.seq };
    this.#synced = this.#end;
    this.#generation = (newest?.header.generation ?? 0) + (isTakeOver ? 1 : 0);
    this.#previousFile = newest?.header.journal ?? null;
    if (newest !== undefined && !isTakeOver && this.#endedCleanly(newest.path, end))
      this.#openFile(newest.header.journal, "r+");
    else if (newest !== undefined) this.#syncPrevious(newest.path);
    if (isTakeOver) this.#ensureFile();
  }

  /** @throws FENCED, STORAGE_DEGRADED. */
  append(lines: Uint8Array, lastSeq: number): void {
    if (this.#isFenced) throw this.#fenced();
    try {
      const { fd } = this.#ensureFile();
      writeFully(this.#fs, fd, lines, this.#end.bytes);
    } catch (error) {
      throw degraded(this.#open?.path ?? this.#directory, error);
    }
    this.#check(this.#end.bytes + lines.length);
    this.#end = { bytes: this.#end.bytes + lines.length, seq: lastSeq };
    this.#unsynced.push({ lines, lastSeq });
  }

  /** One sync serves all who asked before it began. */
  async sync(): Promise<void> {
    if (this.#syncing !== undefined) {
      await this.#syncing.catch(() => undefined);
      return this.sync();
    }
    if (this.#isFenced) throw this.#fenced();
    if (this.#unsynced.length === 0) {
      if (this.#open !== undefined) this.#check(this.#end.bytes);
      return;
    }
    this.#syncing = this.#syncNow().finally(() => (this.#syncing = undefined));
    return this.#syncing;
  }

  async #syncNow(): Promise<void> {
    let open: OpenFile;
    try {
      open = this.#ensureFile();
    } catch (error) {
      throw degraded(this.#directory, error);
    }
    const end = this.#end;
    const count = this.#unsynced.length;
    try {
      await new Promise<void>((resolve, reject) =>
        this.#fs.fdatasync(open.fd, (error) => (error === null ? resolve() : reject(error))),
      );
    } catch (error) {
      this.#abandon(open);
      throw degraded(open.path, error);
    }
    this.#synced = end;
    this.#unsynced.splice(0, count);
    this.#check(this.#end.bytes);
  }

  /** The file is never synced again: what it holds since the last good sync goes into the next one. */
  #abandon(open: OpenFile): void {
    if (this.#open !== open) return;
    this.#closeFile();
    this.#end = { bytes: this.#synced.bytes, seq: this.#end.seq };
  }

  close(): void {
    this.#closeFile();
  }

  #closeFile(): void {
    if (this.#open !== undefined) this.#fs.closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #endedCleanly(path: string, { lastLine, bytes }: JournalEnd): boolean {
    return (
      lastLine !== undefined && parseLine(lastLine).type === "writer.closed" && this.#fs.statSync(path).size === bytes
    );
  }

  /** What a new file builds on must be durable before it: its writer may have been killed before its last sync. */
  #syncPrevious(path: string): void {
    const fd = this.#fs.openSync(path, "r+");
    try {
      this.#fs.fsyncSync(fd);
    } finally {
      this.#fs.closeSync(fd);
    }
  }

  #openFile(file: number, flags: string): OpenFile {
    const path = journalPath(this.#directory, file);
    this.#open = { fd: this.#fs.openSync(path, flags, 0o600), file, path };
    this.#previousFile = file;
    this.#checkedAt = performance.now();
    return this.#open;
  }

  #ensureFile(): OpenFile {
    return this.#open ?? this.#beginFile();
  }

  #beginFile(): OpenFile {
    makeDirectory(this.#fs, this.#directory);
    const file = (journalFiles(this.#fs, this.#directory)[0] ?? 0) + 1;
    const { bytes, seq } = this.#synced;
    const previous = this.#previousFile === null ? null : { file: this.#previousFile, bytes, seq };
    const header: JournalHeader = {
      journal: file,
      format: JOURNAL_FORMAT,
      ...this.#header,
      generation: this.#generation,
      previous,
    };
    const path = journalPath(this.#directory, file);
    const fd = this.#fs.openSync(path, "wx+", 0o600);
    try {
      const unsynced = this.#unsynced.map(({ lines }) => lines);
      const content = Buffer.concat([encodeHeader(header), ...unsynced]);
      writeFully(this.#fs, fd, content, 0);
      this.#fs.fsyncSync(fd);
      syncDirectory(this.#fs, this.#directory);
      this.#end = { bytes: content.length, seq: this.#end.seq };
    } catch (error) {
      this.#fs.closeSync(fd);
      this.#discard(path);
      throw error;
    }
    this.#synced = this.#end;
    this.#unsynced = [];
    this.#previousFile = file;
    this.#checkedAt = performance.now();
    this.#open = { fd, file, path };
    return this.#open;
  }

  /** If it cannot be removed it is in nobody's way: its lines are part of the log, or its header is not whole. */
  #discard(path: string): void {
    try {
      this.#fs.rmSync(path, { force: true });
    } catch {
      // The error that led here is the one to report.
    }
  }

  /** Seldom enough to cost nothing, often enough for a taker's wait (`lock.ts`). `size` is what the file must hold. */
  #check(size: number): void {
    const now = performance.now();
    if (now - this.#checkedAt < CHECK_INTERVAL_MS) return;
    if (!this.#isLockHeld()) {
      this.#isFenced = true;
      throw this.#fenced();
    }
    if (this.#open !== undefined) this.#open = { ...this.#open, fd: restoreFile(this.#fs, this.#open, size) };
    this.#checkedAt = now;
  }

  #isLockHeld(): boolean {
    try {
      return this.#lock.isHeld();
    } catch (error) {
      throw degraded(this.#directory, error);
    }
  }

  #fenced(): MilepostError {
    return new MilepostError(
      "FENCED",
      "another writer has taken this upgrade over; stop reporting here, the new writer goes on",
      {
        context: { upgradeId: this.#header.upgradeId, seq: this.#end.seq },
      },
    );
  }
}
