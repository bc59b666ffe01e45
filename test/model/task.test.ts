import { describe, expect, it } from "vitest";
import type { Command } from "../../src/model/command.ts";
import { taskDurationMs, type Task } from "../../src/model/task.ts";
import { upgradeDurationMs } from "../../src/model/upgrade.ts";
import { emptyState, given, outcome, testLog, type TestLog } from "./log.ts";

const added = (fields: object = {}) => ({ type: "addTask", taskId: "t", taskName: "Task", ...fields });
const start = { type: "startTask", taskId: "t" } as const;
const complete = { type: "completeTask", taskId: "t" } as const;
const fail = (errorMessage: string) => ({ type: "failTask", taskId: "t", errorMessage }) as const;
const report = (fields: object = {}) => ({ type: "updateTaskProgress", taskId: "t", ...fields });
const definition: Command = {
  type: "addTask",
  taskId: "t",
  taskName: "Task",
  taskType: "upgrade_step",
  parentTaskId: null,
  weight: 1,
  totalSteps: null,
  unit: null,
  expectedMs: null,
  details: null,
};

const withTask = (fields: object = {}, ...commands: readonly object[]): TestLog => {
  const log = testLog();
  for (const command of [added(fields), ...commands]) log.give(command);
  return log;
};
const taskOf = (log: TestLog): Task => log.state.tasks.get("t") as Task;

