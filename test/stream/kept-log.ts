/** One upgrade in journal files with everything that can happen to it, and what is true of each of its events. */

import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";

import { isMilepostError } from "../../src/errors.ts";
import { ProgressTracker } from "../../src/index.ts";
import { parseCursor, firstCursor } from "../../src/model/cursor.ts";
import { evolve } from "../../src/model/evolve.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../src/model/upgrade.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import type { LogReader, Storage } from "../../src/storage/storage.ts";
import type { LogSource } from "../../src/stream/upgrades.ts";
import { silentLogger, type Logger } from "../../src/tracker/logger.ts";
import { LiveLog } from "../../src/stream/live-log.ts";
import type { ManualClock } from "../manual-clock.ts";

const REF = "up";
const IDS = { upgradeId: REF, planId: "plan-456", clusterName: "my-cluster" };

/** What is true of the event that a cursor names: its text, the cursor right before it, the state right after it. */
export interface Fact {
  readonly text: string;
  readonly before: string;
  readonly state: UpgradeProgress;
}

/** All events that there ever were, on whatever history, by their cursors; terms are never used twice. */
export class Facts {
  readonly #facts = new Map<string, Fact>();

  get count(): number {
    return this.#facts.size;
  }

  /** The beginning of a log, and any event. */
  get(cursor: string): Fact | undefined {
    const { logId, seq } = parseCursor(cursor);
    if (seq > 0) return this.#facts.get(cursor);
    return {
      text: "",
      before: "",
      state: emptyUpgrade({ upgradeId: REF, planId: "", clusterName: "" }, { cursor: firstCursor(logId) }),
    };
  }

  /** Notes what the reader finds behind `last`, its place; returns its new place. */
  learn(reader: LogReader, last: string): string {
    for (let at = last; ;) {
      const batch = reader.read();
      if (batch === undefined || batch instanceof Promise) return at;
      for (const text of Buffer.from(batch.bytes).toString("utf8").split("\n").slice(0, -1)) at = this.#note(at, text);
    }
  }

  #note(before: string, text: string): string {
    const event = JSON.parse(text) as ProgressEvent;
    if (!this.#facts.has(event.cursor)) {
      const state = (this.get(before) as Fact).state;
      const base = state.seq === 0 ? { ...state, run: (event as { run?: number }).run ?? 1 } : state;
      this.#facts.set(event.cursor, { text, before, state: evolve(base, event) });
    }
    return event.cursor;
  }
}

export class KeptLog {
  readonly folder: string;
  readonly facts = new Facts();
  readonly #clock: ManualClock;
  readonly #storage: Storage;
  readonly #listeners = new Set<() => void>();
  #tracker: ProgressTracker;
  #reader: LogReader | undefined;
  #end = "";
  #backups = 0;
  #reports = 0;

  constructor(folder: string, clock: ManualClock) {
    this.folder = folder;
    this.#clock = clock;
    this.#storage = jsonLines({ path: this.dataFolder });
    this.#tracker = this.#open();
    this.#begin();
  }

  /** The log for a `LiveLog`, by a storage of its own; told of every change when `isTold`. */
  get source(): LogSource {
    return {
      ref: REF,
      openReader: async () => this.#storage.openReader(REF),
      waitingLines: () => [],
      watch: (onChange) => {
        this.#listeners.add(onChange);
        return () => this.#listeners.delete(onChange);
      },
      holder: async () => this.#storage.holder(REF),
    };
  }

  get tracker(): ProgressTracker {
    return this.#tracker;
  }

  get watchers(): number {
    return this.#listeners.size;
  }

  live(logger: Logger = silentLogger): Promise<LiveLog> {
    return LiveLog.open({ source: this.source, logger, onReleased: (log) => log.close() });
  }

  /** `count` reports of progress on five tasks, with a text of `extra` characters. */
  report(count = 1, extra = 0): void {
    for (let n = 0; n < count; n++) {
      this.#reports += 1;
      const message = `${this.#reports} ${"x".repeat(extra)}`;
      this.#tracker.updateTaskProgress(`task-${this.#reports % 5}`, (this.#reports % 990) / 10, message);
    }
    this.tell();
  }

  /** A change of state, and back. */
  change(): void {
    this.#tracker.pauseTask("task-0");
    this.#tracker.resumeTask("task-0");
    this.tell();
  }

  /** Ends this run and begins the next. */
  nextRun(): void {
    for (let n = 0; n < 5; n++) this.#tracker.completeTask(`task-${n}`);
    this.#tracker.completeUpgrade();
    this.#learn();
    this.#begin();
    this.tell();
  }

  /** Another writer. */
  async reopen(): Promise<void> {
    await this.#tracker.close();
    this.tell();
    this.#tracker = this.#open();
  }

  async backUp(): Promise<void> {
    await this.reopen();
    this.#backups += 1;
    cpSync(this.dataFolder, join(this.folder, `backup-${this.#backups}`), { recursive: true });
  }

  /** The newest backup takes the place of the log; a new writer goes on from there. */
  async restore(): Promise<void> {
    if (this.#backups === 0) return;
    await this.#tracker.close();
    this.#learn();
    this.#forget();
    rmSync(this.dataFolder, { recursive: true });
    cpSync(join(this.folder, `backup-${this.#backups}`), this.dataFolder, { recursive: true });
    this.#tracker = this.#open();
    this.#begin();
    this.tell();
  }

  /** Removed by an operator, and begun anew. */
  async replace(): Promise<void> {
    await this.remove();
    this.#tracker = this.#open();
    this.#begin();
    this.tell();
  }

  /** Removed by an operator. */
  async remove(): Promise<void> {
    await this.#tracker.close();
    this.#learn();
    this.#forget();
    rmSync(join(this.dataFolder, "upgrades"), { recursive: true, force: true });
    this.tell();
  }

  async close(): Promise<void> {
    await this.#tracker.close();
    this.#learn();
    this.#forget();
  }

  /** The newest event, as the files have it. */
  get end(): string {
    return this.#end;
  }

  /** Says that it has changed, as a storage would. */
  tell(): void {
    this.#learn();
    for (const listener of this.#listeners) listener();
  }

  /** The folder of its storage. */
  get dataFolder(): string {
    return join(this.folder, "data");
  }

  #learn(): void {
    try {
      if (this.#reader === undefined) {
        const reader = this.#storage.openReader(REF);
        if (reader === undefined || reader instanceof Promise) return;
        this.#reader = reader;
        this.#end = firstCursor(reader.header.logId);
      }
      this.#end = this.facts.learn(this.#reader, this.#end);
    } catch (error) {
      if (!isMilepostError(error, "CURSOR_GONE")) throw error;
      this.#forget();
      this.#learn();
    }
  }

  /** The log is another one now. */
  #forget(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  #open(): ProgressTracker {
    return new ProgressTracker({ ...IDS, storagePath: this.dataFolder, clock: this.#clock, snapshotEvery: 500 });
  }

  #begin(): void {
    if (this.#tracker.progress.status !== "in_progress") this.#tracker.startUpgrade();
    for (let n = 0; n < 5; n++) {
      if (this.#tracker.progress.tasks.has(`task-${n}`)) continue;
      this.#tracker.addTask(`task-${n}`, `Task ${n}`);
      this.#tracker.startTask(`task-${n}`);
    }
    this.tell();
  }
}
