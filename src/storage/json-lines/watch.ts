/**
 * Tells when journals have changed.
 *
 * Who opens a log for writing touches the upgrade's folder (`touchUpgrade`). So one watch of the kernel's on the folder of all
 * upgrades hears of every log that begins to change, and that log is then lively: it has watches of its own, and is looked at
 * twice a second besides. A log stays lively while somebody asks for it by name, and for a minute after its last change; one
 * that is quiet costs nothing but a look in each round over all of them. What the kernel does not tell is found by these looks:
 * without notices (none left) a lively log's change within 100 ms, with notices that say nothing (a network file system)
 * within half a second, any other log's within a round.
 */

import { nodeFs } from "../../node-modules.ts";
import type { FileSystem } from "../files.ts";
import { refOfFolder } from "./find-logs.ts";
import { KernelNotices, KernelWatch, type WatchFolder } from "./kernel-notices.ts";
import { foldersOf, partsOfFolder } from "./places.ts";
import { CLOCK_DIFFERENCE_MS, identityOf, namesIn, statIn, WatchedLog } from "./watched-log.ts";

/** How often something is looked at. */
const TICK_MS = 100;
/** A tick ends when it has taken so long; the next one goes on. */
const BUDGET_MS = 3;
/** How often a lively log is looked at that the kernel tells of anyway. */
const LIVELY_LOOK_MS = 500;
const LIVELY_MS = 60_000;
const MAX_LIVELY = 1_000;
/** A round over all logs, as long as its part of a tick fits into the budget: with up to some 20,000 logs. */
const ROUND_MS = 10_000;

interface JournalWatchOptions {
  readonly fs: FileSystem;
  readonly upgrades: string;
  readonly watch?: WatchFolder | undefined;
  /** Told once, when the kernel has no more notices to give. */
  readonly warn?: ((message: string) => void) | undefined;
  readonly roundMs?: number | undefined;
  /** How many logs are lively at a time, beside those that are asked for by name. */
  readonly maxLively?: number | undefined;
}

/** Called with the ref of the log that has changed. */
type OnChange = (ref?: string) => void;

/** Marks the folder of an upgrade, so that who watches the folder of all of them hears that this one is going to change. */
export function touchUpgrade(root: string): void {
  try {
    const now = new Date();
    nodeFs.utimesSync(root, now, now);
  } catch {
    // It is only a hint.
  }
}

/** All watching of one storage: one timer, however many watch. */
export class JournalWatch {
  readonly #options: JournalWatchOptions;
  readonly #roundMs: number;
  readonly #maxLively: number;
  readonly #notices: KernelNotices;
  readonly #base: KernelWatch;
  readonly #logs = new Map<string, WatchedLog>();
  /** Those that were looked at longest ago come first. */
  readonly #lively = new Set<WatchedLog>();
  readonly #ofAll = new Set<OnChange>();
  /** By the name of the folder that each waits for. */
  readonly #ofOne = new Map<string, Set<() => void>>();
  readonly #noticed = new Set<WatchedLog>();
  #timer: NodeJS.Timeout | undefined;
  #baseIdentity: string | undefined;
  #baseMtimeMs = 0;
  /** The round over all logs: the folders there were at its beginning, and how many of them it has looked at. */
  #round: { readonly folders: readonly string[]; done: number } | undefined;
  /** True when the round should be through as soon as it may: nobody knows yet what is there. */
  #isUrgent = false;
  #isAgain = false;
  /** What is there when all begin to be watched is news only if it was written since; what comes later is news anyway. */
  #newsSinceMs = -Infinity;

  constructor(options: JournalWatchOptions) {
    this.#options = options;
    this.#roundMs = options.roundMs ?? ROUND_MS;
    this.#maxLively = options.maxLively ?? MAX_LIVELY;
    this.#notices = new KernelNotices(options);
    this.#base = new KernelWatch(options.upgrades);
  }

