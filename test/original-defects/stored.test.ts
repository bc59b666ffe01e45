/** The first half of the 32 defects of the first implementation of this design: what it stored and refused. None of them is here. */

import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, jsonLines, readUpgrade, type ProgressEvent } from "milepost";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { manualClock } from "../manual-clock.ts";
import { tempFolder } from "../temp-folder.ts";
import { code, journalOf, make, running } from "./tracked.ts";

describe("of the defects of the first implementation, 1 to 16", () => {
  it("defect 1: the summary of a started upgrade is JSON", () => {
    const summary = running().getProgressSummary();
    expect(summary.startedAt).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  });

  it("defect 2: a resumed upgrade is like the one that was left, and has a summary", async () => {
    const storagePath = tempFolder();
    const first = running({ storagePath });
    first.updateTaskProgress("t", 40, "on", { n: 1 });
    const { durationMs: _d, duration: _t, asOf: _a, ...before } = first.getProgressSummary();
    await first.close();
    const second = make({ storagePath });
    expect(second.getProgressSummary()).toMatchObject({
      ...before,
      status: "in_progress",
      currentTask: { taskId: "t", status: "in_progress" },
    });
    expect(second.getTaskProgress("t")).toMatchObject({ status: "in_progress", percentage: 40 });
  });

  it("defect 4: half a line or half a snapshot loses nothing, and damage is refused, not started over from zero", async () => {
    const storagePath = tempFolder();
    const tracker = running({ storagePath });
    await tracker.storage.saveProgress(tracker.progress);
    tracker.updateTaskProgress("t", 40);
    const state = canonicalJson(tracker.progress.tasks);
    await tracker.close();
    const journal = journalOf(storagePath);
    const whole = readFileSync(journal);
    writeFileSync(journal, Buffer.concat([whole, Buffer.from('{"seq":99,"cur')]));
    const snapshot = join(journal, "../../snapshot.json");
    truncateSync(snapshot, 100);
    const again = make({ storagePath });
    expect(canonicalJson(again.progress.tasks)).toBe(state);
    await again.close();
    const damaged = Buffer.from(whole);
    damaged[200] = (damaged[200] as number) ^ 1;
    writeFileSync(journal, damaged);
    truncateSync(snapshot, 10);
    expect(() => make({ storagePath })).toThrow(code("CORRUPT"));
    expect(readFileSync(journal).equals(damaged)).toBe(true);
  });

  it("defect 5: an update writes its own bytes and no more, however many tasks and events there are", () => {
    const storagePath = tempFolder();
    const tracker = running({ storagePath });
    const grownBy = (updates: number) => {
      const before = tracker.storage.getStorageInfo().fileSize;
      for (let n = 0; n < updates; n++) tracker.updateTaskProgress("t", 10 + (n % 10));
      return tracker.storage.getStorageInfo().fileSize - before;
    };
    const first = grownBy(20);
    for (let n = 0; n < 1_000; n++) tracker.addTask(`t${n}`, "Task");
    expect(grownBy(20)).toBeLessThan(first * 1.1);
  });

  it("defect 8: a callback that fails in a later turn throws nothing out of a command", async () => {
    const tracker = make();
    tracker.addEventCallback(async () => {
      await Promise.resolve();
      throw new Error("no running event loop");
    });
    const statuses: string[] = [];
    tracker.addStatusCallback("in_progress", ({ status }) => statuses.push(status));
    tracker.addTask("t", "Task");
    expect(tracker.startTask("t").type).toBe("task.started");
    expect(statuses).toEqual(["in_progress"]);
    await vi.waitFor(() => expect(tracker.callbacks.getTroubles().failed).toBe(tracker.progress.seq));
  });

  it("defect 9: what is completed is not reopened, and an upgrade with open tasks is not 100 %", () => {
    const tracker = running();
    tracker.completeTask("t");
    const { completedAt, startedAt } = tracker.progress.tasks.get("t") ?? {};
    expect(() => tracker.updateTaskProgress("t", 10)).toThrow(code("ILLEGAL_TRANSITION"));
    tracker.startTask("t");
    expect(tracker.progress.tasks.get("t")).toMatchObject({
      status: "completed",
      percentage: 100,
      startedAt,
      completedAt,
    });
    tracker.addTask("u", "Other");
    expect(tracker.completeUpgrade()).toMatchObject({ unfinishedTaskIds: ["u"], percentage: 50 });
    expect(() => tracker.updateTaskProgress("u", 1)).toThrow(code("ILLEGAL_TRANSITION"));
    expect(tracker.progress).toMatchObject({ status: "completed", overallPercentage: 50 });
  });

  it("defect 10: a percentage that is none is refused, neither clamped nor taken for 100", () => {
    const tracker = running();
    for (const percentage of [Number.NaN, Infinity, 150, -5, "50", null, undefined]) {
      expect(() => tracker.updateTaskProgress("t", percentage as number)).toThrow(code("INVALID_PERCENT"));
    }
    expect(tracker.progress.tasks.get("t")).toMatchObject({ percentage: 0, isMeasured: false });
  });

  it("defect 11: adding a task again erases nothing, and adding several keeps all that was said of them", () => {
    const tracker = running();
    tracker.updateTaskProgress("t", 60);
    expect(tracker.addTask("t", "Task").percentage).toBe(60);
    expect(() => tracker.addTask("t", "Another name")).toThrow(code("TASK_EXISTS"));
    const more = {
      taskType: "drain",
      parentTaskId: "t",
      weight: 3,
      totalSteps: 4,
      unit: "nodes",
      expectedMs: 1_000,
      details: { zone: "a" },
    };
    tracker.addTask("p", "Group");
    const added = tracker.addTasks([
      { taskId: "a", taskName: "A", ...more, parentTaskId: "p" },
      { taskId: "b", taskName: "B" },
    ]);
    expect(added).toMatchObject([
      { ...more, parentTaskId: "p", status: "not_started", completedSteps: 0 },
      { taskId: "b", weight: 1 },
    ]);
    expect(tracker.progress.overallPercentage).toBe(12);
  });

  it("defect 12: any function is a callback, and any error of it is contained", () => {
    const tracker = running();
    const bound = function (this: string, event: ProgressEvent): never {
      throw new Error(`${this} ${event.type}`);
    }.bind("bound");
    tracker.addEventCallback(bound);
    tracker.addEventCallback(new Proxy(() => undefined, { get: () => undefined }));
    expect(tracker.updateTaskProgress("t", 5).percentage).toBe(5);
    expect(tracker.callbacks.getTroubles().failed).toBe(1);
  });

  it("defect 13: details may be named like the call's own parameters", () => {
    const tracker = running();
    const details = {
      status: "completed",
      message: "m",
      percentage: 100,
      taskId: "zzz",
      type: "task.failed",
      seq: 1,
      cursor: "x",
    };
    expect(tracker.updateTaskProgress("t", 50, "half", details)).toMatchObject({
      type: "task.progressed",
      status: "in_progress",
      percentage: 50,
      message: "half",
      taskId: "t",
      details,
    });
  });

  it("defect 14: details that are not JSON are refused before anything is written", () => {
    const tracker = running();
    const { seq } = tracker.progress;
    for (const value of [new Date(), 10n, () => 1, new Map(), Number.NaN]) {
      expect(() => tracker.updateTaskProgress("t", 50, "half", { value } as never)).toThrow(code("INVALID_PAYLOAD"));
    }
    expect(tracker.progress.seq).toBe(seq);
  });

  it("defect 15: an upgrade named by an ARN, or by a path, is stored like any other, inside the folder", async () => {
    const storagePath = tempFolder();
    for (const upgradeId of ["arn:aws:eks:eu-west-1:123456789012:cluster/prod", "../../outside", "a/../b"]) {
      const tracker = running({ storagePath, upgradeId });
      await tracker.close();
      const { state } = await readUpgrade(jsonLines({ path: storagePath }), upgradeId);
      expect(state).toMatchObject({ upgradeId, status: "in_progress" });
    }
    expect(readdirSync(storagePath)).toEqual(["upgrades"]);
    expect(readdirSync(join(storagePath, "upgrades"))).toHaveLength(3);
  });

  it("defect 16: the estimated end is in UTC, whatever the zone of the machine", () => {
    vi.stubEnv("TZ", "America/New_York");
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(new Date(0).getTimezoneOffset()).toBe(300);
    const clock = manualClock(Date.parse("2026-03-01T10:00:00.000Z"));
    const tracker = running({ clock });
    expect(tracker.getEstimatedCompletionTime()).toBeNull();
    clock.pass(30 * 60_000);
    tracker.updateTaskProgress("t", 40);
    expect(tracker.getEstimatedCompletionTime()).toBe("2026-03-01T11:15:00.000Z");
  });
});
