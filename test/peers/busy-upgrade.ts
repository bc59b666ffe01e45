/** An upgrade that goes on while others look at it, written by this process into the storage of a server. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { ProgressTracker, type ProgressTrackerOptions } from "milepost";
import { onTestFinished } from "vitest";

export const UPGRADE_ID = "eks-1-31";
export const CHANNEL = `upgrade:${UPGRADE_ID}`;

export interface BusyUpgrade {
  readonly tracker: ProgressTracker;
  /** Reports so many events, some every few milliseconds, as an upgrade does. */
  report(events: number): Promise<void>;
  /** Ends the upgrade; what is in the log then is all there is. */
  complete(): Promise<void>;
  /** The log as it is stored: one line of JSON for each event. */
  lines(): readonly string[];
}

const PAUSE_MS = 4;
/** Long enough for each of the ways in which RFC 6455 writes a length, but the longest. */
const LONG_TEXT = "é🚀 ".repeat(60);

/** Begun, with one task. */
export function busyUpgrade(storagePath: string, options: Partial<ProgressTrackerOptions> = {}): BusyUpgrade {
  const identity = { upgradeId: UPGRADE_ID, planId: "plan", clusterName: "prod" };
  const tracker = new ProgressTracker({ ...identity, storagePath, ...options });
  onTestFinished(() => tracker.close());
  tracker.startUpgrade("Node groups");
  tracker.addTask("drain", "Drain");
  tracker.startTask("drain");
  return {
    tracker,
    report: async (events) => {
      for (let done = 0; done < events; done++) {
        if (done % 10 === 0) tracker.appendLog("drain", `${done} ${LONG_TEXT}`);
        else tracker.updateTaskProgress("drain", (done % 100) + 0.5, `step ${done}`);
        await wait(PAUSE_MS);
      }
    },
    complete: async () => {
      tracker.completeTask("drain");
      tracker.completeUpgrade();
      await tracker.flush();
    },
    lines: () => storedLines(storagePath),
  };
}

function storedLines(storagePath: string): readonly string[] {
  const folder = join(storagePath, "upgrades", UPGRADE_ID, "journal");
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).sort((a, b) => Number.parseInt(a) - Number.parseInt(b));
  const lines = files.flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n"));
  return lines.filter((line) => line.startsWith('{"seq":'));
}
