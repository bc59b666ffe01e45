import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newTask, type Task } from "../../src/model/task.ts";
import { TaskMap } from "../../src/model/task-map.ts";
import type { EventOf } from "../../src/model/event.ts";
import { canonicalJson } from "../../src/model/json.ts";
import { ProgressStatus } from "../../src/model/vocabulary.ts";
import { testLog } from "./log.ts";

const task = (fields: Partial<Task> & { taskId: string }): Task => ({
  ...newTask(
    {
      type: "task.added",
      seq: 1,
      taskName: "Task",
      taskType: "upgrade_step",
      status: "not_started",
      parentTaskId: null,
      weight: 1,
      ...fields,
    } as EventOf<"task.added">,
    0,
  ),
  ...fields,
});

/** What the tree says when it is added up from scratch, in floating point, by whoever reads rule R1. */
function naive(tasks: readonly Task[], parentTaskId: string | null = null): { percentage: number; counted: Task[] } {
  const isLeaf = (one: Task) => !tasks.some((other) => other.parentTaskId === one.taskId);
  const isBelow = (one: Task): boolean =>
    parentTaskId === null ||
    one.parentTaskId === parentTaskId ||
    tasks.some((other) => other.taskId === one.parentTaskId && isBelow(other));
  const counted = tasks.filter(
    (one) => isLeaf(one) && isBelow(one) && one.status !== "skipped" && one.status !== "cancelled",
  );
  const weight = counted.reduce((sum, one) => sum + one.weight, 0);
  const done = counted.reduce((sum, one) => sum + one.weight * one.percentage, 0);
  const finished = counted.filter((one) => one.status === "completed").length;
  const percentage = counted.length === 0 ? 0 : weight === 0 ? (finished / counted.length) * 100 : done / weight;
  return { percentage, counted };
}

const weights = fc.oneof(fc.constantFrom(0, 1, 1000, 1e-7, 0.5), fc.double({ min: 0, max: 1000, noNaN: true }));
const tree = fc
  .array(
    fc.record({
      parent: fc.option(fc.nat(), { nil: null, freq: 2 }),
      weight: weights,
      status: fc.oneof(
        { weight: 3, arbitrary: fc.constant("completed" as const) },
        { weight: 4, arbitrary: fc.constantFrom(...Object.values(ProgressStatus)) },
      ),
      percentage: fc.oneof(fc.constantFrom(0, 100, 99.9999999, 1e-320), fc.double({ min: 0, max: 100, noNaN: true })),
    }),
    { maxLength: 14 },
  )
  .map((rows) =>
    rows.map(({ parent, weight, status, percentage }, n) =>
      task({
        taskId: `t${n}`,
        parentTaskId: parent === null || n === 0 ? null : `t${parent % n}`,
        weight,
        status,
        percentage: status === "completed" ? 100 : percentage,
      }),
    ),
  );

