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
    tracker.addTask(taskId(index), `Drain node ${index}`);
    tracker.startTask(taskId(index));
  }
  let seen = 0;
  for (let index = 0; index < 3; index++) tracker.addEventCallback((event) => (seen += event.seq & 1));
  return tracker;
}

const ids: string[] = [];

/** A task's id, made once: an agent has its own, and making it is no part of a command. */
function taskId(index: number): string {
  while (ids.length <= index) ids.push(`task-${ids.length}`);
  return ids[index] as string;
}

const MESSAGE = "Pods are being evicted, half of them are gone";
const DETAILS = { nodes: 3 };

/** One update as an agent reports it; the tasks take turns in a scattered order. */
export function update(tracker: ProgressTracker, tasks: number, index: number): void {
  tracker.updateTaskProgress(taskId((index * 7919) % tasks), index % 100, MESSAGE, DETAILS);
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

/**
 * What the first implementation of this design wrote at each update: the whole state, indented, in place. A task held all its
 * events, so the file grew with every update; here it stands where each task has had `events` of them.
 */
export function firstImplementation(tasks: number, events: number): (index: number) => void {
  const path = join(temporaryFolder(), "earlier.json");
  const at = new Date().toISOString().replace("T", " ");
  const event = (task: number, percentage: number) => ({
    event_id: crypto.randomUUID(),
    timestamp: at,
    task_id: `task-${task}`,
    task_type: "upgrade_step",
    status: "in_progress",
    message: MESSAGE,
    details: DETAILS,
    percentage,
  });
  const all = Array.from({ length: tasks }, (_, task) => ({
    task_id: `task-${task}`,
    task_name: `Drain node ${task}`,
    task_type: "upgrade_step",
    parent_task_id: null,
    status: "in_progress",
    started_at: at,
    completed_at: null,
    duration: null,
    percentage: 0,
    current_step: null,
    total_steps: null,
    completed_steps: 0,
    error_message: null,
    retry_count: 0,
    events: Array.from({ length: events }, (_, step) => event(task, step)),
  }));
  const state = {
    upgrade_id: `bench-${tasks}`,
    plan_id: "plan",
    cluster_name: "cluster",
    status: "in_progress",
    started_at: at,
    completed_at: null,
    duration: null,
    overall_percentage: 0,
    current_phase: "Bench",
    tasks: Object.fromEntries(all.map((task) => [task.task_id, task])),
    metadata: {},
  };
  return (index) => {
    const number = (index * 7919) % tasks;
    const task = all[number];
    if (task === undefined) return;
    task.percentage = index % 100;
    task.events[index % events] = event(number, task.percentage);
    writeFileSync(path, JSON.stringify(state, null, 2));
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
