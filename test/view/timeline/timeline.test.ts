import { describe, expect, it } from "vitest";

import type { UpgradeProgress } from "../../../src/model/upgrade.ts";
import { branchesOf, type Branch } from "../../../src/view/task/branches.ts";
import { laneSentence, laneText } from "../../../src/view/timeline/lane-text.ts";
import { planOf } from "../../../src/view/estimate/plan.ts";
import { NO_STRETCHES } from "../../../src/view/timeline/stretches.ts";
import { panned, placeIn, ticksOf, windowRound, zoomed } from "../../../src/view/timeline/time-scale.ts";
import { bandsOf, laneOf, laneRows, wholeWindow, type Frame } from "../../../src/view/timeline/timeline.ts";
import { NOTHING_USUAL } from "../../../src/view/estimate/usual-durations.ts";
import { workMoment } from "../../../src/view/upgrade/work-moment.ts";
import { add, at, begin, fail, finish, start, story, wait, type Step } from "../story.ts";
import { toldBy } from "../usual.ts";

const WINDOW = { fromMs: 0, toMs: 100_000 };

const frameOf = (state: UpgradeProgress, second: number, earlier: readonly UpgradeProgress[] = []): Frame => {
  const now = workMoment(state, at(second));
  const usual = earlier.length === 0 ? NOTHING_USUAL : toldBy(earlier);
  return { state, now, window: WINDOW, stretches: NO_STRETCHES, plan: planOf(state, { usual, now }) };
};

const branchOf = (state: UpgradeProgress, taskId: string): Branch => {
  const rows = laneRows(branchesOf(state.tasks), () => false);
  const found = rows.find(({ branch }) => branch.task.taskId === taskId);
  if (found === undefined) throw new Error(`no lane of ${taskId}`);
  return found.branch;
};

const lane = (steps: readonly Step[], second: number, taskId: string) => {
  const { state } = story(steps);
  return laneOf(branchOf(state, taskId), frameOf(state, second));
};

describe("laneOf", () => {
  it("has a bar for each attempt, the one at work up to now", () => {
    const steps: Step[] = [
      [0, start(), add("a"), begin("a")],
      [10, fail("a", "no\u0007 room")],
      [20, { type: "retryTask", taskId: "a" }],
    ];
    expect(lane(steps, 50, "a").bars).toEqual([
      expect.objectContaining({
        left: 0,
        width: 0.1,
        status: "failed",
        attempt: 1,
        isOpen: false,
        error: "no\\x07 room",
      }),
      expect.objectContaining({ left: 0.2, width: 0.3, status: "in_progress", attempt: 2, isOpen: true, error: null }),
    ]);
  });

  it("has one bar for an attempt that has failed and no other", () => {
    const steps: Step[] = [
      [0, start(), add("a"), begin("a")],
      [10, fail("a", "x")],
    ];
    expect(lane(steps, 50, "a").bars).toHaveLength(1);
  });

  it("marks what it waits for and since when, also before it has begun", () => {
    const steps: Step[] = [
      [0, start(), add("a")],
      [10, wait("a", { kind: "Approval", name: "cab" })],
    ];
    const { bars, stretches } = lane(steps, 30, "a");
    expect(bars).toEqual([]);
    expect(stretches).toEqual([
      { kind: "waiting", left: 0.1, width: expect.closeTo(0.2), lengthMs: 20_000, on: "Approval cab" },
    ]);
  });

  it("has the pause that lasts in it", () => {
    const steps: Step[] = [
      [0, start(), add("a"), begin("a")],
      [40, { type: "pauseTask", taskId: "a" }],
    ];
    expect(lane(steps, 60, "a").stretches).toEqual([
      { kind: "paused", left: 0.4, width: expect.closeTo(0.2), lengthMs: 20_000, on: null },
    ]);
  });

  it("stands for its children when nobody reports on a group", () => {
    const steps: Step[] = [
      [0, start(), add("g"), add("a", { parentTaskId: "g" }), add("b", { parentTaskId: "g" })],
      [10, begin("a")],
      [20, finish("a"), begin("b")],
      [40, finish("b")],
    ];
    expect(lane(steps, 90, "g").bars).toEqual([
      expect.objectContaining({
        kind: "group",
        left: 0.1,
        width: expect.closeTo(0.3),
        isOpen: false,
        status: "completed",
      }),
    ]);
  });

  it("has nothing outside the window, and cuts what reaches over its edges", () => {
    const { state } = story([[0, start(), add("a"), begin("a")]]);
    const frame = { ...frameOf(state, 50), window: { fromMs: 10_000, toMs: 30_000 } };
    expect(laneOf(branchOf(state, "a"), frame).bars).toEqual([expect.objectContaining({ left: 0, width: 1 })]);
    const later = { ...frame, window: { fromMs: 60_000, toMs: 70_000 } };
    expect(laneOf(branchOf(state, "a"), later).bars).toEqual([]);
  });

  it("has the plan under the bar: the usual time, and up to what nine of ten took", () => {
    const ran = (seconds: number) =>
      story([
        [0, start(), add("a")],
        [10, begin("a")],
        [10 + seconds, finish("a"), { type: "completeUpgrade" }],
      ]).state;
    const { state } = story([[0, start(), add("a")]]);
    const { plan } = laneOf(branchOf(state, "a"), frameOf(state, 5, [ran(20), ran(40)]));
    expect(plan).toMatchObject({ left: 0.1, planned: { runs: 2, durationMs: 30_000 } });
    expect(plan?.width).toBeCloseTo(0.3);
    expect(plan?.late?.left).toBeCloseTo(0.4);
    expect(plan?.late?.width).toBeCloseTo(0.08);
  });
});

