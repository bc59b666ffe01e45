/** One run of a whole tracker on a disk that fails at a chosen call, with everything noted that `check_G5` asks about. */

import type { ProgressEvent } from "../../src/model/event.ts";
import { isMilepostError } from "../../src/errors.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { manualClock, type ManualClock } from "../manual-clock.ts";
import type { Trouble } from "./checks.ts";
import type { Fault, FaultFs } from "./fault-fs.ts";
import { eventsOnDisk } from "./stored.ts";

const UPGRADE = "upgrade-123";
/** Longer than the queue waits between two attempts. */
const RETRY_IS_DUE_MS = 250;
/** Enough to see the trouble begin and end. */
const MAX_LOOKS = 6;

type Step = (tracker: ProgressTracker) => unknown;

/** Every kind of thing a tracker is asked for: state changes, reports, repeats, a snapshot, flushes. */
const STEPS: readonly (Step | "flush")[] = [
  (tracker) => tracker.startUpgrade("Preparation"),
  (tracker) => tracker.addTask("a", "Control plane"),
  (tracker) => tracker.addTask("b", "Nodes"),
  (tracker) => tracker.startTask("a"),
  (tracker) => tracker.updateTaskProgress("a", 10, "begun"),
  "flush",
  (tracker) => tracker.updateTaskProgress("a", 50),
  (tracker) => tracker.appendLog("a", "a line of output\n"),
  (tracker) => tracker.startTask("a"),
  (tracker) => tracker.completeTask("a"),
  (tracker) => tracker.storage.saveProgress(tracker.progress),
  (tracker) => tracker.updateTaskProgress("b", 5),
  (tracker) => tracker.raiseInsight({ id: "quota", level: "warning", message: "nearly used up" }),
  (tracker) => tracker.failTask("b", "evicted"),
  (tracker) => tracker.retryTask("b"),
  "flush",
  (tracker) => tracker.setCurrentPhase("Finish"),
  (tracker) => tracker.updateTaskProgress("b", 90),
  (tracker) => tracker.completeTask("b"),
  (tracker) => tracker.completeTask("b"),
  (tracker) => tracker.storage.saveProgress(tracker.progress),
  (tracker) => tracker.addTask("c", "Add-ons"),
  (tracker) => tracker.setWaitingOn("c", { kind: "approval", name: "change board" }),
  (tracker) => tracker.pauseUpgrade(),
  "flush",
  (tracker) => tracker.resumeUpgrade(),
  ...Array.from(
    { length: 20 },
    (_, node) => (tracker: ProgressTracker) => tracker.addTask(`node-${node}`, `Node ${node}`),
  ),
  (tracker) => tracker.skipTask("c"),
  (tracker) => tracker.clearInsight("quota"),
  (tracker) => tracker.completeUpgrade(),
  "flush",
];

export interface TroubleRun extends Trouble {
  /** What opening threw, when the fault fell there. */
  readonly opening?: unknown;
  readonly live: ProgressTracker["progress"];
  /** How often each call was made until the last flush. */
  readonly calls: FaultFs["counts"];
}

interface Notes {
  readonly thrown: unknown[];
  readonly accepted: ProgressEvent[];
  readonly looks: Trouble["looks"][number][];
  readonly flushes: Trouble["flushes"][number][];
}

interface Scene {
  readonly tracker: ProgressTracker;
  readonly path: string;
  readonly faults: FaultFs;
  readonly clock: ManualClock;
  readonly notes: Notes;
}

const codeOf = (error: unknown): string => (isMilepostError(error) ? error.code : String(error));

/**
 * Runs the steps with the fault, ends the fault, and flushes. The tracker stays the same from the beginning to the end; only
 * an opening that fails is done again after the fault.
 */
export async function runWithTrouble(path: string, faults: FaultFs, fault: Fault | undefined): Promise<TroubleRun> {
  const clock = manualClock();
  const notes: Notes = { thrown: [], accepted: [], looks: [], flushes: [] };
  if (fault !== undefined) faults.fail(fault);
  const open = () =>
    new ProgressTracker({
      upgradeId: UPGRADE,
      planId: "plan-456",
      clusterName: "my-cluster",
      storage: jsonLines({ path, fs: faults.fs }),
      clock,
      syncIntervalMs: 60_000,
    });
  let tracker: ProgressTracker;
  let opening: unknown;
  try {
    tracker = open();
  } catch (error) {
    opening = error;
    faults.heal();
    tracker = open();
  }
  tracker.addEventCallback((event) => void notes.accepted.push(event));
  const scene = { tracker, path, faults, clock, notes };
  for (const step of STEPS) await take(scene, step);
  const calls = { ...faults.counts };
  faults.heal();
  await flush(scene);
  const live = tracker.progress;
  const stored = eventsOnDisk(path, UPGRADE);
  const accepted = [...notes.accepted];
  await tracker.close();
  return { ...notes, accepted, calls, unhandled: [], opening, stored, live };
}

async function take(scene: Scene, step: Step | "flush"): Promise<void> {
  const { tracker, clock, notes } = scene;
  clock.pass(RETRY_IS_DUE_MS / 2);
  if (step === "flush") return flush(scene);
  try {
    await step(tracker);
  } catch (error) {
    notes.thrown.push(error);
  }
  look(scene);
}

function look({ tracker, path, faults, notes }: Scene): void {
  if (faults.hits === 0 || notes.looks.length > MAX_LOOKS) return;
  const stored = eventsOnDisk(path, UPGRADE);
  notes.looks.push({ stored, accepted: notes.accepted.length, state: tracker.progress });
}

async function flush({ tracker, path, notes }: Scene): Promise<void> {
  const accepted = notes.accepted.length;
  const outcome = await tracker.flush().then(() => "resolved", codeOf);
  notes.flushes.push({ outcome, accepted, stored: eventsOnDisk(path, UPGRADE).length });
}
