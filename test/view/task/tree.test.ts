import { describe, expect, it } from "vitest";
import type { UpgradeProgress } from "../../../src/model/upgrade.ts";
import type { TreeLimits, TreeRow } from "../../../src/view/task/tree.ts";
import { taskRows } from "../../../src/view/upgrade/upgrade-view.ts";
import { add, at, begin, fail, finish, start, story, wait, type Step } from "../story.ts";

/** Rows in short: indentation, status, then the name, or how many. */
const short = (rows: readonly TreeRow[]) =>
  rows.map((row) => {
    if (row.kind === "more") return `… ${row.count} ${JSON.stringify(row.counts)}`;
    const margin = "  ".repeat(row.depth);
    if (row.kind === "group") return `${margin}${row.status} ${row.count} of ${row.of} ${row.unit ?? "tasks"}`;
    return `${margin}${row.task.status} ${row.task.taskId}${row.isBrief ? " (brief)" : ""}`;
  });

const rows = (state: UpgradeProgress, limits: TreeLimits = {}) => short(taskRows(state, at(1000), limits));

const nodes = (count: number) => Array.from({ length: count }, (_, index) => `n${index + 1}`);

/** A group of 20 nodes: 14 done, one failed, one waiting, one running, three to come; and tasks beside it. */
const cluster = () => {
  const names = nodes(20);
  const steps: Step[] = [
    [
      0,
      start(),
      add("plane"),
      add("group", { unit: "nodes" }),
      ...names.map((name) => add(name, { parentTaskId: "group" })),
      add("check"),
    ],
    [10, begin("plane"), finish("plane"), begin("group")],
    ...names.slice(0, 14).map((name, index): Step => [20 + index, begin(name), finish(name)]),
    [
      50,
      begin("n15"),
      fail("n15", "no capacity"),
      begin("n16"),
      wait("n16", { kind: "PDB", name: "shop/x" }),
      begin("n17"),
    ],
  ];
  return story(steps).state;
};

describe("taskRows", () => {
  it("shows every task below its parent, in the order of adding, when there is room", () => {
    const { state } = story([
      [
        0,
        start(),
        add("a"),
        add("b"),
        add("a1", { parentTaskId: "a" }),
        add("a2", { parentTaskId: "a" }),
        add("a1x", { parentTaskId: "a1" }),
      ],
    ]);
    expect(rows(state)).toEqual([
      "not_started a",
      "  not_started a1",
      "    not_started a1x",
      "  not_started a2",
      "not_started b",
    ]);
  });

  it("folds the healthy into one row and keeps the exceptions when there are many", () => {
    expect(rows(cluster(), { maxLines: 10 })).toEqual([
      "completed plane",
      "in_progress group",
      "  completed 14 of 20 nodes",
      "  failed n15",
      "  waiting n16",
      "  in_progress n17",
      "  not_started 3 of 20 nodes",
      "not_started check",
    ]);
  });

  it("hides the children of a task that ended well before it folds what is still at work", () => {
    const { state } = story([
      [
        0,
        start(),
        add("done"),
        ...nodes(5).map((name) => add(name, { parentTaskId: "done" })),
        add("now"),
        add("x", { parentTaskId: "now" }),
        add("y", { parentTaskId: "now" }),
      ],
      [
        1,
        ...nodes(5).flatMap((name) => [begin(name), finish(name)]),
        begin("done"),
        finish("done"),
        begin("now"),
        begin("x"),
        finish("x"),
        begin("y"),
      ],
    ]);
    expect(rows(state, { maxLines: 9 })).toHaveLength(9);
    expect(rows(state, { maxLines: 4 })).toEqual([
      "completed done",
      "in_progress now",
      "  completed x",
      "  in_progress y",
    ]);
  });

  it("keeps what asks most to be seen, with the tasks above it, and counts the rest in a last row", () => {
    const many = nodes(30);
    const { state } = story([
      [
        0,
        start(),
        add("g1"),
        add("g2"),
        ...many.map((name, index) => add(name, { parentTaskId: index % 2 === 0 ? "g1" : "g2" })),
      ],
      [
        1,
        begin("g1"),
        begin("g2"),
        ...many.map((name) => begin(name)),
        fail("n30", "broken"),
        wait("n29", { kind: "PDB", name: "x" }),
      ],
    ]);
    const kept = rows(state, { maxLines: 6 });
    expect(kept).toHaveLength(6);
    expect(kept).toEqual(expect.arrayContaining(["in_progress g1 (brief)", "in_progress g2 (brief)"]));
    expect(kept).toContain("  failed n30 (brief)");
    expect(kept).toContain("  waiting n29 (brief)");
    expect(kept.at(-1)).toBe('… 27 {"in_progress":27}');
  });

  it("does not fold a finished task below which something is open into the row of its siblings", () => {
    const { state } = story([
      [0, start(), ...["a", "b", "c"].map((name) => add(name)), add("open", { parentTaskId: "b" })],
      [1, ...["a", "b", "c"].flatMap((name) => [begin(name), finish(name)])],
    ]);
    expect(rows(state, { maxLines: 3 })).toEqual(["completed 2 of 3 tasks", "completed b", "  not_started open"]);
  });

  it("never takes more lines than there are, whatever a row takes", () => {
    const state = cluster();
    for (let maxLines = 1; maxLines <= 40; maxLines++) {
      const linesOf = (row: TreeRow) => (row.kind === "task" && !row.isBrief && row.task.waitingOn !== null ? 4 : 1);
      const lines = taskRows(state, at(1000), { maxLines, linesOf }).reduce((sum, row) => sum + linesOf(row), 0);
      expect(lines).toBeLessThanOrEqual(maxLines);
    }
  });

  it("takes away the second lines of rows before it takes away rows", () => {
    const linesOf = (row: TreeRow) => (row.kind === "task" && !row.isBrief && row.task.status === "waiting" ? 3 : 1);
    expect(rows(cluster(), { maxLines: 8, linesOf })).toContain("  waiting n16 (brief)");
    expect(rows(cluster(), { maxLines: 10, linesOf })).toContain("  waiting n16");
  });

  it("shows a group that nobody reports on as what its children come to", () => {
    const steps: Step[] = [[0, start(), add("g"), add("a", { parentTaskId: "g" }), add("b", { parentTaskId: "g" })]];
    const status = (...more: Step[]) => rows(story([...steps, ...more]).state)[0];
    expect(status()).toBe("not_started g");
    expect(status([1, begin("a")])).toBe("in_progress g");
    expect(status([1, begin("a"), finish("a")])).toBe("in_progress g");
    expect(status([1, begin("a"), fail("a", "x")])).toBe("failed g");
    expect(status([1, begin("a"), finish("a"), begin("b"), finish("b")])).toBe("completed g");
    expect(status([1, begin("a"), finish("a"), { type: "skipTask", taskId: "b" }])).toBe("completed g");
    expect(status([1, { type: "skipTask", taskId: "a" }, { type: "skipTask", taskId: "b" }])).toBe("skipped g");
    expect(status([1, begin("a"), { type: "pauseTask", taskId: "a" }])).toBe("paused g");
  });

  it("does not fold a finished task below which something is open", () => {
    const { state } = story([
      [0, start(), add("g"), ...nodes(10).map((name) => add(name, { parentTaskId: "g" }))],
      [1, begin("g"), finish("g"), ...nodes(9).flatMap((name) => [begin(name), finish(name)])],
    ]);
    expect(rows(state, { maxLines: 4 })).toEqual(["completed g", "  completed 9 of 10 tasks", "  not_started n10"]);
  });
});
