/** Recorded upgrades of every kind that surfaces must agree on, each with a clock of its own. */

import type { ProgressTracker } from "milepost";

import { rehearse } from "../../src/cli/rehearsal/rehearse.ts";
import { manualClock, type ManualClock } from "../manual-clock.ts";
import type { Served } from "./served.ts";

const MINUTE = 60_000;

class Enough extends Error {}

/** Rehearses for so many minutes at most, and with `untilHeld` no further than until something is waited for. */
function rehearsal(minutes: number, untilHeld = false) {
  return async (tracker: ProgressTracker, clock: ManualClock): Promise<void> => {
    let left = minutes;
    const pass = (passing: number): Promise<void> => {
      left -= passing;
      const isHeld = untilHeld && [...tracker.progress.tasks.values()].some(({ waitingOn }) => waitingOn !== null);
      if (left < 0 || isHeld) return Promise.reject(new Enough());
      clock.pass(passing * MINUTE);
      return Promise.resolve();
    };
    try {
      await rehearse({ tracker, pass, toMs: (each) => each * MINUTE });
    } catch (error) {
      if (!(error instanceof Enough)) throw error;
    }
  };
}

type Recording = (tracker: ProgressTracker, clock: ManualClock) => void | Promise<void>;

function withTasks(tracker: ProgressTracker, count: number): void {
  tracker.startUpgrade("Nodes");
  for (let index = 1; index <= count; index++) tracker.addTask(`t${index}`, `Task number ${index}.`);
}

/** By the id of the upgrade. */
const CORPUS: Readonly<{ [id: string]: Recording }> = {
  rehearsed: rehearsal(Infinity),
  "rehearsed-first-minute": rehearsal(1),
  "rehearsed-control-plane": rehearsal(9),
  "rehearsed-half": rehearsal(35),
  "rehearsed-blocked": rehearsal(Infinity, true),
  "failed-and-retried": (tracker, clock) => {
    withTasks(tracker, 3);
    for (const attempt of [1, 2, 3]) {
      if (attempt === 1) tracker.startTask("t1");
      else tracker.retryTask("t1");
      clock.pass(attempt * 17_300);
      tracker.updateTaskProgress("t1", 33.3 * attempt);
      if (attempt < 3) tracker.failTask("t1", `attempt ${attempt} failed`);
    }
    tracker.startTask("t2");
    tracker.failTask("t2", "no");
    tracker.failUpgrade("no");
  },
  regressed: (tracker, clock) => {
    withTasks(tracker, 2);
    tracker.updateTaskProgress("t1", 99.99);
    clock.pass(61_000);
    tracker.updateTaskProgress("t1", 12.5);
    tracker.updateTaskProgress("t2", { completedSteps: 4, totalSteps: 12 });
    tracker.updateTaskProgress("t2", { completedSteps: 4, totalSteps: 14 });
  },
  unmeasured: (tracker, clock) => {
    withTasks(tracker, 1);
    tracker.updateTaskProgress("t1", {}, "busy");
    clock.pass(3_599_999);
  },
  "without-tasks": (tracker, clock) => {
    tracker.startUpgrade("Nothing to do");
    clock.pass(999);
    tracker.completeUpgrade();
  },
  "not-started": (tracker) => void tracker.addTask("t1", "Task number 1."),
  paused: (tracker, clock) => {
    withTasks(tracker, 2);
    tracker.startTask("t1");
    clock.pass(90_000);
    tracker.updateTaskProgress("t1", 50);
    tracker.pauseTask("t1");
    tracker.pauseUpgrade();
    clock.pass(45_000);
    tracker.addTask("t3", "Task number 3.");
  },
  cancelled: (tracker, clock) => {
    withTasks(tracker, 4);
    tracker.startTask("t1");
    clock.pass(30_000);
    tracker.skipTask("t2");
    tracker.cancelTask("t1");
    tracker.startTask("t3");
    tracker.completeTask("t3");
    tracker.cancelUpgrade("enough");
  },
  waiting: (tracker, clock) => {
    withTasks(tracker, 3);
    tracker.startTask("t1");
    tracker.setWaitingOn("t1", { kind: "approval", name: "of the team" });
    tracker.setWaitingOn("t2", { kind: "window", name: "tonight" });
    clock.pass(3_700_000);
    tracker.heartbeat("t1");
  },
  "completed-unfinished": (tracker, clock) => {
    withTasks(tracker, 3);
    tracker.startTask("t1");
    tracker.completeTask("t1");
    clock.pass(5_000);
    tracker.startTask("t2");
    tracker.completeUpgrade();
  },
  huge: (tracker, clock) => {
    tracker.startUpgrade("Nodes");
    const groups = Array.from({ length: 20 }, (_, group) => ({ taskId: `g${group}`, taskName: `Group ${group}.` }));
    tracker.addTasks(groups);
    for (const { taskId: parentTaskId } of groups)
      tracker.addTasks(
        Array.from({ length: 100 }, (_, node) => ({
          taskId: `${parentTaskId}-${node}`,
          taskName: `Node ${parentTaskId}-${node}.`,
          parentTaskId,
          weight: (node % 7) + 0.5,
        })),
      );
    for (let group = 0; group < 7; group++) {
      for (let node = 0; node < 100; node++) {
        tracker.updateTaskProgress(`g${group}-${node}`, (node * 37) % 100);
        if (node % 3 === 0) tracker.completeTask(`g${group}-${node}`);
      }
      clock.pass(61_234);
    }
  },
};

/** One of the corpus: its id, and the wall time (epoch ms) of its last event. */
export interface Recorded {
  readonly upgradeId: string;
  readonly lastMs: number;
}

/** Records all of them, each on a cluster of its own: none is an earlier upgrade of another. */
export async function recordCorpus(server: Served): Promise<readonly Recorded[]> {
  const recorded: Recorded[] = [];
  for (const [upgradeId, record] of Object.entries(CORPUS)) {
    const clock = manualClock();
    const tracker = server.track(upgradeId, {
      clock,
      clusterName: `cluster-of-${upgradeId}`,
      planId: `plan-of-${upgradeId}`,
    });
    await record(tracker, clock);
    await tracker.close();
    recorded.push({ upgradeId, lastMs: clock.now() });
  }
  return recorded;
}
