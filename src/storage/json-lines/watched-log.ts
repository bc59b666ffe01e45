/** One log's journal, as a watcher sees it: whether it has changed since the last look, and the kernel's notices about it. */

import type { Stats } from "node:fs";
import { join } from "node:path";

import type { FileSystem } from "../files.ts";
import { KernelWatch, type KernelNotices } from "./kernel-notices.ts";
import { pathsIn } from "./places.ts";

/** How far the clock of a file system may be from this machine's. */
export const CLOCK_DIFFERENCE_MS = 60_000;

/** What a look has found. */
export interface Look {
  /** True also when it is the first look. */
  readonly hasChanged: boolean;
  /** When the journal was last written, wall time of its file system (epoch ms); undefined without one. */
  readonly writtenMs: number | undefined;
}

export class WatchedLog {
  /** The name of the upgrade's folder. */
  readonly folder: string;
  /** What its first look finds is news if it was written since then (epoch ms). */
  readonly newsSinceMs: number;
  /** The ref of the log, once it is known: a long one stands in the journal only. */
  ref: string | undefined;
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #journal: string;
  #heard: readonly [root: KernelWatch, journal: KernelWatch] | undefined;
  #identity: string | undefined;
  #names: readonly string[] = [];
  #namesAsOf = "";
  #seen: string | undefined;
  /** Until when it counts as lively, and when it was last looked at (monotonic ms). */
  livelyUntilMs = 0;
  lookedMs = 0;

  constructor(
    fs: FileSystem,
    {
      upgrades,
      folder,
      newsSinceMs,
    }: { readonly upgrades: string; readonly folder: string; readonly newsSinceMs: number },
  ) {
    const { root, journal } = pathsIn(upgrades, folder);
    this.folder = folder;
    this.newsSinceMs = newsSinceMs;
    this.#fs = fs;
    this.#root = root;
    this.#journal = journal;
  }

  /** True once it has been looked at. */
  get isKnown(): boolean {
    return this.#seen !== undefined;
  }

  /** True if the upgrade's folder is there. */
  get isThere(): boolean {
    return statIn(this.#fs, this.#root) !== undefined;
  }

  /** True if the kernel tells what happens to the journal. */
  get isHeard(): boolean {
    return this.#heard?.[1].isOpen === true;
  }

  /** Compares the journal with what the last look saw. */
  look(): Look {
    const directory = statIn(this.#fs, this.#journal);
    this.#identity = directory && identityOf(directory);
    let now = "";
    let writtenMs: number | undefined;
    if (directory !== undefined) {
      const changed = `${this.#identity}:${directory.mtimeMs}`;
      // Its time stands still while no file comes or goes, but two that come at nearly the same time may have one time.
      const isSettled = changed === this.#namesAsOf && Date.now() - directory.mtimeMs > CLOCK_DIFFERENCE_MS;
      if (!isSettled) this.#names = namesIn(this.#fs, this.#journal);
      this.#namesAsOf = changed;
      writtenMs = directory.mtimeMs;
      now = `${this.#identity}`;
      for (const name of this.#names) {
        const file = statIn(this.#fs, join(this.#journal, name));
        if (file === undefined) continue;
        now += ` ${name}:${file.ino}:${file.size}:${file.mtimeMs}`;
        writtenMs = Math.max(writtenMs, file.mtimeMs);
      }
    }
    const hasChanged = now !== this.#seen;
    this.#seen = now;
    return { hasChanged, writtenMs };
  }

  /**
   * Has the kernel tell of what happens here, as far as it can. May be called again, also after folders were replaced. True if
   * it tells of more than before: what happened until now it did not tell.
   */
  listen(notices: KernelNotices, onNotice: () => void): boolean {
    this.#heard ??= [new KernelWatch(this.#root), new KernelWatch(this.#journal)];
    const [root, journal] = this.#heard;
    const found = statIn(this.#fs, this.#root);
    const hasRoot = root.open(notices, { identity: found && identityOf(found), onNotice });
    return journal.open(notices, { identity: this.#identity, onNotice }) || hasRoot;
  }

  deafen(): void {
    for (const watch of this.#heard ?? []) watch.close();
    this.#heard = undefined;
  }
}

/** What cannot be read is as good as not there: whoever opens the log hears why. */
export function statIn(fs: FileSystem, path: string): Stats | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** A folder made anew may get the number of the one before it. */
export const identityOf = ({ ino, birthtimeMs }: Stats): string => `${ino}:${birthtimeMs}`;

export function namesIn(fs: FileSystem, path: string): readonly string[] {
  try {
    return fs.readdirSync(path);
  } catch {
    return [];
  }
}
