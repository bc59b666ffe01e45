import { describe, expect, it } from "vitest";
import { assessGoal, parseGoal } from "../../src/cli/goal.ts";
import { add, begin, fail, finish, start, story, type Step } from "../view/story.ts";

const RUNNING: readonly Step[] = [[0, start("One"), add("a"), begin("a"), add("b"), add("task:x"), finish("a")]];

const goal = (text: string) => parseGoal(text, "--until");
const after = (steps: readonly Step[]) => story([...RUNNING, ...steps]).state;

describe("goals", () => {
  it.each([
    ["completed", [], "open"],
    ["completed", [[1, { type: "completeUpgrade" }]], "reached"],
    ["completed", [[1, { type: "failUpgrade", errorMessage: "no" }]], "missed"],
    ["finished", [[1, { type: "failUpgrade", errorMessage: "no" }]], "reached"],
    ["ended", [[1, { type: "cancelUpgrade" }]], "reached"],
    ["in_progress", [], "reached"],
    ["phase:One", [[1, { type: "setCurrentPhase", phase: "Two" }]], "reached"],
    ["phase:Two", [], "open"],
    ["phase:Two", [[1, { type: "completeUpgrade" }]], "missed"],
    ["task:a", [], "reached"],
    ["task:b", [], "open"],
    ["task:b", [[1, begin("b"), fail("b", "no")]], "open"],
    ["task:b", [[1, { type: "skipTask", taskId: "b" }]], "missed"],
    ["task:b", [[1, begin("b"), fail("b", "no"), { type: "failUpgrade", errorMessage: "no" }]], "missed"],
    ["task:none", [], "open"],
    ["task:task:x", [[1, begin("task:x"), finish("task:x")]], "reached"],
  ] as const)("[P8] %s after %j is %s", (text, steps, wanted) => {
    expect(assessGoal(goal(text), after(steps as unknown as Step[]))).toBe(wanted);
  });

  it("has reached a status that events passed through on the way to the state", () => {
    const told = story([...RUNNING, [1, { type: "pauseUpgrade" }], [2, { type: "resumeUpgrade" }]]);
    expect(assessGoal(goal("paused"), told.state)).toBe("open");
    expect(assessGoal(goal("paused"), told.state, told.events)).toBe("reached");
  });

  it.each(["done", "phase:", "task:", "skipped", ""])("refuses %j", (text) => {
    expect(() => goal(text)).toThrow(/--until/);
  });
});
