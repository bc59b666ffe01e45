/** The snippets of the document that Milepost was asked for with, in camelCase, run as they stand there. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as common from "milepost/common";
import * as progress from "milepost/common/progress";
import { ProgressStatus, TaskType, type ProgressEvent, type Task } from "milepost/common/models/progress";
import * as milepost from "milepost";
import { describe, expect, it, onTestFinished } from "vitest";
import { tempFolder } from "../temp-folder.ts";

const PATHS = { milepost, "milepost/common": common, "milepost/common/progress": progress };

describe.each(Object.entries(PATHS))("through %s", (_path, { ProgressTracker }) => {
  const make = (storagePath: string) => {
    const tracker = new ProgressTracker({
      upgradeId: "upgrade-123",
      planId: "plan-456",
      clusterName: "my-cluster",
      storagePath,
    });
    onTestFinished(() => tracker.close());
    return tracker;
  };

  it("[U1, T1] basic usage tracks an upgrade from its start to its end", async () => {
    const tracker = make(tempFolder());
    tracker.startUpgrade("Initialization");
    const task = tracker.addTask("task-1", "Deploy Infrastructure", TaskType.UPGRADE_STEP);
    expect(task).toMatchObject({
      taskId: "task-1",
      taskName: "Deploy Infrastructure",
      taskType: "upgrade_step",
      status: "not_started",
    });
    tracker.startTask("task-1");
    tracker.updateTaskProgress("task-1", 50.0, "Half complete");
    expect(tracker.calculateProgressPercentage()).toBe(50);
    tracker.completeTask("task-1");
    tracker.completeUpgrade();
    expect(tracker.getProgressSummary()).toMatchObject({
      status: "completed",
      overallPercentage: 100,
      currentPhase: "Initialization",
      completedTasks: 1,
    });
    await tracker.close();
  });

  it("[C1] event callbacks see each event, and status callbacks the task", () => {
    const tracker = make(tempFolder());
    const printed: string[] = [];
    const onProgress = (event: ProgressEvent) => printed.push(`Progress: ${event.message}`);
    tracker.addEventCallback(onProgress);
    const onCompletion = (task: Task) => printed.push(`Task completed: ${task.taskName}`);
    tracker.addStatusCallback(ProgressStatus.COMPLETED, onCompletion);
    tracker.startUpgrade();
    tracker.addTask("task-1", "Deploy Infrastructure", TaskType.UPGRADE_STEP);
    tracker.startTask("task-1");
    tracker.updateTaskProgress("task-1", 50, "Half complete");
    tracker.completeTask("task-1");
    expect(printed.slice(-3)).toEqual([
      "Progress: Half complete",
      "Progress: Task completed",
      "Task completed: Deploy Infrastructure",
    ]);
    expect(printed).toContain("Progress: Upgrade started: Initialization");
    expect(tracker.callbacks.getCallbackCounts()).toEqual({ eventCallbacks: 1, statusCallbacks: { completed: 1 } });
  });

  it("[S3] a custom storage path holds the upgrade, and the storage says where", async () => {
    const storagePath = tempFolder();
    const tracker = make(storagePath);
    expect(tracker.storage.getStorageInfo()).toMatchObject({ fileExists: false, fileSize: 0 });
    tracker.startUpgrade("Initialization");
    expect(tracker.storage.getStorageInfo()).toMatchObject({ fileExists: true });
    expect(tracker.storage.getStorageInfo().fileSize).toBeGreaterThan(100);
    expect(await tracker.storage.saveProgress(tracker.progress)).toBe(true);
    expect((await tracker.storage.loadProgress())?.currentPhase).toBe("Initialization");
    const upgrades = join(storagePath, "upgrades");
    expect(readdirSync(upgrades)).toHaveLength(1);
    expect(existsSync(join(upgrades, readdirSync(upgrades)[0] as string, "journal"))).toBe(true);
    await tracker.close();
    expect(await tracker.storage.deleteProgress()).toBe(true);
    expect(await tracker.storage.loadProgress()).toBeUndefined();
  });

  it("[T2] the same program run again from its top goes on where it stopped", async () => {
    const storagePath = tempFolder();
    const program = (tracker: ReturnType<typeof make>) => {
      tracker.startUpgrade();
      tracker.addTask("task-1", "Deploy Infrastructure");
      tracker.startTask("task-1");
      tracker.completeTask("task-1");
      return tracker.addTask("task-2", "Upgrade nodes");
    };
    const first = make(storagePath);
    program(first);
    const { seq } = first.progress;
    await first.close();
    const second = make(storagePath);
    expect(second.progress.tasks.get("task-1")?.status).toBe("completed");
    expect(program(second)).toMatchObject({ taskId: "task-2", status: "not_started" });
    // Closing said goodbye, and nothing that already held was written again.
    expect(second.progress.seq).toBe(seq + 1);
  });
});
