import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../src/model/upgrade.ts";
import { DEFAULT_RULES, explain, rulesRouter, type Rule } from "../../src/notify/rules.ts";

const event = (type: string, fields: object = {}): ProgressEvent =>
  ({
    seq: 1,
    id: "i",
    cursor: "a.b.1",
    ms: 0,
    upgradeId: "up",
    time: "2026-03-01T08:00:00.000Z",
    type,
    ...fields,
  }) as unknown as ProgressEvent;
const state = emptyUpgrade({ upgradeId: "up", planId: "p", clusterName: "prod-eu-1" });
const selects = (rule: Rule, what: ProgressEvent): boolean => explain(rule, what, state).isSelected;

describe("a rule", () => {
  it.each([
    [["*"], "task.progressed", true],
    [["upgrade.*"], "upgrade.failed", true],
    [["upgrade.*"], "task.failed", false],
    [["*.failed"], "task.failed", true],
    [["t*k.*ed"], "task.started", true],
    [["task.failed"], "task.failed", true],
    [["task.fail"], "task.failed", false],
    [["task.*.failed"], "task.failed", false],
    [["upgrade*upgrade"], "upgrade", false],
    [["task.started", "upgrade.*"], "upgrade.paused", true],
    [[], "upgrade.paused", false],
  ] as const)("events %j take %s: %s", (events, type, expected) => {
    expect(selects({ events }, event(type))).toBe(expected);
  });

  it("a pattern of many stars is no slower on a long text than a short one", () => {
    const began = performance.now();
    expect(selects({ events: ["*a".repeat(5_000)] }, event(`${"a".repeat(4_999)}b`))).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it("selects by status, cluster, task type and severity, and says what did not hold", () => {
    const failed = event("task.failed", { taskId: "a", status: "failed", errorMessage: "no" });
    expect(selects({ statuses: ["failed"] }, failed)).toBe(true);
    expect(explain({ statuses: ["completed"] }, failed, state)).toEqual({
      isSelected: false,
      reason: "the rule wants statuses completed",
    });
    expect(selects({ statuses: ["completed"] }, event("log.appended"))).toBe(false);
    expect(selects({ clusters: ["prod-*"] }, failed)).toBe(true);
    expect(explain({ clusters: ["dev-*", "test"] }, failed, state).reason).toBe("the rule wants clusters dev-*, test");
    expect(explain({ clusters: ["*"] }, failed, undefined).isSelected).toBe(false);
    expect(selects({ taskTypes: ["validation"] }, failed)).toBe(false);
    expect(selects({ minSeverity: "error" }, failed)).toBe(true);
    expect(explain({ minSeverity: "warning" }, event("task.started", { status: "in_progress" }), state).reason).toBe(
      "the rule wants severity warning or more, and this is info",
    );
  });

  it("knows when an upgrade gets stuck and when it goes on", () => {
    const health = (now: string, before: string | null): ProgressEvent =>
      event("health.changed", { health: now, previousHealth: before, reasons: [] });
    for (const [what, turn] of [
      [health("stalled", "progressing"), "stuck"],
      [health("lost", null), "stuck"],
      [health("progressing", "stalled"), "recovered"],
      [health("slow", "degraded"), "recovered"],
      [health("slow", "progressing"), undefined],
      [event("task.waiting", { taskId: "a", waitingOn: { kind: "k", name: "n", since: "" } }), "stuck"],
      [event("task.waiting", { taskId: "a", waitingOn: null }), "recovered"],
      [event("task.started", { status: "in_progress" }), undefined],
    ] as const) {
      expect(selects({ turns: ["stuck"] }, what)).toBe(turn === "stuck");
      expect(selects({ turns: ["recovered"] }, what)).toBe(turn === "recovered");
    }
  });
});

describe("a rule that repeats", () => {
  const at = (health: string | null, status = "in_progress"): UpgradeProgress =>
    ({ ...state, status, health: health && { state: health, reasons: [], since: "" } }) as UpgradeProgress;
  const stalled = event("health.changed", { health: "stalled", previousHealth: null, reasons: [] });
  const nagging = rulesRouter([{ name: "nag", repeatMinutes: 5 }], "x");

  it("does so for what may last, and for nothing else", () => {
    expect(nagging.route(stalled, state)).toEqual({ key: "", by: "nag", repeatMs: 300_000 });
    expect(nagging.route(event("upgrade.failed", { status: "failed" }), state)).toMatchObject({ repeatMs: 300_000 });
    expect(nagging.route(event("task.waiting", { taskId: "a", waitingOn: { since: "" } }), state)).toHaveProperty(
      "repeatMs",
    );
    for (const over of [
      event("task.waiting", { taskId: "a", waitingOn: null }),
      event("health.changed", { health: "progressing", previousHealth: "stalled", reasons: [] }),
      event("task.started", { taskId: "a", status: "in_progress" }),
      event("upgrade.completed", { status: "completed" }),
    ])
      expect(nagging.route(over, state)).not.toHaveProperty("repeatMs");
  });

  it("ends when the upgrade is well again, or has ended", () => {
    for (const health of ["stalled", "degraded", "lost"]) expect(nagging.holds(stalled, at(health))).toBe(true);
    for (const health of ["progressing", "slow", null]) expect(nagging.holds(stalled, at(health))).toBe(false);
    for (const status of ["completed", "failed", "cancelled"])
      expect(nagging.holds(stalled, at("stalled", status))).toBe(false);
  });
});

describe("hours", () => {
  const at = (time: string, fields: object = {}): ProgressEvent =>
    event("task.started", { time, status: "in_progress", ...fields });
  const quietHours = { from: "22:00", to: "07:00", timeZone: "Europe/Berlin" };
  const held = (time: string, rule: Rule = { quietHours }): string | undefined => {
    const { holdUntilMs } = explain(rule, at(time), state);
    return holdUntilMs === undefined ? undefined : new Date(holdUntilMs).toISOString();
  };

  it.each([
    ["2026-01-10T20:59:59.999Z", undefined],
    ["2026-01-10T21:00:00.000Z", "2026-01-11T06:00:00.000Z"],
    ["2026-01-11T05:59:59.999Z", "2026-01-11T06:00:00.000Z"],
    ["2026-01-11T06:00:00.000Z", undefined],
    // The night in which the clocks go forward, and the one in which they go back.
    ["2026-03-28T22:30:00.000Z", "2026-03-29T05:00:00.000Z"],
    ["2026-10-24T21:30:00.000Z", "2026-10-25T06:00:00.000Z"],
  ])("quiet hours over midnight: %s is told at %s", (time, expected) => {
    expect(held(time)).toBe(expected);
  });

  it("an error is told in quiet hours too", () => {
    const failed = event("upgrade.failed", { time: "2026-01-10T23:00:00.000Z", status: "failed", errorMessage: "x" });
    expect(explain({ quietHours }, failed, state)).toEqual({
      isSelected: true,
      reason: "all that the rule asks for holds",
    });
  });

  it("a digest tells at whole multiples of its minutes, and after the quiet hours", () => {
    expect(held("2026-01-10T12:07:00.000Z", { digestMinutes: 15 })).toBe("2026-01-10T12:15:00.000Z");
    expect(held("2026-01-10T12:15:00.000Z", { digestMinutes: 15 })).toBe("2026-01-10T12:30:00.000Z");
    expect(held("2026-01-10T23:00:00.000Z", { digestMinutes: 60, quietHours })).toBe("2026-01-11T07:00:00.000Z");
  });

  it("outside its hours a rule selects nothing", () => {
    const hours = { from: "09:00", to: "17:00" };
    expect(selects({ hours }, at("2026-01-10T09:00:00.000Z"))).toBe(true);
    expect(explain({ hours }, at("2026-01-10T17:00:00.000Z"), state).reason).toBe(
      "the rule wants the hours from 09:00 to 17:00",
    );
  });
});

describe("the rules of a notifier", () => {
  it("are those that name it or none, and the first that selects an event decides", () => {
    const router = rulesRouter(
      [
        { to: ["sms"], events: ["upgrade.failed"] },
        { name: "digest", events: ["task.*"], digestMinutes: 5 },
        { events: ["*"] },
      ],
      "slack",
    );
    expect(router.route(event("upgrade.failed", { status: "failed" }), undefined)).toEqual({ key: "", by: "rule 3" });
    expect(router.route(event("task.started", { taskId: "a", status: "in_progress" }), undefined)).toEqual({
      key: "\u0000digest",
      by: "digest",
      holdUntilMs: Date.parse("2026-03-01T08:05:00.000Z"),
    });
    expect(rulesRouter([{ to: ["sms"] }], "slack").route(event("task.started"), undefined)).toEqual({
      skip: "no rule is for this notifier",
    });
    expect(
      rulesRouter([{ events: ["a"] }, { name: "b", events: ["c"] }], "slack").route(event("d"), undefined),
    ).toEqual({
      skip: "rule 1: the rule wants events a; b: the rule wants events c",
    });
  });

  it("ask for the state only when they look at it", () => {
    expect(rulesRouter(DEFAULT_RULES, "x").needsState).toBe(false);
    expect(rulesRouter([{ clusters: ["a"] }], "x").needsState).toBe(true);
    expect(rulesRouter([{ taskTypes: ["a"], to: ["y"] }], "x").needsState).toBe(false);
  });

  it("that cannot be are refused at once", () => {
    for (const rule of [
      { hours: { from: "25:00", to: "07:00" } },
      { quietHours: { from: "22:00", to: "7" } },
      { quietHours: { from: "22:00", to: "07:00", timeZone: "Mars/Olympus" } },
      { digestMinutes: 0 },
      { digestMinutes: Number.NaN },
    ])
      expect(() => rulesRouter([rule], "x")).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});
