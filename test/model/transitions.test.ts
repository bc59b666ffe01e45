import { describe, expect, it } from "vitest";
import { COMMAND_TYPES } from "../../src/model/command.ts";
import { ProgressStatus } from "../../src/model/vocabulary.ts";
import { tableOf } from "../spec.ts";
import { outcome, testLog, type TestLog } from "./log.ts";

const TASK_TABLE = tableOf("T1");
const UPGRADE_TABLE = tableOf("U1");
const STATUSES = Object.values(ProgressStatus);
const waitingOn = { kind: "approval", name: "change board" };
const insight = { id: "i", level: "info", message: "seen" };

/** How a task comes into each status. */
const WAYS: Record<string, readonly string[]> = {
  not_started: [],
  in_progress: ["startTask"],
  paused: ["startTask", "pauseTask"],
  failed: ["startTask", "failTask"],
  completed: ["startTask", "completeTask"],
  cancelled: ["cancelTask"],
  skipped: ["skipTask"],
};

const UPGRADE_WAYS: Record<string, readonly string[]> = {
  not_started: [],
  in_progress: ["startUpgrade"],
  paused: ["startUpgrade", "pauseUpgrade"],
  failed: ["startUpgrade", "failUpgrade"],
  completed: ["startUpgrade", "completeUpgrade"],
  cancelled: ["startUpgrade", "cancelUpgrade"],
};

/** What each command needs beside the task's id. */
const NEEDED: Readonly<Record<string, object>> = {
  startUpgrade: { phase: "Next" },
  setCurrentPhase: { phase: "Next" },
  failUpgrade: { errorMessage: "broke" },
  failTask: { errorMessage: "broke" },
  updateTaskProgress: { percentage: 40 },
  setWaitingOn: { waitingOn },
  raiseInsight: { insight },
  appendLog: { text: "line" },
};

const command = (type: string) => ({
  type,
  ...(!/Upgrade$|Phase$|Insight$/.test(type) && { taskId: "t" }),
  ...NEEDED[type],
});

const withTask = (status: string): TestLog => {
  const log = testLog();
  log.give({ type: "startUpgrade" });
  log.give({ type: "addTask", taskId: "t", taskName: "Task" });
  for (const type of WAYS[status] ?? []) log.give(command(type));
  expect(log.state.tasks.get("t")?.status).toBe(status);
  // Past the time in which a heartbeat would say nothing new (T12).
  return log.pass(10_000);
};

const withUpgrade = (status: string): TestLog => {
  const log = testLog();
  for (const type of UPGRADE_WAYS[status] ?? [])
    log.give({ ...command(type), ...(type === "startUpgrade" && { phase: "First" }) });
  expect(log.state.status).toBe(status);
  return log;
};

const pairs = (table: typeof TASK_TABLE) =>
  Object.entries(table).flatMap(([type, row]) =>
    Object.entries(row).map(([status, cell]) => [type, status, cell] as const),
  );

describe("transitions of a task (M01)", () => {
  it("are told for every command about a task and every status", () => {
    const others = ["addTask", "raiseInsight", "clearInsight", ...Object.keys(UPGRADE_TABLE)];
    expect(Object.keys(TASK_TABLE).sort()).toEqual(COMMAND_TYPES.filter((type) => !others.includes(type)).sort());
    for (const row of Object.values(TASK_TABLE)) expect(Object.keys(row)).toEqual(Object.keys(WAYS));
    expect(Object.keys(WAYS).sort()).toEqual([...STATUSES].sort());
  });

  it.each(pairs(TASK_TABLE))("[T1, T4] %s on a task that is %s: %s", (type, status, cell) => {
    const log = withTask(status);
    if (type === "clearWaitingOn" && cell !== "=") log.give(command("setWaitingOn"));
    const starts = type === "updateTaskProgress" && status === "not_started" ? "task.started+" : "";
    expect(outcome(log, command(type))).toBe(cell === "-" ? "ILLEGAL_TRANSITION" : `${starts}${cell}`);
  });

  it("[T1] clearWaitingOn on a task that waits for nothing appends nothing in any status", () => {
    for (const status of STATUSES) expect(outcome(withTask(status), command("clearWaitingOn"))).toBe("=");
  });

  it("[T2] a repeated command returns the event that made it so", () => {
    for (const [type, status, cell] of pairs(TASK_TABLE)) {
      if (cell !== "=" || type === "clearWaitingOn") continue;
      const log = withTask(status);
      // Something else happens in between, which must not be taken for the answer.
      log.give(command("appendLog"));
      const event = log.give(command(type));
      const made =
        type === "startTask"
          ? "task.started"
          : log.events.findLast((e) => "status" in e && e.status === status && "taskId" in e)?.type;
      expect([type, status, event.type]).toEqual([type, status, made]);
    }
  });

  it("[T3] a completed, cancelled or skipped task never changes its status again", () => {
    for (const status of ["completed", "cancelled", "skipped"]) {
      const log = withTask(status);
      const before = log.state.tasks.get("t");
      for (const type of COMMAND_TYPES.filter((name) => name in TASK_TABLE)) outcome(log, command(type));
      const { lastSeq: _l, lastSeenMs: _s, ...after } = log.state.tasks.get("t") as object as Record<string, unknown>;
      expect(before).toMatchObject(after);
    }
  });

  it("[T8] every command about a task that is not there is refused", () => {
    for (const type of Object.keys(TASK_TABLE))
      expect(outcome(withTask("in_progress"), { ...command(type), taskId: "other" })).toBe("UNKNOWN_TASK");
    expect(outcome(testLog(), { type: "addTask", taskId: "t", taskName: "Task", parentTaskId: "other" })).toBe(
      "UNKNOWN_TASK",
    );
    expect(outcome(testLog(), { type: "addTask", taskId: "t", taskName: "Task", parentTaskId: "t" })).toBe(
      "UNKNOWN_TASK",
    );
  });
});

