import { describe, expect, it } from "vitest";
import { phasesView } from "../../../src/view/upgrade/phases.ts";
import { isRehearsal } from "../../../src/view/upgrade/rehearsal.ts";
import { scopeGrowth } from "../../../src/view/task/scope.ts";
import { taskRows } from "../../../src/view/upgrade/upgrade-view.ts";
import { add, at, begin, finish, IDS, start, story, type Step } from "../story.ts";

const phase = (name: string) => ({ type: "setCurrentPhase", phase: name });

describe("phasesView", () => {
  const steps: Step[] = [
    [0, start("Checks")],
    [60, phase("Nodes")],
    [180, phase("Checks")],
  ];

  it("has the phases that were passed and the present one, with how long each took", () => {
    expect(phasesView(story(steps).state, 200_000)).toMatchObject({
      earlier: 0,
      phases: [
        { name: "Checks", state: "passed", elapsedMs: 60_000, isAgain: false },
        { name: "Nodes", state: "passed", elapsedMs: 120_000, isAgain: false },
        { name: "Checks", state: "present", elapsedMs: 20_000, isAgain: true },
      ],
    });
  });

  it("says of the last phase how the upgrade stands or has ended", () => {
    const last = (...commands: object[]) =>
      phasesView(story([...steps, [240, ...commands]]).state, 999_000).phases.at(-1);
    expect(last({ type: "failUpgrade", errorMessage: "no" })).toMatchObject({ state: "failed", elapsedMs: 60_000 });
    expect(last({ type: "completeUpgrade" })).toMatchObject({ state: "completed", elapsedMs: 60_000 });
    expect(last({ type: "pauseUpgrade" })).toMatchObject({ state: "paused" });
  });

  it("keeps the newest of very many", () => {
    const many = Array.from({ length: 40 }, (_, index): Step => [index, phase(`p${index}`)]);
    const view = phasesView(story([[0, start("first")], ...many]).state, 60_000);
    expect(view.earlier).toBe(17);
    expect(view.phases.at(-1)?.name).toBe("p39");
    expect(new Set(view.phases.map(({ key }) => key)).size).toBe(24);
  });

  it("is none before the start, and its names can be shown anywhere", () => {
    expect(phasesView(story([]).state, 0).phases).toEqual([]);
    expect(phasesView(story([[0, start("\x1b[2J")]]).state, 0).phases[0]?.name).toBe("\\x1b[2J");
  });

  it("leaves out of a rehearsal's names that it is one", () => {
    const ids = { ...IDS, planId: "rehearsal", clusterName: "rehearsal" } as unknown as typeof IDS;
    const { state } = story([[0, start("Rehearsal: checks")]], ids);
    expect(isRehearsal(state)).toBe(true);
    expect(phasesView(state, 0).phases[0]?.name).toBe("checks");
    expect(phasesView(story([[0, start("Rehearsal: checks")]]).state, 0).phases[0]?.name).toBe("Rehearsal: checks");
  });
});

describe("scopeGrowth", () => {
  const names = (count: number, from = 0) => Array.from({ length: count }, (_, index) => add(`t${index + from}`));

  it("tells how many tasks there were before the first began, and now", () => {
    const steps: Step[] = [
      [0, start(), ...names(12)],
      [10, begin("t0")],
    ];
    expect(scopeGrowth(story(steps).state)).toBeNull();
    expect(scopeGrowth(story([...steps, [20, ...names(2, 12)]]).state)).toEqual({ from: 12, to: 14 });
  });

  it("tells nothing before work begins, and of one who adds each task as it begins", () => {
    expect(scopeGrowth(story([[0, start(), ...names(5)]]).state)).toBeNull();
    const asItGoes: Step[] = [
      [0, start(), add("a"), begin("a"), finish("a"), add("b"), begin("b"), add("c"), begin("c")],
    ];
    expect(scopeGrowth(story(asItGoes).state)).toBeNull();
  });

  it("is told of a group too", () => {
    const { state } = story([
      [0, start(), add("g"), ...["a", "b", "c"].map((id) => add(id, { parentTaskId: "g" })), begin("a")],
      [9, add("d", { parentTaskId: "g" })],
    ]);
    expect(taskRows(state, at(10))[0]).toMatchObject({ task: { taskId: "g", grown: { from: 3, to: 4 } } });
  });
});
