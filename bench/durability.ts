/** What durability and opening cost. */

import { closeSync, fdatasync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { ProgressTracker } from "milepost";

import { inTurns, ratio, row, spread, title, type Timed } from "./measure.ts";
import { temporaryFolder, trackerWith, update } from "./subjects.ts";

const syncData = promisify(fdatasync);

export async function groupCommit(): Promise<void> {
  title("flush() with 100 events waiting against one fdatasync per event");
  const tracker = trackerWith(10);
  const line = Buffer.alloc(300, "x");
  const fd = openSync(join(temporaryFolder(), "each"), "w");
  let position = 0;
  const each: Timed = (count) => {
    const start = process.hrtime.bigint();
    for (let index = 0; index < count; index++) {
      position += writeSync(fd, line, 0, line.length, position);
      fdatasyncSync(fd);
    }
    return Number(process.hrtime.bigint() - start);
  };
  const grouped: Timed = async (count) => {
    const start = process.hrtime.bigint();
    for (let done = 0; done < count; done += 100) {
      const waiting: Promise<void>[] = [];
      for (let index = 0; index < 100; index++) {
        update(tracker, 10, done + index);
        waiting.push(tracker.flush());
      }
      await Promise.all(waiting);
    }
    return Number(process.hrtime.bigint() - start);
  };
  const series = await inTurns({ each, grouped }, { rounds: 9, count: 1000 });
  row("one fdatasync per event, µs per event", spread(series.each, 1000));
  row("flush() with 100 waiting, µs per event", spread(series.grouped, 1000));
  row("one by one / together", spread(ratio(series.each, series.grouped)), "reach 15");
  await syncData(fd);
  closeSync(fd);
  await tracker.close();
}

export async function opening(): Promise<void> {
  title("Opening an upgrade of 100,000 events");
  const folder = temporaryFolder();
  const tracker = trackerWith(1000, folder);
  for (let index = tracker.progress.seq; index < 100_000; index++) update(tracker, 1000, index);
  await tracker.flush();
  const state = tracker.progress;
  await tracker.close();
  const { rmSync } = await import("node:fs");
  const snapshot = join(folder, "upgrades", "bench-1000", "snapshot.json");
  const open = (): ProgressTracker =>
    new ProgressTracker({ upgradeId: "bench-1000", planId: "plan", clusterName: "cluster", storagePath: folder });
  const timed = async (prepare: (tracker: ProgressTracker) => Promise<unknown>): Promise<number> => {
    const before = open();
    await prepare(before);
    await before.close();
    const start = process.hrtime.bigint();
    const opened = open();
    const spent = Number(process.hrtime.bigint() - start);
    if (opened.progress.tasks.size !== state.tasks.size) throw new Error("the opened state is another one");
    await opened.close();
    return spent;
  };
  const series = await inTurns(
    {
      without: () => timed(async () => rmSync(snapshot, { force: true })),
      with: () => timed((opened) => opened.storage.saveProgress(opened.progress)),
    },
    { rounds: 5, count: 1 },
  );
  row("without a snapshot, ms", spread(series.without, 1e6), "under 800");
  row("with a snapshot, ms", spread(series.with, 1e6), "under 200");
}
