import { describe, expect, it } from "vitest";

import { isMilepostError } from "../../src/errors.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { check_G1, check_G2, check_G7, check_G9 } from "../faults/checks.ts";
import { FaultFs } from "../faults/fault-fs.ts";
import { eventsOnDisk } from "../faults/stored.ts";
import { manualClock } from "../manual-clock.ts";
import { tempFolder } from "../temp-folder.ts";

const ID = "upgrade-123";
const LIMIT = 50;

/** A tracker on a disk that has just become full, with two running tasks. */
function degraded() {
  const path = tempFolder();
  const faults = new FaultFs();
  const clock = manualClock();
  const tracker = new ProgressTracker({
    upgradeId: ID,
    planId: "plan-456",
    clusterName: "my-cluster",
    storage: jsonLines({ path, fs: faults.fs }),
    clock,
    syncIntervalMs: 60_000,
    maxQueuedEvents: LIMIT,
  });
  const accepted: ProgressEvent[] = [];
  tracker.addEventCallback((event) => void accepted.push(event));
  tracker.startUpgrade();
  for (const id of ["a", "b"]) {
    tracker.addTask(id, `Task ${id}`);
    tracker.startTask(id);
  }
  faults.fail({ call: "write", nth: 1, error: "ENOSPC", isForEver: true });
  return { path, faults, clock, tracker, accepted };
}

/** Reports until the queue has reached its limit. */
function fill(tracker: ProgressTracker): void {
  for (let count = 0; count < LIMIT; count++) tracker.updateTaskProgress("a", count / LIMIT);
}

