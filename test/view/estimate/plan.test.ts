import { describe, expect, it } from "vitest";

import { evolve } from "../../../src/model/evolve.ts";
import type { ProgressEvent } from "../../../src/model/event.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../../src/model/upgrade.ts";
import { basisText, behindText, overPlanMs, overPlanText, planOf } from "../../../src/view/estimate/plan.ts";
import { StretchLog, stretchesOf } from "../../../src/view/timeline/stretches.ts";
import { momentAt } from "../../../src/view/upgrade/upgrade-view.ts";
import { NOTHING_USUAL } from "../../../src/view/estimate/usual-durations.ts";
import { earlierUpgrades } from "../../../src/view/estimate/usual-times.ts";
import { add, at, begin, fail, finish, IDS, start, story, type Step } from "../story.ts";
import { toldBy } from "../usual.ts";

/** An upgrade that ran a, then b, for so many seconds each. */
const ran = (aSeconds: number, bSeconds: number, more: Partial<UpgradeProgress> = {}): UpgradeProgress => ({
  ...story([
    [0, start(), add("a"), add("b"), begin("a")],
    [aSeconds, finish("a"), begin("b")],
    [aSeconds + bSeconds, finish("b"), { type: "completeUpgrade" }],
  ]).state,
  ...more,
});

const EARLIER = [ran(10, 100), ran(20, 100), ran(60, 100)];
const task = (state: UpgradeProgress, taskId: string) => {
  const found = state.tasks.get(taskId);
  if (found === undefined) throw new Error(`no task ${taskId}`);
  return found;
};

describe("what is usual", () => {
  it("gives the middle and what nine of ten took, with the number of upgrades", () => {
    const usual = toldBy(EARLIER);
    expect(usual.upgrades).toBe(3);
    expect(usual.usualMs({ taskId: "a", taskName: "?", taskType: "?" })).toMatchObject({
      p50: 20_000,
      p90: 52_000,
      runs: 3,
    });
    expect(usual.whole).toEqual({ p50: 120_000, p90: 152_000, runs: 3 });
    expect(usual.usualStartMs({ taskId: "b", taskName: "?", taskType: "?" })).toBe(20_000);
  });

  it("knows a task by its id, else by name and type, and says nothing of one that it does not know", () => {
    const usual = toldBy([ran(10, 100)]);
    const type = "upgrade_step";
    expect(usual.usualMs({ taskId: "other", taskName: "a", taskType: type })?.p50).toBe(10_000);
    expect(usual.usualMs({ taskId: "other", taskName: "a", taskType: "cleanup" })).toBeUndefined();
    expect(NOTHING_USUAL.usualMs({ taskId: "a", taskName: "a", taskType: type })).toBeUndefined();
  });

  it("counts neither pauses nor tasks that failed, and takes no place from an upgrade that was paused", () => {
    const { state } = story([
      [0, start(), add("a"), add("b"), begin("a"), begin("b")],
      [10, { type: "pauseUpgrade" }, { type: "pauseTask", taskId: "a" }],
      [70, { type: "resumeUpgrade" }, { type: "resumeTask", taskId: "a" }],
      [80, finish("a"), fail("b", "gone")],
      [90, { type: "completeUpgrade" }],
    ]);
    const usual = toldBy([state]);
    expect(usual.usualMs(task(state, "a"))).toMatchObject({ p50: 20_000, p90: 20_000, runs: 1 });
    expect(usual.usualMs(task(state, "b"))).toBeUndefined();
    expect(usual.whole?.p50).toBe(30_000);
    expect(usual.usualStartMs(task(state, "a"))).toBeUndefined();
  });

  it("learns from finished upgrades of the cluster that began before, else of the plan, never from itself", () => {
    const before = (more: Partial<UpgradeProgress>) =>
      ran(1, 1, { startedAt: new Date(at(-100)).toISOString(), ...more });
    const state = ran(1, 1);
    const [same, plan] = [before({ cursor: "x" }), before({ cursor: "y", clusterName: "other", upgradeId: "u2" })];
    const strange = before({ upgradeId: "u3", clusterName: "other", planId: "other" });
    const after = before({ upgradeId: "u4", startedAt: new Date(at(100)).toISOString() });
    const running = before({ upgradeId: "u5", status: "in_progress" });
    const old = { ...same, upgradeId: "u1" };
    expect(earlierUpgrades(state, [state, old, plan, strange, after, running])).toEqual([old]);
    expect(earlierUpgrades(state, [state, plan, strange, after, running])).toEqual([plan]);
    expect(earlierUpgrades(state, [strange])).toEqual([]);
  });
});

