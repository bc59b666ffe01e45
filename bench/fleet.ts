/** What it costs a server to know of ten thousand upgrades, and how soon it tells of what other processes write. */

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

import { ProgressTracker } from "milepost";

import { realFileSystem } from "../src/storage/files.ts";
import { jsonLines } from "../src/storage/json-lines.ts";
import type { Storage } from "../src/storage/storage.ts";
import type { Followed, Opened } from "./fleet/served.ts";
import { row, spread, title } from "./measure.ts";
import { temporaryFolder } from "./subjects.ts";

const FINISHED = 10_000;
const RUNNING = 100;
const SECONDS = 10;

interface Said {
  readonly opened?: Opened;
  readonly idle?: Followed;
  readonly busy?: Followed;
  readonly told?: { readonly upgradeId: string; readonly cursor: string; readonly atMs: number };
}

export async function fleet(): Promise<void> {
  title(
    `A server of ${FINISHED.toLocaleString("en")} finished and ${RUNNING} running upgrades, in a process of its own`,
  );
  const path = temporaryFolder();
  await makeFinished(path);
  const running = makeRunning(jsonLines({ path }));
  const server = fork(new URL("fleet/served.ts", import.meta.url), [path, String(SECONDS)], {
    execArgv: ["--conditions=milepost-source"],
  });
  const { opened } = await next(server, "opened");
  row("opening them, ms (of these, on the processor)", `${opened.openMs.toFixed(0)} (${opened.openCpuMs.toFixed(0)})`);
  row("longest stop of the event loop while opening, ms", opened.loopMaxMs.toFixed(1), "about 50");
  row("resident memory that it takes, MB", opened.rssMb.toFixed(1));
  row("open descriptors afterwards", String(opened.descriptors), `${RUNNING} logs are followed`);
  const { idle } = await next(server, "idle");
  row("nothing happens: processor time, ms per second", idle.cpuMsPerSecond.toFixed(1), "under 50");
  row("nothing happens: longest stop of the event loop, ms", idle.loopMaxMs.toFixed(1));
  const latencies = await report(server, running);
  row(`${RUNNING} x 2 events per second: told after, ms`, spread(latencies), "under 100");
  const sorted = latencies.toSorted((a, b) => a - b);
  row("99 of 100 told within, ms", (sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN).toFixed(1), "under 100");
  server.send("end");
  await once(server, "exit");
  await Promise.all(running.map((tracker) => tracker.close()));
}

/** Ten events each, as a short upgrade has; without waiting for the disk, which is not what is measured. */
async function makeFinished(path: string): Promise<void> {
  const fdatasync = ((_fd: number, done: (error: null) => void) => done(null)) as typeof realFileSystem.fdatasync;
  const fs = { ...realFileSystem, fsyncSync: () => undefined, fdatasync };
  const storage = jsonLines({ path, fs });
  for (let n = 0; n < FINISHED; n++) {
    const tracker = new ProgressTracker({
      upgradeId: `finished-${n}`,
      planId: "p",
      clusterName: `c${n % 50}`,
      storage,
    });
    tracker.startUpgrade("Drain");
    tracker.addTask("drain", "Drain nodes");
    tracker.startTask("drain");
    for (let percent = 20; percent <= 80; percent += 20) tracker.updateTaskProgress("drain", percent);
    tracker.completeTask("drain");
    tracker.completeUpgrade();
    await tracker.close();
  }
}

function makeRunning(storage: Storage): readonly ProgressTracker[] {
  return Array.from({ length: RUNNING }, (_, n) => {
    const tracker = new ProgressTracker({ upgradeId: `running-${n}`, planId: "p", clusterName: `c${n % 50}`, storage });
    tracker.startUpgrade("Drain");
    tracker.addTask("drain", "Drain nodes");
    return tracker;
  });
}

/** Reports into all that run; how long it took until each report was told, ms. */
async function report(server: ChildProcess, running: readonly ProgressTracker[]): Promise<readonly number[]> {
  const writtenMs = new Map<string, number>();
  const latencies: number[] = [];
  server.on("message", ({ told }: Said) => {
    const atMs = writtenMs.get(told?.cursor ?? "");
    if (told !== undefined && atMs !== undefined) latencies.push(told.atMs - atMs);
  });
  const end = performance.now() + SECONDS * 1000;
  for (let n = 0; performance.now() < end; n++) {
    const tracker = running[n % RUNNING] as ProgressTracker;
    const atMs = performance.timeOrigin + performance.now();
    writtenMs.set(tracker.updateTaskProgress("drain", n % 100).cursor, atMs);
    await pause(500 / RUNNING);
  }
  await pause(1_000);
  return latencies;
}

async function next<K extends "opened" | "idle">(server: ChildProcess, kind: K): Promise<Required<Pick<Said, K>>> {
  for (;;) {
    const [said] = (await once(server, "message")) as [Said];
    if (said[kind] !== undefined) return said as Required<Pick<Said, K>>;
  }
}
