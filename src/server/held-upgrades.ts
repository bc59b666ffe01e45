/**
 * Upgrades that are open for writing in a server: opened by the first request that needs one, shared by those that come
 * meanwhile, and closed when none has come for a while. So one who reports often does not pay an opening each time.
 *
 * While one is open here, other processes of this machine hand their commands over through its socket.
 */

import { MilepostError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import type { UpgradeIdentity } from "../stream/upgrades.ts";
import type { Clock } from "../tracker/clock.ts";
import { Liaison } from "../tracker/liaison.ts";
import { report, type Logger } from "../tracker/logger.ts";
import { openTracker, type OpenedTracker } from "../tracker/open.ts";
import { runAwaiting } from "../tracker/steps.ts";
import type { Tracker } from "../tracker/tracker.ts";

export interface HeldUpgradesOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the logs say of who wrote. */
  readonly program: string;
  /** How long one stays open after its last use. */
  readonly lingerMs: number;
  /** So many may linger; beyond it, the one unused for longest is closed. */
  readonly maxIdle: number;
  readonly onEvent: (upgradeId: string) => void;
}

interface Held {
  readonly upgradeId: string;
  readonly opened: OpenedTracker;
  readonly liaison: Liaison;
  users: number;
  timer: NodeJS.Timeout | undefined;
  /** Called when nobody uses it. */
  waiting: (() => void)[];
  closing: Promise<void> | undefined;
}

/** Events between two snapshots, as in `ProgressTracker`. */
const SNAPSHOT_EVERY = 20_000;

export class HeldUpgrades {
  readonly #options: HeldUpgradesOptions;
  readonly #opening = new Map<string, Promise<Held>>();
  readonly #open = new Map<string, Held>();
  /** The one unused for longest first. */
  readonly #idle = new Set<Held>();
  #isClosed = false;

  constructor(options: HeldUpgradesOptions) {
    this.#options = options;
  }

  /** The tracker of an upgrade that is open now. */
  peek(upgradeId: string): Tracker | undefined {
    return this.#open.get(upgradeId)?.opened.tracker;
  }

  /** Does something with an upgrade's tracker. @throws as `openTracker`; CLOSED. */
  async use<T>(upgradeId: string, identity: UpgradeIdentity, work: (tracker: Tracker) => Promise<T>): Promise<T> {
    for (;;) {
      const held = await this.#hold(upgradeId, identity);
      if (held.closing !== undefined) {
        await held.closing;
        continue;
      }
      if (isOther(held, identity)) {
        await this.#whenUnused(held);
        await this.#close(held);
        continue;
      }
      this.#enter(held);
      try {
        return await work(held.opened.tracker);
      } finally {
        this.#leave(held);
      }
    }
  }

  /** Gives an upgrade up that cannot be written any more, e.g. because another process has taken it over. */
  async drop(upgradeId: string): Promise<void> {
    const held = this.#open.get(upgradeId);
    if (held !== undefined) await this.#close(held);
  }

  /** Lets an upgrade go before its time, when what uses it is done. */
  async giveBack(upgradeId: string): Promise<void> {
    await this.#opening.get(upgradeId)?.catch(() => undefined);
    const held = this.#open.get(upgradeId);
    if (held === undefined) return;
    await this.#whenUnused(held);
    await this.#close(held);
  }

  /** Closes all, when what uses them is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#opening.values());
    await Promise.all(
      [...this.#open.values()].map(async (held) => {
        await this.#whenUnused(held);
        await this.#close(held);
      }),
    );
  }

  async #hold(upgradeId: string, identity: UpgradeIdentity): Promise<Held> {
    if (this.#isClosed) throw new MilepostError("SHUTTING_DOWN", "the server stops; come back later");
    const open = this.#open.get(upgradeId);
    if (open !== undefined) return open;
    let opening = this.#opening.get(upgradeId);
    if (opening === undefined) {
      opening = this.#begin(upgradeId, identity).finally(() => this.#opening.delete(upgradeId));
      this.#opening.set(upgradeId, opening);
    }
    return opening;
  }

  async #begin(upgradeId: string, { planId, clusterName }: UpgradeIdentity): Promise<Held> {
    const { storage, clock, logger, program, onEvent } = this.#options;
    const opened = await runAwaiting(openTracker({ storage, upgradeId, planId, clusterName, clock, logger, program }));
    opened.tracker.onEvent(() => onEvent(upgradeId));
    const liaison = new Liaison({ ...opened, upgradeId, logger, snapshotEvery: SNAPSHOT_EVERY });
    const held: Held = { upgradeId, opened, liaison, users: 0, timer: undefined, waiting: [], closing: undefined };
    this.#open.set(upgradeId, held);
    this.#linger(held);
    return held;
  }

  #enter(held: Held): void {
    held.users += 1;
    clearTimeout(held.timer);
    this.#idle.delete(held);
  }

  #leave(held: Held): void {
    held.users -= 1;
    if (held.users > 0) return;
    for (const resolve of held.waiting.splice(0)) resolve();
    this.#linger(held);
  }

  #linger(held: Held): void {
    const { lingerMs, maxIdle } = this.#options;
    clearTimeout(held.timer);
    held.timer = setTimeout(() => this.#retire(held), lingerMs).unref();
    this.#idle.add(held);
    if (this.#idle.size <= maxIdle) return;
    const [oldest] = this.#idle;
    if (oldest !== undefined) this.#retire(oldest);
  }

  #retire(held: Held): void {
    if (held.users > 0 || held.closing !== undefined) return;
    // What still waits for the storage would be lost.
    if (held.opened.tracker.log.trouble !== undefined && !this.#isClosed) {
      this.#idle.delete(held);
      this.#linger(held);
      return;
    }
    void this.#close(held);
  }

  #whenUnused(held: Held): Promise<void> {
    return held.users === 0 ? Promise.resolve() : new Promise((resolve) => held.waiting.push(resolve));
  }

  #close(held: Held): Promise<void> {
    held.closing ??= this.#end(held);
    return held.closing;
  }

  async #end(held: Held): Promise<void> {
    clearTimeout(held.timer);
    this.#idle.delete(held);
    try {
      await held.liaison.close();
      await held.opened.tracker.close();
    } catch (error) {
      report(this.#options.logger, "error", `closing the upgrade ${JSON.stringify(held.upgradeId)}`, error);
    }
    this.#open.delete(held.upgradeId);
  }
}

/** True if a plan or cluster is given that it was not opened with: it has to be opened anew, which checks them. */
function isOther({ opened: { ids } }: Held, { planId, clusterName }: UpgradeIdentity): boolean {
  return (
    (planId !== undefined && planId !== ids.planId) || (clusterName !== undefined && clusterName !== ids.clusterName)
  );
}
