/** Upgrades for pictures and tests: recorded through the public API, by a clock that runs through hours in no time. */

import { ProgressTracker, TaskType } from "milepost";

import type { Clock } from "../src/tracker/clock.ts";
import { rehearse } from "../src/cli/rehearsal/rehearse.ts";

const MINUTE = 60_000;

/** A clock that goes on when all who wait for it do nothing else; it stops at `endMs` (epoch ms), for good. */
export class StoryClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  readonly #endMs: number;
  readonly #waiting: { readonly atMs: number; readonly wake: () => void }[] = [];

  constructor(startMs: number, endMs: number) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
    this.#endMs = endMs;
  }

  now(): number {
    return Math.round(this.#nowMs);
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  /** Waits, by this clock. */
  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#waiting.push({ atMs: this.#nowMs + ms, wake }));
  }

  /** Lets time pass until nobody waits, or the end has come. */
  async run(): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      const next = this.#waiting.sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) return;
      if (next.atMs > this.#endMs) break;
      this.#waiting.shift();
      this.#nowMs = next.atMs;
      next.wake();
    }
    this.#nowMs = this.#endMs;
  }
}

export interface Recorded {
  readonly storagePath: string;
  readonly upgradeId: string;
  readonly clusterName: string;
  readonly planId?: string;
  /** How long ago it began. */
  readonly minutesAgo: number;
  /** How many times as long as planned everything takes. Default 1. */
  readonly factor?: number;
}

type Story = (tracker: ProgressTracker, pass: (minutes: number) => Promise<void>) => Promise<void>;

/**
 * Records a story up to now. One that is over is closed; the others have a writer, and must be closed by who asked for them.
 * The tracker's clock then goes on with this machine's.
 */
export async function record(options: Recorded, story: Story): Promise<ProgressTracker> {
  const { storagePath, upgradeId, clusterName, planId = "1.33", minutesAgo, factor = 1 } = options;
  const endMs = Date.now();
  const clock = new StoryClock(endMs - minutesAgo * MINUTE, endMs);
  const afterwards = (): number => (clock.now() < endMs ? 0 : Date.now() - endMs);
  const tracker = new ProgressTracker({
    upgradeId,
    clusterName,
    planId,
    storagePath,
    clock: { now: () => clock.now() + afterwards(), monotonic: () => clock.monotonic() + afterwards() },
  });
  const told = story(tracker, (minutes) => clock.sleep(minutes * MINUTE * factor));
  await clock.run();
  if (tracker.progress.completedAt !== null) {
    await told;
    await tracker.close();
  }
  return tracker;
}

/** The upgrade of a cluster, as the rehearsal reports it. */
export const clusterUpgrade =
  (factor = 1): Story =>
  (tracker, pass) =>
    rehearse({ tracker: withPlainPhases(tracker), pass, toMs: (minutes) => minutes * MINUTE * factor });

