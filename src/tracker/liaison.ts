/** What a tracker does beside its commands while the event loop turns: takes commands of others, looks after health and snapshots. */

import type { WriterIdentity } from "../model/event.ts";
import type { LogWriter } from "../storage/storage.ts";
import type { CommandSocket } from "./command-socket.ts";
import { report, type Logger } from "./logger.ts";
import type { Tracker } from "./tracker.ts";

export interface LiaisonOptions {
  readonly tracker: Tracker;
  readonly writer: LogWriter;
  readonly identity: WriterIdentity;
  readonly since: string;
  readonly upgradeId: string;
  readonly logger: Logger;
  /** The seq of the snapshot that is there; 0 without one. */
  readonly snapshotSeq: number;
  /** Events between two snapshots. */
  readonly snapshotEvery: number;
  /** How often it is looked after health, snapshots and a socket that could not be. Default 5,000. */
  readonly lookIntervalMs?: number;
}

/** A log shorter than this opens quickly without a snapshot. */
const MIN_SNAPSHOT_EVENTS = 1_000;

export class Liaison {
  readonly #options: LiaisonOptions;
  readonly #timer: NodeJS.Timeout;
  /** Undefined while others cannot reach this process. */
  #socket: CommandSocket | undefined;
  #listening: Promise<void>;
  #hasWarned = false;
  #snapshotSeq: number;
  #saving: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: LiaisonOptions) {
    this.#options = options;
    this.#snapshotSeq = options.snapshotSeq;
    this.#timer = setInterval(() => this.#look(), options.lookIntervalMs ?? 5_000).unref();
    this.#listening = this.#listen();
  }

  /** Stops; saves a snapshot when much has happened since the last. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#listening;
    await this.#socket?.close();
    await this.#saving;
    await this.#saveAfter(Math.min(MIN_SNAPSHOT_EVENTS, this.#options.snapshotEvery));
  }

  /** What keeps it from listening, or from being announced, may pass: then a later look does it. */
  async #listen(): Promise<void> {
    const { writer, upgradeId, tracker, identity, since, logger } = this.#options;
    try {
      // Loaded when it is used: node:net costs every program that imports Milepost some milliseconds.
      const { listenForCommands, socketAddress } = await import("./command-socket.ts");
      const receiver = { execute: (command: unknown) => tracker.execute(command), flush: () => tracker.log.flush() };
      const socket = await listenForCommands(socketAddress(writer.localFolder, upgradeId), receiver);
      try {
        if (!this.#isClosed) await writer.announce({ ...identity, since, socket: socket.address });
      } catch (error) {
        await socket.close();
        throw error;
      }
      this.#socket = socket;
    } catch (error) {
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      report(logger, "warn", "other processes cannot report into this upgrade for now", error);
    }
  }

  #listenAgain(): void {
    if (this.#socket !== undefined) return;
    this.#listening = this.#listening.then(() =>
      this.#socket !== undefined || this.#isClosed ? undefined : this.#listen(),
    );
  }

  #look(): void {
    this.#listenAgain();
    try {
      this.#options.tracker.recordHealth();
    } catch (error) {
      report(this.#options.logger, "warn", "health could not be recorded", error);
    }
    this.#saving ??= this.#saveAfter(this.#options.snapshotEvery).finally(() => (this.#saving = undefined));
  }

  async #saveAfter(events: number): Promise<void> {
    const { tracker, logger } = this.#options;
    const { state } = tracker;
    // A new run begins at 1 again: its distance from the last snapshot is its own length.
    const since = state.seq < this.#snapshotSeq ? state.seq : state.seq - this.#snapshotSeq;
    if (since < events) return;
    try {
      await tracker.log.saveSnapshot(state);
      this.#snapshotSeq = state.seq;
    } catch (error) {
      report(logger, "warn", "no snapshot was kept", error);
    }
  }
}
