/**
 * Writes a journal.
 *
 * - A write goes to a fixed place, right behind the last whole line. What a failed write left there is overwritten by the next
 *   one, and is a torn tail until then.
 * - Lines are kept in memory until they are synced. After a failed sync the file is never synced again: a new file begins
 *   whose header fixes the old one's end at the last synced line, and the lines since are written again there.
 * - Every CHECK_INTERVAL_MS, after a write: is the lock still ours, is the file still the one at its path?
 */

import { dirname } from "node:path";

import { MilepostError } from "../../errors.ts";
import { degraded, discard, makeDirectory, syncDirectory, writeFully, type FileSystem } from "../files.ts";
import { parseLine } from "../line.ts";
import { encodeHeader, JOURNAL_FORMAT, journalFiles, journalPath, type JournalHeader } from "./journal.ts";
import { CHECK_INTERVAL_MS, type Lock } from "./lock.ts";
import type { JournalEnd } from "./reader.ts";
import { restoreFile } from "./restore.ts";
import type { LogHeader } from "../storage.ts";
import { UnsyncedLines } from "./unsynced-lines.ts";

/** A program that never lets the event loop turn gets its sync here, so that the lines kept for it stay bounded (G11). */
const MAX_UNSYNCED_BYTES = 32 * 1024 * 1024;

interface Place {
  readonly bytes: number;
  readonly seq: number;
}

/** The file that lines go to. */
interface OpenFile {
  readonly fd: number;
  readonly file: number;
  readonly path: string;
  /** Up to where it was found as written, at the last check. */
  readonly checkedBytes: number;
}

export interface JournalWriterOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly header: LogHeader;
  readonly lock: Lock;
}

/** The folders above a journal that Milepost makes: the upgrade's, `upgrades`, and the storage path. */
const FOLDERS_ABOVE = 3;

