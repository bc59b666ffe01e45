/**
 * What a server knows of all its upgrades: a summary of each, kept up to date, and told when it changes.
 *
 * Upgrades that have not ended are followed through the hub. Those that have, or are recorded as lost, are read once, and
 * looked at again only when their log has changed. A summary has numbers of time, so it is computed at the moment it is asked for or told.
 */

import { isMilepostError, MilepostError, shown, type ErrorCode } from "../errors.ts";
import { isFinalUpgradeStatus } from "../model/vocabulary.ts";
import { systemClock, type Clock } from "../tracker/clock.ts";
import { report, silentLogger, textOf, type Logger } from "../tracker/logger.ts";
import { summaryAt, type UpgradeSummary } from "../view/upgrade/summary.ts";
import { isOver, Member, type FleetFilter } from "./fleet/member.ts";
import { Paced } from "./fleet/paced.ts";
import { ReadingList } from "./fleet/reading-list.ts";
import { foldInTurns, nextTurn } from "./fold-in-turns.ts";
import type { Hub } from "./hub.ts";
import type { Upgrades } from "./upgrades.ts";

export type { FleetFilter } from "./fleet/member.ts";

export interface FleetOptions {
  readonly upgrades: Upgrades;
  readonly hub: Hub;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
  /** How often it is looked at what changes with time alone: health. Default 3,000. */
  readonly lookIntervalMs?: number | undefined;
}

/** A changed upgrade is told at most so often. */
export const TELL_INTERVAL_MS = 250;
/** A log that could not be read is tried again after so long, or when it changes. */
const TRY_AGAIN_MS = 60_000;

interface Watcher {
  readonly filter: FleetFilter;
  readonly onChange: (summary: UpgradeSummary) => void;
  readonly onRemove: ((upgradeId: string) => void) | undefined;
}

/** A member, and how often it may be told. */
interface Told {
  readonly member: Member;
  readonly telling: Paced;
}

