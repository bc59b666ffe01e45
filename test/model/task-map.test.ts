import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { newTask, type Task } from "../../src/model/task.ts";
import { TaskMap, type TaskEntry } from "../../src/model/task-map.ts";
import { Trie } from "../../src/model/trie.ts";
import type { EventOf } from "../../src/model/event.ts";
import { canonicalJson } from "../../src/model/json.ts";
import { ProgressStatus } from "../../src/model/vocabulary.ts";

const task = (taskId: string, fields: Partial<Task> = {}): Task => ({
  ...newTask(
    {
      type: "task.added",
      seq: 1,
      taskId,
      taskName: taskId,
      taskType: "upgrade_step",
      status: "not_started",
      parentTaskId: null,
      weight: 1,
    } as EventOf<"task.added">,
    0,
  ),
  ...fields,
});

describe("the persistent vector", () => {
  it.each([0, 1, 31, 32, 33, 1_023, 1_024, 1_025, 32_768, 32_769, 33_000])(
    "[E2] of %i values grows by one, and keeps what it was",
    (size) => {
      const values = Array.from({ length: size }, (_, n) => n);
      const built = Trie.from(values);
      const pushed = values.reduce((trie, value) => trie.push(value), Trie.empty<number>());
      for (const trie of [built, pushed]) {
        const next = trie.push(size);
        expect([trie.size, next.size]).toEqual([size, size + 1]);
        expect([...trie]).toEqual(values);
        expect([...next]).toEqual([...values, size]);
        expect([next.get(size), trie.get(size), trie.get(-1), next.get(size + 1)]).toEqual([
          size,
          undefined,
          undefined,
          undefined,
        ]);
        const step = Math.max(1, Math.floor(size / 500));
        for (let n = 0; n < size; n += step) expect(next.get(n)).toBe(n);
        if (size > 0) {
          const changed = trie.set(size - 1, -1).set(0, -2);
          expect([changed.get(0), trie.get(0), trie.get(size - 1)]).toEqual([-2, 0, size - 1]);
          expect(changed.get(size - 1)).toBe(size === 1 ? -2 : -1);
        }
      }
    },
  );

  it("[E2] is like an array in every version of it, also where versions part", () => {
    const step = fc.oneof(
      fc.record({ at: fc.nat(), push: fc.integer() }),
      fc.record({ at: fc.nat(), index: fc.nat(), set: fc.integer() }),
    );
    fc.assert(
      fc.property(fc.nat({ max: 70 }), fc.array(step, { maxLength: 60 }), (size, steps) => {
        const first = Array.from({ length: size }, (_, n) => n);
        const versions: { trie: Trie<number>; array: readonly number[] }[] = [{ trie: Trie.from(first), array: first }];
        for (const move of steps) {
          const { trie, array } = versions[move.at % versions.length] as (typeof versions)[0];
          if ("push" in move) versions.push({ trie: trie.push(move.push), array: [...array, move.push] });
          else if (array.length > 0) {
            const index = move.index % array.length;
            versions.push({ trie: trie.set(index, move.set), array: array.with(index, move.set) });
          }
        }
        for (const { trie, array } of versions) expect([...trie]).toEqual(array);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the tasks of an upgrade", () => {
  it("[R4] are like a plain Map in every version, also where two versions grow from one", () => {
    const id = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "__proto__");
    const step = fc.record({
      at: fc.nat(),
      id,
      status: fc.constantFrom(...Object.values(ProgressStatus)),
      percentage: fc.integer({ min: 0, max: 100 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const versions: { tasks: TaskMap; plain: ReadonlyMap<string, Task> }[] = [
          { tasks: TaskMap.empty, plain: new Map() },
        ];
        for (const { at, id: taskId, status, percentage } of steps) {
          const from = versions[at % versions.length] as (typeof versions)[0];
          const next = task(taskId, { status, percentage });
          versions.push({ tasks: from.tasks.with(next), plain: new Map(from.plain).set(taskId, next) });
        }
        for (const { tasks, plain } of versions) sameAs(tasks, plain);
      }),
      { numRuns: 500 },
    );
  });

  it("[R4] two children of one version do not see each other's tasks", () => {
    const parent = TaskMap.empty.with(task("a"));
    const left = parent.with(task("left"));
    const right = parent.with(task("right"));
    const both = left.with(task("right", { percentage: 7 }));
    expect([...parent.keys(), "|", ...left.keys(), "|", ...right.keys(), "|", ...both.keys()].join()).toBe(
      "a,|,a,left,|,a,right,|,a,left,right",
    );
    expect([parent.has("left"), left.has("right"), right.has("left"), parent.get("right")]).toEqual([
      false,
      false,
      false,
      undefined,
    ]);
    expect([both.get("right")?.percentage, right.get("right")?.percentage]).toEqual([7, 0]);
  });

  it("[R4] of a new upgrade cost nothing that an earlier one has left behind", () => {
    let tasks = TaskMap.empty;
    for (let n = 0; n < 100; n++) tasks = tasks.with(task(`t${n}`));
    const iterated = vi.spyOn(Map.prototype, Symbol.iterator);
    const other = TaskMap.empty.with(task("a")).with(task("b"));
    const walks = iterated.mock.calls.length;
    iterated.mockRestore();
    expect([other.size, walks]).toEqual([2, 0]);
  });

  it("[R4] know their place, their parents and their counts", () => {
    const tasks = TaskMap.from([
      task("a"),
      task("b", { parentTaskId: "a" }),
      task("c", { parentTaskId: "b", status: "failed" }),
    ]);
    expect([tasks.at(1)?.taskId, tasks.at(3), tasks.at(-1)]).toEqual(["b", undefined, undefined]);
    expect(tasks.ancestors("c")).toEqual(["b", "a"]);
    expect([tasks.ancestors("a"), tasks.ancestors("zzz")]).toEqual([[], []]);
    expect([tasks.hasChildren("a"), tasks.hasChildren("c"), tasks.hasChildren("zzz")]).toEqual([true, false, false]);
    expect(tasks.counts).toMatchObject({ not_started: 2, failed: 1 });
    const seen: string[] = [];
    tasks.forEach((value, key, map) => seen.push(`${key}${value.taskId}${map === tasks}`));
    expect(seen).toEqual(["aatrue", "bbtrue", "cctrue"]);
    expect([...tasks].map(([key]) => key)).toEqual(["a", "b", "c"]);
    expect(JSON.parse(JSON.stringify(tasks)) as unknown).toHaveLength(3);
  });

  it("[R4] cost the same to update with 100 and with 100,000 of them", () => {
    const build = (size: number) => TaskMap.from(Array.from({ length: size }, (_, n) => task(`t${n}`)));
    const copied = (tasks: TaskMap) => {
      // What an update may copy is the path to one task, whatever the size: all the others stay the very same records.
      const next = tasks.with(task("t50", { percentage: 10, status: "in_progress" }));
      let changed = 0;
      for (let n = 0; n < tasks.size; n++) changed += tasks.at(n) === next.at(n) ? 0 : 1;
      return changed;
    };
    expect([copied(build(100)), copied(build(100_000))]).toEqual([1, 1]);
  });

  it("[R4] are looked through again only where one has changed, and found as if all were", () => {
    const built = TaskMap.from(Array.from({ length: 10_000 }, (_, n) => task(`t${n}`)));
    let looks = 0;
    const percentages = (entries: readonly TaskEntry[]): number => {
      looks += 1;
      return entries.reduce((sum, each) => sum + each.task.percentage, 0);
    };
    const sum = (tasks: TaskMap) => tasks.findAll(percentages).reduce((a, b) => a + b, 0);
    expect([sum(built), looks]).toEqual([0, Math.ceil(10_000 / 32)]);
    looks = 0;
    const next = built.with(task("t50", { percentage: 10, status: "in_progress" })).with(task("more"));
    expect([sum(next), looks, next.active().map(({ taskId }) => taskId)]).toEqual([10, 2, ["t50"]]);
    expect([sum(built), looks, built.active()]).toEqual([0, 2, []]);
  });

  it("[R4] are active while they run, are paused or wait", () => {
    const waitingOn = { kind: "Pod", name: "x", since: "2026-11-23T12:00:00.000Z" } as Task["waitingOn"];
    const all = Object.values(ProgressStatus).map((status) => task(status, { status }));
    const tasks = TaskMap.from([...all, task("waits", { waitingOn })]);
    expect(tasks.active().map(({ taskId }) => taskId)).toEqual(["in_progress", "paused", "waits"]);
  });

  it("[R4] have their children, those of each version, in other places once one of them has changed", () => {
    const first = TaskMap.from([task("a"), task("b", { parentTaskId: "a" }), task("c", { parentTaskId: "b" })]);
    const names = (tasks: TaskMap, id: string | null) => tasks.childrenOf(id).map((entry) => entry.task.taskId);
    const more = first.with(task("d", { parentTaskId: "a" })).with(task("e"));
    expect([names(more, null), names(more, "a"), names(more, "b")]).toEqual([["a", "e"], ["b", "d"], ["c"]]);
    expect([names(first, null), names(first, "a"), names(first, "zzz")]).toEqual([["a"], ["b"], []]);
    const other = first.with(task("x", { parentTaskId: "c" }));
    expect([names(other, "a"), names(other, "c"), names(more, "c")]).toEqual([["b"], ["x"], []]);
    for (const id of ["a", "b", "c"]) {
      const next = more.with(task(id, { status: "in_progress", parentTaskId: more.get(id)?.parentTaskId ?? null }));
      expect(next.childrenOf(null)[0]).not.toBe(more.childrenOf(null)[0]);
      expect(next.childrenOf(null)[1]).toBe(more.childrenOf(null)[1]);
    }
  });
});

function sameAs(tasks: TaskMap, plain: ReadonlyMap<string, Task>): void {
  expect(tasks.size).toBe(plain.size);
  expect([...tasks.keys()]).toEqual([...plain.keys()]);
  expect([...tasks.values()]).toEqual([...plain.values()]);
  for (const [key, value] of plain) {
    expect(tasks.has(key)).toBe(true);
    expect(tasks.get(key)).toBe(value);
  }
  for (const status of Object.values(ProgressStatus))
    expect(tasks.counts[status]).toBe([...plain.values()].filter((one) => one.status === status).length);
  const rebuilt = TaskMap.from([...plain.values()]);
  expect(canonicalJson([rebuilt, rebuilt.rollup, rebuilt.counts])).toBe(
    canonicalJson([tasks, tasks.rollup, tasks.counts]),
  );
}
