/**
 * A program that reports into one upgrade from its top, as an agent that was killed does, and says after each command what it
 * was acknowledged: one line per event on standard output, `ack <seq> <crc of the id>`, `durable <seq>` after a flush.
 *
 * `node writer-child.ts <path> <upgrade> <tasks> [mode]`; modes: `flush` (a flush after each task), `snapshots` (one after
 * each few tasks), `runs` (completes the upgrade and starts the next run, over and over), `lying` (as `flush`, on a file
 * system whose syncs do nothing).
 */

import { writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { crc32 } from "node:zlib";

import type { ProgressEvent } from "../../src/model/event.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { realFileSystem, type FileSystem } from "../../src/storage/files.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";

/** What the program does beside reporting. */
export type WriterMode = "plain" | "flush" | "snapshots" | "runs" | "lying";

const [path = "", upgradeId = "", tasks = "0", mode = "plain"] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);

/** Says that it has synced. */
const lying: FileSystem = {
  ...realFileSystem,
  fsyncSync: () => undefined,
  fdatasync: ((_fd: number, done: (error: null) => void) => void setImmediate(done, null)) as FileSystem["fdatasync"],
};

const tracker = new ProgressTracker({
  upgradeId,
  planId: "plan-456",
  clusterName: "my-cluster",
  storage: jsonLines(mode === "lying" ? { path, fs: lying } : { path }),
});
const unsaid: string[] = [];
tracker.addEventCallback(
  ({ seq, id }: ProgressEvent) => void unsaid.push(`ack ${tracker.progress.run} ${seq} ${crc32(id)}`),
);

/** The command has returned: what it appended, its own opening included, is acknowledged. */
function done(): void {
  if (unsaid.length > 0) say(unsaid.splice(0).join("\n"));
}

async function work(task: number): Promise<void> {
  const id = `task-${task}`;
  // An agent that begins at its top repeats everything; a sample of it keeps the rounds short.
  if (tracker.progress.tasks.get(id)?.status === "completed" && task % 50 > 0) return;
  tracker.addTask(id, `Node ${task}`);
  done();
  if (tracker.progress.tasks.get(id)?.status === "completed") return;
  tracker.startTask(id);
  done();
  for (let percent = 25; percent < 100; percent += 25) {
    tracker.updateTaskProgress(id, percent, "draining");
    done();
  }
  tracker.completeTask(id);
  done();
  if (mode === "flush" || mode === "lying") {
    const { run, seq } = tracker.progress;
    await tracker.flush();
    say(`durable ${run} ${seq}`);
  }
  if (mode === "snapshots" && task % 5 === 0) await tracker.storage.saveProgress(tracker.progress);
  // The event loop turns now and then, as it does in a program that waits for a cloud.
  await new Promise((resolve) => (task % 5 === 0 ? setTimeout(resolve, 1) : setImmediate(resolve)));
}

// It will be killed: what a process keeps for the next one it writes only at its end.
flushCompileCache();
say("ready");
do {
  tracker.startUpgrade("Nodes");
  done();
  for (let task = 1; task <= Number(tasks); task++) await work(task);
  if (mode === "runs") tracker.completeUpgrade();
  done();
} while (mode === "runs");
await tracker.close();
say("closed");
