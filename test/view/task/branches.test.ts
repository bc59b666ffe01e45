import { describe, expect, it } from "vitest";
import { evolve } from "../../../src/model/evolve.ts";
import type { ProgressEvent } from "../../../src/model/event.ts";
import { branchesOf, type Branch } from "../../../src/view/task/branches.ts";
import { add, begin, finish, report, start, story } from "../story.ts";

const all = (branches: readonly Branch[]): readonly Branch[] =>
  branches.flatMap((branch) => [branch, ...all(branch.children)]);

/** A hundred groups of a hundred tasks. */
const groups = Array.from({ length: 100 }, (_, group) => `g${group}`);
const large = story([
  [
    0,
    start(),
    ...groups.flatMap((group) => [
      add(group, { unit: "nodes" }),
      ...Array.from({ length: 100 }, (_, index) => add(`${group}-${index}`, { parentTaskId: group })),
    ]),
  ],
  [1, begin("g7-3")],
]).state;

/** The state after a report of one task. */
function afterReport(percentage: number) {
  const task = large.tasks.get("g7-3");
  const event = {
    seq: large.seq + 1,
    cursor: "next",
    ms: 5000,
    id: "next",
    time: "2026-11-23T12:00:05.000Z",
    upgradeId: large.upgradeId,
    type: "task.progressed",
    taskId: "g7-3",
    status: "in_progress",
    attempt: task?.attempt ?? 1,
    percentage,
  } as ProgressEvent;
  return evolve(large, event);
}

describe("branchesOf", () => {
  it("makes, after one event in 10,100 tasks, the branches of that task and of what it is part of, and no others", () => {
    const before = new Set(all(branchesOf(large.tasks)));
    const after = all(branchesOf(afterReport(40).tasks));
    expect(after).toHaveLength(10_100);
    expect(after.filter((branch) => !before.has(branch)).map(({ task }) => task.taskId)).toEqual(["g7", "g7-3"]);
  });

  it("gives the same branches again for the same tasks", () => {
    const [before, after] = [branchesOf(large.tasks), branchesOf(large.tasks)];
    expect(after.every((branch, index) => branch === before[index])).toBe(true);
  });

  it("does not take a branch of one state for that of another in which the task has other children", () => {
    const alone = story([[0, start(), add("a"), add("b")]]).state;
    expect(branchesOf(alone.tasks).map(({ children }) => children.length)).toEqual([0, 0]);
    const { state } = story([
      [0, start(), add("a"), add("b"), add("c", { parentTaskId: "a" })],
      [1, begin("c")],
    ]);
    expect(branchesOf(state.tasks)[0]).toMatchObject({ status: "in_progress", startedMs: 1000 });
    const more = story([
      [0, start(), add("a"), add("b"), add("c", { parentTaskId: "a" })],
      [1, begin("c")],
      [2, report("c", { percentage: 100 }), finish("c")],
    ]).state;
    expect(branchesOf(more.tasks)[0]).toMatchObject({ status: "completed", endedMs: 2000 });
    expect(branchesOf(alone.tasks)[0]).toMatchObject({ status: "not_started", children: [] });
  });
});
