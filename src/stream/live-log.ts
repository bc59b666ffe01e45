/**
 * One log as it is served: followed to its end, folded, and its newest events kept in memory, encoded once for everybody.
 *
 * Every reader is a place in it (a seq) and reads on from there: from memory, or from further back through `history.ts`. The
 * readers that have read all are live: in the turn in which the log has grown they all get the same bytes. Taking events in
 * and giving them to the live ones is one synchronous step, so a reader that has read to the end and then joins misses nothing.
 *
 * When the log's history changes below its readers (a next run, an older backup), everything here begins anew, `generation`
 * goes up, and the readers are told.
 */

import { isMilepostError, MilepostError, shown } from "../errors.ts";
import { firstCursor, parseCursor } from "../model/cursor.ts";
import type { ProgressEvent } from "../model/event.ts";
import { evolve } from "../model/evolve.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { seqAt } from "../storage/line.ts";
import type { LogReader } from "../storage/storage.ts";
import { report, type Logger } from "../tracker/logger.ts";
import type { Block } from "./block.ts";
import { cursorOf } from "./encoding.ts";
import { Breather, foldInTurns, nextTurn } from "./fold-in-turns.ts";
import { History } from "./history.ts";
import { upgradeChannel } from "./protocol.ts";
import { News, type LiveReader } from "./news.ts";
import { RecentEvents } from "./recent.ts";
import { Snapshots, type Snapshot } from "./snapshots.ts";
import type { LogSource } from "./upgrades.ts";

const NEWLINE = 0x0a;
/** How often a history that changes while it is read is read again. */
const MAX_LOADS = 10;

export interface LiveLogOptions {
  readonly source: LogSource;
  readonly logger: Logger;
  /** Called when nobody holds it any more. */
  readonly onReleased: (log: LiveLog) => void;
}

export class LiveLog {
  readonly ref: string;
  readonly #options: LiveLogOptions;
  #state!: UpgradeProgress;
  #reader: LogReader | undefined;
  #history!: History;
  #snapshots!: Snapshots;
  #recent!: RecentEvents;
  #generation = 0;
  #hasWriter = false;
  #trouble: MilepostError | undefined;
  readonly #live = new Set<LiveReader>();
  readonly #listeners = new Set<() => void>();
  #stopWatching: () => void = () => undefined;
  #isPumping = false;
  #hasGrown = false;
  #holds = 0;
  #isClosed = false;

  /** @throws UNKNOWN_UPGRADE, CORRUPT, NEWER_FORMAT, STORAGE_UNUSABLE. */
  static async open(options: LiveLogOptions): Promise<LiveLog> {
    const log = new LiveLog(options);
    log.#stopWatching = options.source.watch(() => log.#changed());
    try {
      await log.#loadAnew();
      log.#hasGrown = true;
      await log.#pump();
    } catch (error) {
      log.close();
      throw error;
    }
    return log;
  }

  /** Use {@link open}. */
  constructor(options: LiveLogOptions) {
    this.#options = options;
    this.ref = options.source.ref;
  }

  /** The state with every event so far; immutable. */
  get state(): UpgradeProgress {
    return this.#state;
  }

  get cursor(): string {
    return this.#state.cursor;
  }

  /** The seq of the newest event. */
  get head(): number {
    return this.#state.seq;
  }

  /** How often the history has changed below the readers. */
  get generation(): number {
    return this.#generation;
  }

  /** True if somebody held the log when it was last looked at. */
  get hasWriter(): boolean {
    return this.#hasWriter;
  }

  /** Why it cannot be read on; undefined while it can. */
  get trouble(): MilepostError | undefined {
    return this.#trouble;
  }

