/** Trackers for the tests of the 32 defects. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { memory, ProgressTracker, type ProgressTrackerOptions } from "milepost";
import { expect, onTestFinished } from "vitest";

const IDS = { upgradeId: "upgrade-123", planId: "plan-456", clusterName: "my-cluster" };

/** Matches an error of this code. */
export const code = (value: string): unknown => expect.objectContaining({ code: value });

/** A tracker that is closed with the test; over a memory storage unless a path is given. */
export function make(options: Partial<ProgressTrackerOptions> = {}): ProgressTracker {
  const storage = options.storagePath === undefined && { storage: memory() };
  const tracker = new ProgressTracker({ ...IDS, ...storage, ...options });
  onTestFinished(() => tracker.close());
  return tracker;
}

/** One with a started upgrade and a started task "t". */
export function running(options?: Partial<ProgressTrackerOptions>): ProgressTracker {
  const tracker = make(options);
  tracker.startUpgrade("Nodes");
  tracker.addTask("t", "Task");
  tracker.startTask("t");
  return tracker;
}

/** The newest journal file of the only upgrade in a storage folder. */
export function journalOf(storagePath: string): string {
  const folder = join(storagePath, "upgrades", readdirSync(join(storagePath, "upgrades"))[0] as string, "journal");
  return join(folder, readdirSync(folder).sort().at(-1) as string);
}
