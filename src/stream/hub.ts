/** All logs that are being served: each opened once, whoever reads it, and closed some time after the last one has left. */

import type { MilepostError } from "../errors.ts";
import { systemClock, type Clock } from "../tracker/clock.ts";
import { report, silentLogger, type Logger } from "../tracker/logger.ts";
import { newCounters, type StreamCounters } from "./counters.ts";
import { nextTurn } from "./fold-in-turns.ts";
import { LiveLog } from "./live-log.ts";
import type { Upgrades } from "./upgrades.ts";

export interface HubOptions {
  readonly upgrades: Upgrades;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** How long a log stays open when nobody reads it. Default 30,000. */
  readonly idleMs?: number;
  /** How often it is looked whether somebody writes a log. Default 2,000. */
  readonly lookIntervalMs?: number;
}

export class Hub {
  readonly upgrades: Upgrades;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: StreamCounters = newCounters();
  readonly #idleMs: number;
  readonly #logs = new Map<string, Promise<LiveLog>>();
  /** Since when nobody reads them. */
  readonly #idle = new Map<LiveLog, number>();
  readonly #timer: NodeJS.Timeout;

  constructor({
    upgrades,
    clock = systemClock,
    logger = silentLogger,
    idleMs = 30_000,
    lookIntervalMs = 2_000,
  }: HubOptions) {
    this.upgrades = upgrades;
    this.clock = clock;
    this.logger = logger;
    this.#idleMs = idleMs;
    this.#timer = setInterval(() => void this.look(), lookIntervalMs).unref();
  }

  /**
   * The log as it is served, followed while it is held; give it back with `release()`.
   *
   * @throws UNKNOWN_UPGRADE, CORRUPT, NEWER_FORMAT, STORAGE_UNUSABLE.
   */
  async open(ref: string): Promise<LiveLog> {
    const log = await this.#find(ref);
    this.#idle.delete(log);
    log.hold();
    // Deleted since it was opened; or there again, and not yet looked at.
    if (isGone(log)) await log.readToEnd();
    if (!isGone(log)) return log;
    log.release();
    throw log.trouble as MilepostError;
  }

  /** Looks after its logs: which have a writer, which nobody reads any more. Called by its own timer. */
  async look(): Promise<void> {
    for (const opening of [...this.#logs.values()]) {
      try {
        await this.#lookAfter(await opening);
        // Each look asks the system about a lock: not all in one turn.
        await nextTurn();
      } catch (error) {
        report(this.logger, "warn", "looking after a log", error);
      }
    }
  }

  /** Resolves when what is in its logs now has been told to those who are live. */
  async readToEnd(): Promise<void> {
    const logs = await Promise.allSettled([...this.#logs.values()]);
    await Promise.all(logs.flatMap((log) => (log.status === "fulfilled" ? [log.value.readToEnd()] : [])));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const opening = [...this.#logs.values()];
    this.#logs.clear();
    for (const log of await Promise.allSettled(opening)) if (log.status === "fulfilled") log.value.close();
  }

  #find(ref: string): Promise<LiveLog> {
    let opening = this.#logs.get(ref);
    if (opening === undefined) {
      opening = LiveLog.open({
        source: this.upgrades.log(ref),
        logger: this.logger,
        onReleased: (log) => this.#idle.set(log, this.clock.monotonic()),
      });
      this.#logs.set(ref, opening);
      opening.catch(() => this.#logs.delete(ref));
    }
    return opening;
  }

  async #lookAfter(log: LiveLog): Promise<void> {
    const idleSince = this.#idle.get(log);
    if (idleSince === undefined) return log.look();
    if (this.clock.monotonic() - idleSince < this.#idleMs) return;
    this.#idle.delete(log);
    this.#logs.delete(log.ref);
    log.close();
  }
}

const isGone = ({ trouble }: LiveLog): boolean => trouble?.code === "UNKNOWN_UPGRADE";