describe("a storage that takes no writes", () => {
  it("[L12] [H3] is said by health and by flush, while every event goes on to callbacks", async () => {
    const { tracker, faults, accepted } = degraded();
    const event = tracker.updateTaskProgress("a", 10);
    expect(accepted).toContain(event);
    expect(tracker.progress.health?.state).toBe("degraded");
    const error = await tracker.flush().catch((thrown: unknown) => thrown);
    expect(isMilepostError(error, "STORAGE_DEGRADED")).toBe(true);
    faults.heal();
    await tracker.flush();
    expect(tracker.progress.health?.state).toBe("progressing");
    await tracker.close();
  });

  it("[L12] puts what tells of the trouble behind the event that met it", async () => {
    const { tracker, faults, accepted, path } = degraded();
    const first = tracker.updateTaskProgress("a", 10);
    const types = accepted.slice(-2).map(({ type }) => type);
    expect(types).toEqual(["task.progressed", "health.changed"]);
    faults.heal();
    await tracker.flush();
    expect(check_G1([first], eventsOnDisk(path, ID))).toEqual([]);
    await tracker.close();
  });

  it("[L13] merges progress and log lines per task at the limit, which then have no seq", async () => {
    const { tracker, faults, path } = degraded();
    fill(tracker);
    const before = tracker.progress.seq;
    for (let count = 0; count < 20_000; count++) {
      const event = tracker.updateTaskProgress(count % 2 === 0 ? "a" : "b", (count % 1_000) / 10);
      expect(event.seq).toBeUndefined();
    }
    for (let count = 0; count < 1_000; count++) tracker.appendLog("b", `line ${count}\n`);
    expect(tracker.progress.seq).toBe(before);
    faults.heal();
    await tracker.flush();
    const stored = eventsOnDisk(path, ID);
    // One report and one piece of log for each task, not twenty thousand.
    expect(stored.length - before).toBeLessThan(10);
    expect(tracker.progress.tasks.get("a")?.percentage).toBe(99.8);
    expect(tracker.progress.tasks.get("b")?.percentage).toBe(99.9);
    const text = stored.flatMap((event) => (event.type === "log.appended" ? [event.text] : [])).join("");
    expect(text).toContain("line 0\n");
    expect(text).toContain("line 999\n");
    expect([...check_G2(stored), ...check_G9(tracker.progress, stored)]).toEqual([]);
    await tracker.close();
  });

  it("[L13] keeps the end of a log text that grows beyond its limit, and says that lines were dropped", async () => {
    const { tracker, faults, path } = degraded();
    fill(tracker);
    for (let count = 0; count < 5_000; count++) tracker.appendLog("b", `line ${count} of much output\n`);
    faults.heal();
    await tracker.flush();
    const texts = eventsOnDisk(path, ID).flatMap((event) => (event.type === "log.appended" ? [event.text] : []));
    expect(texts).toHaveLength(1);
    expect(texts[0]?.length).toBeLessThanOrEqual(65_536);
    expect(texts[0]).toContain("dropped");
    expect(texts[0]?.endsWith("line 4999 of much output\n")).toBe(true);
    await tracker.close();
  });

  it("[L13] queues every state change, also beyond the limit, each after what its task had reported", async () => {
    const { tracker, faults, path, accepted } = degraded();
    fill(tracker);
    tracker.updateTaskProgress("a", 77);
    tracker.updateTaskProgress("b", 33);
    const ended = tracker.completeTask("a");
    expect(ended.seq).toBeGreaterThan(0);
    for (let count = 0; count < 3 * LIMIT; count++) {
      tracker.addTask(`more-${count}`, "More");
      tracker.startTask(`more-${count}`);
      tracker.failTask(`more-${count}`, "refused");
    }
    tracker.failTask("b", "evicted");
    faults.heal();
    await tracker.flush();
    const stored = eventsOnDisk(path, ID);
    expect(stored.filter(({ type }) => type === "task.failed")).toHaveLength(3 * LIMIT + 1);
    const ofA = stored.filter((event) => "taskId" in event && event.taskId === "a");
    expect(ofA.at(-1)?.id).toBe(ended.id);
    expect(ofA.at(-2)).toMatchObject({ type: "task.progressed", percentage: 77 });
    const ofB = stored.filter((event) => "taskId" in event && event.taskId === "b");
    expect(ofB.slice(-2)).toMatchObject([{ type: "task.progressed", percentage: 33 }, { type: "task.failed" }]);
    expect([...check_G1(accepted, stored), ...check_G2(stored), ...check_G9(tracker.progress, stored)]).toEqual([]);
    await tracker.close();
  });

  it("[L13] is tried again by commands and by itself, without a restart", async () => {
    const { tracker, faults, clock, path } = degraded();
    tracker.updateTaskProgress("a", 10);
    faults.heal();
    clock.pass(1_000);
    const event = tracker.updateTaskProgress("a", 20);
    expect(check_G1([event], eventsOnDisk(path, ID))).toEqual([]);
    await tracker.close();
  });

  it("[K6] [L12] gives the lock back when it is closed, and says what could not be stored", async () => {
    const { tracker, faults, path } = degraded();
    tracker.updateTaskProgress("a", 10);
    const error = await tracker.close().catch((thrown: unknown) => thrown);
    expect(isMilepostError(error, "STORAGE_DEGRADED")).toBe(true);
    faults.heal();
    const ids = { upgradeId: ID, planId: "plan-456", clusterName: "my-cluster" };
    const next = new ProgressTracker({ ...ids, storagePath: path });
    expect(next.progress.tasks.get("a")?.percentage).toBe(0);
    await next.close();
  });
});

describe("a clock that jumps", () => {
  it("[E6] changes no order and no duration, and sets off no timer (M10)", async () => {
    const { tracker, faults, clock, path } = degraded();
    faults.heal();
    for (const jump of [-3_600_000, 7_200_000, -86_400_000, 3_600_000]) {
      clock.jump(jump);
      clock.pass(50);
      tracker.updateTaskProgress("a", Math.abs(jump % 97));
      tracker.startTask("b");
    }
    const before = [tracker.progress.seq, faults.counts.fdatasync];
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([tracker.progress.seq, faults.counts.fdatasync]).toEqual(before);
    tracker.completeTask("a");
    const stored = eventsOnDisk(path, ID);
    expect([...check_G2(stored), ...check_G7(stored, 1_000)]).toEqual([]);
    await tracker.close();
  });
});

describe("a request that comes again", () => {
  it("[D2] takes effect once while its event waits for the storage", async () => {
    const { tracker, path, faults } = degraded();
    const command = { type: "appendLog", taskId: "a", text: "once", request: "0123456789abcdef.0123456789abcdef.0" };
    const events = [1, 2, 3].map(() => tracker.execute(command));
    expect(new Set(events.map(({ id }) => id)).size).toBe(1);
    faults.heal();
    await tracker.close();
    expect(eventsOnDisk(path, ID).filter(({ type }) => type === "log.appended")).toHaveLength(1);
  });
});
