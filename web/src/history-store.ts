/**
 * The log of one upgrade, and the state at any event of it: read when first asked for, page by page beside everything else, and then
 * kept up with what happens. What memory has no room for is read again when somebody goes there.
 *
 * What the live stream tells is taken when it is the very next event. Whatever else it tells (a stretch in short, a reset, the next
 * run) means that the log has to be read: from where we are, or from its beginning when it is not the log that we have.
 */

import { signal, type ReadonlySignal } from "@preact/signals";

import { parseCursor } from "../../src/model/cursor.ts";
import { evolve } from "../../src/model/evolve.ts";
import type { Watched } from "../../src/stream/client.ts";
import { fetchApi } from "./access.ts";
import { frames } from "./frames.ts";
import type { HeldLog } from "./history/held-log.ts";
import { HistoryGone, readPage, type Get } from "./history/read-page.ts";
import { WholeLog, type LogBounds } from "./history/whole-log.ts";

/** How far the history is. */
type HistoryStatus =
  | { readonly kind: "idle" | "reading" | "ready" }
  /** Reading has failed and is tried again; `reason` is for people. */
  | { readonly kind: "failed"; readonly reason: string };

export interface HistoryStore {
  readonly status: ReadonlySignal<HistoryStatus>;
  /** The log as far as it was read, undefined before that. The log stays the same object while it grows, what holds it does not. */
  readonly grown: ReadonlySignal<{ readonly log: WholeLog | undefined }>;
  /** Begins to read, once; later calls do nothing. */
  load(): void;
  /** Reads what is round the event `seq`, and keeps it until another one is wanted; undefined: only what is newest. */
  seek(seq: number | undefined): void;
  /** The part of the log round the event `seq`; the newest without one, or when there is no such event. Undefined while it is not known. Reads signals, so a computed that asks is told. */
  at(seq: number | undefined): HeldLog | undefined;
  /** True if the log was read to its end and has no event `seq`. Reads signals. */
  lacks(seq: number): boolean;
  close(): void;
}

export interface HistoryOptions {
  readonly upgradeId: string;
  /** Calls a listener with all that the live stream gives; returns what ends that. */
  readonly onEvent: (listener: (item: Watched) => void) => () => void;
  /** Called when the upgrade goes on in another log (its next run): no place in the old one is a place in it. */
  readonly onOtherLog?: () => void;
  readonly get?: Get;
  readonly bounds?: LogBounds;
}

/** Between two tries to read, ms: the first, and the longest. */
const RETRY_MS = { first: 1_000, longest: 30_000 } as const;

export function createHistoryStore(options: HistoryOptions): HistoryStore {
  const reader = new HistoryReader(options);
  const lacks = (seq: number): boolean => {
    const { log } = reader.grown.value;
    return log !== undefined && reader.status.value.kind === "ready" && (seq < log.firstSeq || seq > log.lastSeq);
  };
  return {
    status: reader.status,
    grown: reader.grown,
    load: () => reader.load(),
    seek: (seq) => reader.seek(seq),
    at: (seq) => {
      const { log } = reader.grown.value;
      return seq === undefined || lacks(seq) ? log?.newest : log?.at(seq);
    },
    lacks,
    close: () => reader.close(),
  };
}

