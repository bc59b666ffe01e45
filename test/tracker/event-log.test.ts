import { describe, expect, it } from "vitest";

import { memory, ProgressTracker, type ProgressEvent } from "../../src/index.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { realFileSystem, type FileSystem } from "../../src/storage/files.ts";
import { storedEvents } from "../faults/stored.ts";
import { tempFolder } from "../temp-folder.ts";

const IDS = { upgradeId: "upgrade-123", planId: "plan-456", clusterName: "my-cluster" };
/** More than the log keeps of its newest events. */
const MANY = 300;

/** A file system on which a journal can be written and, from a moment on, not be read. */
function unreadable(): { fs: FileSystem; close: () => void; open: () => void } {
  let isClosed = false;
  const fs: FileSystem = {
    ...realFileSystem,
    readSync: ((...args: Parameters<FileSystem["readSync"]>) => {
      if (isClosed) throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", errno: -5 });
      return realFileSystem.readSync(...args);
    }) as FileSystem["readSync"],
  };
  return { fs, close: () => void (isClosed = true), open: () => void (isClosed = false) };
}

describe("the answer to a repeated command", () => {
  it("[T2] is the event that made it so, the newest without a look at the disk, older ones read from it", async () => {
    const { fs, close, open } = unreadable();
    const tracker = new ProgressTracker({ ...IDS, storage: jsonLines({ path: tempFolder(), fs }) });
    const begun = tracker.startUpgrade();
    tracker.addTask("t", "Task");
    const started = tracker.startTask("t");
    for (let step = 0; step < MANY; step++) tracker.updateTaskProgress("t", step / 10);
    expect(tracker.startUpgrade()).toEqual(begun);
    const completed = tracker.completeTask("t");
    close();
    expect(tracker.completeTask("t")).toBe(completed);
    // A disk that cannot be read throws into no command: what happened is known by its seq.
    expect(tracker.startUpgrade()).toMatchObject({ seq: begun.seq, type: "event.unread", upgradeId: "upgrade-123" });
    expect(started.seq).toBeGreaterThan(begun.seq);
    open();
    await tracker.close();
  });

  it("[T2] is the right one at each place of the newest events, before and after they come round again", async () => {
    const tracker = new ProgressTracker({ ...IDS, storage: memory() });
    tracker.startUpgrade();
    const completed: ProgressEvent[] = [];
    for (let task = 0; task < MANY; task++) {
      tracker.addTask(`t${task}`, "Task");
      tracker.startTask(`t${task}`);
      completed.push(tracker.completeTask(`t${task}`));
    }
    for (const [task, event] of completed.entries()) expect(tracker.completeTask(`t${task}`)).toEqual(event);
    await tracker.close();
  });

  it("[U3] is never an event of the run before", async () => {
    const storage = memory();
    const tracker = new ProgressTracker({ ...IDS, storage });
    tracker.startUpgrade("One");
    tracker.completeUpgrade();
    const second = tracker.startUpgrade("Two");
    const again = tracker.startUpgrade("Two");
    expect(again).toBe(second);
    tracker.setCurrentPhase("Three");
    const ended = tracker.completeUpgrade();
    expect(tracker.completeUpgrade()).toBe(ended);
    expect(storedEvents(storage, IDS.upgradeId).find(({ seq }) => seq === ended.seq)?.id).toBe(ended.id);
    await tracker.close();
  });
});
