import {
  canonicalJson,
  jsonLines,
  memory,
  ProgressTracker,
  readUpgrade,
  type ProgressTrackerOptions,
  type Storage,
} from "milepost";
import { describe, expect, it, onTestFinished } from "vitest";
import { taskDurationMs } from "../../src/model/task.ts";
import { manualClock } from "../manual-clock.ts";
import { tempFolder } from "../temp-folder.ts";

const STORAGES: Readonly<Record<string, () => Storage>> = {
  memory: () => memory(),
  jsonLines: () => jsonLines({ path: tempFolder() }),
};

describe.each(Object.entries(STORAGES))("over %s", (_name, create) => {
  const opening = () => {
    const storage = create();
    return (options: Partial<ProgressTrackerOptions> = {}) => {
      const tracker = new ProgressTracker({ upgradeId: "u", planId: "plan", clusterName: "prod", storage, ...options });
      onTestFinished(() => tracker.close());
      return Object.assign(tracker, { at: storage });
    };
  };

  it("[U3] a finished upgrade that is started again begins its next run, and the finished one stays readable", async () => {
    const open = opening();
    const first = open();
    first.startUpgrade("One");
    first.addTask("t", "Task");
    first.completeTask(first.startTask("t").taskId as string);
    first.completeUpgrade();
    const finished = canonicalJson({ ...first.progress, openTerm: null });
    const { seq } = first.progress;
    expect(first.startUpgrade("Two")).toMatchObject({ type: "upgrade.started", seq: 2, phase: "Two" });
    expect(first.progress).toMatchObject({ run: 2, status: "in_progress", currentPhase: "Two", overallPercentage: 0 });
    expect(first.progress.tasks.size).toBe(0);
    first.failUpgrade("broke");
    await first.close();
    const third = open();
    third.startUpgrade("Three");
    expect(third.progress.run).toBe(3);
    const run = async (ref: string) => (await readUpgrade(third.at, ref)).state;
    expect(await run("u@1")).toMatchObject({ run: 1, seq, status: "completed", currentPhase: "One" });
    expect(canonicalJson({ ...(await run("u@1")), openTerm: null })).toBe(finished);
    expect(await run("u@2")).toMatchObject({ run: 2, status: "failed", errorMessage: "broke" });
    expect(await run("u")).toMatchObject({ run: 3, currentPhase: "Three" });
    await expect(run("u@3")).rejects.toMatchObject({ code: "UNKNOWN_UPGRADE" });
    expect((await third.at.list()).map(({ ref }) => ref).sort()).toEqual(["u", "u@1", "u@2"]);
  });

  it("[U3] a refused startUpgrade on a finished upgrade begins no next run", () => {
    const tracker = opening()();
    tracker.startUpgrade();
    tracker.completeUpgrade();
    expect(() => tracker.startUpgrade("")).toThrow(expect.objectContaining({ code: "INVALID_TEXT" }));
    expect(tracker.progress).toMatchObject({ run: 1, status: "completed" });
    tracker.startUpgrade();
    expect(tracker.progress.run).toBe(2);
  });

  it("[U6] an unfinished upgrade that is opened with another plan or cluster is refused, and left as it is", async () => {
    const open = opening();
    const first = open();
    first.startUpgrade();
    const { seq } = first.progress;
    await first.close();
    for (const other of [{ planId: "other" }, { clusterName: "other" }]) {
      expect(() => open(other)).toThrow(expect.objectContaining({ code: "UPGRADE_MISMATCH" }));
      expect(() => open(other)).toThrow(/other/);
    }
    expect(open().progress).toMatchObject({ seq: seq + 1, planId: "plan", clusterName: "prod" });
  });

  it("[E6, T11] durations add up over writers, whatever the wall clock did in between", async () => {
    const open = opening();
    const clock = manualClock();
    const first = open({ clock });
    first.startUpgrade();
    first.addTask("t", "Task");
    first.startTask("t");
    clock.pass(1_000);
    first.updateTaskProgress("t", 10);
    clock.jump(-600_000);
    clock.pass(1_000);
    first.updateTaskProgress("t", 20);
    await first.close();
    clock.pass(30_000);
    const second = open({ clock });
    expect(second.getTaskProgress("t")?.durationMs).toBe(32_000);
    clock.pass(500);
    second.updateTaskProgress("t", 30);
    clock.pass(500);
    await second.close();
    clock.jump(-86_400_000);
    const third = open({ clock });
    third.completeTask("t");
    const task = third.progress.tasks.get("t");
    expect(task && taskDurationMs(task, 1e12)).toBe(33_000);
    expect(third.progress.clock.lastMs).toBe(33_000);
    const { state } = await readUpgrade(third.at, "u");
    expect(canonicalJson(state)).toBe(canonicalJson(third.progress));
  });
});
