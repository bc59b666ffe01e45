import { describe, expect, it } from "vitest";
import { decide } from "../../src/model/decide.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { emptyState, outcome, testLog, type TestLog } from "./log.ts";

const insight = (fields: object = {}) => ({
  type: "raiseInsight",
  insight: { id: "deprecated-api", level: "warning", message: "v1beta1 is used", ...fields },
});
const started = (...commands: readonly object[]): TestLog => {
  const log = testLog();
  for (const command of [{ type: "startUpgrade", phase: "Preparation" }, ...commands]) log.give(command);
  return log;
};
const add = (taskId: string, fields: object = {}) => ({ type: "addTask", taskId, taskName: taskId, ...fields });
const start = (taskId: string) => ({ type: "startTask", taskId });
const complete = (taskId: string) => ({ type: "completeTask", taskId });

describe("an upgrade", () => {
  it("[U4] that is completed with unfinished tasks says so, and leaves them as they are", () => {
    const log = started(...["done", "running", "waiting", "skipped", "failed"].map((id) => add(id)));
    for (const command of [
      start("done"),
      complete("done"),
      start("running"),
      { type: "skipTask", taskId: "skipped" },
      start("failed"),
      { type: "failTask", taskId: "failed", errorMessage: "broke" },
    ])
      log.give(command);
    const percentage = log.state.overallPercentage;
    const event = log.give({ type: "completeUpgrade" });
    expect(event).toMatchObject({
      type: "upgrade.completed",
      percentage: 25,
      unfinishedTaskIds: ["running", "waiting", "failed"],
      unfinishedCount: 3,
    });
    expect(log.events.at(-2)).toMatchObject({
      type: "insight.raised",
      insight: { level: "warning", resources: ["running", "waiting", "failed"] },
    });
    expect(log.state).toMatchObject({ status: "completed", overallPercentage: percentage });
    expect([...log.state.tasks.values()].map(({ status }) => status)).toEqual([
      "completed",
      "in_progress",
      "not_started",
      "skipped",
      "failed",
    ]);
  });

  it("[U4] lists at most 1,000 unfinished tasks and counts all", () => {
    const log = started(...Array.from({ length: 1_001 }, (_, n) => add(`t${n}`)));
    const event = log.give({ type: "completeUpgrade" }) as Extract<ProgressEvent, { type: "upgrade.completed" }>;
    expect([event.unfinishedTaskIds?.length, event.unfinishedCount]).toEqual([1_000, 1_001]);
  });

  it("[U4] with all done, or done below a group that nobody reported on, lists nothing", () => {
    const log = started(add("group"), add("leaf", { parentTaskId: "group" }), start("leaf"), complete("leaf"));
    const event = log.give({ type: "completeUpgrade" });
    expect(event).not.toHaveProperty("unfinishedTaskIds");
    expect(event).toMatchObject({ percentage: 100 });
    expect(log.state).toMatchObject({ overallPercentage: 100, insights: [] });
  });

  it("[U5] says when it goes back to an earlier phase, and keeps each stay (M05)", () => {
    const log = started();
    log.pass(1_000).give({ type: "setCurrentPhase", phase: "Nodes" });
    expect(outcome(log, { type: "setCurrentPhase", phase: "Nodes" })).toBe("=");
    expect(log.pass(500).give({ type: "setCurrentPhase", phase: "Preparation" })).toMatchObject({
      previousPhase: "Nodes",
      regressed: true,
    });
    expect(log.give({ type: "setCurrentPhase", phase: "Check" })).not.toHaveProperty("regressed");
    expect(log.state.phases).toMatchObject([
      { phase: "Preparation", startedMs: 0, endedMs: 1_000 },
      { phase: "Nodes", startedMs: 1_000, endedMs: 1_500 },
      { phase: "Preparation", startedMs: 1_500, endedMs: 1_500 },
      { phase: "Check", startedMs: 1_500, endedMs: null },
    ]);
    log.pass(10).give({ type: "completeUpgrade" });
    expect(log.state.phases.at(-1)).toMatchObject({ endedMs: 1_510 });
  });

  it("[U5] keeps the newest 1,000 stays of very many phases, and the phase that it was in before it started", () => {
    const log = testLog();
    log.give({ type: "setCurrentPhase", phase: "Planning" });
    log.give({ type: "startUpgrade", phase: "Preparation" });
    expect(log.state.phases.map(({ phase }) => phase)).toEqual(["Planning", "Preparation"]);
    for (let n = 0; n < 1_100; n++) log.give({ type: "setCurrentPhase", phase: `Phase ${n}` });
    expect(log.state.phases).toHaveLength(1_000);
    expect(log.state.phases.at(-1)?.phase).toBe("Phase 1099");
  });

  it("[T4] a failure says what failed", () => {
    const log = started();
    expect(log.give({ type: "failUpgrade", errorMessage: "no quorum" })).toMatchObject({
      errorMessage: "no quorum",
      message: "Upgrade failed: no quorum",
    });
    expect(log.state).toMatchObject({
      status: "failed",
      errorMessage: "no quorum",
      completedAt: "2026-03-01T08:00:00.000Z",
    });
  });

  it("[V3] nests its tasks at most 32 deep", () => {
    const log = started(add("t1"));
    for (let n = 2; n <= 32; n++) log.give(add(`t${n}`, { parentTaskId: `t${n - 1}` }));
    expect(outcome(log, add("t33", { parentTaskId: "t32" }))).toBe("LIMIT_REACHED");
  });
});

