/** A random life of an upgrade on a recorded disk, what a power cut leaves of it, and whether that keeps what was promised. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { ProgressEvent } from "../../src/model/event.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { check_G1, check_G2, check_G3 } from "./checks.ts";
import { randomOf } from "./child.ts";
import { saveCrashState } from "./crash-states.ts";
import { FaultFs, type FaultyCall, type Recorded } from "./fault-fs.ts";
import { eventsOnDisk } from "./stored.ts";

const ID = "upgrade-123";

/** What was promised by the time that so many calls had been made: this run's events are on stable storage. */
interface Promise_ {
  readonly atCall: number;
  readonly run: number;
  readonly events: readonly ProgressEvent[];
}

interface Workload {
  readonly calls: readonly Recorded[];
  readonly promises: readonly Promise_[];
  readonly accepted: ReadonlyMap<number, readonly ProgressEvent[]>;
}

const open = (path: string, faults?: FaultFs) =>
  new ProgressTracker({
    upgradeId: ID,
    planId: "plan-456",
    clusterName: "my-cluster",
    storage: jsonLines(faults === undefined ? { path } : { path, fs: faults.fs }),
    syncIntervalMs: 60_000,
  });

/** A random life of an upgrade: reports, flushes, snapshots, failing syncs, closing and opening, next runs. */
async function record(path: string, random: () => number, faults: FaultFs): Promise<Workload> {
  const promises: Promise_[] = [];
  const accepted = new Map<number, ProgressEvent[]>();
  let tracker: ProgressTracker;
  const reopen = (): void => {
    tracker = open(path, faults);
    tracker.addEventCallback((event) => {
      const { run } = tracker.progress;
      accepted.set(run, [...(accepted.get(run) ?? []), event]);
    });
  };
  const promise = (): void => {
    const { run } = tracker.progress;
    promises.push({ atCall: faults.recorded.length, run, events: [...(accepted.get(run) ?? [])] });
  };
  reopen();
  for (let step = 0; step < 60; step++) {
    const dice = random();
    if (tracker!.progress.status !== "in_progress") {
      faults.heal();
      tracker!.startUpgrade();
    } else if (dice < 0.5) tracker!.setCurrentPhase(`Phase ${Math.floor(random() * 1e6)}`);
    else if (dice < 0.7) await tracker!.flush().then(promise, () => undefined);
    else if (dice < 0.77) await tracker!.storage.saveProgress(tracker!.progress);
    else if (dice < 0.87) {
      const call: FaultyCall = random() < 0.6 ? "fdatasync" : random() < 0.5 ? "fsync" : "write";
      faults.fail({ call, nth: 1 + Math.floor(random() * 2), error: "EIO", isForEver: false });
    } else if (dice < 0.93) {
      faults.heal();
      await tracker!.close();
      promise();
      reopen();
    } else {
      faults.heal();
      tracker!.completeUpgrade();
    }
  }
  faults.heal();
  await tracker!.close();
  promise();
  return { calls: faults.recorded, promises, accepted };
}

/** Opens what a cut has left, twice, with an event in between, and compares it with what was promised. */
async function violationsAfter(folder: string, { promises, accepted }: Workload, count: number): Promise<string[]> {
  const newest = new Map<number, Promise_>();
  for (const promise of promises) if (promise.atCall <= count) newest.set(promise.run, promise);
  const before = eventsOnDiskOrNone(folder);
  const stored = [before];
  let error: unknown;
  try {
    for (let opening = 0; opening < 2; opening++) {
      const tracker = open(folder);
      if (opening === 0 && tracker.progress.status === "in_progress") tracker.setCurrentPhase("After the cut");
      await tracker.close();
      stored.push(eventsOnDisk(folder, ID));
    }
  } catch (thrown) {
    error = thrown;
  }
  const violations = check_G3({ error, stored });
  const present = Math.max(0, ...accepted.keys());
  for (const [run, { events }] of newest) {
    // A run that was set aside has its own name; which one is the present one the cut may have decided.
    const aside = eventsOnDisk(folder, `${ID}@${run}`);
    const found = aside.length > 0 ? aside : before;
    violations.push(...check_G1(events, found), ...check_G2(found));
    const told = accepted.get(run) ?? [];
    if (found.some((event, index) => event.id !== told[index]?.id && run === present))
      violations.push(`run ${run} holds what was never accepted`);
  }
  return violations;
}

function eventsOnDiskOrNone(folder: string): ProgressEvent[] {
  try {
    return eventsOnDisk(folder, ID);
  } catch {
    return [];
  }
}

export interface PowerCutOptions {
  /** An empty folder. */
  readonly root: string;
  readonly seeds: number;
  readonly cutsPerSeed: number;
  /** The disk; one that lies, for the test of this test. */
  readonly disk?: () => FaultFs;
}

/** Cuts the power at random places of random lives. */
export async function powerCuts(options: PowerCutOptions): Promise<{ states: number; violations: string[] }> {
  const { root, seeds, cutsPerSeed, disk = () => new FaultFs({ isRecording: true }) } = options;
  const violations: string[] = [];
  let states = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const random = randomOf(seed);
    const base = join(root, `work-${seed}`);
    mkdirSync(base);
    const workload = await record(base, random, disk());
    for (let cut = 0; cut < cutsPerSeed && violations.length === 0; cut++) {
      const count = Math.ceil(random() * workload.calls.length);
      const folder = join(root, `state-${seed}-${cut}`);
      mkdirSync(folder);
      saveCrashState(workload.calls, { base, count, random, folder });
      states += 1;
      for (const violation of await violationsAfter(folder, workload, count))
        violations.push(`seed ${seed}, cut ${cut} after ${count} calls: ${violation}`);
    }
  }
  return { states, violations };
}
