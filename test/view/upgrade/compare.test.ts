import { expect, it } from "vitest";

import { compareUpgrades, differenceText, sideNotes } from "../../../src/view/upgrade/compare.ts";
import { add, at, begin, fail, finish, start, story, type Step } from "../story.ts";

const EARLIER: Step[] = [
  [0, start("Check"), add("a"), add("b"), add("old"), add("x1", { taskName: "Drain" }), begin("a")],
  [10, finish("a"), begin("b"), { type: "setCurrentPhase", phase: "Nodes" }],
  [30, finish("b"), begin("x1")],
  [35, finish("x1"), begin("old")],
  [40, finish("old"), { type: "completeUpgrade" }],
];
const LATER: Step[] = [
  [0, start("Check"), add("a"), add("b"), add("new"), add("x2", { taskName: "Drain" }), begin("a")],
  [5, { type: "pauseUpgrade" }, { type: "pauseTask", taskId: "a" }],
  [15, { type: "resumeUpgrade" }, { type: "resumeTask", taskId: "a" }],
  [18, finish("a"), begin("b"), { type: "setCurrentPhase", phase: "Nodes" }],
  [28, fail("b", "no")],
  [30, { type: "retryTask", taskId: "b" }],
  [60, finish("b"), begin("x2")],
  [66, finish("x2"), begin("new")],
];
const compared = (second: number) => compareUpgrades(story(EARLIER).state, story(LATER).state, at(second));

it("puts first what cost the most more, then what is new, then what is gone", () => {
  const { tasks, counts } = compared(70);
  expect(tasks.map(({ id, moreMs }) => [id, moreMs])).toEqual([
    ["b", 20_000],
    ["x2", 1_000],
    ["a", -2_000],
    ["new", null],
    ["old", null],
  ]);
  expect(counts).toEqual({ both: 3, onlyLater: 1, onlyEarlier: 1 });
});

it("counts all attempts, keeps pauses apart, and says what still runs", () => {
  const { tasks, whole } = compared(70);
  const of = (id: string) => tasks.find((task) => task.id === id);
  expect(of("b")?.later).toEqual({ status: "completed", workedMs: 40_000, pausedMs: 0, attempts: 2, hasEnded: true });
  expect(of("a")?.later).toMatchObject({ workedMs: 8_000, pausedMs: 10_000 });
  expect(of("new")?.later).toMatchObject({ workedMs: 4_000, hasEnded: false });
  expect(of("new")?.earlier).toBeNull();
  expect(whole).toMatchObject({
    earlier: { workedMs: 40_000, hasEnded: true },
    later: { workedMs: 60_000, pausedMs: 10_000, hasEnded: false },
    moreMs: 20_000,
  });
});

it("compares the phases in their order", () => {
  expect(
    compared(70).phases.map(({ name, earlier, later, moreMs }) => [name, earlier?.workedMs, later?.workedMs, moreMs]),
  ).toEqual([
    ["Check", 10_000, 18_000, 8_000],
    ["Nodes", 30_000, 52_000, 22_000],
  ]);
});

it("gives no verdict on what may still get longer, and calls no phase gone that may still come", () => {
  const { whole, phases, tasks } = compareUpgrades(story(EARLIER).state, story(LATER.slice(0, 1)).state, at(6));
  expect(whole).toMatchObject({ later: { workedMs: 6_000, hasEnded: false }, moreMs: null });
  expect(tasks.find(({ id }) => id === "a")).toMatchObject({ later: { workedMs: 6_000 }, moreMs: null });
  expect(phases.map(({ name, later }) => [name, later?.status, later?.workedMs])).toEqual([
    ["Check", "in_progress", 6_000],
    ["Nodes", "not_started", null],
  ]);
  const ended = compareUpgrades(
    story(EARLIER).state,
    story([...LATER.slice(0, 1), [6, { type: "completeUpgrade" }]]).state,
    at(6),
  );
  expect(ended.phases.map(({ later }) => later === null)).toEqual([false, true]);
});

it("calls nothing the same while it runs", () => {
  const quick: Step[] = [[0, start(), add("a"), begin("a")]];
  const ended: Step[] = [...quick, [1, finish("a"), { type: "completeUpgrade" }]];
  const moreAt = (second: number) => {
    const [early, late] = [story(ended).state, story(quick).state];
    const [there, back] = [compareUpgrades(early, late, at(second)), compareUpgrades(late, early, at(second))];
    return [there.whole.moreMs, there.tasks[0]?.moreMs, back.whole.moreMs];
  };
  expect(moreAt(1.2)).toEqual([null, null, null]);
  expect(moreAt(1.9)).toEqual([null, null, null]);
  expect(moreAt(2)).toEqual([1_000, 1_000, -1_000]);
});

it("is all the same against itself", () => {
  const { state } = story(EARLIER);
  const { tasks, whole } = compareUpgrades(state, state, at(100));
  expect(new Set(tasks.map(({ moreMs }) => moreMs))).toEqual(new Set([0]));
  expect(whole.moreMs).toBe(0);
});

it("says beside a duration how it ended, and what an ended upgrade left unfinished", () => {
  const steps: Step[] = [
    [0, start(), add("a"), add("b"), add("c"), begin("a"), begin("b")],
    [5, fail("a", "x"), { type: "pauseTask", taskId: "b" }],
    [9, { type: "cancelUpgrade" }],
  ];
  const { state } = story(steps);
  const notes = compareUpgrades(state, state, at(1000)).tasks.map(({ id, later }) => [id, later && sideNotes(later)]);
  expect(Object.fromEntries(notes)).toEqual({ a: ["failed"], b: ["left unfinished", "paused 4s"], c: [] });
  const running = compared(70).tasks.find(({ id }) => id === "new")?.later;
  expect(running && sideNotes(running)).toEqual(["so far"]);
});

it("says a difference in words", () => {
  expect([65_000, -3_000, 999, -999, null].map(differenceText)).toEqual(["+1m 05s", "−3s", "same", "same", null]);
});