function syncFolders(fs: FileSystem, directory: string): void {
  let folder = directory;
  for (let level = 0; level < FOLDERS_ABOVE; level++) {
    folder = dirname(folder);
    syncDirectory(fs, folder);
  }
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
  readonly #unsynced = new UnsyncedLines();
  /** Never: a writer that waits before its first write may have been displaced meanwhile. */
  #checkedAt = Number.NEGATIVE_INFINITY;
  #isSyncing = false;
  #syncing: Promise<void> | undefined;
  /** The sync that has not begun yet. */
  #nextSync: Promise<void> | undefined;
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
   *
   * @throws STORAGE_DEGRADED.
   */
  begin(end: JournalEnd): void {
    try {
      this.#begin(end);
    } catch (error) {
      throw degraded(this.#directory, error);
    }
  }

  #begin(end: JournalEnd): void {
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
    this.#unsynced.add(lines);
    if (this.#unsynced.sizeBytes > MAX_UNSYNCED_BYTES) this.#syncInline();
  }

  /** One sync serves all who asked before it began; it begins when the one before has ended and the present work is done. */
  sync(): Promise<void> {
    this.#nextSync ??= this.#syncNext();
    return this.#nextSync;
  }

  async #syncNext(): Promise<void> {
    const before = this.#syncing;
    await before?.catch(() => undefined);
    if (before === undefined) await Promise.resolve();
    this.#syncing = this.#nextSync;
    this.#nextSync = undefined;
    if (this.#isFenced) throw this.#fenced();
    if (this.#unsynced.sizeBytes > 0) await this.#syncNow();
    else if (this.#open !== undefined) this.#check(this.#end.bytes);
  }

  async #syncNow(): Promise<void> {
    let open: OpenFile;
    try {
      open = this.#ensureFile();
    } catch (error) {
      throw degraded(this.#directory, error);
    }
    // A new file was synced as it was made, with all lines that there were.
    if (this.#unsynced.sizeBytes === 0) return this.#check(this.#end.bytes);
    const end = this.#end;
    const mark = this.#unsynced.mark();
    try {
      this.#isSyncing = true;
      await new Promise<void>((resolve, reject) =>
        this.#fs.fdatasync(open.fd, (error) => (error === null ? resolve() : reject(error))),
      );
    } catch (error) {
      this.#abandon(open);
      throw degraded(open.path, error);
    } finally {
      this.#isSyncing = false;
    }
    // Another file began meanwhile: it holds these lines too, and was synced when it was made.
    if (this.#open?.file !== open.file) return;
    if (end.seq > this.#synced.seq) this.#synced = end;
    this.#unsynced.drop(mark);
    this.#check(this.#end.bytes);
  }

  /** Before the log is moved: it is still ours, and all of it is on stable storage. @throws FENCED, STORAGE_DEGRADED. */
  secure(): void {
    if (this.#isFenced) throw this.#fenced();
    this.#checkedAt = Number.NEGATIVE_INFINITY;
    this.#check(this.#end.bytes);
    try {
      if (this.#unsynced.sizeBytes === 0) return;
      this.#ensureFile();
      this.#syncInline();
      // After a failed sync this writes the lines again, and syncs them, elsewhere.
      this.#ensureFile();
    } catch (error) {
      throw degraded(this.#directory, error);
    }
  }

  /** A failure shows at the next sync, as any other does; the line itself is written. */
  #syncInline(): void {
    const open = this.#open as OpenFile;
    try {
      this.#fs.fsyncSync(open.fd);
      this.#synced = this.#end;
      this.#unsynced.clear();
    } catch {
      this.#abandon(open);
    }
  }

  /** The file is never synced again: what it holds since the last good sync goes into the next one. */
  #abandon(open: OpenFile): void {
    if (this.#open?.file !== open.file) return;
    this.#closeFile();
    this.#end = { bytes: this.#synced.bytes, seq: this.#end.seq };
  }

  close(): void {
    this.#closeFile();
  }

  #closeFile(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    try {
      this.#fs.closeSync(open.fd);
    } catch {
      // The descriptor is gone all the same, and what was not synced is known.
    }
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
    this.#open = { fd: this.#fs.openSync(path, flags, 0o600), file, path, checkedBytes: this.#end.bytes };
    this.#previousFile = file;
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
    const content = Buffer.concat([encodeHeader(header), this.#unsynced.bytes()]);
    // Who made the folders may have failed, or died, before their names were durable.
    if (previous === null) syncFolders(this.#fs, this.#directory);
    const fd = this.#putFile(path, content);
    this.#end = { bytes: content.length, seq: this.#end.seq };
    this.#synced = this.#end;
    this.#unsynced.clear();
    this.#previousFile = file;
    this.#open = { fd, file, path, checkedBytes: content.length };
    return this.#open;
  }

  /**
   * The header and the lines behind it appear together, by a rename: half of them would seal the file before while what
   * belongs behind it is missing. The empty file keeps the number from a displaced writer that is about to take the same.
   */
  #putFile(path: string, content: Uint8Array): number {
    const fs = this.#fs;
    fs.closeSync(fs.openSync(path, "wx", 0o600));
    let fd: number | undefined;
    try {
      fd = fs.openSync(`${path}.new`, "w+", 0o600);
      writeFully(fs, fd, content, 0);
      fs.fsyncSync(fd);
      fs.renameSync(`${path}.new`, path);
      syncDirectory(fs, this.#directory);
      return fd;
    } catch (error) {
      if (fd !== undefined) fs.closeSync(fd);
      discard(fs, `${path}.new`);
      // If it cannot be removed it is in nobody's way: it is empty, or its lines are those of the log.
      discard(fs, path);
      throw error;
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
    // Not while a sync has its descriptor: another file could come to have that number.
    if (this.#open !== undefined && !this.#isSyncing) this.#open = this.#restored(this.#open, size);
    this.#checkedAt = now;
  }

  #restored(open: OpenFile, size: number): OpenFile {
    const fd = restoreFile(this.#fs, open, { size, since: open.checkedBytes });
    return { ...open, fd, checkedBytes: size };
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