class HistoryReader {
  readonly status = signal<HistoryStatus>({ kind: "idle" });
  /** A new object for every growth, so that readers are told of it. */
  readonly grown = signal<{ readonly log: WholeLog | undefined }>({ log: undefined });
  readonly #options: HistoryOptions;
  readonly #leaving = new AbortController();
  readonly #stop: () => void;
  readonly #tell = frames<WholeLog | undefined>(
    (log) => (this.grown.value = { log }),
    () => 100,
  );
  #log: WholeLog | undefined;
  #logId: string | undefined;
  /** The newest place that the live stream has told of. */
  #liveCursor: string | undefined;
  /** The event that somebody looks at. */
  #wanted: number | undefined;
  #isReading = false;
  #isLive = false;
  #retryMs: number = RETRY_MS.first;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#stop = options.onEvent((item) => this.#hear(item));
  }

  load(): void {
    if (this.status.peek().kind === "idle") void this.#read();
  }

  seek(seq: number | undefined): void {
    this.#wanted = seq;
    if (seq !== undefined) this.load();
    if (this.status.peek().kind === "ready") void this.#read();
  }

  close(): void {
    this.#stop();
    this.#leaving.abort();
    this.#tell.cancel();
    clearTimeout(this.#retry);
  }

  #hear({ connection, state, event, cursor, reset }: Watched): void {
    const wasLive = this.#isLive;
    this.#isLive = connection.status === "live";
    if (cursor !== undefined) {
      this.#liveCursor = cursor;
      this.#isOf(parseCursor(cursor).logId);
    }
    const { kind } = this.status.peek();
    if (kind === "idle") return;
    if (reset === true) this.#drop();
    // The server is there again: nobody waits for the next try.
    if (kind === "failed" && this.#isLive && !wasLive) return void this.#read();
    if (this.#isLevel()) return;
    const log = this.#log;
    if (log === undefined || event === undefined || event.seq !== log.lastSeq + 1) return void this.#read();
    // Folded once, for the live state.
    log.append(event, state?.seq === event.seq ? state : undefined);
    this.#tell.set(log);
    if (this.#isDropped()) this.seek(this.#wanted);
  }

  /** What comes now is of this log; what is held of another one is not its past. */
  #isOf(logId: string): void {
    const before = this.#logId;
    this.#logId = logId;
    if (before === undefined || before === logId) return;
    this.#drop();
    this.#options.onOtherLog?.();
  }

  /** True if nothing is missing between what is held and what the live stream has told. */
  #isLevel(): boolean {
    if (this.#liveCursor === undefined) return true;
    const { logId, seq } = parseCursor(this.#liveCursor);
    return this.#log?.newest.logId === logId && seq <= this.#log.lastSeq;
  }

  /** True if what somebody looks at is in the log, and not held any more. */
  #isDropped(): boolean {
    const [log, seq] = [this.#log, this.#wanted];
    return log !== undefined && seq !== undefined && seq >= log.firstSeq && seq < log.newest.firstSeq && !log.at(seq);
  }

  #drop(): void {
    this.#log = undefined;
    this.#tell.cancel();
    this.grown.value = { log: undefined };
  }

  /** Reads on to the end of the log, and what is wanted of its past. Never rejects. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    clearTimeout(this.#retry);
    try {
      do {
        if (this.status.peek().kind !== "ready" || !this.#isLevel()) await this.#readToEnd();
        await this.#readPast();
      } while (!this.#isLevel() || this.#isDropped());
      this.#retryMs = RETRY_MS.first;
      if (this.status.peek().kind !== "ready") this.status.value = { kind: "ready" };
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isReading = false;
    }
  }

  /** What comes meanwhile is read too, until there is nothing between us and the live stream. */
  async #readToEnd(): Promise<void> {
    for (let empty = 0; empty < 2;) {
      if (await this.#readOne(this.#log?.newest)) empty = 0;
      else if (this.#isLevel()) return;
      // It may have come after this answer was made: asked again, it is there.
      else empty += 1;
      await this.#readPast();
    }
    throw new Error("the server has less than it has told");
  }

  async #readPast(): Promise<void> {
    for (;;) {
      const part = this.#log?.missing(this.#wanted);
      if (part === undefined) return;
      if (!(await this.#readOne(part))) throw new Error("the server has less than it had");
    }
  }

  /** Reads the next page of a part of the log, of its newest when there is none yet; false when there was none. */
  async #readOne(part: HeldLog | undefined): Promise<boolean> {
    const { upgradeId, get = fetchApi, bounds } = this.#options;
    const { signal } = this.#leaving;
    this.status.value = { kind: "reading" };
    const before = this.#log;
    const after = part?.state.cursor;
    let count = 0;
    for await (const events of readPage({ upgradeId, after: after === "" ? undefined : after, get, signal })) {
      // It was dropped while this was on its way.
      if (count === 0 ? this.#log !== before : this.#log === undefined) return true;
      for (const event of events) {
        if (this.#log === undefined) {
          this.#isOf(parseCursor(event.cursor).logId);
          this.#log = new WholeLog(event, bounds);
        } else if (part === undefined || part === this.#log.newest) {
          if (event.seq > this.#log.lastSeq) this.#log.append(event);
        } else part.append(event, evolve(part.state, event));
      }
      count += events.length;
      this.#tell.set(this.#log);
    }
    signal.throwIfAborted();
    return count > 0;
  }

  #failed(error: unknown): void {
    if (this.#leaving.signal.aborted) return;
    if (error instanceof HistoryGone) this.#drop();
    this.status.value = { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
    this.#retry = setTimeout(() => void this.#read(), error instanceof HistoryGone ? 0 : this.#retryMs);
    this.#retryMs = Math.min(RETRY_MS.longest, this.#retryMs * 2);
  }
}
