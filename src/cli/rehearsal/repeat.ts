/** A rehearsal for a server: again and again, so that whoever comes finds something going on. */

import { setTimeout as sleep } from "node:timers/promises";

import { MilepostError, shown } from "../../errors.ts";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { ProgressTracker } from "../../progress-tracker.ts";
import type { Storage } from "../../storage/storage.ts";
import { readUpgrade } from "../../tracker/read.ts";
import { REHEARSAL_ID } from "./rehearsal.ts";
import { rehearse } from "./rehearse.ts";

const PLAN_ID = "rehearsal";

/** Between the end of one and the beginning of the next: time to see how it ended. */
const PAUSE_MS = 20_000;
/** Finished runs are removed beyond so many, for a server that rehearses for days. */
const MAX_RUNS = 20;

export interface RepeatedRehearsal {
  readonly storage: Storage;
  /** How many times as fast as a real upgrade. */
  readonly speed: number;
  readonly pauseMs?: number;
  readonly signal: AbortSignal;
}

/** Rehearses until `signal` ends it; then what is open is cancelled. @throws UPGRADE_MISMATCH for an upgrade of this name that is no rehearsal. */
export async function rehearseRepeatedly({
  storage,
  speed,
  pauseMs = PAUSE_MS,
  signal,
}: RepeatedRehearsal): Promise<void> {
  while (!signal.aborted) {
    await rehearseOnce(storage, speed, signal);
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

async function rehearseOnce(storage: Storage, speed: number, signal: AbortSignal): Promise<void> {
  const tracker = await open(storage);
  const toMs = (minutes: number): number => (minutes * 60_000) / speed;
  const pass = async (minutes: number): Promise<void> => {
    await sleep(toMs(minutes), undefined, { signal });
  };
  try {
    // One that a server before this one has left.
    leave(tracker);
    await rehearse({ tracker, pass, toMs });
  } catch (error) {
    if (!signal.aborted) throw error;
    leave(tracker);
  } finally {
    await tracker.close();
  }
}

async function open(storage: Storage): Promise<ProgressTracker> {
  const reader = await storage.openReader(REHEARSAL_ID);
  reader?.close();
  if (reader !== undefined) {
    const { state } = await readUpgrade(storage, REHEARSAL_ID);
    if (state.seq > 0 && state.planId !== PLAN_ID) {
      throw new MilepostError(
        "UPGRADE_MISMATCH",
        `${storage.location} holds an upgrade ${shown(REHEARSAL_ID)} that is no rehearsal; use another storage with --demo`,
      );
    }
    if (state.run > MAX_RUNS && isFinalUpgradeStatus(state.status)) await storage.delete(REHEARSAL_ID);
  }
  return ProgressTracker.open({
    upgradeId: REHEARSAL_ID,
    planId: PLAN_ID,
    clusterName: "rehearsal",
    storage,
    program: "milepost start --demo",
  });
}

/** What has not begun keeps its place in the percentage: cancelled tasks do not count. */
function leave(tracker: ProgressTracker): void {
  const { status, tasks } = tracker.progress;
  if (status === "not_started" || isFinalUpgradeStatus(status)) return;
  for (const task of tasks.values()) if (task.status === "in_progress") tracker.cancelTask(task.taskId);
  tracker.cancelUpgrade("the rehearsal was left");
}