export class Fleet {
  readonly #upgrades: Upgrades;
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #lookIntervalMs: number;
  readonly #members = new Map<string, Told>();
  readonly #watchers = new Set<Watcher>();
  readonly #list = new ReadingList((ref) => this.#read(ref));
  readonly #unreadable = new Map<string, { readonly error: Error; readonly atMs: number }>();
  /** The newest first; made when it is asked for. */
  #sorted: readonly Member[] | undefined;
  #stop: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor({ upgrades, hub, clock = systemClock, logger = silentLogger, lookIntervalMs = 3_000 }: FleetOptions) {
    this.#upgrades = upgrades;
    this.#hub = hub;
    this.#clock = clock;
    this.#logger = logger;
    this.#lookIntervalMs = lookIntervalMs;
  }

  /**
   * Begins to follow what happens, and resolves when every upgrade there is has been read, or found to be unreadable; what is
   * known meanwhile can be asked for meanwhile. Call it once.
   *
   * @throws STORAGE_UNUSABLE when the upgrades cannot be listed.
   */
  async start(): Promise<void> {
    // Before it is listed, so that nothing falls between.
    this.#stop = this.#upgrades.watch((ref) => this.#onChange(ref));
    this.#timer = setInterval(() => void this.look(), this.#lookIntervalMs).unref();
    await this.#readAll();
    await this.#list.empty();
  }

  /** The upgrades that are known, the newest first; finished runs are not among them. */
  list(filter: FleetFilter = {}): readonly UpgradeSummary[] {
    this.#sorted ??= [...this.#members.values()].map(({ member }) => member).sort(newestFirst);
    const asOfMs = this.#clock.now();
    return this.#sorted.filter((member) => member.isLike(filter)).map((member) => member.summary(asOfMs));
  }

  /** The summary of an upgrade; undefined for one that is not known, and for a finished run. */
  get(upgradeId: string): UpgradeSummary | undefined {
    return this.#members.get(upgradeId)?.member.summary(this.#clock.now());
  }

  /** The upgrades that nobody works on any more, though they have not ended; and the places where their logs stand. */
  lost(): readonly { readonly upgradeId: string; readonly cursor: string }[] {
    const asOfMs = this.#clock.now();
    return [...this.#members.values()].map(({ member }) => member).filter((member) => member.isLost(asOfMs));
  }

  /** The upgrades whose logs cannot be read; one that could be read before is still in the list as it was then. */
  get unreadable(): readonly { readonly upgradeId: string; readonly code: ErrorCode }[] {
    return [...this.#unreadable].map(([upgradeId, { error }]) => ({
      upgradeId,
      code: isMilepostError(error) ? error.code : "INTERNAL",
    }));
  }

  /** The summary of what any ref names, also of a finished run. @throws UNKNOWN_UPGRADE, CORRUPT, NEWER_FORMAT. */
  async read(ref: string): Promise<UpgradeSummary> {
    const known = this.get(ref);
    if (known !== undefined) return known;
    const source = this.#upgrades.log(ref);
    const reader = await source.openReader();
    if (reader === undefined) {
      throw new MilepostError("UNKNOWN_UPGRADE", `there is no upgrade ${shown(ref)} here; list those there are`, {
        context: { upgradeId: ref },
      });
    }
    try {
      const state = await foldInTurns(reader);
      const hasWriter = !isFinalUpgradeStatus(state.status) && (await source.holder()) !== undefined;
      return summaryAt(state, { asOfMs: this.#clock.now(), hasWriter });
    } finally {
      reader.close();
    }
  }

  /**
   * Calls `onChange` with the summary of each upgrade that has changed and is of the kind; at most every 250 ms for one
   * upgrade, the last state always. And `onRemove`, at once, with the id of one that is there no more. Returns the function that
   * stops it.
   */
  watch(
    filter: FleetFilter,
    onChange: (summary: UpgradeSummary) => void,
    onRemove?: (upgradeId: string) => void,
  ): () => void {
    const watcher = { filter, onChange, onRemove };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Looks at what changes with time alone, and lets go of what has ended. Called by its own timer. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      this.#tryAgain();
      for (const { member, telling } of [...this.#members.values()]) {
        if (!member.isLive || this.#members.get(member.upgradeId)?.member !== member) continue;
        const asOfMs = this.#clock.now();
        member.settle(asOfMs);
        if (member.isNewHealth(asOfMs) && this.#watchers.size > 0) telling.request();
        await nextTurn();
      }
    } finally {
      this.#isLooking = false;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
    clearInterval(this.#timer);
    this.#list.clear();
    this.#watchers.clear();
    for (const upgradeId of [...this.#members.keys()]) this.#remove(upgradeId);
  }

  async #readAll(): Promise<void> {
    const logs = await this.#upgrades.list();
    const there = new Set<string>();
    for (const { ref, run } of logs) {
      if (run !== undefined) continue;
      there.add(ref);
      if (this.#members.get(ref)?.member.isLive !== true) this.#list.add(ref);
    }
    for (const upgradeId of [...this.#members.keys()]) if (!there.has(upgradeId)) this.#list.add(upgradeId);
  }

  #onChange(ref: string | undefined): void {
    if (ref === undefined)
      this.#readAll().catch((error: unknown) => report(this.#logger, "warn", "the upgrades cannot be listed", error));
    // What is followed tells of its changes itself.
    else if (this.#members.get(ref)?.member.isLive !== true) this.#list.add(ref);
  }

  async #read(ref: string): Promise<void> {
    // What changes is read in a later turn, not by whoever changed it.
    await nextTurn();
    if (this.#isClosed || this.#members.get(ref)?.member.isLive === true) return;
    try {
      await this.#readNow(ref);
      this.#unreadable.delete(ref);
    } catch (error) {
      if (isMilepostError(error, "UNKNOWN_UPGRADE")) this.#remove(ref);
      else if (isMilepostError(error, "CURSOR_GONE")) this.#list.add(ref);
      else this.#cannotRead(ref, error);
    }
  }

  async #readNow(ref: string): Promise<void> {
    const source = this.#upgrades.log(ref);
    const reader = await source.openReader();
    if (reader === undefined) return this.#remove(ref);
    try {
      // A finished run that was followed by another.
      if (reader.header.upgradeId !== ref) return;
      const state = await foldInTurns(reader);
      const isWritten = !isFinalUpgradeStatus(state.status) && (await source.holder()) !== undefined;
      if (isOver(state) && !isWritten) return this.#put(Member.over(state, this.#clock.now()));
    } finally {
      reader.close();
    }
    const log = await this.#hub.open(ref);
    const member = Member.live(log, (grown) => this.#onGrown(grown));
    member.isNewHealth(this.#clock.now());
    this.#put(member);
  }

  #onGrown(member: Member): void {
    if (member.isGone) return this.#remove(member.upgradeId);
    this.#sorted = undefined;
    this.#tellOf(member.upgradeId);
  }

  #put(member: Member): void {
    if (this.#isClosed) return member.close();
    const before = this.#members.get(member.upgradeId);
    before?.member.close();
    const telling =
      before?.telling ??
      new Paced(() => this.#tell(member.upgradeId), { intervalMs: TELL_INTERVAL_MS, clock: this.#clock });
    this.#members.set(member.upgradeId, { member, telling });
    this.#sorted = undefined;
    if (before?.member.cursor !== member.cursor) this.#tellOf(member.upgradeId);
  }

  #remove(upgradeId: string): void {
    const told = this.#members.get(upgradeId);
    told?.telling.cancel();
    told?.member.close();
    this.#members.delete(upgradeId);
    this.#unreadable.delete(upgradeId);
    this.#sorted = undefined;
    if (told !== undefined) this.#tellEach(told.member, ({ onRemove }) => onRemove?.(upgradeId));
  }

  #tellOf(upgradeId: string): void {
    if (this.#watchers.size > 0) this.#members.get(upgradeId)?.telling.request();
  }

  #tell(upgradeId: string): void {
    const told = this.#members.get(upgradeId);
    if (told === undefined) return;
    const summary = told.member.summary(this.#clock.now());
    this.#tellEach(told.member, ({ onChange }) => onChange(summary));
  }

  #tellEach(member: Member, tell: (watcher: Watcher) => void): void {
    for (const watcher of [...this.#watchers]) {
      if (!member.isLike(watcher.filter)) continue;
      try {
        tell(watcher);
      } catch (error) {
        report(this.#logger, "error", "telling of an upgrade", error);
      }
    }
  }

  #cannotRead(ref: string, cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(textOf(cause));
    if (this.#unreadable.get(ref)?.error.message !== error.message)
      report(this.#logger, "warn", `upgrade ${shown(ref)} cannot be read`, error);
    this.#unreadable.set(ref, { error, atMs: this.#clock.monotonic() });
  }

  #tryAgain(): void {
    for (const [ref, { atMs }] of this.#unreadable)
      if (this.#clock.monotonic() - atMs >= TRY_AGAIN_MS) this.#list.add(ref);
  }
}

/** As `milepost list` sorts them. */
function newestFirst(a: Member, b: Member): number {
  return b.newestMs - a.newestMs || (a.upgradeId < b.upgradeId ? -1 : 1);
}
