/** Recorded upgrades for the pages to show, with times of their own: an upgrade of an hour is recorded in a moment. */

import type { ProgressTracker } from "milepost";

import { emptyUpgrade, type UpgradeProgress } from "../../src/model/upgrade.ts";
import { evolve } from "../../src/model/evolve.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { manualClock } from "../manual-clock.ts";
import type { Served } from "./served.ts";

export const HOUR_AGO = (): number => Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;

const MINUTE = 60_000;

export interface RecordOptions {
  readonly upgradeId?: string;
  readonly startedAt?: number;
  /** Longer or shorter than it is; 1 when left out. */
  readonly pace?: number;
  /** What the second node does. */
  readonly isFailing?: boolean;
  readonly text?: string;
}

/** Records an upgrade with all that can happen in one: phases, groups, a retry, a wait, pauses, a finding, logs. */
export async function recordUpgrade(server: Served, options: RecordOptions = {}): Promise<string> {
  const { upgradeId = "u1", startedAt = HOUR_AGO(), pace = 1, isFailing = false, text = "ip-10-0-1-17" } = options;
  const clock = manualClock(startedAt);
  const tracker = server.track(upgradeId, { clock });
  const pass = (minutes: number): void => clock.pass(minutes * MINUTE * pace);
  tracker.startUpgrade("Pre-flight checks");
  addTasks(tracker, text);
  runChecks(tracker, pass);
  runControlPlane(tracker, pass);
  runNodes(tracker, pass, isFailing);
  if (isFailing) tracker.failUpgrade("node-2 could not be drained");
  else tracker.completeUpgrade();
  await tracker.close();
  return upgradeId;
}

function addTasks(tracker: ProgressTracker, text: string): void {
  tracker.addTask("checks", "Checks");
  tracker.addTask("check-1", "Free addresses", "validation", { parentTaskId: "checks" });
  tracker.addTask("control-plane", "Control plane", "upgrade_step", { expectedMs: 12 * MINUTE });
  tracker.addTask("nodes", "Nodes", "upgrade_step", { unit: "nodes" });
  tracker.addTask("node-1", text, "upgrade_step", { parentTaskId: "nodes", totalSteps: 4, unit: "pods" });
  tracker.addTask("node-2", "ip-10-0-2-81", "upgrade_step", { parentTaskId: "nodes", totalSteps: 4, unit: "pods" });
}

type Pass = (minutes: number) => void;

function runChecks(tracker: ProgressTracker, pass: Pass): void {
  tracker.startTask("check-1");
  tracker.appendLog("check-1", "211 of 762 addresses are free\n");
  pass(1);
  tracker.completeTask("check-1");
}

function runControlPlane(tracker: ProgressTracker, pass: Pass): void {
  tracker.setCurrentPhase("Control plane");
  tracker.startTask("control-plane");
  pass(4);
  tracker.updateTaskProgress("control-plane", 40, "new API servers start");
  tracker.pauseUpgrade("somebody wants to look");
  tracker.pauseTask("control-plane");
  pass(3);
  tracker.resumeUpgrade();
  tracker.resumeTask("control-plane");
  pass(9);
  tracker.completeTask("control-plane");
}

function runNodes(tracker: ProgressTracker, pass: Pass, isFailing: boolean): void {
  tracker.setCurrentPhase("Nodes");
  tracker.startTask("nodes");
  tracker.startTask("node-1");
  for (let pods = 1; pods <= 4; pods++) {
    pass(1);
    tracker.updateTaskProgress("node-1", { completedSteps: pods }, `evicting pods, ${4 - pods} left`);
    tracker.appendLog("node-1", `evicted pod ${pods}\n`);
  }
  tracker.completeTask("node-1");
  tracker.startTask("node-2");
  pass(2);
  tracker.setWaitingOn("node-2", { kind: "PodDisruptionBudget", name: "shop/checkout", remedy: "scale it up" });
  tracker.raiseInsight({ id: "blocked", level: "warning", message: "a pod cannot be evicted" });
  pass(5);
  tracker.failTask("node-2", "timed out");
  if (isFailing) return;
  tracker.clearInsight("blocked");
  pass(1);
  tracker.retryTask("node-2");
  pass(3);
  tracker.completeTask("node-2");
  tracker.completeTask("nodes");
}

/** The events of a log as the server has them. */
export async function eventsOf({ url }: Served, upgradeId: string): Promise<readonly ProgressEvent[]> {
  const answer = await fetch(`${url}/api/v1/upgrades/${encodeURIComponent(upgradeId)}/events?limit=10000`, {
    headers: { Accept: "application/x-ndjson" },
  });
  return (await answer.text())
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ProgressEvent);
}

/** The fold of the events up to each of them. */
export function statesOf(events: readonly ProgressEvent[]): readonly UpgradeProgress[] {
  let state = emptyUpgrade({ upgradeId: events[0]?.upgradeId ?? "", planId: "", clusterName: "" });
  return events.map((event) => (state = evolve(state, event)));
}