describe("insights", () => {
  it("[I1] are raised once, updated where they stand and cleared by their id", () => {
    const log = started(insight(), insight({ id: "quota", level: "error", message: "no room" }));
    log.pass(60_000).give(insight({ message: "v1beta1 is used by 3", resources: ["a", "b", "c"] }));
    expect(log.events.slice(-3).map(({ type }) => type)).toEqual([
      "insight.raised",
      "insight.raised",
      "insight.updated",
    ]);
    expect(log.state.insights).toMatchObject([
      {
        id: "deprecated-api",
        message: "v1beta1 is used by 3",
        since: "2026-03-01T08:00:00.000Z",
        resources: ["a", "b", "c"],
        impact: null,
      },
      { id: "quota", level: "error" },
    ]);
    log.give({ type: "clearInsight", insightId: "deprecated-api", message: "migrated" });
    expect(log.state.insights.map(({ id }) => id)).toEqual(["quota"]);
    expect(log.pass(1_000).give(insight())).toMatchObject({
      type: "insight.raised",
      insight: { since: "2026-03-01T08:01:01.000Z" },
    });
  });

  it("[I1, T2] are not raised again as they stand, and the answer is the event that said so", () => {
    const log = started(insight(), add("t"), start("t"));
    expect(outcome(log, insight())).toBe("=");
    expect(log.give(insight())).toMatchObject({ type: "insight.raised", insight: { id: "deprecated-api" } });
    log.give(insight({ message: "again" }));
    log.give(insight({ id: "other" }));
    expect(log.give(insight({ message: "again" }))).toMatchObject({
      type: "insight.updated",
      insight: { message: "again" },
    });
    expect(outcome(log, { type: "clearInsight", insightId: "zzz" })).toBe("=");
  });

  it("[I1] that do not stand are cleared in a log without events, which has no other to answer with", () => {
    const decision = decide(
      emptyState,
      { type: "clearInsight", insightId: "i" },
      { time: "2026-03-01T08:00:00.000Z", logMs: 0 },
    );
    expect(decision).toMatchObject({ drafts: [{ type: "insight.cleared", insightId: "i" }] });
  });

  it("[I1] stand at most 1,000 at a time", () => {
    const log = started();
    for (let n = 0; n < 1_000; n++) log.give(insight({ id: `i${n}` }));
    expect(outcome(log, insight({ id: "one more" }))).toBe("LIMIT_REACHED");
    expect(outcome(log, insight({ id: "i5", message: "changed" }))).toBe("insight.updated");
    log.give({ type: "clearInsight", insightId: "i7" });
    expect(outcome(log, insight({ id: "one more" }))).toBe("insight.raised");
  });
});