describe("laneRows", () => {
  const { state } = story([[0, start(), add("g"), add("b"), add("a", { parentTaskId: "g" })]]);
  const ids = (isFolded: (branch: Branch) => boolean) =>
    laneRows(branchesOf(state.tasks), isFolded).map(({ branch, depth }) => `${depth} ${branch.task.taskId}`);

  it("puts tasks below what they are part of, and leaves out what is folded", () => {
    expect(ids(() => false)).toEqual(["0 g", "1 a", "0 b"]);
    expect(ids(() => true)).toEqual(["0 g", "0 b"]);
  });

  it("works out only what is asked for: 10,000 lanes and a window of 50 in a few milliseconds", () => {
    const many = story([[0, start(), ...Array.from({ length: 10_000 }, (_, index) => add(`t${index}`))]]).state;
    const frame = frameOf(many, 10);
    const branches = branchesOf(many.tasks);
    laneRows(branches, () => false);
    const from = performance.now();
    const rows = laneRows(branches, () => false);
    rows.slice(5000, 5050).map(({ branch }) => laneOf(branch, frame));
    expect(rows).toHaveLength(10_000);
    expect(performance.now() - from).toBeLessThan(100);
  });
});

describe("laneText", () => {
  it("says all that is drawn, pauses apart", () => {
    const { state } = story([
      [0, start(), add("a", { expectedMs: 10_000 }), begin("a")],
      [5, fail("a", "no room")],
      [10, { type: "retryTask", taskId: "a" }],
      [20, { type: "pauseTask", taskId: "a" }],
      [30, { type: "resumeTask", taskId: "a" }],
      [45, finish("a")],
    ]);
    const frame = frameOf(state, 99);
    const branch = branchOf(state, "a");
    const planned = frame.plan.of(branch.task);
    const text = laneText(branch, { now: frame.now, planned, stretches: [], zone: "utc" });
    expect(laneSentence(text)).toBe(
      "a: completed, from 12:00:10 to 12:00:45, worked 25s, paused 10s, expected 10s, 15s over expected, " +
        "attempt 1 failed after 5s: no room",
    );
  });
});

