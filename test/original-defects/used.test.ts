/** The second half of the 32 defects of the first implementation of this design: how it was used and told. None of them is here. */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, EventBridgeNotifier, type ProgressEvent } from "milepost";
import { describe, expect, it, vi } from "vitest";
import type { Notifier } from "../../src/notify/notifier.ts";
import { manualClock } from "../manual-clock.ts";
import { tempFolder } from "../temp-folder.ts";
import { code, make, running } from "./tracked.ts";

describe("of the defects of the first implementation, 17 to 32", () => {
  it("defect 17: two trackers of one upgrade: the second is refused, and names the first", () => {
    const storagePath = tempFolder();
    const tracker = running({ storagePath });
    expect(() => make({ storagePath })).toThrow(code("LOCKED"));
    expect(() => make({ storagePath })).toThrow(new RegExp(String(process.pid)));
    expect(tracker.updateTaskProgress("t", 5).percentage).toBe(5);
  });

  it("defect 6: a notifier that never answers costs the caller nothing, and what it was not told is not lost", async () => {
    const storagePath = tempFolder();
    let asked = 0;
    const rules = [{ to: ["hung"], events: ["*"] }];
    const notifier: Notifier = {
      name: "hung",
      kind: "test",
      limits: { maxEvents: 10, maxBytes: 100_000 },
      notify: () => new Promise(() => void (asked += 1)),
      check: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const tracker = running({ storagePath, notifiers: [notifier], rules, drainTimeoutMs: 50 });
    await vi.waitFor(() => expect(asked).toBeGreaterThan(0));
    const events = Array.from({ length: 100 }, (_, index) => tracker.updateTaskProgress("t", index));
    expect(events.map(({ percentage }) => percentage)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    await tracker.close();
    const told: string[] = [];
    const well: Notifier = {
      ...notifier,
      notify: ({ events: batch }) => {
        told.push(...batch.map(({ id }) => id));
        return Promise.resolve(batch.map(() => ({ status: "delivered" })));
      },
    };
    await make({ storagePath, notifiers: [well], rules }).close();
    expect(told).toEqual(expect.arrayContaining(events.map(({ id }) => id)));
  });

  it("defect 29: a notifier that was found to have no credentials does not say that it is enabled", async () => {
    const client = {
      send: () => Promise.reject(Object.assign(new Error("none"), { name: "CredentialsProviderError" })),
    };
    const notifier = new EventBridgeNotifier({ busName: "bus", client });
    expect(await notifier.sendUpgradeStarted("u", "c", "p")).not.toMatchObject({ status: "delivered" });
    expect(notifier.isEnabled()).toBe(false);
  });

  it("defect 18: a stored upgrade of another plan or cluster is refused, not mixed", async () => {
    const storagePath = tempFolder();
    await running({ storagePath }).close();
    expect(() => make({ storagePath, planId: "other" })).toThrow(code("UPGRADE_MISMATCH"));
    expect(() => make({ storagePath, clusterName: "other" })).toThrow(code("UPGRADE_MISMATCH"));
    expect(make({ storagePath }).planId).toBe("plan-456");
  });

  it("defect 19: steps and percentages are the same after a restart", async () => {
    const storagePath = tempFolder();
    const tracker = make({ storagePath });
    tracker.addTask("t", "Task", "drain", { totalSteps: 10 });
    tracker.updateTaskProgress("t", { completedSteps: 2 });
    tracker.updateTaskProgress("t", 90);
    const before = canonicalJson(tracker.progress.tasks);
    await tracker.close();
    const again = make({ storagePath });
    expect(canonicalJson(again.progress.tasks)).toBe(before);
    expect(again.progress.overallPercentage).toBe(90);
  });

  it("defect 20: callbacks hear of upgrade, phase and added tasks, and of a status that progress has changed", () => {
    const tracker = make();
    const types: string[] = [];
    tracker.addEventCallback(({ type }) => types.push(type));
    const begun: string[] = [];
    tracker.addStatusCallback("in_progress", ({ taskId }) => begun.push(taskId));
    tracker.startUpgrade();
    tracker.setCurrentPhase("Nodes");
    tracker.addTask("t", "Task");
    tracker.updateTaskProgress("t", 5);
    tracker.completeUpgrade();
    expect(types.filter((type) => type !== "writer.opened")).toEqual([
      ...["upgrade.started", "upgrade.phase_changed", "task.added", "task.started", "task.progressed"],
      ...["insight.raised", "upgrade.completed"],
    ]);
    expect(begun).toEqual(["t"]);
  });

  it("defect 21: events are numbered, and a reader goes on after any of them", async () => {
    const tracker = running();
    const last = tracker.updateTaskProgress("t", 5);
    tracker.updateTaskProgress("t", 6);
    tracker.completeTask("t");
    const missed: ProgressEvent[] = [];
    for await (const event of tracker.events({ after: last.cursor })) {
      missed.push(event);
      if (missed.length === 2) break;
    }
    expect(missed.map(({ seq, type }) => [seq, type])).toEqual([
      [last.seq + 1, "task.progressed"],
      [last.seq + 2, "task.completed"],
    ]);
  });

  it("defect 23: a failure ends what failed, and counts in the overall percentage", () => {
    const clock = manualClock();
    const tracker = running({ clock });
    tracker.updateTaskProgress("t", 40);
    clock.pass(90_000);
    tracker.failTask("t", new Error("broke"));
    expect(tracker.getTaskProgress("t")).toMatchObject({
      completedAt: "2026-03-01T08:01:30.000Z",
      durationMs: 90_000,
      errorMessage: "broke",
    });
    expect(tracker.progress.overallPercentage).toBe(40);
    tracker.failUpgrade("no way on");
    expect(tracker.getProgressSummary()).toMatchObject({
      status: "failed",
      completedAt: "2026-03-01T08:01:30.000Z",
      durationMs: 90_000,
    });
  });

  it("defect 24: parents roll up by weight, exist, and are no part of a circle", () => {
    const tracker = make();
    tracker.addTask("p", "Parent");
    tracker.addTask("a", "A", undefined, { parentTaskId: "p", weight: 3 });
    tracker.addTask("b", "B", undefined, { parentTaskId: "p" });
    tracker.updateTaskProgress("a", 40);
    expect(tracker.progress.tasks.get("p")?.percentage).toBe(30);
    expect(tracker.progress.overallPercentage).toBe(30);
    expect(() => tracker.addTask("c", "C", undefined, { parentTaskId: "gone" })).toThrow(code("UNKNOWN_TASK"));
    expect(() => tracker.addTask("c", "C", undefined, { parentTaskId: "c" })).toThrow(code("UNKNOWN_TASK"));
  });

  it("defect 25: pausing, cancelling, skipping, retries, steps and details can all be set", () => {
    const tracker = running();
    tracker.pauseUpgrade();
    tracker.pauseTask("t");
    expect([tracker.progress.status, tracker.progress.tasks.get("t")?.status]).toEqual(["paused", "paused"]);
    tracker.resumeUpgrade();
    tracker.resumeTask("t");
    tracker.failTask("t", "broke");
    tracker.retryTask("t");
    tracker.updateTaskProgress("t", { completedSteps: 1, totalSteps: 2, unit: "nodes" }, "draining node-1");
    expect(tracker.getTaskProgress("t")).toMatchObject({
      attempt: 2,
      completedSteps: 1,
      totalSteps: 2,
      currentStep: "draining node-1",
    });
    tracker.addTask("u", "U");
    tracker.skipTask("u");
    tracker.cancelTask("t");
    tracker.cancelUpgrade("enough");
    expect(tracker.progress).toMatchObject({ status: "cancelled", message: "enough" });
  });

  it("defect 26: a state that somebody reads does not change under them", () => {
    const tracker = running();
    for (let n = 0; n < 100; n++) tracker.addTask(`t${n}`, "Task");
    const { progress } = tracker;
    const before = canonicalJson(progress);
    let read = 0;
    for (const task of progress.tasks.values()) {
      tracker.updateTaskProgress(task.taskId, 50);
      tracker.addTask(`more${read++}`, "Task");
    }
    expect(read).toBe(101);
    expect(canonicalJson(progress)).toBe(before);
  });

  it("defect 27: a change of phase is told as safely as everything else", () => {
    const tracker = make();
    tracker.addEventCallback(() => {
      throw new Error("no notifier");
    });
    tracker.startUpgrade("One");
    expect(tracker.setCurrentPhase("Two")).toMatchObject({ type: "upgrade.phase_changed", phase: "Two" });
    expect(tracker.progress.currentPhase).toBe("Two");
  });

  it("defect 30: one process tracks several upgrades, in one folder", () => {
    const storagePath = tempFolder();
    const trackers = ["a", "b", "A"].map((upgradeId) => running({ storagePath, upgradeId }));
    for (const [n, tracker] of trackers.entries()) tracker.updateTaskProgress("t", n * 10);
    expect(trackers.map(({ progress }) => progress.overallPercentage)).toEqual([0, 10, 20]);
  });

  it("defect 31: durations are ISO 8601 and milliseconds, never negative, and times have a T and a Z", () => {
    const clock = manualClock();
    const tracker = running({ clock });
    clock.pass(3_723_500);
    clock.jump(-7_200_000);
    tracker.completeTask("t");
    expect(tracker.getTaskProgress("t")).toMatchObject({ duration: "PT1H2M3.5S", durationMs: 3_723_500 });
    clock.jump(-86_400_000);
    expect(tracker.getProgressSummary()).toMatchObject({
      durationMs: 3_723_500,
      startedAt: "2026-03-01T08:00:00.000Z",
    });
  });

  it("defect 32: whoever is told may come and go while others are told", () => {
    const tracker = running();
    const removers: (() => void)[] = [];
    let told = 0;
    for (let n = 0; n < 50; n++) {
      removers.push(
        tracker.addEventCallback(() => {
          told += 1;
          removers[(n * 7 + 3) % 50]?.();
          tracker.addEventCallback(() => undefined);
        }),
      );
    }
    expect(tracker.updateTaskProgress("t", 5).percentage).toBe(5);
    expect(told).toBeGreaterThan(0);
    expect(tracker.callbacks.getTroubles().failed).toBe(0);
  });

  it("each is shown not to be here, or listed with the part that it waits for", () => {
    const sources = globSync("*.test.ts", { cwd: import.meta.dirname }).map((file) =>
      readFileSync(join(import.meta.dirname, file), "utf8"),
    );
    const shown = sources.flatMap((text) =>
      [...text.matchAll(/\bit\(\s*"defect (\d+): /g)].map((match) => Number(match[1])),
    );
    expect(shown.sort((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, n) => n + 1));
  });
});