describe("planOf", () => {
  const plan = (steps: readonly Step[], second: number, earlier = EARLIER) => {
    const { state } = story(steps);
    const now = momentAt(state, at(second));
    return { state, now, plan: planOf(state, { usual: toldBy(earlier), now }) };
  };

  it("puts each task where it usually lies after the start, for as long as it usually takes", () => {
    const { state, plan: planned } = plan([[5, start(), add("a"), add("b")]], 6);
    expect(planned.of(task(state, "b"))).toEqual({
      source: "usual",
      durationMs: 100_000,
      p90Ms: 100_000,
      runs: 3,
      fromMs: 25_000,
      toMs: 125_000,
    });
    expect(planned.endMs).toBe(125_000);
  });

  it("takes what the task was added with before what is usual, and knows no place without earlier upgrades", () => {
    const { state, plan: planned } = plan([[0, start(), add("a", { expectedMs: 7000 }), add("b")]], 1, []);
    expect(planned.of(task(state, "a"))).toMatchObject({
      source: "expected",
      durationMs: 7000,
      p90Ms: null,
      fromMs: null,
    });
    expect(planned.of(task(state, "b"))).toBeUndefined();
    expect(planned.endMs).toBeNull();
    expect(planned.behindMs()).toBeNull();
  });

  it("moves what comes after a pause by its length", () => {
    const steps: Step[] = [
      [0, start(), add("a"), add("b"), begin("a")],
      [10, { type: "pauseUpgrade" }],
      [40, { type: "resumeUpgrade" }],
    ];
    const { state, now } = plan(steps, 50);
    const pauses = [{ kind: "paused", fromMs: 10_000, toMs: 40_000, on: null } as const];
    const moved = planOf(state, { usual: toldBy(EARLIER), now, pauses });
    expect(moved.of(task(state, "a"))?.fromMs).toBe(0);
    expect(moved.of(task(state, "b"))?.fromMs).toBe(50_000);
    expect(moved.endMs).toBe(150_000);
  });

  it("says how far behind: by what is overdue, else by what ended last, at the end by the whole", () => {
    const running: Step[] = [[0, start(), add("a"), add("b"), begin("a")]];
    expect(plan(running, 15).plan.behindMs()).toBeNull();
    expect(plan(running, 50).plan.behindMs()).toBe(30_000);
    const next: Step[] = [...running, [12, finish("a"), begin("b")]];
    expect(plan(next, 15).plan.behindMs()).toBe(-8_000);
    const all: Step[] = [...next, [200, finish("b"), { type: "completeUpgrade" }]];
    expect(plan(all, 999).plan.behindMs()).toBe(80_000);
  });

  it("says in words how far over a task is and what that is measured by", () => {
    const { state, now, plan: planned } = plan([[0, start(), add("a"), begin("a")]], 745 + 20);
    const of = planned.of(task(state, "a"));
    const overMs = overPlanMs(task(state, "a"), of, now);
    expect(overMs).toBe(745_000);
    expect(overPlanText(overMs ?? 0, "usual")).toBe("12m 25s over usual");
    expect(overPlanText(-3000, "expected")).toBe("3s under expected");
    expect(overPlanText(400, "usual")).toBe("as usual");
    expect(of && basisText(of)).toBe("usually 20s, nine of ten within 52s (3 earlier upgrades)");
    expect(behindText(-61_000)).toBe("1m 01s ahead of the usual");
  });
});

describe("stretches", () => {
  const gathered = (steps: readonly Step[]) => {
    const { state, events } = story(steps);
    const log = new StretchLog();
    const states: UpgradeProgress[] = [emptyUpgrade(IDS, { cursor: "start" })];
    for (const event of events) {
      const before = states.at(-1) as UpgradeProgress;
      states.push(evolve(before, event));
      log.take(event, before, states.at(-1) as UpgradeProgress);
    }
    return { state, log, states };
  };
  const wait = (name: string) => ({ type: "setWaitingOn", taskId: "a", waitingOn: { kind: "Pod", name } });

  it("places pauses and waits that have ended, and those that last", () => {
    const { state, log, states } = gathered([
      [0, start(), add("a"), begin("a")],
      [10, { type: "pauseTask", taskId: "a" }],
      [15, { type: "resumeTask", taskId: "a" }],
      [20, wait("x")],
      [30, wait("y")],
      [40, { type: "clearWaitingOn", taskId: "a" }],
      [50, { type: "pauseUpgrade" }, wait("z")],
    ]);
    const now = momentAt(state, at(60));
    expect(stretchesOf(state, "a", { stretches: log, now })).toEqual([
      expect.objectContaining({ kind: "paused", fromMs: 10_000, toMs: 15_000 }),
      expect.objectContaining({ kind: "waiting", fromMs: 20_000, toMs: 30_000, on: "Pod x" }),
      expect.objectContaining({ kind: "waiting", fromMs: 30_000, toMs: 40_000, on: "Pod y" }),
      { kind: "waiting", fromMs: 50_000, toMs: null, on: "Pod z" },
    ]);
    expect(stretchesOf(state, null, { stretches: log, now })).toEqual([
      { kind: "paused", fromMs: 50_000, toMs: null, on: null },
    ]);
    // At an earlier place what ended later has not ended.
    const past = states.find(({ clock }) => clock.lastMs === 30_000) as UpgradeProgress;
    expect(stretchesOf(past, "a", { stretches: log, now: momentAt(past, at(35)) }).at(-1)).toEqual({
      kind: "waiting",
      fromMs: 30_000,
      toMs: null,
      on: "Pod y",
    });
  });

  it("keeps so many at most, the newest", () => {
    const { log, states } = gathered([
      [0, start(), { type: "pauseUpgrade" }],
      [5, { type: "resumeUpgrade" }],
    ]);
    const [paused, resumed] = states.slice(-2) as [UpgradeProgress, UpgradeProgress];
    const event = { type: "upgrade.resumed" } as ProgressEvent;
    for (let seq = 10; seq < 30_000; seq += 1) log.take({ ...event, seq }, paused, resumed);
    const kept = log.ended(null, 29_999);
    expect(kept.length).toBeLessThanOrEqual(10_000);
    expect(kept.length).toBeGreaterThanOrEqual(4_999);
    expect(log.ended(null, 29_998)).toHaveLength(kept.length - 1);
  });

  it("says that it does not know all once it has forgotten some", () => {
    const { log } = gathered([
      [0, start(), { type: "pauseUpgrade" }],
      [5, { type: "resumeUpgrade" }],
    ]);
    expect(log.isWhole).toBe(true);
    log.forgetBefore(99);
    expect(log.isWhole).toBe(false);
    expect(log.ended(null, 99)).toEqual([]);
  });
});
