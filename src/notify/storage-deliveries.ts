/**
 * Tells notifiers of all upgrades of a storage: what `milepost start` runs.
 *
 * An upgrade's deliveries are open while there is something to tell, and closed when all of it was told and the log has been quiet
 * for a while; finished upgrades cost nothing but a look at the beginning. They are opened
 *   when the log changes, by whatever process;
 *   when it begins, where something is left: the agent was killed, or its time was up;
 *   when somebody asks for a redrive.
 *
 * A notifier that was never told of an upgrade begins with the upgrade's newest run, but not when there is nothing new in it: one that
 * had ended when this began, or had been silent for a day, is told from its end on. So switching a notifier on sends no history.
 */

import { shown } from "../errors.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../model/vocabulary.ts";
import type { DeliveryStore, Storage } from "../storage/storage.ts";
import { ReadingList } from "../stream/fleet/reading-list.ts";
import { foldInTurns } from "../stream/fold-in-turns.ts";
import { report, silentLogger, type Logger } from "../tracker/logger.ts";
import {
  Circuit,
  Delivery,
  isAtEnd,
  leftOf,
  NotifierCheck,
  systemDeliveryClock,
  type DeliveryClock,
  type DeliveryOptions,
  type Router,
} from "./delivery.ts";
import type { Notifier } from "./notifier.ts";

/** A notifier, and what it is told. */
export interface Channel {
  readonly notifier: Notifier;
  readonly router: Router;
}

export interface StorageDeliveriesOptions {
  readonly storage: Storage;
  readonly channels: readonly Channel[];
  readonly clock?: DeliveryClock;
  readonly random?: () => number;
  readonly logger?: Logger;
  /** How long an upgrade's deliveries stay open when all is told. Default 60,000. */
  readonly lingerMs?: number;
  /** So many may stay open so; beyond it those that have been quiet for longest are closed. Default 256. */
  readonly maxQuiet?: number;
}

type WhenNew = NonNullable<DeliveryOptions["whenNew"]>;

/** An upgrade whose deliveries are open. */
interface Open {
  readonly deliveries: readonly Delivery[];
  /** Monotonic time of the last change that was seen. */
  changedAt: number;
  isClosing: boolean;
}

const DAY_MS = 86_400_000;
/** How often it is looked whether something may be closed. */
const LOOK_MS = 1_000;
/** At every so many looks also whether a redrive is asked for. */
const REDRIVE_LOOKS = 5;

export class StorageDeliveries {
  readonly #options: Required<StorageDeliveriesOptions>;
  readonly #shared: readonly (Channel & Pick<DeliveryOptions, "circuit" | "check">)[];
  readonly #open = new Map<string, Open>();
  /** Where those stand that had nothing new to tell; what comes behind it is news. */
  readonly #ends = new Map<string, string>();
  /** Upgrades that are not open and have dead letters: how far those were read. */
  readonly #letters = new Map<string, number>();
  readonly #list = new ReadingList((upgradeId) => this.#look(upgradeId));
  #startedAt = 0;
  #isFirstLook = true;
  #stop: () => void = () => undefined;
  #looks = 0;
  #isClosed = false;