describe("a task", () => {
  it("[T5] starts with its first progress", () => {
    const { when } = given(definition);
    expect(when({ type: "updateTaskProgress", taskId: "t", percentage: 30, message: "Going" })).toEqual([
      { type: "task.started", taskId: "t", status: "in_progress", attempt: 1, percentage: 0, message: "Task started" },
      { type: "task.progressed", taskId: "t", status: "in_progress", attempt: 1, percentage: 30, message: "Going" },
    ]);
  });

  it("[T6] keeps each failed attempt and begins the next at nought", () => {
    const log = withTask({}, start).pass(1_000);
    log.give(report({ percentage: 60 }));
    log.pass(1_000).give(fail("no route"));
    expect(taskOf(log)).toMatchObject({ status: "failed", percentage: 60, errorMessage: "no route", attempt: 1 });
    log.pass(500).give({ type: "retryTask", taskId: "t" });
    expect(taskOf(log)).toMatchObject({
      status: "in_progress",
      percentage: 0,
      isMeasured: false,
      errorMessage: null,
      attempt: 2,
      startedMs: 2_500,
      endedMs: null,
    });
    log.pass(100).give(fail("again"));
    log.give(start);
    expect(taskOf(log).attempt).toBe(3);
    expect(taskOf(log).attempts).toMatchObject([
      {
        attempt: 1,
        startedMs: 0,
        endedMs: 2_000,
        percentage: 60,
        errorMessage: "no route",
        startedAt: "2026-03-01T08:00:00.000Z",
        endedAt: "2026-03-01T08:00:02.000Z",
      },
      { attempt: 2, startedMs: 2_500, endedMs: 2_600, percentage: 0, errorMessage: "again" },
    ]);
    expect(taskDurationMs(taskOf(log.pass(40)), log.state.clock.lastMs + 40)).toBe(40);
  });

  it("[T6] keeps the first and the newest of very many failed attempts", () => {
    const log = withTask({}, start);
    for (let n = 1; n <= 1_003; n++) {
      log.give(fail(`try ${n}`));
      log.give(start);
    }
    const { attempts } = taskOf(log);
    expect(attempts.length).toBe(1_000);
    expect([attempts[0], attempts[1], attempts.at(-1)].map((attempt) => attempt?.attempt)).toEqual([1, 5, 1_003]);
  });

  it("[T7] is returned when it is added again with the same definition, also after it has reported", () => {
    const fields = {
      parentTaskId: null,
      weight: 2,
      totalSteps: 5,
      unit: "nodes",
      expectedMs: 60_000,
      details: { b: 1, a: [2] },
    };
    const log = withTask(fields, report({ completedSteps: 3, totalSteps: 9 }));
    expect(log.give(added({ ...fields, details: { a: [2], b: 1 } })).type).toBe("task.added");
    expect(log.events.filter(({ type }) => type === "task.added")).toHaveLength(1);
    expect(taskOf(log)).toMatchObject({ completedSteps: 3, totalSteps: 9 });
  });

  it.each([
    { taskName: "Other" },
    { taskType: "cleanup" },
    { parentTaskId: "p" },
    { weight: 2 },
    { expectedMs: 5 },
    { details: { a: 1 } },
  ])("[T7] is refused when it is added again with %o", (difference) => {
    const log = withTask({}, { type: "addTask", taskId: "p", taskName: "Parent" }, start, report({ percentage: 50 }));
    expect(outcome(log, added(difference))).toBe("TASK_EXISTS");
    expect(taskOf(log)).toMatchObject({ taskName: "Task", percentage: 50, status: "in_progress" });
  });

  it("[T9] may go back, and the event says so (M05)", () => {
    const log = withTask({ totalSteps: 10 }, start);
    const regressed = (fields: object) => (log.give(report(fields)) as { regressed?: true }).regressed;
    expect([50, 50, 49.9, 60, 0].map((percentage) => regressed({ percentage }))).toEqual([
      undefined,
      undefined,
      true,
      undefined,
      true,
    ]);
    expect(taskOf(log).percentage).toBe(0);
    expect(regressed({ completedSteps: 5 })).toBeUndefined();
    expect(regressed({ completedSteps: 4 })).toBe(true);
    expect(regressed({ totalSteps: 20 })).toBe(true);
    expect(regressed({ message: "still there" })).toBeUndefined();
    expect(taskOf(log)).toMatchObject({ percentage: 20, completedSteps: 4, totalSteps: 20 });
  });

  it("[T10] counts steps instead of percent", () => {
    const log = withTask({ totalSteps: 3, unit: "nodes" }, start);
    const percentages = [0, 1, 2, 3].map(
      (completedSteps) => (log.give(report({ completedSteps })) as { percentage?: number }).percentage,
    );
    expect(percentages).toEqual([0, 33.33, 66.67, 100]);
    expect(taskOf(log)).toMatchObject({ completedSteps: 3, totalSteps: 3, unit: "nodes", isMeasured: true });
    expect(
      withTask({}, report({ completedSteps: 999_999, totalSteps: 1_000_000 })).state.tasks.get("t")?.percentage,
    ).toBe(99.99);
  });

  it("[T10] a total alone says nothing of how far it is", () => {
    const log = withTask({}, report({ percentage: 50 }));
    expect(log.give(report({ totalSteps: 4, unit: "nodes" }))).not.toHaveProperty("regressed");
    expect(taskOf(log)).toMatchObject({ percentage: 50, completedSteps: null, totalSteps: 4, unit: "nodes" });
    log.give(report({ completedSteps: 1 }));
    expect(taskOf(log)).toMatchObject({ percentage: 25, completedSteps: 1, totalSteps: 4, unit: "nodes" });
  });

  it("[T10] a percentage told beside a new total is the percentage", () => {
    const log = withTask({ totalSteps: 4 }, report({ percentage: 50, totalSteps: 8 }));
    expect(taskOf(log)).toMatchObject({ percentage: 50, completedSteps: 0, totalSteps: 8 });
  });

  it("[T10] a finished task with steps has done all of them", () => {
    expect(withTask({ totalSteps: 3 }, start, complete).events.at(-1)).toMatchObject({
      percentage: 100,
      completedSteps: 3,
      totalSteps: 3,
    });
  });

  it.each([{ completedSteps: 4 }, { completedSteps: 4, totalSteps: 3 }, { totalSteps: 1 }])(
    "[V3] steps that cannot be are refused: %o",
    (fields) => {
      expect(outcome(withTask({ totalSteps: 3 }, report({ completedSteps: 2 })), report(fields))).toBe(
        "INVALID_ARGUMENT",
      );
    },
  );

  it("[V3] steps without a total are refused, and so is a percentage beside steps", () => {
    expect(outcome(withTask(), report({ completedSteps: 1 }))).toBe("INVALID_ARGUMENT");
    expect(outcome(withTask({ totalSteps: 3 }), report({ completedSteps: 1, percentage: 33 }))).toBe(
      "INVALID_ARGUMENT",
    );
  });

  it("[R6] is unmeasured until it reports how far it is", () => {
    const log = withTask({}, start, report({ message: "working" }));
    expect(taskOf(log)).toMatchObject({ isMeasured: false, percentage: 0, message: "working" });
    log.give(report({ percentage: 0 }));
    expect(taskOf(log)).toMatchObject({ isMeasured: true, percentage: 0 });
    log.give(report({ message: "going on" }));
    expect(taskOf(log).isMeasured).toBe(true);
    expect(taskOf(withTask({}, start, complete)).isMeasured).toBe(true);
  });

  it("[E7] reports its whole position in every event that changes it", () => {
    const log = withTask({ totalSteps: 4, unit: "nodes" }, start, report({ completedSteps: 1 }));
    for (const command of [
      report({ message: "on" }),
      { type: "pauseTask", taskId: "t" },
      { type: "resumeTask", taskId: "t" },
      fail("broke"),
    ]) {
      expect(log.give(command)).toMatchObject({
        percentage: 25,
        completedSteps: 1,
        totalSteps: 4,
        unit: "nodes",
        attempt: 1,
      });
    }
    expect(log.give(start)).toMatchObject({
      percentage: 0,
      completedSteps: 0,
      totalSteps: 4,
      unit: "nodes",
      attempt: 2,
    });
  });

  it("[T12] keeps one heartbeat in 10 s, and none right after another sign of life", () => {
    const log = withTask({}, start);
    const beat = () => outcome(log, { type: "heartbeat", taskId: "t" });
    expect([beat(), log.pass(9_999) && beat(), log.pass(1) && beat(), beat()]).toEqual([
      "=",
      "=",
      "task.heartbeat",
      "=",
    ]);
    log.pass(9_000).give(report({ percentage: 1 }));
    expect([log.pass(9_000) && beat(), log.pass(1_000) && beat()]).toEqual(["=", "task.heartbeat"]);
    expect(taskOf(log)).toMatchObject({ lastSeenMs: 29_000, lastAdvanceMs: 19_000 });
  });

  it("[T12] a heartbeat, a log line or a report that stands still is a sign of life and no advance", () => {
    const log = withTask({}, start, report({ percentage: 10 }));
    log.pass(20_000).give({ type: "heartbeat", taskId: "t" });
    log.pass(20_000).give({ type: "appendLog", taskId: "t", text: "line" });
    log.pass(20_000).give(report({ percentage: 10, message: "same" }));
    expect(taskOf(log)).toMatchObject({ lastSeenMs: 60_000, lastAdvanceMs: 0 });
    log.pass(20_000).give(report({ percentage: 5 }));
    expect(taskOf(log)).toMatchObject({ lastSeenMs: 80_000, lastAdvanceMs: 0 });
    log.pass(20_000).give(report({ percentage: 6 }));
    expect(taskOf(log).lastAdvanceMs).toBe(100_000);
  });

  it("[I2] says what it waits for and since when, until it starts or ends", () => {
    const log = withTask({}, start);
    const wait = (fields: object) =>
      log.give({ type: "setWaitingOn", taskId: "t", waitingOn: { kind: "pod", name: "web-1", ...fields } });
    wait({});
    expect(taskOf(log).waitingOn).toEqual({ kind: "pod", name: "web-1", since: "2026-03-01T08:00:00.000Z" });
    log.pass(5_000);
    expect(outcome(log, { type: "setWaitingOn", taskId: "t", waitingOn: { kind: "pod", name: "web-1" } })).toBe("=");
    wait({ message: "still blocked", remedy: "raise the budget" });
    expect(taskOf(log).waitingOn).toMatchObject({
      since: "2026-03-01T08:00:00.000Z",
      message: "still blocked",
      remedy: "raise the budget",
    });
    wait({ name: "web-2" });
    expect(taskOf(log).waitingOn).toEqual({ kind: "pod", name: "web-2", since: "2026-03-01T08:00:05.000Z" });
    log.give({ type: "clearWaitingOn", taskId: "t" });
    expect(taskOf(log).waitingOn).toBeNull();
    for (const end of [complete, fail("broke"), { type: "cancelTask", taskId: "t" }]) {
      const ended = withTask(
        {},
        start,
        { type: "setWaitingOn", taskId: "t", waitingOn: { kind: "pod", name: "x" } },
        end,
      );
      expect(taskOf(ended).waitingOn).toBeNull();
    }
    const approved = withTask(
      {},
      { type: "setWaitingOn", taskId: "t", waitingOn: { kind: "approval", name: "x" } },
      start,
    );
    expect(taskOf(approved).waitingOn).toBeNull();
  });

  it("[V4] a failure with the longest error is still well-formed text", () => {
    const log = withTask({}, start);
    const event = log.give(fail("🚀".repeat(8_192))) as { message?: string };
    expect(event.message).toMatch(/^Task failed: 🚀/u);
    expect(event.message?.isWellFormed()).toBe(true);
  });

  it("[R5] with children takes a message, no percentage, and says in its events what its children give", () => {
    const log = withTask(
      {},
      { type: "addTask", taskId: "c1", taskName: "One", parentTaskId: "t" },
      { type: "addTask", taskId: "c2", taskName: "Two", parentTaskId: "t" },
    );
    log.give({ type: "updateTaskProgress", taskId: "c1", percentage: 50 });
    expect(outcome(log, report({ percentage: 10 }))).toBe("TASK_HAS_CHILDREN");
    expect(outcome(log, report({ completedSteps: 1, totalSteps: 2 }))).toBe("TASK_HAS_CHILDREN");
    expect(outcome(log, report({ totalSteps: 2 }))).toBe("TASK_HAS_CHILDREN");
    for (const command of [
      report({ message: "half way" }),
      { type: "pauseTask", taskId: "t" },
      start,
      fail("broke"),
      start,
      complete,
    ]) {
      expect(log.give(command)).toMatchObject({ percentage: 25 });
      expect(taskOf(log).percentage).toBe(25);
    }
    expect(taskOf(log).status).toBe("completed");
  });
});

