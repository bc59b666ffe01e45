/** Opens an upgrade for writing: lock, state, log, tracker, in that order. */

import { hostname } from "node:os";

import { MilepostError, shown } from "../errors.ts";
import { checkNewId, checkUpgradeId } from "../model/check.ts";
import { firstCursor } from "../model/cursor.ts";
import type { ProgressEvent, WriterIdentity } from "../model/event.ts";
import { HEALTH_THRESHOLDS, type HealthThresholds } from "../model/health.ts";
import { emptyUpgrade, type UpgradeProgress } from "../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../model/vocabulary.ts";
import type { LogHolder, LogWriter, Storage } from "../storage/storage.ts";
import { CallbackManager } from "./callback-manager.ts";
import { isoMaker, systemClock, type Clock } from "./clock.ts";
import { EventLog, type UpgradeIds } from "./event-log.ts";
import { report, silentLogger, type Logger } from "./logger.ts";
import { readEventAt } from "./read.ts";
import { foldLog } from "./restore-state.ts";
import { runNow, type Steps } from "./steps.ts";
import { Tracker } from "./tracker.ts";

export interface OpenTrackerOptions {
  readonly storage: Storage;
  readonly upgradeId: string;
  /** The stored one when absent; the upgrade id for a new upgrade. */
  readonly planId?: string | undefined;
  /** The stored one when absent; "unknown" for a new upgrade. */
  readonly clusterName?: string | undefined;
  /** Displace a live writer. */
  readonly takeOver?: boolean | undefined;
  readonly clock?: Clock | undefined;
  readonly createId?: (() => string) | undefined;
  readonly logger?: Logger | undefined;
  readonly callbacks?: CallbackManager | undefined;
  /** Unflushed events reach stable storage within this time, as long as the event loop turns. */
  readonly syncIntervalMs?: number | undefined;
  /** Events that may wait in memory while the storage takes no writes, before progress and log lines merge. */
  readonly maxQueuedEvents?: number | undefined;
  readonly healthThresholds?: Partial<HealthThresholds> | undefined;
  /** What `holder` and `writer.opened` say of this process. */
  readonly program?: string | undefined;
}

export interface OpenedTracker {
  readonly tracker: Tracker;
  readonly writer: LogWriter;
  readonly ids: UpgradeIds;
  readonly identity: WriterIdentity;
  readonly since: string;
  /** The seq of the snapshot that the state was taken from; 0 without one. */
  readonly snapshotSeq: number;
}

/** @throws INVALID_ID, LOCKED, CORRUPT, NEWER_FORMAT, STORAGE_UNUSABLE, UPGRADE_MISMATCH. */
export function* openTracker(options: OpenTrackerOptions): Steps<OpenedTracker> {
  const { storage, clock = systemClock } = options;
  const upgradeId = checkUpgradeId(options.upgradeId);
  const writer = (yield storage.openWriter(upgradeId, { takeOver: options.takeOver ?? false })) as LogWriter;
  try {
    // At once: whoever is refused from now on asks who holds the upgrade.
    const identity: WriterIdentity = { program: options.program ?? "milepost", pid: process.pid, host: hostname() };
    const since = isoMaker()(clock.now());
    yield* announce(writer, { ...identity, since }, options.logger);
    let foldedEvents = 0;
    const stored = yield* foldLog(writer.reader, () => (foldedEvents += 1));
    const ids = idsFor(stored, options);
    yield writer.begin();
    const state =
      stored.seq > 0
        ? stored
        : emptyUpgrade({ upgradeId, ...ids }, { cursor: firstCursor(writer.header.logId), run: writer.header.run });
    const tracker = assemble(options, { writer, state, ids, identity });
    return { tracker, writer, ids, identity, since, snapshotSeq: stored.seq - foldedEvents };
  } catch (error) {
    yield writer.close();
    throw error;
  }
}

/** A full disk must not keep anybody from tracking: without the announcement others learn only that the log is held. */
function* announce(writer: LogWriter, holder: LogHolder, logger: Logger = silentLogger): Steps<void> {
  try {
    yield writer.announce(holder);
  } catch (error) {
    report(logger, "warn", "others cannot see who holds this upgrade", error);
  }
}

/** A finished upgrade may be run again with another plan, on another cluster; an unfinished one may not. */
function idsFor(stored: UpgradeProgress, { planId, clusterName }: OpenTrackerOptions): UpgradeIds {
  const isOpen = stored.seq > 0 && !isFinalUpgradeStatus(stored.status);
  for (const [field, given] of [
    ["planId", planId],
    ["clusterName", clusterName],
  ] as const) {
    if (given !== undefined) checkNewId(given, field);
    if (isOpen && given !== undefined && stored[field] !== given) {
      throw new MilepostError(
        "UPGRADE_MISMATCH",
        `upgrade ${shown(stored.upgradeId)} has ${field} ${shown(stored[field])}, not ${shown(given)}; pass the stored one, or use another upgradeId`,
        {
          context: { upgradeId: stored.upgradeId, field, stored: stored[field], given },
        },
      );
    }
  }
  return {
    planId: planId ?? (stored.planId || stored.upgradeId),
    clusterName: clusterName ?? (stored.clusterName || "unknown"),
  };
}

interface Opened {
  readonly writer: LogWriter;
  readonly state: UpgradeProgress;
  readonly ids: UpgradeIds;
  readonly identity: WriterIdentity;
}

function assemble(options: OpenTrackerOptions, { writer, state, ids, identity }: Opened): Tracker {
  const { storage, upgradeId, clock = systemClock, logger = silentLogger } = options;
  const callbacks = options.callbacks ?? new CallbackManager({ logger });
  const log: EventLog = new EventLog({
    writer,
    isSynchronous: storage.isSynchronous,
    state,
    clock,
    createId: options.createId,
    identity,
    syncIntervalMs: options.syncIntervalMs ?? 50,
    maxQueuedEvents: options.maxQueuedEvents ?? 10_000,
    tell: (event, after) => tracker.tell(event, after),
    onTrouble: (trouble) => {
      if (trouble === undefined)
        report(logger, "info", "the storage takes writes again; all events are stored in order");
      else report(logger, "error", trouble.message, trouble.cause);
      tracker.onTrouble();
    },
  });
  const tracker: Tracker = new Tracker({
    log,
    ids,
    callbacks,
    healthThresholds: { ...HEALTH_THRESHOLDS, ...options.healthThresholds },
    readEvent: (seq): ProgressEvent => runNow(readEventAt(storage, upgradeId, seq)),
  });
  return tracker;
}
