/** Upgrades in a real storage, made through the public API. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ProgressTracker } from "../../src/progress-tracker.ts";

export interface RecordOptions {
  readonly storagePath: string;
  readonly upgradeId?: string;
  readonly clusterName?: string;
}

export function openTracker({
  storagePath,
  upgradeId = "upgrade-123",
  clusterName = "my-cluster",
}: RecordOptions): ProgressTracker {
  return new ProgressTracker({ upgradeId, planId: "plan-456", clusterName, storagePath });
}

/** A running upgrade: one task done, a group at work with a node that waits. The tracker is open. */
export function running(options: RecordOptions): ProgressTracker {
  const tracker = openTracker(options);
  tracker.startUpgrade("Control plane");
  tracker.addTask("plane", "Control plane");
  tracker.addTask("group", "Node group", undefined, { unit: "nodes" });
  for (const id of ["n1", "n2", "n3"]) tracker.addTask(id, `Node ${id}`, undefined, { parentTaskId: "group" });
  tracker.startTask("plane");
  tracker.completeTask("plane");
  tracker.setCurrentPhase("Nodes");
  tracker.startTask("group");
  tracker.updateTaskProgress("n1", 40, "evicting");
  tracker.startTask("n2");
  tracker.setWaitingOn("n2", { kind: "PodDisruptionBudget", name: "shop/checkout", remedy: "scale checkout" });
  return tracker;
}

/** An upgrade that ended. */
export async function ended(
  options: RecordOptions,
  how: "completed" | "failed" | "cancelled" = "completed",
): Promise<void> {
  const tracker = openTracker(options);
  tracker.startUpgrade("Control plane");
  tracker.addTask("plane", "Control plane");
  tracker.startTask("plane", "update accepted");
  if (how === "completed") tracker.completeTask("plane");
  else if (how === "failed") tracker.failTask("plane", "no capacity");
  if (how === "completed") tracker.completeUpgrade();
  else if (how === "failed") tracker.failUpgrade("the control plane failed");
  else tracker.cancelUpgrade("not today");
  await tracker.close();
}

/** The journal of an upgrade that was opened for writing once. */
export const journalOf = (storagePath: string, upgradeId = "upgrade-123"): string =>
  join(storagePath, "upgrades", upgradeId, "journal", "1.jsonl");

/** Changes one bit in the line of event 3. */
export function damage(
  storagePath: string,
  upgradeId = "upgrade-123",
): { readonly file: string; readonly offset: number } {
  const file = journalOf(storagePath, upgradeId);
  const bytes = readFileSync(file);
  const offset = bytes.indexOf('{"seq":3,');
  bytes[offset + 30] = (bytes[offset + 30] as number) ^ 1;
  writeFileSync(file, bytes);
  return { file, offset };
}