describe("durations", () => {
  it("[T11] leave pauses out, of a task and of the upgrade", () => {
    const log = withTask({}, { type: "startUpgrade" }, start);
    log.pass(1_000).give({ type: "pauseTask", taskId: "t" });
    log.pass(500).give({ type: "pauseUpgrade" });
    expect(taskDurationMs(taskOf(log), 9_999)).toBe(1_000);
    log.pass(500).give({ type: "resumeTask", taskId: "t" });
    log.pass(250).give(complete);
    expect(taskDurationMs(taskOf(log), 9_999)).toBe(1_250);
    expect(upgradeDurationMs(log.state, 9_999)).toBe(1_500);
    log.pass(750).give({ type: "resumeUpgrade" });
    log.pass(100).give({ type: "completeUpgrade" });
    expect(upgradeDurationMs(log.state, 9_999)).toBe(1_600);
    expect(log.state).toMatchObject({
      startedMs: 0,
      endedMs: 3_100,
      pausedMs: 1_500,
      completedAt: "2026-03-01T08:00:03.100Z",
    });
  });

  it("[T11] are null before the start, and nought, not negative, when asked about an earlier moment", () => {
    expect(upgradeDurationMs(emptyState, 5)).toBeNull();
    const log = withTask().pass(100);
    expect(taskDurationMs(taskOf(log), 5)).toBeNull();
    log.give(start);
    expect(taskDurationMs(taskOf(log), 5)).toBe(0);
  });

  it("[T11] of a task that fails or is cancelled while it is paused end with the pause", () => {
    for (const end of [fail("broke"), { type: "cancelTask", taskId: "t" }]) {
      const log = withTask({}, start).pass(300);
      log.give({ type: "pauseTask", taskId: "t" });
      log.pass(700).give(end);
      expect(taskDurationMs(taskOf(log), 9_999)).toBe(300);
    }
  });
});
