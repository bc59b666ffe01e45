import { describe, expect, it } from "vitest";
import { checkCommand, type Command } from "../../src/model/command.ts";
import { given } from "./log.ts";

const NOW = "2026-03-01T08:00:00.000Z";
const command = (type: string, fields: object = {}): Command => checkCommand({ type, ...fields });
const task = (type: string, fields: object = {}): Command => command(type, { taskId: "t", ...fields });

const started = command("startUpgrade", { phase: "Preparation" });
const paused = command("pauseUpgrade");
const added = task("addTask", { taskName: "Drain", totalSteps: 5, unit: "nodes", details: { group: "a" } });
const begun = [added, task("startTask")];
const reported = [...begun, task("updateTaskProgress", { completedSteps: 2 })];
const raised = command("raiseInsight", { insight: { id: "quota", level: "warning", message: "nearly full" } });

const at = { taskId: "t", attempt: 1, totalSteps: 5, unit: "nodes" } as const;
const half = { ...at, percentage: 40, completedSteps: 2 } as const;
const insight = {
  id: "quota",
  level: "warning",
  impact: null,
  remedy: null,
  reference: null,
  resources: [],
  since: NOW,
};

/** What is given, the command, and what is appended because of it, whole. */
const CASES: readonly (readonly [given: readonly Command[], when: Command, then: readonly object[]])[] = [
  [
    [],
    started,
    [{ type: "upgrade.started", status: "in_progress", phase: "Preparation", message: "Upgrade started: Preparation" }],
  ],
  [
    [],
    command("startUpgrade"),
    [
      {
        type: "upgrade.started",
        status: "in_progress",
        phase: "Initialization",
        message: "Upgrade started: Initialization",
      },
    ],
  ],
  [
    [started],
    command("setCurrentPhase", { phase: "Nodes" }),
    [{ type: "upgrade.phase_changed", phase: "Nodes", previousPhase: "Preparation", message: "Phase: Nodes" }],
  ],
  [
    [started],
    command("pauseUpgrade", { message: "lunch" }),
    [{ type: "upgrade.paused", status: "paused", message: "lunch" }],
  ],
  [
    [started, paused],
    command("resumeUpgrade", { message: "on" }),
    [{ type: "upgrade.resumed", status: "in_progress", message: "on" }],
  ],
  [
    [started],
    command("completeUpgrade", { message: "done" }),
    [{ type: "upgrade.completed", status: "completed", percentage: 100, message: "done" }],
  ],
  [
    [started],
    command("failUpgrade", { errorMessage: "no quorum" }),
    [{ type: "upgrade.failed", status: "failed", errorMessage: "no quorum", message: "Upgrade failed: no quorum" }],
  ],
  [
    [started],
    command("cancelUpgrade", { message: "stop" }),
    [{ type: "upgrade.cancelled", status: "cancelled", message: "stop" }],
  ],
  [
    [],
    added,
    [
      {
        type: "task.added",
        taskId: "t",
        taskName: "Drain",
        taskType: "upgrade_step",
        parentTaskId: null,
        weight: 1,
        totalSteps: 5,
        unit: "nodes",
        expectedMs: null,
        details: { group: "a" },
        status: "not_started",
        message: "Task added: Drain",
      },
    ],
  ],
  [
    [added],
    task("startTask"),
    [{ type: "task.started", ...at, status: "in_progress", percentage: 0, completedSteps: 0, message: "Task started" }],
  ],
  [
    begun,
    task("updateTaskProgress", { completedSteps: 2, message: "on", details: { n: 1 } }),
    [{ type: "task.progressed", ...half, status: "in_progress", message: "on", details: { n: 1 } }],
  ],
  [
    reported,
    task("updateTaskProgress", { completedSteps: 1 }),
    [
      {
        type: "task.progressed",
        ...half,
        percentage: 20,
        completedSteps: 1,
        status: "in_progress",
        regressed: true,
        advancedMs: 0,
      },
    ],
  ],
  [
    begun,
    task("updateTaskProgress", { message: "on" }),
    [
      {
        type: "task.progressed",
        ...half,
        percentage: 0,
        completedSteps: 0,
        status: "in_progress",
        message: "on",
        isMeasured: false,
        advancedMs: 0,
      },
    ],
  ],
  [
    reported,
    task("completeTask", { details: { n: 2 } }),
    [
      {
        type: "task.completed",
        ...at,
        status: "completed",
        percentage: 100,
        completedSteps: 5,
        message: "Task completed",
        details: { n: 2 },
      },
    ],
  ],
  [
    reported,
    task("failTask", { errorMessage: "broke" }),
    [{ type: "task.failed", ...half, status: "failed", errorMessage: "broke", message: "Task failed: broke" }],
  ],
  [
    [...reported, task("failTask", { errorMessage: "broke" })],
    task("retryTask"),
    [
      {
        type: "task.retried",
        ...at,
        attempt: 2,
        status: "in_progress",
        percentage: 0,
        completedSteps: 0,
        message: "Attempt 2",
      },
    ],
  ],
  [reported, task("pauseTask"), [{ type: "task.paused", ...half, status: "paused", message: "Task paused" }]],
  [
    [...reported, task("pauseTask")],
    task("resumeTask"),
    [{ type: "task.resumed", ...half, status: "in_progress", message: "Task resumed" }],
  ],
  [
    [added],
    task("skipTask"),
    [{ type: "task.skipped", ...at, status: "skipped", percentage: 0, completedSteps: 0, message: "Task skipped" }],
  ],
  [reported, task("cancelTask"), [{ type: "task.cancelled", ...half, status: "cancelled", message: "Task cancelled" }]],
  [
    begun,
    task("setWaitingOn", { waitingOn: { kind: "pod", name: "web-1", remedy: "raise the budget" } }),
    [
      {
        type: "task.waiting",
        taskId: "t",
        waitingOn: { kind: "pod", name: "web-1", remedy: "raise the budget", since: NOW },
        message: "Waiting on pod web-1",
      },
    ],
  ],
  [[added], task("heartbeat"), [{ type: "task.heartbeat", taskId: "t" }]],
  [[added], task("appendLog", { text: "a line" }), [{ type: "log.appended", taskId: "t", text: "a line" }]],
  [[], raised, [{ type: "insight.raised", insight: { ...insight, message: "nearly full" }, message: "nearly full" }]],
  [
    [raised],
    command("raiseInsight", { insight: { id: "quota", level: "warning", message: "full" } }),
    [{ type: "insight.updated", insight: { ...insight, message: "full" }, message: "full" }],
  ],
  [
    [raised],
    command("clearInsight", { insightId: "quota", message: "raised" }),
    [{ type: "insight.cleared", insightId: "quota", message: "raised" }],
  ],
];

const events = (drafts: readonly object[]): string => drafts.map((draft) => (draft as { type: string }).type).join();

describe("decide", () => {
  it.each(CASES.map(([before, when, then]) => [when.type, events(then), { before, when, then }] as const))(
    "[T1, U1, E7] %s appends %s, whole",
    (_type, _events, { before, when, then }) => {
      expect(given(...before).when(when)).toEqual(then);
    },
  );

  it("[T4] appends nothing for a repeat, and throws for what is refused", () => {
    expect(given(...begun).when(task("startTask"))).toEqual([]);
    expect(() => given(added).when(task("completeTask"))).toThrow(/task "t" is not_started; call startTask first/);
  });
});