describe("bandsOf", () => {
  it("has a band for each stay in a phase, and one for a pause of the upgrade", () => {
    const { state } = story([
      [0, start("Check")],
      [20, { type: "setCurrentPhase", phase: "Nodes" }],
      [50, { type: "pauseUpgrade" }],
    ]);
    expect(
      bandsOf(frameOf(state, 60)).map(({ kind, text, left, width, isOpen }) => [kind, text, left, width, isOpen]),
    ).toEqual([
      ["phase", "Check", 0, 0.2, false],
      ["phase", "Nodes", 0.2, expect.closeTo(0.4), true],
      ["paused", "paused", 0.5, expect.closeTo(0.1), false],
    ]);
  });
});

describe("the scale", () => {
  const options = { count: 8, wallOffsetMs: at(0), utcOffsetMs: () => 0 };

  it("has ticks at round times of day, not more than asked for", () => {
    const window = { fromMs: 3 * 60_000, toMs: 65 * 60_000 };
    expect(ticksOf(window, options).map(({ text }) => text)).toEqual([
      "12:10",
      "12:20",
      "12:30",
      "12:40",
      "12:50",
      "13:00",
    ]);
    for (const span of [2_000, 50_000, 7e6, 9e8, 4e12])
      expect(ticksOf({ fromMs: 17, toMs: 17 + span }, options).length).toBeLessThanOrEqual(9);
    expect(ticksOf({ fromMs: 5, toMs: 5 }, options)).toEqual([]);
  });

  it("has them at round times where the reader is, with the date where a day begins", () => {
    const halfHour = 5.5 * 3_600_000;
    const window = { fromMs: 0, toMs: 24 * 3_600_000 };
    expect(ticksOf(window, { ...options, utcOffsetMs: () => halfHour }).map(({ text }) => text)).toEqual([
      "18:00",
      "21:00",
      "2026-11-24",
      "03:00",
      "06:00",
      "09:00",
      "12:00",
      "15:00",
    ]);
  });

  it("stands still while a live upgrade moves on by a little", () => {
    expect(windowRound(0, 600_000)).toEqual(windowRound(0, 600_900));
    expect(windowRound(0, 600_000).toMs).toBeGreaterThan(600_000);
  });

  it("zooms round a place and pans, and never leaves its bounds", () => {
    const bounds = { fromMs: 0, toMs: 100_000 };
    const near = zoomed(bounds, 0.5, { at: 0.25, bounds });
    expect(near).toEqual({ fromMs: 12_500, toMs: 62_500 });
    expect(zoomed(near, 100, { at: 0.9, bounds })).toEqual(bounds);
    expect(panned(near, 5, bounds)).toEqual({ fromMs: 50_000, toMs: 100_000 });
    expect(panned(near, -5, bounds)).toEqual({ fromMs: 0, toMs: 50_000 });
    expect(zoomed(near, 0, { at: 0.5, bounds })).toMatchObject({ fromMs: 36_500 });
    expect(placeIn(bounds, 100_001, 200_000)).toBeUndefined();
  });

  it("begins with the first that began; nothing goes on after the end, also not what was left unfinished", () => {
    const { state } = story([
      [10, start(), add("a"), begin("a")],
      [50, { type: "completeUpgrade" }],
    ]);
    const frame = frameOf(state, 5000);
    expect(wholeWindow(state, frame.now, frame.plan)).toMatchObject({ fromMs: 10_000 });
    expect(wholeWindow(state, frame.now, frame.plan).toMs).toBeLessThan(60_000);
    expect(laneOf(branchOf(state, "a"), frame).bars).toMatchObject([{ fromMs: 10_000, toMs: 50_000, isOpen: false }]);
    // Its times of day stay what they were, also for a reader whose clock is behind.
    expect(workMoment(state, at(5000))).toEqual({ asOfMs: at(50), logMs: 50_000 });
    expect(workMoment(state, at(20))).toEqual({ asOfMs: at(50), logMs: 50_000 });
  });
});
