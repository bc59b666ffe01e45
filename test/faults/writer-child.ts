/**
 * A program that reports into one upgrade from its top, as an agent that was killed does, and says after each command what it
 * was acknowledged: one line per event on standard output, `ack <seq> <crc of the id>`, `durable <seq>` after a flush.
 *
 * `node writer-child.ts <path> <upgrade> <tasks> [mode]`; modes: `flush` (a flush after each task), `snapshots` (one after
 * each few tasks), `runs` (completes the upgrade and starts the next run, over and over).
 */

import { writeSync } from "node:fs";
import { crc32 } from "node:zlib";

import type { ProgressEvent } from "../../src/model/event.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";

const [path = "", upgradeId = "", tasks = "0", mode = "plain"] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);

const tracker = new ProgressTracker({ upgradeId, planId: "plan-456", clusterName: "my-cluster", storagePath: path });
let lastSeq = tracker.progress.seq;

/** Everything new that the command has appended, its own opening included, is acknowledged once it has returned. */
const done = (event: ProgressEvent): ProgressEvent => {
  const run = tracker.progress.run;
  if (event.seq > lastSeq || lastSeq > tracker.progress.seq) say(`ack ${run} ${event.seq} ${crc32(event.id)}`);
  lastSeq = tracker.progress.seq;
  return event;
};

async function work(task: number): Promise<void> {
  const id = `task-${task}`;
  tracker.addTask(id, `Node ${task}`);
  if (tracker.progress.tasks.get(id)?.status === "completed") return;
  done(tracker.startTask(id));
  for (let percent = 25; percent < 100; percent += 25) done(tracker.updateTaskProgress(id, percent, "draining"));
  done(tracker.completeTask(id));
  if (mode === "flush") {
    await tracker.flush();
    say(`durable ${tracker.progress.run} ${tracker.progress.seq}`);
  }
  if (mode === "snapshots" && task % 5 === 0) await tracker.storage.saveProgress(tracker.progress);
  // The event loop turns now and then, as it does in a program that waits for a cloud.
  if (task % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
}

say("ready");
do {
  if (mode === "runs" && tracker.progress.status === "completed") say(`finished ${tracker.progress.run}`);
  tracker.startUpgrade("Nodes");
  for (let task = 1; task <= Number(tasks); task++) await work(task);
  if (mode === "runs") done(tracker.completeUpgrade());
} while (mode === "runs");
await tracker.close();
say("closed");
