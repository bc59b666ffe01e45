/** All upgrades of a storage as what a server serves: also those that other processes of this machine write. */

import { isMilepostError, MilepostError } from "../errors.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { Storage } from "../storage/storage.ts";
import type { LogSource, UpgradeIdentity, Upgrades } from "../stream/upgrades.ts";
import { systemClock, type Clock } from "../tracker/clock.ts";
import { sendCommands } from "../tracker/hand-over.ts";
import { silentLogger, type Logger } from "../tracker/logger.ts";
import type { Tracker } from "../tracker/tracker.ts";
import { HeldUpgrades } from "./held-upgrades.ts";

export interface StorageUpgradesOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** What the logs say of who wrote. Default `milepost start`. */
  readonly program?: string;
  /** How long an upgrade stays open after its last command. Default 1,000. */
  readonly lingerMs?: number;
  /** Upgrades that may stay open so at a time. Default 128. */
  readonly maxIdle?: number;
  /** How long to wait for another process that holds an upgrade. Default 10,000. */
  readonly timeoutMs?: number;
}

export interface StorageUpgrades extends Upgrades {
  /** Takes no more commands; resolves when all upgrades are closed. */
  close(): Promise<void>;
}

/** `storage` stays open: it belongs to whoever has opened it. */
export function storageUpgrades(storage: Storage, options: StorageUpgradesOptions = {}): StorageUpgrades {
  const { clock = systemClock, logger = silentLogger, program = "milepost start" } = options;
  const { lingerMs = 1_000, maxIdle = 128, timeoutMs = 10_000 } = options;
  const news = new News();
  const held = new HeldUpgrades({
    storage,
    clock,
    logger,
    program,
    lingerMs,
    maxIdle,
    onEvent: (upgradeId) => news.tell(upgradeId),
  });
  return {
    list: async () => storage.list(),
    log: (ref) => logSource(ref, { storage, held, news }),
    watch: (onChange) => {
      const stops = [storage.watch(undefined, onChange), news.listen(undefined, onChange)];
      return () => stops.forEach((stop) => stop());
    },
    execute: (upgradeId, commands, identity = {}) =>
      execute({ storage, held, program, timeoutMs }, { upgradeId, commands, identity }),
    delete: async (upgradeId) => {
      const logs = (await storage.list()).filter((log) => log.upgradeId === upgradeId);
      await held.giveBack(upgradeId);
      await storage.delete(upgradeId);
      for (const { ref } of logs) news.tell(ref);
    },
    close: () => held.close(),
  };
}

interface Sources {
  readonly storage: Storage;
  readonly held: HeldUpgrades;
  readonly news: News;
}

function logSource(ref: string, { storage, held, news }: Sources): LogSource {
  return {
    ref,
    openReader: async () => storage.openReader(ref),
    waitingLines: (seq) => held.peek(ref)?.log.queuedLines(seq) ?? [],
    watch: (onChange) => {
      // What is written here is known at once; what others write, as soon as the storage notices.
      const stops = [storage.watch(ref, onChange), news.listen(ref, onChange)];
      return () => stops.forEach((stop) => stop());
    },
    holder: async () => storage.holder(ref),
  };
}

interface Writing {
  readonly storage: Storage;
  readonly held: HeldUpgrades;
  readonly program: string;
  readonly timeoutMs: number;
}

interface Wanted {
  readonly upgradeId: string;
  readonly commands: readonly unknown[];
  readonly identity: UpgradeIdentity;
}

/** @throws the first refused command's error, with `context.executed`: how many before it have happened. */
async function execute(writing: Writing, { upgradeId, commands, identity }: Wanted): Promise<readonly ProgressEvent[]> {
  const { storage, held, program, timeoutMs } = writing;
  const until = performance.now() + timeoutMs;
  const events: ProgressEvent[] = [];
  for (;;) {
    try {
      await held.use(upgradeId, identity, (tracker) => executeAll(tracker, commands, events));
      return events;
    } catch (error) {
      if (isMilepostError(error, "LOCKED")) {
        const rest = commands.slice(events.length);
        const left = { timeoutMs: Math.max(0, until - performance.now()), ids: identity, program };
        return [...events, ...(await sendCommands(storage, upgradeId, rest, left).catch(afterSome(events.length)))];
      }
      // Taken over by another process, or just being closed: it is opened anew, or handed over.
      const isGone = isMilepostError(error, "FENCED", "CLOSED");
      if (isGone) await held.drop(upgradeId);
      if (!isGone || performance.now() > until) return afterSome(events.length)(error);
    }
  }
}

/** What has happened is in `events`, also when it throws. */
async function executeAll(tracker: Tracker, commands: readonly unknown[], events: ProgressEvent[]): Promise<void> {
  try {
    while (events.length < commands.length) events.push(tracker.execute(commands[events.length]));
  } finally {
    await tracker.log.flush();
  }
}

/** Throws the error with how many commands have happened before it, where there were any. */
function afterSome(count: number): (error: unknown) => never {
  return (error) => {
    if (!isMilepostError(error)) throw error;
    const { executed = 0 } = error.context;
    const context = { ...error.context, executed: count + (typeof executed === "number" ? executed : 0) };
    throw new MilepostError(error.code, error.message, { context, cause: error });
  };
}

/** Who wants to hear of an upgrade, or of all. */
class News {
  readonly #listeners = new Map<string | undefined, Set<(changed: string) => void>>();

  listen(ref: string | undefined, listener: (changed: string) => void): () => void {
    let listeners = this.#listeners.get(ref);
    if (listeners === undefined) this.#listeners.set(ref, (listeners = new Set()));
    // One function may listen twice.
    const own = (changed: string): void => listener(changed);
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(ref) === listeners) this.#listeners.delete(ref);
    };
  }

  tell(changed: string): void {
    for (const ref of [changed, undefined]) for (const listener of this.#listeners.get(ref) ?? []) listener(changed);
  }
}
