/**
 * Records that an upgrade is lost: when its writer is gone nobody else would.
 *
 * The log is opened for it as any writer opens it, never taking over: whoever holds it is back, or records the same. Under the
 * lock it is looked at once more, so of several servers one records a loss, once. What has ended is not touched.
 */

import { isMilepostError, shown } from "../errors.ts";
import { decide } from "../model/decide.ts";
import { assessHealth, type HealthVerdict } from "../model/health.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import type { Storage } from "../storage/storage.ts";
import type { Hub } from "../stream/hub.ts";
import { systemClock, type Clock } from "../tracker/clock.ts";
import { report, silentLogger, type Logger } from "../tracker/logger.ts";
import { openTracker } from "../tracker/open.ts";
import { runAwaiting } from "../tracker/steps.ts";
import { logTimeAt } from "../view/upgrade/log-time.ts";

export interface LostWatchOptions {
  readonly storage: Storage;
  readonly hub: Hub;
  /** What is known of all upgrades. */
  readonly fleet: { lost(): readonly { readonly upgradeId: string; readonly cursor: string }[] };
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
  /** How often it is looked for losses. Default 5,000. */
  readonly lookIntervalMs?: number | undefined;
  /** What the log says of this process. Default "milepost server". */
  readonly program?: string | undefined;
}

/** What could not be recorded is tried again after so long, or when the log has changed. */
const TRY_AGAIN_MS = 60_000;

export class LostWatch {
  readonly #options: LostWatchOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  /** Lost upgrades with which nothing is to be done for now: the cursor at which that was found, and until when (monotonic ms). */
  readonly #settled = new Map<string, { readonly cursor: string; readonly untilMs: number }>();
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: LostWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#timer = setInterval(() => void this.look(), options.lookIntervalMs ?? 5_000).unref();
  }

  /** Records the losses there are now. Called by its own timer. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** Resolves when nothing is being recorded any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { fleet } = this.#options;
    const lost = new Map(fleet.lost().map(({ upgradeId, cursor }) => [upgradeId, cursor]));
    for (const upgradeId of this.#settled.keys()) if (!lost.has(upgradeId)) this.#settled.delete(upgradeId);
    for (const [upgradeId, cursor] of lost) {
      const settled = this.#settled.get(upgradeId);
      if (this.#isClosed || (settled?.cursor === cursor && this.#clock.monotonic() < settled.untilMs)) continue;
      this.#settled.set(upgradeId, { cursor, untilMs: await this.#deal(upgradeId) });
    }
  }

  /** Until when nothing more is to be done about the loss, unless the log changes (monotonic ms). */
  async #deal(upgradeId: string): Promise<number> {
    try {
      await this.#record(upgradeId);
      return Infinity;
    } catch (error) {
      // Somebody is back, or another server was quicker; if not, the next look finds it.
      if (isMilepostError(error, "LOCKED", "UNKNOWN_UPGRADE")) return 0;
      report(this.#logger, "warn", `that ${shown(upgradeId)} is lost could not be recorded`, error);
      return this.#clock.monotonic() + TRY_AGAIN_MS;
    }
  }

  async #record(upgradeId: string): Promise<void> {
    const { storage, hub, program = "milepost server" } = this.#options;
    const log = await hub.open(upgradeId);
    const isNew = !log.hasWriter && unrecordedLoss(log.state, this.#clock.now()) !== undefined;
    log.release();
    if (!isNew) return;
    const opened = await runAwaiting(
      openTracker({ storage, upgradeId, program, clock: this.#clock, logger: this.#logger }),
    );
    const { tracker, ids } = opened;
    try {
      const loss = unrecordedLoss(tracker.state, this.#clock.now());
      if (loss === undefined) return;
      const { reasons } = loss;
      const decision = decide(tracker.state, { type: "recordHealth", health: "lost", reasons }, tracker.log.now());
      if ("drafts" in decision) tracker.log.append(decision.drafts, ids);
    } finally {
      await tracker.close();
    }
  }
}

/** The loss of an upgrade that nobody writes, if there is one that the log does not know of. */
function unrecordedLoss(state: UpgradeProgress, nowMs: number): HealthVerdict | undefined {
  if (state.health?.state === "lost") return undefined;
  const verdict = assessHealth(state, { isWriterAlive: false }, logTimeAt(state, nowMs));
  return verdict.state === "lost" ? verdict : undefined;
}
