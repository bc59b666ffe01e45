/** What the tests of deliveries share: an upgrade on disk, and deliveries of it. */

import { expect, onTestFinished } from "vitest";

import { Delivery, type DeliveryOptions } from "../../src/notify/delivery.ts";
import { parseNotes, type SentNote } from "../../src/notify/delivery/sent.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { tempFolder } from "../temp-folder.ts";
import { scriptedNotifier, type ScriptedNotifier } from "./scripted-notifier.ts";

export interface Bench {
  readonly path: string;
  readonly storage: Storage;
  readonly tracker: ProgressTracker;
  readonly warnings: string[];
  /** A delivery that has begun and ends with the test. */
  deliver(notifier: ScriptedNotifier, options?: Partial<DeliveryOptions>): Delivery;
  deadLetters(): Promise<readonly Record<string, unknown>[]>;
  sent(name?: string): Promise<readonly SentNote[]>;
}

export const IDS = { upgradeId: "up", planId: "plan-456", clusterName: "my-cluster" };

export function bench(): Bench {
  const path = tempFolder();
  const storage = jsonLines({ path });
  const tracker = new ProgressTracker({ ...IDS, storagePath: path });
  onTestFinished(() => tracker.close().catch(() => undefined));
  const warnings: string[] = [];
  const logger = {
    info: () => undefined,
    warn: (message: string) => void warnings.push(message),
    error: (message: string) => void warnings.push(message),
  };
  const store = storage.deliveries(IDS.upgradeId);
  return {
    path,
    storage,
    tracker,
    warnings,
    deliver: (notifier, options) => {
      const delivery = new Delivery({ notifier, storage, upgradeId: IDS.upgradeId, logger, ...options });
      onTestFinished(() => delivery.close());
      delivery.start();
      return delivery;
    },
    deadLetters: async () =>
      (await store.readDeadLetters(0, 100_000_000)).lines.map(
        ({ text }) => JSON.parse(text) as Record<string, unknown>,
      ),
    sent: async (name = "scripted") => parseNotes(await store.readSent(name)),
  };
}

/** Reports until the log holds this many events of the keys, one after another: a task each. Returns the seqs by key. */
export function reportOn(tracker: ProgressTracker, tasks: readonly string[], rounds: number): Map<string, number[]> {
  const seqs = new Map<string, number[]>(tasks.map((task) => [task, []]));
  for (const task of tasks) {
    if (!tracker.progress.tasks.has(task)) tracker.addTask(task, task);
    seqs.get(task)?.push(tracker.progress.seq);
  }
  for (let round = 0; round < rounds; round++)
    for (const task of tasks) seqs.get(task)?.push(tracker.appendLog(task, `round ${round}`).seq);
  return seqs;
}

/** Waits until something holds that another part of the process brings about. */
export async function until(holds: () => boolean | Promise<boolean>, what = String(holds)): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`this did not come about: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Completes an upgrade of which its notifier was told nothing yet: it is told of both ends. */
export async function expectRestTold(storagePath: string, name: string): Promise<void> {
  const well = scriptedNotifier(name);
  const tracker = new ProgressTracker({ ...IDS, storagePath, notifiers: [well] });
  tracker.completeUpgrade();
  await tracker.close();
  const types = well.calls.flatMap(({ events }) => events.map(({ type }) => type));
  expect(types).toEqual(["upgrade.started", "upgrade.completed"]);
}