  /** Calls `onChange` soon after the log of `ref`, or any log when undefined, has changed. Returns the function that stops it. */
  watch(ref: string | undefined, onChange: OnChange): () => void {
    const stop = ref === undefined ? this.#watchAll(onChange) : this.#watchOne(ref, onChange);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    return () => {
      stop();
      if (this.#ofAll.size === 0 && this.#ofOne.size === 0) this.#rest();
    };
  }

  #watchAll(onChange: OnChange): () => void {
    // An object of its own: the same function may watch twice.
    const listener: OnChange = (ref) => onChange(ref);
    if (this.#ofAll.size === 0) {
      this.#lookAtBase();
      // By the clock of the file system it may have been written after now.
      this.#newsSinceMs = Date.now() - CLOCK_DIFFERENCE_MS;
      this.#isUrgent = true;
      // Now, so that one which goes before it is looked at is missed.
      this.#round = { folders: this.#folders(), done: 0 };
    }
    this.#ofAll.add(listener);
    return () => {
      this.#ofAll.delete(listener);
      if (this.#ofAll.size === 0) this.#forgetUnasked();
    };
  }

  #watchOne(ref: string, onChange: OnChange): () => void {
    const listener = (): void => onChange(ref);
    const folders = foldersOf(ref);
    for (const folder of folders) {
      const log = this.#logOf(folder);
      // So that a change from before is not told as one from now.
      this.#look(log);
      const listeners = this.#ofOne.get(folder) ?? new Set();
      this.#ofOne.set(folder, listeners.add(listener));
      this.#enliven(log);
    }
    return () => {
      for (const folder of folders) {
        const listeners = this.#ofOne.get(folder);
        listeners?.delete(listener);
        if (listeners?.size !== 0) continue;
        this.#ofOne.delete(folder);
        if (this.#ofAll.size === 0) this.#forget(folder);
      }
    };
  }