/** Phases without the word that marks a rehearsal: what is recorded here is marked by its storage. */
function withPlainPhases(tracker: ProgressTracker): ProgressTracker {
  const plain = (phase: unknown): string => {
    const text = String(phase).replace("Rehearsal: ", "");
    return text.charAt(0).toUpperCase() + text.slice(1);
  };
  return new Proxy(tracker, {
    get: (target, name) => {
      if (name === "startUpgrade") return (phase: string) => target.startUpgrade(plain(phase));
      if (name === "setCurrentPhase") return (phase: string) => target.setCurrentPhase(plain(phase));
      if (name === "completeUpgrade") return () => target.completeUpgrade("all nodes run v1.33");
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A tool that tells nothing of how far it is. */
export const silentCommand: Story = async (tracker, pass) => {
  tracker.startUpgrade("terraform apply");
  tracker.addTask("command", "terraform apply -auto-approve", TaskType.UPGRADE_STEP);
  tracker.startTask("command");
  for (;;) {
    await pass(0.5);
    tracker.heartbeat("command");
  }
};

/** One that has failed after a second attempt. */
export const failedUpgrade: Story = async (tracker, pass) => {
  tracker.startUpgrade("Control plane");
  tracker.addTask("control-plane", "Control plane 1.32 → 1.33", TaskType.UPGRADE_STEP, { weight: 8 });
  tracker.addTask("add-ons", "Add-ons", TaskType.UPGRADE_STEP, { weight: 4 });
  tracker.addTask("nodes", "Node group general", TaskType.UPGRADE_STEP, { weight: 20 });
  tracker.startTask("control-plane");
  await pass(9);
  tracker.completeTask("control-plane");
  tracker.setCurrentPhase("Add-ons");
  tracker.startTask("add-ons");
  await pass(2);
  tracker.failTask("add-ons", "coredns: InsufficientNumberOfReplicas");
  await pass(1);
  tracker.retryTask("add-ons");
  await pass(3);
  tracker.failTask("add-ons", "coredns: InsufficientNumberOfReplicas: 1 of 2 replicas are available");
  tracker.failUpgrade("the add-on coredns did not become ready in two attempts");
};

/** One that waits for a person. */
export const pausedUpgrade: Story = async (tracker, pass) => {
  tracker.startUpgrade("Control plane");
  tracker.addTask("control-plane", "Control plane 1.32 → 1.33");
  tracker.addTask("nodes", "Node groups", TaskType.UPGRADE_STEP, { weight: 4 });
  tracker.startTask("control-plane");
  await pass(8);
  tracker.completeTask("control-plane");
  tracker.setCurrentPhase("Approval");
  tracker.pauseUpgrade("until the change window opens at 22:00");
};

/** One whose program has stopped to advance. */
export const stalledUpgrade: Story = async (tracker, pass) => {
  tracker.startUpgrade("Node group spot-workers");
  tracker.addTask("nodes", "Old nodes of spot-workers", TaskType.UPGRADE_STEP, { totalSteps: 12, unit: "nodes" });
  tracker.startTask("nodes");
  for (let node = 1; node <= 5; node += 1) {
    await pass(3);
    tracker.updateTaskProgress("nodes", { completedSteps: node }, `ip-10-0-${node * 7}-12 replaced`);
  }
  for (;;) {
    await pass(0.5);
    tracker.heartbeat("nodes");
  }
};

/** The fleet of the pictures. Returns what must be closed. */
export async function recordFleet(storagePath: string): Promise<readonly ProgressTracker[]> {
  const open: ProgressTracker[] = [];
  const add = async (upgradeId: string, [clusterName, minutesAgo, factor]: [string, number, number?], story: Story) => {
    const more = factor === undefined ? {} : { factor };
    const tracker = await record({ storagePath, upgradeId, clusterName, minutesAgo, ...more }, story);
    if (tracker.progress.completedAt === null) open.push(tracker);
  };
  const day = 24 * 60;
  await add("prod-eu-1.31", ["prod-eu", 62 * day, 1.15], clusterUpgrade(1.15));
  await add("prod-eu-1.32", ["prod-eu", 21 * day, 0.95], clusterUpgrade(0.95));
  await add("prod-us-1.33", ["prod-us", 3 * day, 1.05], clusterUpgrade(1.05));
  await add("staging-1.33", ["staging", 5 * day, 0.8], clusterUpgrade(0.8));
  await add("prod-ap-1.33", ["prod-ap", 95], failedUpgrade);
  await add("batch-1.33", ["batch", 63], stalledUpgrade);
  await add("prod-eu-1.33", ["prod-eu", 47], clusterUpgrade());
  await add("edge-1.33", ["edge", 12], clusterUpgrade());
  await add("network-vpc", ["shared", 7], silentCommand);
  await add("prod-sa-1.33", ["prod-sa", 40], pausedUpgrade);
  return open;
}