  /** Keeps it open until {@link release}. */
  hold(): void {
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds === 0) this.#options.onReleased(this);
  }

  /** Calls `listener` after each turn in which it has grown or begun anew. Returns the function that removes it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Makes a reader live; it must have read to `head`, in this turn. */
  join(reader: LiveReader): void {
    this.#live.add(reader);
  }

  leave(reader: LiveReader): void {
    this.#live.delete(reader);
  }

  /** A snapshot of the present state, or one not far behind it. */
  snapshot(): Promise<Snapshot> {
    return this.#snapshots.get(this.#state, this.#recent.totalBytes);
  }

  /** The block that holds event `seq`, at once when it is in memory. @throws CURSOR_GONE, CORRUPT. */
  block(seq: number): Block | Promise<Block> {
    return this.#recent.block(seq) ?? this.#history.block(seq);
  }

  /** How many bytes of frames lie behind event `seq`; infinitely many when it is no longer in memory. */
  bytesAfter(seq: number): number {
    return seq === this.head ? 0 : this.#recent.bytesAfter(seq);
  }

  /** The cursor right behind event `seq`. @throws CURSOR_GONE. */
  async cursorAt(seq: number): Promise<string> {
    if (seq === this.head) return this.cursor;
    if (seq === 0) return firstCursor(parseCursor(this.cursor).logId);
    return cursorOf((await this.block(seq)).text(seq));
  }

  /** The seq of a cursor that lies on this history; undefined for one that does not, or is none. */
  async locate(cursor: string): Promise<number | undefined> {
    try {
      const { seq } = parseCursor(cursor);
      return seq <= this.head && (await this.cursorAt(seq)) === cursor ? seq : undefined;
    } catch (error) {
      if (isMilepostError(error, "INVALID_ARGUMENT", "CURSOR_GONE")) return undefined;
      throw error;
    }
  }

  /** Resolves when all that is in the log now has been taken in, and told to those who are live. */
  readToEnd(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.onChange(() => {
        stop();
        resolve();
      });
      this.#changed();
    });
  }

  /** Looks at what changes without a line: whether somebody writes it, and whether it can be read again. */
  async look(): Promise<void> {
    const hasWriter = (await this.#options.source.holder()) !== undefined;
    if (this.#isClosed || (hasWriter === this.#hasWriter && this.#trouble === undefined)) return;
    this.#hasWriter = hasWriter;
    this.#changed();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopWatching();
    this.#reader?.close();
    this.#history?.close();
    this.#interruptAll();
    this.#listeners.clear();
  }

  /** Reads the log from its beginning, or its snapshot; what was here before is replaced in one go. */
  async #load(): Promise<void> {
    const { source } = this.#options;
    const reader = await source.openReader();
    if (reader === undefined) throw unknownUpgrade(this.ref);
    try {
      const state = await foldInTurns(reader);
      this.#hasWriter = (await source.holder()) !== undefined;
      if (this.#isClosed) return reader.close();
      this.#reader?.close();
      this.#history?.close();
      this.#reader = reader;
      this.#state = state;
      this.#history = new History(source, reader.header.logId);
      this.#snapshots = new Snapshots(upgradeChannel(this.ref));
      this.#recent = new RecentEvents();
      this.#trouble = undefined;
      this.#generation += 1;
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  #changed(): void {
    this.#hasGrown = true;
    if (this.#isPumping || this.#isClosed || this.#reader === undefined) return;
    this.#isPumping = true;
    // What is written in this turn goes out together in the next.
    setImmediate(() => void this.#pump());
  }

  /** Takes in what has come, a batch per turn of the event loop, until there is no more. */
  async #pump(): Promise<void> {
    this.#isPumping = true;
    while (this.#hasGrown && !this.#isClosed) {
      this.#hasGrown = false;
      try {
        // How far a reader that has failed has come is not known.
        if (this.#trouble !== undefined) await this.#loadAnew();
        await this.#readOn();
      } catch (error) {
        await this.#recover(error);
      }
    }
    this.#isPumping = false;
    for (const listener of this.#listeners) listener();
  }

  async #readOn(): Promise<void> {
    const { source } = this.#options;
    const breather = new Breather();
    for (let batch = await this.#reader?.read(); batch !== undefined; batch = await this.#reader?.read()) {
      if (this.#isClosed) return;
      this.#take(batch.firstSeq, batch.bytes);
      await breather.worked(batch.bytes.length);
    }
    for (const line of source.waitingLines(this.head)) {
      const seq = seqAt(Buffer.from(line.buffer, line.byteOffset, line.byteLength), 0);
      if (seq !== this.head + 1) {
        // Those before it have been stored since the storage was read.
        this.#hasGrown = true;
        return nextTurn();
      }
      this.#take(seq, line);
    }
    return undefined;
  }

  /** Folds lines, keeps them, and tells the live readers; in one go. */
  #take(firstSeq: number, lines: Uint8Array): void {
    const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
    const fromSeq = this.head + 1;
    let seq = firstSeq;
    for (let at = 0; at < bytes.length; seq++) {
      const end = bytes.indexOf(NEWLINE, at);
      const text = bytes.subarray(at, end);
      if (seq > this.head) this.#add(seq, text);
      else this.#compare(seq, text);
      at = end + 1;
    }
    if (fromSeq <= this.head) this.#tellLive(fromSeq);
  }

  #add(seq: number, text: Buffer): void {
    this.#state = evolve(this.#state, JSON.parse(text.toString("utf8")) as ProgressEvent);
    this.#recent.add(seq, text);
  }

  /** What was taken while it waited for the storage is stored now; or another writer's event is. */
  #compare(seq: number, text: Buffer): void {
    const taken = this.#recent.block(seq)?.text(seq);
    if (taken === undefined || taken.equals(text)) return;
    throw new MilepostError(
      "CURSOR_GONE",
      `event ${seq} of ${shown(this.ref)} is another one than the one that was told`,
    );
  }

  #tellLive(fromSeq: number): void {
    if (this.#live.size === 0) return;
    const news = new News(this.#recent, fromSeq, this.head);
    for (const reader of this.#live) reader.tell(news);
  }

  async #recover(error: unknown): Promise<void> {
    if (this.#isClosed) return;
    try {
      if (!isMilepostError(error, "CURSOR_GONE")) throw error;
      await this.#loadAnew();
      this.#hasGrown = true;
    } catch (failure) {
      // One that was deleted is no trouble of ours.
      if (!isMilepostError(failure, "UNKNOWN_UPGRADE"))
        report(this.#options.logger, "error", `the log of ${shown(this.ref)} cannot be served`, failure);
      this.#trouble =
        isMilepostError(failure) && !isMilepostError(failure, "CURSOR_GONE")
          ? failure
          : new MilepostError("STREAM_BROKEN", `the log of ${shown(this.ref)} cannot be read now`, { cause: failure });
    }
    this.#interruptAll();
  }

  /** Loads; again when the history changes once more while it is read. */
  async #loadAnew(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#load();
      } catch (error) {
        if (!isMilepostError(error, "CURSOR_GONE") || tries >= MAX_LOADS) throw error;
        await nextTurn();
      }
    }
  }

  #interruptAll(): void {
    for (const reader of [...this.#live]) {
      this.#live.delete(reader);
      reader.interrupt();
    }
  }
}

function unknownUpgrade(ref: string): MilepostError {
  return new MilepostError(
    "UNKNOWN_UPGRADE",
    `there is no upgrade ${shown(ref)} here; \`milepost list\` shows those there are`,
    { context: { upgradeId: ref } },
  );
}
