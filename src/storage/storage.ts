/**
 * The storage port: what a driver gives, and what it promises. One contract suite (`test/contracts`) holds all drivers to it.
 *
 * A storage keeps logs. A log is a sequence of lines; a line is one event as JSON bytes ending in its checksum and a newline
 * (`line.ts`). A driver keeps those bytes as they are and never looks inside beyond seq, cursor and checksum.
 */

import type { WriterIdentity } from "../model/event.ts";

/** A value, or a promise of one: synchronous drivers return plain values, always. */
export type Awaitable<T> = T | Promise<T>;

/** Whole, checked lines that follow one another. */
export interface LineBatch {
  readonly bytes: Uint8Array;
  /** Where each line ends, behind its newline. */
  readonly ends: readonly number[];
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** What a log says of itself before its first event. */
export interface LogHeader {
  readonly logId: string;
  readonly upgradeId: string;
  readonly run: number;
}

/** The snapshot that a driver keeps: the state's JSON text at a seq. */
export interface StoredSnapshot {
  readonly seq: number;
  readonly cursor: string;
  readonly text: string;
}

/** A log that a storage holds. `ref` is what opens it: the upgrade id, or `<id>@<n>` for a finished run. */
export interface LogRef {
  readonly ref: string;
  readonly upgradeId: string;
  /** The number of a finished run that was followed by another; absent for the newest. */
  readonly run?: number;
}

/** Who writes a log now. */
export interface LogHolder extends WriterIdentity {
  readonly since: string;
  /** Address of the local socket that takes commands for the holder; absent when it takes none. */
  readonly socket?: string;
}

/** Reads one log forward. Not shared between users. */
export interface LogReader {
  readonly header: LogHeader;
  /**
   * The next lines, at most about `maxBytes` of them, or undefined at the end of what is written so far; asking again
   * later goes on from there. An incomplete line at the end is not yet written.
   *
   * @param memory - the caller's, which a driver may put them in, whatever was there before; without it they are in new memory.
   * @throws CORRUPT (context: file, offset, seq) on damage; CURSOR_GONE when what was already read is no longer the history.
   */
  read(maxBytes?: number, memory?: Buffer): Awaitable<LineBatch | undefined>;
  /** Goes to the place right after `seq` (0: the beginning). False if the log has no such seq. */
  seek(seq: number): Awaitable<boolean>;
  /**
   * The newest snapshot that lies on this history, with the reader then right behind it; undefined when there is none, with
   * the reader at the beginning.
   */
  snapshot(): Awaitable<StoredSnapshot | undefined>;
  close(): void;
}

/** One log, open for writing and locked for others. */
export interface LogWriter {
  /** The log's own; a new log's is made when it is opened. */
  readonly header: LogHeader;
  /** A folder of this log's own on this machine, where its holder may put a local socket; absent when there is none. */
  readonly localFolder?: string;
  /** A reader at the beginning; the caller reads it to its end, then begins. */
  readonly reader: LogReader;
  /**
   * Takes up writing where the reader stands, at the end of the log; called once, before the first append. Writes nothing,
   * unless a live writer was displaced: then what that one still writes is shut out.
   */
  begin(): Awaitable<void>;
  /**
   * Appends lines. `expectedSeq` is the seq of the last line in the log; `lines` are whole and follow it.
   * After a failure nothing of them is part of the log, and the same lines may be given again.
   *
   * @throws FENCED when another writer has taken the log over; STORAGE_DEGRADED (cause: the system's error) when the
   *   storage does not take the write; CORRUPT when `expectedSeq` is not the end.
   */
  append(expectedSeq: number, lines: Uint8Array, lastSeq: number): Awaitable<void>;
  /** Resolves when all that was appended before the call is on stable storage. @throws STORAGE_DEGRADED, FENCED. */
  sync(): Promise<void>;
  /** Keeps a snapshot, replacing the last one. `parts` are pieces of the state's JSON text, taken one per turn of the event loop. */
  saveSnapshot(at: { readonly seq: number; readonly cursor: string }, parts: Iterable<string>): Promise<void>;
  /** Sets the finished log aside as `<id>@<run>`; `header` and `reader` are then those of the next run's, empty and begun. */
  beginNextRun(): Awaitable<LogHeader>;
  /** Says who holds the log, for those who find it held. */
  announce(holder: LogHolder): Awaitable<void>;
  /** Frees the lock. May be called twice. */
  close(): Awaitable<void>;
}

/** What to do when a log is held by a live writer. */
export interface OpenWriterOptions {
  /** Displace a live writer instead of refusing with LOCKED. */
  readonly takeOver?: boolean;
}

/** A part of what {@link DeliveryStore} keeps as lines, and where the next reading goes on. */
export interface StoredTexts {
  /** Each with the place right behind it. */
  readonly lines: readonly { readonly text: string; readonly next: number }[];
  /** Where the next reading goes on; the place asked for when there is no more. */
  readonly next: number;
}

/** The right to tell one notifier of one upgrade. */
export interface DeliveryLock {
  /** False when the right was lost, as by an operator who removed its file. */
  isHeld(): boolean;
  release(): void;
}

/**
 * What the deliveries of one upgrade keep, all its runs together, beside its log. `name` is a notifier's, of lower-case
 * letters, digits and hyphens. Nothing is kept for an upgrade that is not there: then a write fails with UNKNOWN_UPGRADE.
 */
export interface DeliveryStore {
  /** The names that something is kept for. */
  list(): Awaitable<readonly string[]>;
  /** What was saved last; undefined when nothing ever was. */
  load(name: string): Awaitable<string | undefined>;
  /** Replaces it as a whole. Survives a kill and a power cut once it resolves. @throws STORAGE_DEGRADED, UNKNOWN_UPGRADE. */
  save(name: string, text: string): Promise<void>;
  /** Adds lines (without newlines) to the dead letters; as durable as {@link save}. @throws STORAGE_DEGRADED, UNKNOWN_UPGRADE. */
  addDeadLetters(lines: readonly string[]): Promise<void>;
  /** Whole lines of the dead letters of all notifiers from a place on (0: the beginning), about `maxBytes` of them. */
  readDeadLetters(from: number, maxBytes?: number): Awaitable<StoredTexts>;
  /** Adds lines to the record of what was sent. For people: the newest are kept, up to some megabytes, and no write fails. */
  addSent(name: string, lines: readonly string[]): Awaitable<void>;
  /** That record, oldest first. */
  readSent(name: string): Awaitable<readonly string[]>;
  /** Undefined while another process or tracker has it. @throws STORAGE_UNUSABLE, UNKNOWN_UPGRADE. */
  lock(name: string): Awaitable<DeliveryLock | undefined>;
}

/** What a storage says of itself and of one upgrade. */
export interface StoredInfo {
  readonly location: string;
  readonly exists: boolean;
  readonly sizeBytes: number;
}

export interface Storage {
  /** The driver's name, as in a storage URL. */
  readonly kind: string;
  /** Where it keeps its logs, for people. */
  readonly location: string;
  /** Declared capability: true if every method returns plain values and an appended line survives a kill of the process. */
  readonly isSynchronous: boolean;
  /** The logs it holds, finished runs included, in no particular order. */
  list(): Awaitable<readonly LogRef[]>;
  /** @throws LOCKED (context: holder), CORRUPT, NEWER_FORMAT, STORAGE_UNUSABLE. */
  openWriter(upgradeId: string, options?: OpenWriterOptions): Awaitable<LogWriter>;
  /** A reader at the beginning of a log; undefined if there is none of this ref. */
  openReader(ref: string): Awaitable<LogReader | undefined>;
  /** Who holds the upgrade's log; undefined when nobody does. */
  holder(upgradeId: string): Awaitable<LogHolder | undefined>;
  /**
   * Calls `onChange` soon after the log of `ref`, or any log when undefined, has grown, come, gone or become another one, with
   * its ref; with undefined when any log may have changed. Reading what a call is about belongs to a later turn of the event
   * loop. Returns the function that stops it.
   */
  watch(ref: string | undefined, onChange: (changed?: string) => void): () => void;
  info(upgradeId: string): Awaitable<StoredInfo>;
  /** What the upgrade's deliveries keep. */
  deliveries(upgradeId: string): DeliveryStore;
  /** Removes an upgrade with its finished runs. @throws LOCKED. */
  delete(upgradeId: string): Awaitable<void>;
  close(): Awaitable<void>;
}
