/** Brings accepted events into the storage, in order: at once, or when the storage takes them again. */

import { isMilepostError, MilepostError } from "../errors.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import type { LogWriter } from "../storage/storage.ts";
import type { Clock } from "./clock.ts";
import { textOf } from "./logger.ts";

/** An event that has happened, with the state right after it and its line. */
export interface Accepted {
  readonly event: ProgressEvent;
  readonly state: UpgradeProgress;
  readonly line: Uint8Array;
}

/** Events that are appended together. */
export interface Entry {
  readonly accepted: readonly Accepted[];
  readonly bytes: Uint8Array;
  readonly afterSeq: number;
}

export interface AppendQueueOptions {
  readonly writer: LogWriter;
  readonly isSynchronous: boolean;
  readonly clock: Clock;
  readonly syncIntervalMs: number;
  readonly maxQueuedEvents: number;
  readonly tell: (event: ProgressEvent, state: UpgradeProgress) => void;
  readonly onTrouble: (trouble: MilepostError | undefined) => void;
}

/** How long after a failed attempt the next one is made, at least. */
const RETRY_INTERVAL_MS = 200;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
/** A sync that takes longer is trouble: what happened is in the file, and a power cut would take it. */
const SLOW_SYNC_MS = 1_000;

export class AppendQueue {
  readonly #options: AppendQueueOptions;
  #entries: Entry[] = [];
  #queuedEvents = 0;
  #queuedBytes = 0;
  #trouble: MilepostError | undefined;
  #fenced: MilepostError | undefined;
  #triedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #draining: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: AppendQueueOptions) {
    this.#options = options;
  }

  get trouble(): MilepostError | undefined {
    return this.#trouble;
  }

  get isWaiting(): boolean {
    return this.#entries.length > 0;
  }

  get isFull(): boolean {
    return this.#queuedEvents >= this.#options.maxQueuedEvents || this.#queuedBytes >= MAX_QUEUED_BYTES;
  }

  get isFenced(): boolean {
    return this.#fenced !== undefined;
  }

  /** @throws FENCED once another writer has displaced this one. */
  refuseFenced(): void {
    if (this.#fenced !== undefined) throw this.#fenced;
  }

  find(seq: number): ProgressEvent | undefined {
    for (const { accepted } of this.#entries) {
      const found = accepted.find(({ event }) => event.seq === seq);
      if (found !== undefined) return found.event;
    }
    return undefined;
  }

  after(seq: number): readonly ProgressEvent[] {
    return this.#entries.flatMap(({ accepted }) =>
      accepted.map(({ event }) => event).filter((event) => event.seq > seq),
    );
  }

  linesAfter(seq: number): readonly Uint8Array[] {
    return this.#entries.flatMap(({ accepted }) =>
      accepted.filter(({ event }) => event.seq > seq).map(({ line }) => line),
    );
  }

  /** @throws FENCED, with nothing stored or queued. */
  append(entry: Entry): void {
    if (!this.#options.isSynchronous) {
      this.#push(entry);
      void this.#drain();
      return;
    }
    const hadTrouble = this.#trouble !== undefined;
    if (!this.isWaiting && this.#store(entry)) this.#syncSoon();
    else {
      this.#push(entry);
      this.#retryIfDue();
    }
    this.#tell(entry);
    // Only now: who hears of the trouble may append, and that belongs behind this entry.
    if (!hadTrouble && this.#trouble !== undefined) this.#options.onTrouble(this.#trouble);
  }

  /** Tries now to store what waits, where that can be done at once. @throws FENCED. */
  retry(): void {
    if (this.isWaiting && this.#options.isSynchronous) this.#drainNow();
  }

  /** @throws STORAGE_DEGRADED (with what is in the way as its cause), FENCED. */
  async flush(): Promise<void> {
    this.refuseFenced();
    if (this.#options.isSynchronous) this.#drainNow();
    else await this.#drain();
    this.refuseFenced();
    if (this.isWaiting) throw this.#trouble ?? unstored(this.#queuedEvents);
    await this.#sync();
  }

  /** No more retries; what waits is lost with the process, and `flush` has said so. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    this.#queuedEvents += entry.accepted.length;
    this.#queuedBytes += entry.bytes.length;
  }

  #shift(): void {
    const entry = this.#entries.shift();
    if (entry === undefined) return;
    this.#queuedEvents -= entry.accepted.length;
    this.#queuedBytes -= entry.bytes.length;
  }

  #tell({ accepted }: Entry): void {
    for (const { event, state } of accepted) this.#options.tell(event, state);
  }

  /** True when the entry is in the storage; false when the storage is in trouble. @throws FENCED. */
  #store({ bytes, afterSeq, accepted }: Entry): boolean {
    try {
      void this.#options.writer.append(afterSeq, bytes, afterSeq + accepted.length);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #drainNow(): void {
    this.#triedAt = this.#options.clock.monotonic();
    for (let entry = this.#entries[0]; entry !== undefined && this.#store(entry); entry = this.#entries[0])
      this.#shift();
    if (!this.isWaiting) this.#syncSoon();
  }

  /** One at a time; what is appended meanwhile is stored by the one that is under way. */
  #drain(): Promise<void> {
    this.#draining ??= this.#drainLater();
    return this.#draining;
  }

  async #drainLater(): Promise<void> {
    // So that #draining is set before it is cleared below, also by a storage that throws at once.
    await Promise.resolve();
    for (let entry = this.#entries[0]; entry !== undefined && !this.#isStopped; entry = this.#entries[0]) {
      try {
        await this.#options.writer.append(entry.afterSeq, entry.bytes, entry.afterSeq + entry.accepted.length);
      } catch (error) {
        this.#failLater(error);
        break;
      }
      this.#shift();
      this.#tell(entry);
      if (!this.isWaiting) this.#syncSoon();
    }
    this.#draining = undefined;
  }

  /** Keeps FENCED for good and passes it on; keeps anything else as the trouble that the storage is in. True if it is new. */
  #fail(error: unknown): boolean {
    if (isMilepostError(error, "FENCED")) {
      this.#fenced = error;
      throw error;
    }
    const isNew = this.#trouble === undefined;
    this.#trouble = isMilepostError(error)
      ? error
      : new MilepostError("STORAGE_DEGRADED", `the storage failed: ${textOf(error)}`, { cause: error });
    this.#schedule(RETRY_INTERVAL_MS);
    return isNew;
  }

  /** For trouble that no command waits for: tells it, and keeps FENCED for the next command to throw. */
  #failLater(error: unknown): void {
    try {
      if (this.#fail(error) && this.#trouble !== undefined) this.#options.onTrouble(this.#trouble);
    } catch {
      // Kept as #fenced.
    }
  }

  #retryIfDue(): void {
    if (this.#options.clock.monotonic() - this.#triedAt >= RETRY_INTERVAL_MS) this.#drainNow();
  }

  #syncSoon(): void {
    this.#schedule(this.#options.syncIntervalMs);
  }

  /** One timer for all: it stores what waits, then syncs. It does not keep the process alive. */
  #schedule(delayMs: number): void {
    if (this.#timer !== undefined || this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#work();
    }, delayMs).unref();
  }

  async #work(): Promise<void> {
    try {
      await this.flush();
    } catch (error) {
      if (!this.#isStopped) this.#failLater(error);
    }
  }

  async #sync(): Promise<void> {
    const slow = setTimeout(() => this.#failLater(slowSync()), SLOW_SYNC_MS).unref();
    try {
      await this.#options.writer.sync();
    } catch (error) {
      this.#failLater(error);
      throw error;
    } finally {
      clearTimeout(slow);
    }
    if (this.#trouble !== undefined && !this.isWaiting) {
      this.#trouble = undefined;
      this.#options.onTrouble(undefined);
      // What was held back until now is part of what this flush is for.
      await this.flush();
    }
  }
}

function unstored(count: number): MilepostError {
  return new MilepostError("STORAGE_DEGRADED", `${count} events wait for the storage`);
}

function slowSync(): MilepostError {
  return new MilepostError("STORAGE_DEGRADED", `the disk has not made events durable for ${SLOW_SYNC_MS} ms`);
}
