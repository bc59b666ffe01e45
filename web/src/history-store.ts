/**
 * All events of one upgrade, and the state at any of them: read when first asked for, page by page beside everything else, and
 * then kept up with what happens.
 *
 * What the live stream tells is taken when it is the very next event. Whatever else it tells (a stretch in short, a reset, the next
 * run) means that the log has to be read: from where we are, or from its beginning when it is not the log that we have.
 */

import { signal, type ReadonlySignal } from "@preact/signals";

import { parseCursor } from "../../src/model/cursor.ts";
import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import type { Watched } from "../../src/stream/client.ts";
import { fetchApi } from "./access.ts";
import { frames } from "./frames.ts";
import { HeldLog, HISTORY_BOUNDS, type HistoryBounds } from "./history/held-log.ts";
import { HistoryGone, readPage, type Get } from "./history/read-page.ts";

/** How far the history is. */
type HistoryStatus =
  | { readonly kind: "idle" | "reading" | "ready" }
  /** Reading has failed and is tried again; `reason` is for people. */
  | { readonly kind: "failed"; readonly reason: string };

export interface HistoryStore {
  readonly status: ReadonlySignal<HistoryStatus>;
  /** The log as far as it was read, undefined before that. The log stays the same object while it grows, what holds it does not. */
  readonly grown: ReadonlySignal<{ readonly log: HeldLog | undefined }>;
  /** Begins to read, once; later calls do nothing. */
  load(): void;
  /** The state right after event `seq`; undefined while it is not known. Reads signals, so a computed that asks is told. */
  stateAt(seq: number): UpgradeProgress | undefined;
  close(): void;
}

export interface HistoryOptions {
  readonly upgradeId: string;
  /** Calls a listener with all that the live stream gives; returns what ends that. */
  readonly onEvent: (listener: (item: Watched) => void) => () => void;
  /** Called when the upgrade goes on in another log (its next run): no place in the old one is a place in it. */
  readonly onOtherLog?: () => void;
  readonly get?: Get;
  readonly bounds?: HistoryBounds;
}

/** Between two tries to read, ms: the first, and the longest. */
const RETRY_MS = { first: 1_000, longest: 30_000 } as const;

export function createHistoryStore(options: HistoryOptions): HistoryStore {
  const reader = new HistoryReader(options);
  return {
    status: reader.status,
    grown: reader.grown,
    load: () => reader.load(),
    stateAt: (seq) => reader.grown.value.log?.stateAt(seq),
    close: () => reader.close(),
  };
}

class HistoryReader {
  readonly status = signal<HistoryStatus>({ kind: "idle" });
  /** A new object for every growth, so that readers are told of it. */
  readonly grown = signal<{ readonly log: HeldLog | undefined }>({ log: undefined });
  readonly #options: HistoryOptions;
  readonly #leaving = new AbortController();
  readonly #stop: () => void;
  readonly #tell = frames<HeldLog | undefined>(
    (log) => (this.grown.value = { log }),
    () => 100,
  );
  #log: HeldLog | undefined;
  #logId: string | undefined;
  /** The newest place that the live stream has told of. */
  #liveCursor: string | undefined;
  #isReading = false;
  #retryMs: number = RETRY_MS.first;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#stop = options.onEvent((item) => this.#hear(item));
  }

  load(): void {
    if (this.status.peek().kind === "idle") void this.#read();
  }

  close(): void {
    this.#stop();
    this.#leaving.abort();
    this.#tell.cancel();
    clearTimeout(this.#retry);
  }

  #hear({ event, cursor, reset }: Watched): void {
    if (cursor !== undefined) {
      this.#liveCursor = cursor;
      this.#isOf(logOf(cursor));
    }
    if (this.status.peek().kind === "idle") return;
    if (reset === true) this.#drop();
    if (this.#isReading || this.#isLevel()) return;
    const log = this.#log;
    if (log !== undefined && event !== undefined && event.seq === log.lastSeq + 1) {
      log.append(event);
      this.#tell.set(log);
    } else void this.#read();
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
    return this.#log?.logId === logId && seq <= this.#log.lastSeq;
  }

  #drop(): void {
    this.#log = undefined;
    this.#tell.cancel();
    this.grown.value = { log: undefined };
  }

  /** Reads on to the end of the log. Never rejects. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    clearTimeout(this.#retry);
    this.status.value = { kind: "reading" };
    try {
      await this.#readToEnd();
      this.#retryMs = RETRY_MS.first;
      this.status.value = { kind: "ready" };
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isReading = false;
    }
  }

  /** What comes meanwhile is read too, until there is nothing between us and the live stream. */
  async #readToEnd(): Promise<void> {
    for (let empty = 0; empty < 2;) {
      if (await this.#readOne()) empty = 0;
      else if (this.#isLevel()) return;
      // It may have come after this answer was made: asked again, it is there.
      else empty += 1;
      this.#leaving.signal.throwIfAborted();
    }
    throw new Error("the server has less than it has told");
  }

  /** Reads one page; false when there was none. */
  async #readOne(): Promise<boolean> {
    const { upgradeId, get = fetchApi, bounds = HISTORY_BOUNDS } = this.#options;
    const after = this.#log;
    let count = 0;
    for await (const events of readPage({ upgradeId, after: after?.cursor, get, signal: this.#leaving.signal })) {
      // It was dropped while this was on its way.
      if (count === 0 ? this.#log !== after : this.#log === undefined) return true;
      for (const event of events) {
        if (this.#log === undefined) this.#begin(new HeldLog(event, bounds));
        else if (event.seq > this.#log.lastSeq) this.#log.append(event);
      }
      count += events.length;
      this.#tell.set(this.#log);
    }
    return count > 0;
  }

  #begin(log: HeldLog): void {
    this.#isOf(log.logId);
    this.#log = log;
  }

  #failed(error: unknown): void {
    if (this.#leaving.signal.aborted) return;
    if (error instanceof HistoryGone) this.#drop();
    this.status.value = { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
    this.#retry = setTimeout(() => void this.#read(), error instanceof HistoryGone ? 0 : this.#retryMs);
    this.#retryMs = Math.min(RETRY_MS.longest, this.#retryMs * 2);
  }
}

const logOf = (cursor: string): string => parseCursor(cursor).logId;