  constructor(options: StorageDeliveriesOptions) {
    const { clock = systemDeliveryClock, random = Math.random, logger = silentLogger } = options;
    this.#options = { lingerMs: 60_000, maxQuiet: 256, ...options, clock, random, logger };
    this.#shared = options.channels.map((channel) => ({
      ...channel,
      circuit: new Circuit({ clock, random }),
      check: new NotifierCheck({ notifier: channel.notifier, clock, random, logger }),
    }));
  }

  /** The upgrades whose deliveries are open now. */
  get openUpgrades(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** Tells from now on. Resolves when every upgrade was looked at once. @throws STORAGE_UNUSABLE when they cannot be listed. */
  async start(): Promise<void> {
    const { storage, clock } = this.#options;
    this.#startedAt = clock.now();
    // Before they are listed, so that nothing falls between.
    const unwatch = storage.watch(undefined, (ref) => this.#onChange(ref));
    const cancel = this.#everyLook();
    this.#stop = () => {
      unwatch();
      cancel();
    };
    await this.#lookAtAll();
    await this.#list.empty();
    this.#isFirstLook = false;
  }

  /** Lets them tell for `drainTimeoutMs`, then ends. What is left is told by whoever tells next. Leaves the notifiers open. */
  async close({ drainTimeoutMs = 0 }: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    this.#stop();
    this.#list.clear();
    await this.#list.empty();
    this.#isClosed = true;
    const deliveries = [...this.#open.values()].flatMap((open) => open.deliveries);
    await Promise.all(deliveries.map((delivery) => delivery.close({ drainTimeoutMs })));
    this.#open.clear();
  }

  async #lookAtAll(): Promise<void> {
    for (const { upgradeId, run } of await this.#options.storage.list())
      if (run === undefined) this.#list.add(upgradeId);
  }

  #onChange(ref: string | undefined): void {
    if (ref === undefined) {
      const trouble = (error: unknown): void =>
        report(this.#options.logger, "warn", "upgrades cannot be listed", error);
      this.#lookAtAll().catch(trouble);
      return;
    }
    const upgradeId = ref.replace(/@\d+$/, "");
    const open = this.#open.get(upgradeId);
    if (open === undefined) this.#list.add(upgradeId);
    else open.changedAt = this.#options.clock.monotonic();
  }

  /** Opens the deliveries of an upgrade if there is something to tell. Never rejects. */
  async #look(upgradeId: string): Promise<void> {
    if (this.#isClosed || this.#open.has(upgradeId)) return;
    const { storage, logger } = this.#options;
    try {
      const left = await Promise.all(this.#shared.map(({ notifier }) => leftOf(storage, upgradeId, notifier.name)));
      const news = left.includes("unknown") ? await this.#newsOf(upgradeId) : undefined;
      if (left.includes("something") || news !== undefined) this.#begin(upgradeId, news);
      else await this.#noteLetters(upgradeId, storage.deliveries(upgradeId));
    } catch (error) {
      report(logger, "warn", `nobody is told of ${shown(upgradeId)} until it changes`, error);
    }
  }

  /** From where a notifier is told that was never told of the upgrade; undefined when there is nothing new in it. */
  async #newsOf(upgradeId: string): Promise<WhenNew | undefined> {
    const { storage } = this.#options;
    const end = this.#ends.get(upgradeId);
    if (end !== undefined) return (await isAtEnd(storage, upgradeId, end)) ? undefined : { after: end };
    const reader = await storage.openReader(upgradeId);
    if (reader === undefined) return undefined;
    try {
      const state = await foldInTurns(reader);
      if (!this.#isOver(state)) return "beginning";
      this.#ends.set(upgradeId, state.cursor);
      return undefined;
    } finally {
      reader.close();
    }
  }

  #isOver({ status, clock: { lastTime } }: UpgradeProgress): boolean {
    const lastMs = lastTime === null ? 0 : Date.parse(lastTime);
    const isSilent = this.#startedAt - lastMs > DAY_MS;
    // Of the same millisecond is what was there when it was listed first, and what came right after.
    const isBefore = lastMs < this.#startedAt || (lastMs === this.#startedAt && this.#isFirstLook);
    return isBefore && (isSilent || isFinalUpgradeStatus(status));
  }

  #begin(upgradeId: string, news: WhenNew | undefined): void {
    const { storage, clock, random, logger } = this.#options;
    const end = this.#ends.get(upgradeId);
    const whenNew = news ?? (end === undefined ? "beginning" : { after: end });
    const deliveries = this.#shared.map(
      (shared) => new Delivery({ ...shared, storage, upgradeId, whenNew, clock, random, logger }),
    );
    this.#letters.delete(upgradeId);
    this.#open.set(upgradeId, { deliveries, changedAt: clock.monotonic(), isClosing: false });
    for (const delivery of deliveries) delivery.start();
  }

  #everyLook(): () => void {
    const { clock } = this.#options;
    let cancel: () => void = () => undefined;
    const look = (): void => {
      cancel = clock.schedule(look, LOOK_MS);
      this.#closeQuiet();
      this.#looks += 1;
      if (this.#looks % REDRIVE_LOOKS === 0) void this.#lookForRedrives();
    };
    cancel = clock.schedule(look, LOOK_MS);
    return () => cancel();
  }

  #closeQuiet(): void {
    const { clock, lingerMs, maxQuiet } = this.#options;
    const quiet = [...this.#open]
      .filter(([, { deliveries, isClosing }]) => !isClosing && deliveries.every(({ status }) => status.isSettled))
      .sort(([, a], [, b]) => a.changedAt - b.changedAt);
    for (const [index, [upgradeId, open]] of quiet.entries()) {
      const isLong = clock.monotonic() - open.changedAt >= lingerMs;
      if (isLong || quiet.length - index > maxQuiet) void this.#close(upgradeId, open);
    }
  }

  async #close(upgradeId: string, open: Open): Promise<void> {
    open.isClosing = true;
    await Promise.all(open.deliveries.map((delivery) => delivery.close()));
    if (this.#isClosed) return;
    this.#open.delete(upgradeId);
    // What came meanwhile would go unnoticed.
    this.#list.add(upgradeId);
  }

  async #noteLetters(upgradeId: string, store: DeliveryStore): Promise<void> {
    let end = this.#letters.get(upgradeId) ?? 0;
    for (let next = -1; next !== end;) {
      next = end;
      ({ next: end } = await store.readDeadLetters(end));
    }
    if (end > 0) this.#letters.set(upgradeId, end);
  }

  async #lookForRedrives(): Promise<void> {
    const { storage, logger } = this.#options;
    for (const [upgradeId, end] of [...this.#letters]) {
      try {
        const { next } = await storage.deliveries(upgradeId).readDeadLetters(end);
        if (next !== end && !this.#isClosed) this.#list.add(upgradeId);
      } catch (error) {
        this.#letters.delete(upgradeId);
        report(logger, "warn", `the dead letters of ${shown(upgradeId)} cannot be read`, error);
      }
    }
  }
}