  #tick(): void {
    const untilMs = performance.now() + BUDGET_MS;
    if (this.#ofAll.size > 0) this.#lookAtBase();
    this.#lookAtLively(untilMs);
    if (this.#ofAll.size > 0) this.#lookAround(untilMs);
  }

  /** Hears of folders that come, go or are touched. When the folder itself is another one all logs are looked at anew. */
  #lookAtBase(): void {
    const { fs, upgrades } = this.#options;
    const base = statIn(fs, upgrades);
    const identity = base && identityOf(base);
    this.#base.open(this.#notices, { identity, onNotice: (name) => this.#onName(name) });
    const isOther = identity !== this.#baseIdentity;
    if (!isOther && (this.#base.isOpen || base?.mtimeMs === this.#baseMtimeMs)) return;
    this.#baseIdentity = identity;
    this.#baseMtimeMs = base?.mtimeMs ?? 0;
    if (isOther) {
      this.#round = undefined;
      this.#newsSinceMs = -Infinity;
      this.#isUrgent = true;
    } else this.#findNew();
  }

  #onName(name: string | null): void {
    if (name === null) return this.#findNew();
    // A run is set aside just before the next one begins.
    for (const folder of new Set([name, partsOfFolder(name)?.name ?? name])) {
      if (partsOfFolder(folder) === undefined || this.#ofAll.size === 0) continue;
      const log = this.#logOf(folder);
      this.#look(log);
      if (this.#logs.has(folder)) this.#enliven(log);
    }
  }

  /** Looks at folders that were not there before. */
  #findNew(): void {
    if (this.#isUrgent) this.#isAgain = true;
    else for (const folder of this.#folders()) if (!this.#logs.has(folder)) this.#look(this.#logOf(folder));
  }

  #folders(): readonly string[] {
    return namesIn(this.#options.fs, this.#options.upgrades).filter((name) => partsOfFolder(name) !== undefined);
  }

  #lookAtLively(untilMs: number): void {
    for (const log of [...this.#lively]) {
      const nowMs = performance.now();
      if (nowMs > untilMs) return;
      if (log.isHeard && nowMs - log.lookedMs < LIVELY_LOOK_MS) continue;
      if (nowMs > log.livelyUntilMs && !this.#ofOne.has(log.folder)) this.#calm(log);
      else this.#look(log);
    }
  }

  /** The next part of the round: as much as it takes to be through in time. */
  #lookAround(untilMs: number): void {
    const round = (this.#round ??= { folders: this.#folders(), done: 0 });
    const share = this.#isUrgent ? Infinity : Math.ceil((round.folders.length * TICK_MS) / this.#roundMs);
    const end = Math.min(round.folders.length, round.done + share);
    while (round.done < end) {
      const log = this.#logOf(round.folders[round.done] as string, this.#newsSinceMs);
      round.done += 1;
      if (!this.#lively.has(log)) this.#look(log);
      if (performance.now() > untilMs) break;
    }
    if (round.done === round.folders.length) this.#endRound(round.folders);
  }

  #endRound(folders: readonly string[]): void {
    const there = new Set(folders);
    for (const [folder, log] of this.#logs) if (!there.has(folder)) this.#look(log);
    this.#round = undefined;
    this.#newsSinceMs = -Infinity;
    this.#isUrgent = this.#isAgain;
    this.#isAgain = false;
  }

  #look(log: WatchedLog): void {
    const newsSinceMs = log.isKnown ? -Infinity : log.newsSinceMs;
    const { hasChanged, writtenMs } = log.look();
    log.lookedMs = performance.now();
    if (this.#lively.has(log)) {
      this.#lively.delete(log);
      this.#lively.add(log);
      this.#listenTo(log);
    }
    if (hasChanged && (writtenMs === undefined || writtenMs >= newsSinceMs)) {
      this.#enliven(log);
      this.#tell(log);
    }
    if (writtenMs === undefined && !this.#ofOne.has(log.folder) && !log.isThere) this.#forget(log.folder);
  }

  #listenTo(log: WatchedLog): void {
    const onNotice = (): void => this.#onNotice(log);
    if (log.listen(this.#notices, onNotice)) onNotice();
  }

  /** Many notices of one turn are one look. */
  #onNotice(log: WatchedLog): void {
    if (this.#noticed.size === 0) {
      setImmediate(() => {
        const noticed = [...this.#noticed];
        this.#noticed.clear();
        for (const one of noticed) if (this.#logs.get(one.folder) === one) this.#look(one);
      }).unref();
    }
    this.#noticed.add(log);
  }

  #tell(log: WatchedLog): void {
    for (const listener of this.#ofOne.get(log.folder) ?? []) listener();
    if (this.#ofAll.size === 0) return;
    log.ref ??= refOfFolder(this.#options.fs, this.#options.upgrades, log.folder)?.ref;
    for (const listener of this.#ofAll) listener(log.ref);
  }

  #enliven(log: WatchedLog): void {
    log.livelyUntilMs = performance.now() + LIVELY_MS;
    if (this.#lively.has(log)) return;
    this.#lively.add(log);
    this.#listenTo(log);
    if (this.#lively.size <= this.#maxLively) return;
    for (const other of this.#lively) {
      if (this.#ofOne.has(other.folder)) continue;
      this.#calm(other);
      return;
    }
  }

  #calm(log: WatchedLog): void {
    this.#lively.delete(log);
    log.deafen();
  }

  #logOf(folder: string, newsSinceMs = -Infinity): WatchedLog {
    let log = this.#logs.get(folder);
    if (log === undefined) {
      const { fs, upgrades } = this.#options;
      log = new WatchedLog(fs, { upgrades, folder, newsSinceMs });
      this.#logs.set(folder, log);
    }
    return log;
  }

  #forget(folder: string): void {
    const log = this.#logs.get(folder);
    if (log === undefined) return;
    this.#calm(log);
    this.#logs.delete(folder);
  }

  #forgetUnasked(): void {
    for (const folder of [...this.#logs.keys()]) if (!this.#ofOne.has(folder)) this.#forget(folder);
    this.#base.close();
    this.#baseIdentity = undefined;
    this.#round = undefined;
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#forgetUnasked();
  }
}