describe("the roll-up (M14)", () => {
  it("[R1, R2, R3] is finite, 0 to 100, equal to adding it up from scratch, and 100 when and only when all that counts has completed", () => {
    fc.assert(
      fc.property(tree, (tasks) => {
        const map = TaskMap.from(tasks);
        for (const id of [null, ...tasks.map(({ taskId }) => taskId).filter((taskId) => map.hasChildren(taskId))]) {
          const percentage = id === null ? map.percentage : (map.get(id) as Task).percentage;
          const { percentage: expected, counted } = naive(tasks, id);
          const isDone = counted.length > 0 && counted.every(({ status }) => status === "completed");
          if (!(percentage >= 0 && percentage <= 100)) throw new Error(`${percentage} is no percentage`);
          if ((percentage === 100) !== isDone)
            throw new Error(`${percentage} of ${counted.length} leaves, all completed: ${isDone}`);
          // Weights are kept in millionths, so a tree of nothing but tiny weights is the one place where the two may part.
          const heavy = counted.reduce((sum, { weight }) => sum + weight, 0) > 0.01;
          if (!isDone && heavy && Math.abs(percentage - expected) > 0.02)
            throw new Error(`${percentage} is not ${expected}`);
        }
      }),
      { numRuns: 10_000 },
    );
  });

  it("[R4] is the same whatever the order in which tasks came and changed", () => {
    const changes = fc.array(
      fc.record({
        at: fc.nat(),
        percentage: fc.double({ min: 0, max: 100, noNaN: true }),
        status: fc.constantFrom(...Object.values(ProgressStatus)),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(tree, changes, (tasks, moves) => {
        // One by one as leaves that know nothing yet, then through detours, then to what they are.
        let map = TaskMap.empty;
        for (const one of tasks)
          map = map.with(task({ taskId: one.taskId, parentTaskId: one.parentTaskId, weight: one.weight }));
        for (const { at, percentage, status } of tasks.length === 0 ? [] : moves)
          map = map.with({ ...(tasks[at % tasks.length] as Task), percentage, status });
        for (const one of tasks.toReversed()) map = map.with(one);
        const direct = TaskMap.from(tasks);
        expect(canonicalJson([map, map.rollup, map.counts])).toBe(
          canonicalJson([direct, direct.rollup, direct.counts]),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("[R2] is 0 with no task that counts, until the upgrade completes", () => {
    const log = testLog();
    log.give({ type: "startUpgrade" });
    expect(log.state.overallPercentage).toBe(0);
    log.give({ type: "addTask", taskId: "t", taskName: "Task" });
    log.give({ type: "skipTask", taskId: "t" });
    expect(log.state.overallPercentage).toBe(0);
    expect(log.give({ type: "completeUpgrade" })).toMatchObject({ percentage: 100 });
    expect(log.state.overallPercentage).toBe(100);
    const none = testLog();
    none.give({ type: "startUpgrade" });
    none.give({ type: "completeUpgrade" });
    expect(none.state.overallPercentage).toBe(100);
  });

  it("[R1, R3] counts each leaf by its weight, and a leaf that reports 100 is not done before it completes", () => {
    const log = testLog();
    log.give({ type: "addTask", taskId: "a", taskName: "A", weight: 3 });
    log.give({ type: "addTask", taskId: "b", taskName: "B" });
    log.give({ type: "updateTaskProgress", taskId: "a", percentage: 50 });
    expect(log.state.overallPercentage).toBe(37.5);
    log.give({ type: "skipTask", taskId: "b" });
    log.give({ type: "updateTaskProgress", taskId: "a", percentage: 100 });
    expect(log.state.overallPercentage).toBe(99.99);
    log.give({ type: "completeTask", taskId: "a" });
    expect(log.state.overallPercentage).toBe(100);
  });

  it("[R1] a leaf that gets children counts by them from then on", () => {
    const log = testLog();
    log.give({ type: "addTask", taskId: "p", taskName: "P", weight: 500 });
    log.give({ type: "updateTaskProgress", taskId: "p", percentage: 80 });
    expect(log.state.overallPercentage).toBe(80);
    log.give({ type: "addTask", taskId: "c", taskName: "C", parentTaskId: "p" });
    expect([log.state.overallPercentage, log.state.tasks.get("p")?.percentage]).toEqual([0, 0]);
    log.give({ type: "addTask", taskId: "d", taskName: "D", parentTaskId: "c" });
    log.give({ type: "addTask", taskId: "e", taskName: "E", parentTaskId: "c" });
    log.give({ type: "updateTaskProgress", taskId: "d", percentage: 50 });
    expect([
      log.state.overallPercentage,
      log.state.tasks.get("p")?.percentage,
      log.state.tasks.get("c")?.percentage,
    ]).toEqual([25, 25, 25]);
  });

  it("[R4] of a million tasks of the greatest weight is still exact", () => {
    const weight = 1000;
    const half = TaskMap.from(
      Array.from({ length: 1_000 }, (_, n) =>
        task({ taskId: `t${n}`, weight, percentage: 33.33, status: "in_progress" }),
      ),
    );
    // The sums of a million tasks, without making a million tasks.
    const sum = { weight: half.rollup.weight * 1_000, done: half.rollup.done * 1_000 };
    expect(Number.isSafeInteger(sum.weight) && Number.isSafeInteger(sum.done)).toBe(true);
    expect(half.percentage).toBe(33.33);
  });
});
