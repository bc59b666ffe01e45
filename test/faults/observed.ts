/** Short lives of a tracker on a storage that may be bent, noted as the validators want to see them. */

import { isMilepostError } from "../../src/errors.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import type { LogWriter, Storage } from "../../src/storage/storage.ts";
import type { Clock } from "../../src/tracker/clock.ts";
import { withAppend } from "./bent.ts";
import type { Telling, Trouble, WriterAnswers } from "./checks.ts";
import type { FaultFs } from "./fault-fs.ts";
import { eventsOnDisk, storedEvents } from "./stored.ts";

/** The upgrade that all this is about. */
export const ID = "upgrade-123";
export const IDS = { upgradeId: ID, planId: "plan-456", clusterName: "my-cluster" };

/** A short life; the events that its commands were answered with. */
function live(tracker: ProgressTracker): ProgressEvent[] {
  const acked = [tracker.startUpgrade()];
  tracker.addTask("a", "Nodes");
  acked.push(tracker.startTask("a"), tracker.updateTaskProgress("a", 40), tracker.failTask("a", "evicted"));
  return acked;
}

export interface Observed {
  readonly tracker: ProgressTracker;
  readonly acked: readonly ProgressEvent[];
  readonly told: readonly Telling[];
  readonly stored: readonly ProgressEvent[];
}

/** What is seen of a short life on this storage. */
export function observe(storage: Storage, clock?: Clock): Observed {
  const tracker = new ProgressTracker({ ...IDS, storage, syncIntervalMs: 60_000, ...(clock && { clock }) });
  const told: Telling[] = [];
  tracker.addEventCallback((event) => {
    told.push({ event, storedSeq: storedEvents(storage, ID).at(-1)?.seq ?? 0 });
  });
  const acked = live(tracker);
  return { tracker, acked, told, stored: storedEvents(storage, ID) };
}

/** A life with trouble in its middle, as `check_G5` wants to see it. */
export async function troubled(storage: Storage, faults: FaultFs): Promise<Trouble> {
  const tracker = new ProgressTracker({ ...IDS, storage, syncIntervalMs: 60_000 });
  const accepted: ProgressEvent[] = [];
  const thrown: unknown[] = [];
  const looks: Trouble["looks"][number][] = [];
  const flushes: Trouble["flushes"][number][] = [];
  tracker.addEventCallback((event) => void accepted.push(event));
  const flush = async () => {
    const until = accepted.length;
    const outcome = await tracker.flush().then(
      () => "resolved",
      (error: unknown) => (isMilepostError(error) ? error.code : String(error)),
    );
    flushes.push({ outcome, accepted: until, stored: storedEvents(storage, ID).length });
  };
  tracker.startUpgrade();
  faults.fail({ call: "write", nth: 1, error: "ENOSPC", isForEver: true });
  for (const phase of ["One", "Two"]) {
    try {
      tracker.setCurrentPhase(phase);
    } catch (error) {
      thrown.push(error);
    }
    looks.push({ stored: storedEvents(storage, ID), accepted: accepted.length, state: tracker.progress });
  }
  await flush();
  faults.heal();
  await flush();
  const observed = {
    thrown,
    unhandled: [],
    accepted: [...accepted],
    looks,
    flushes,
    stored: storedEvents(storage, ID),
  };
  await tracker.close().catch(() => undefined);
  return observed;
}

/** The default storage with another `append` for each writer. */
export function bentLines(storage: Storage, append: (inner: LogWriter) => LogWriter["append"]): Storage {
  return {
    ...storage,
    openWriter: (id, options) => {
      const inner = storage.openWriter(id, options) as LogWriter;
      return withAppend(inner, append(inner));
    },
  };
}

/** A writer is displaced and goes on; what both were answered. */
export async function displaced(
  path: string,
  storage: Storage,
): Promise<{ writers: WriterAnswers[]; stored: ProgressEvent[] }> {
  const former = new ProgressTracker({ ...IDS, storage, syncIntervalMs: 60_000 });
  const acked = [former.startUpgrade()];
  const taker = new ProgressTracker({ ...IDS, storagePath: path, takeOver: true });
  const own = [taker.setCurrentPhase("Taken over")];
  const outcomes: string[] = [];
  for (const phase of ["Late", "Later", "Latest"]) {
    try {
      acked.push(former.setCurrentPhase(phase));
      outcomes.push("ok");
    } catch (error) {
      outcomes.push(isMilepostError(error) ? error.code : String(error));
    }
  }
  await taker.close();
  await former.close().catch(() => undefined);
  return {
    writers: [
      { acked, outcomes },
      { acked: own, outcomes: [] },
    ],
    stored: eventsOnDisk(path, ID),
  };
}
