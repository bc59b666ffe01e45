/** What is measured, and what it is compared with. */

import { closeSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ProgressTracker } from "milepost";

const folders: string[] = [];

/** A folder that goes with the process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "milepost-bench-"));
  folders.push(folder);
  return folder;
}

process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/**
 * A tracker with `tasks` running tasks and three callbacks, on the default storage. It does not sync in the background: what it is
 * compared with does not sync at all, and a sync under way slows every write to the same file.
 */
export function trackerWith(tasks: number, folder = temporaryFolder()): ProgressTracker {
  const tracker = new ProgressTracker({
    upgradeId: `bench-${tasks}`,
    planId: "plan",
    clusterName: "cluster",
    storagePath: folder,
    syncIntervalMs: 3_600_000,
  });
  tracker.startUpgrade("Bench");
  for (let index = 0; index < tasks; index++) {
    tracker.addTask(`task-${index}`, `Drain node ${index}`);
    tracker.startTask(`task-${index}`);
  }
  let seen = 0;
  for (let index = 0; index < 3; index++) tracker.addEventCallback((event) => (seen += event.seq & 1));
  return tracker;
}

/** One update as an agent reports it; the tasks take turns in a scattered order. */
export function update(tracker: ProgressTracker, tasks: number, index: number): void {
  tracker.updateTaskProgress(
    `task-${(index * 7919) % tasks}`,
    index % 100,
    "Pods are being evicted, half of them are gone",
    { nodes: 3 },
  );
}

/** The whole state rewritten as JSON at each update: in place, where a kill tears it, or beside and renamed, where it does not. */
export function rewriter(tracker: ProgressTracker, how: "in place" | "kill-safe"): (index: number) => void {
  const path = join(temporaryFolder(), "state.json");
  const state = JSON.parse(JSON.stringify(tracker.progress)) as { tasks: { percentage: number }[] };
  return (index) => {
    const task = state.tasks[(index * 7919) % state.tasks.length];
    if (task !== undefined) task.percentage = index % 100;
    const text = JSON.stringify(state, null, 2);
    if (how === "in place") return writeFileSync(path, text);
    writeFileSync(`${path}.tmp`, text);
    renameSync(`${path}.tmp`, path);
  };
}

/** Bare `fs.writeSync` of ready bytes, one after the other into one file. */
export function bareWriter(bytes: Uint8Array): (index: number) => void {
  const fd = openSync(join(temporaryFolder(), "bare"), "w");
  process.on("exit", () => closeSync(fd));
  let position = 0;
  return () => {
    position += writeSync(fd, bytes, 0, bytes.length, position);
  };
}