describe("transitions of the upgrade (M01)", () => {
  it("are told for every command about the upgrade and every status but skipped", () => {
    for (const row of Object.values(UPGRADE_TABLE))
      expect(Object.keys(row)).toEqual(Object.keys(UPGRADE_WAYS).sort((a, b) => order(a) - order(b)));
  });

  it.each(pairs(UPGRADE_TABLE))("[U1, T4] %s on an upgrade that is %s: %s", (type, status, cell) => {
    // U3: the next run begins in another log, so the model itself refuses.
    expect(outcome(withUpgrade(status), command(type))).toBe(
      cell === "-" || cell === "U3" ? "ILLEGAL_TRANSITION" : cell,
    );
  });

  it("[T2] a repeated command of the upgrade returns the event that made it so", () => {
    for (const [type, status, cell] of pairs(UPGRADE_TABLE)) {
      if (cell !== "=") continue;
      const log = withUpgrade(status);
      log.give({ type: "raiseInsight", insight });
      const event = log.give(command(type));
      const made =
        type === "startUpgrade"
          ? "upgrade.started"
          : log.events.findLast((e) => "status" in e && e.status === status)?.type;
      expect([type, status, event.type]).toEqual([type, status, made]);
    }
  });

  it.each(["not_started", "paused"])("[U2] tasks are added and report while the upgrade is %s", (status) => {
    const log = withUpgrade(status);
    expect(outcome(log, { type: "addTask", taskId: "t", taskName: "Task" })).toBe("task.added");
    expect(outcome(log, command("updateTaskProgress"))).toBe("task.started+task.progressed");
    expect(outcome(log, command("completeTask"))).toBe("task.completed");
    expect(log.state.status).toBe(status);
    expect(log.state.overallPercentage).toBe(100);
  });

  it.each(["completeUpgrade", "failUpgrade", "cancelUpgrade"])(
    "[U2] after %s tasks change no more, and repeats still hold",
    (end) => {
      for (const [type, status, cell] of pairs(TASK_TABLE)) {
        const log = withTask(status);
        if (type === "clearWaitingOn" && cell !== "=") log.give(command("setWaitingOn"));
        log.give(command(end));
        const stays = cell === "=" || type === "appendLog" || type === "clearWaitingOn";
        expect([type, status, outcome(log, command(type))]).toEqual([
          type,
          status,
          stays ? cell : "ILLEGAL_TRANSITION",
        ]);
      }
      const log = withTask("in_progress");
      log.give(command(end));
      expect(outcome(log, { type: "addTask", taskId: "t", taskName: "Task" })).toBe("=");
      expect(outcome(log, { type: "addTask", taskId: "new", taskName: "Task" })).toBe("ILLEGAL_TRANSITION");
      expect(outcome(log, { type: "raiseInsight", insight })).toBe("insight.raised");
      expect(outcome(log, { type: "clearInsight", insightId: "i" })).toBe("insight.cleared");
    },
  );
});

const order = (status: string): number => Object.keys(UPGRADE_TABLE["startUpgrade"] ?? {}).indexOf(status);
