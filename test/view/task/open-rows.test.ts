import { describe, expect, it } from "vitest";
import { branchesOf } from "../../../src/view/task/branches.ts";
import {
  choicesToSee,
  NO_FILTER,
  openRows,
  statusesIn,
  taskKey,
  type OpenRow,
} from "../../../src/view/task/open-rows.ts";
import { taskDetails, workView } from "../../../src/view/task/task-details.ts";
import { headView, momentAt } from "../../../src/view/upgrade/upgrade-view.ts";
import { add, at, begin, fail, finish, report, start, story, type Step } from "../story.ts";

const nodes = (group: string, count: number) =>
  Array.from({ length: count }, (_, index) => add(`${group}${index}`, { parentTaskId: group }));

const STEPS: Step[] = [
  [
    0,
    start(),
    add("done", { unit: "checks" }),
    ...nodes("done", 2),
    add("g", { unit: "nodes" }),
    ...nodes("g", 8),
    add("last"),
  ],
  [1, begin("done0"), finish("done0"), begin("done1"), finish("done1")],
  [2, begin("g0"), finish("g0"), begin("g1", "evicting pods")],
];

const rootsOf = (steps: readonly Step[]) => branchesOf(story(steps).state.tasks);
const text = (row: OpenRow): string =>
  `${"  ".repeat(row.depth)}${row.kind === "task" ? row.branch.task.taskId : `${row.count} of ${row.of} ${row.unit} ${row.status}`}${row.isOpen === undefined ? "" : row.isOpen ? " -" : " +"}`;
const rows = (steps: readonly Step[], choices: readonly (readonly [string, boolean])[] = [], filter = NO_FILTER) =>
  openRows(rootsOf(steps), { choices: new Map(choices), filter }).map(text);

describe("openRows", () => {
  it("folds what is well and opens what is at work", () => {
    expect(rows(STEPS)).toEqual(["done +", "g -", "  g0", "  g1", "  6 of 8 nodes not_started +", "last"]);
  });

  it("opens and closes what the reader has chosen, also a row of many", () => {
    const group = openRows(rootsOf(STEPS), { choices: new Map() }).find(({ kind }) => kind === "group");
    const chosen = rows(STEPS, [
      [taskKey("done"), true],
      [group?.key ?? "", true],
    ]);
    expect(chosen.slice(0, 3)).toEqual(["done -", "  done0", "  done1"]);
    expect(chosen.slice(6)).toEqual([
      "  6 of 8 nodes not_started -",
      ...[2, 3, 4, 5, 6, 7].map((n) => `    g${n}`),
      "last",
    ]);
    expect(rows(STEPS, [[taskKey("g"), false]])).toEqual(["done +", "g +", "last"]);
  });

  it("keeps a failed task in sight among a thousand that are well", () => {
    const steps: Step[] = [
      [0, start(), add("g", { unit: "nodes" }), ...nodes("g", 1000)],
      [1, ...Array.from({ length: 1000 }, (_, n) => begin(`g${n}`))],
      [2, ...Array.from({ length: 1000 }, (_, n) => (n === 500 ? fail("g500", "no") : finish(`g${n}`)))],
    ];
    expect(rows(steps)).toEqual(["g -", "  999 of 1000 nodes completed +", "  g500"]);
  });

  it("shows what matches all words of a filter, with what it stands in, and nothing folded", () => {
    const found = (words: string, statuses: readonly string[] = []) =>
      rows(STEPS, [], { text: words, statuses: new Set(statuses) as typeof NO_FILTER.statuses });
    expect(found("g1 PODS")).toEqual(["g -", "  g1"]);
    expect(found("", ["not_started"])).toHaveLength(8);
    expect(found("g", ["completed"])).toEqual(["g -", "  g0"]);
    expect(found("nothing like it")).toEqual([]);
  });

  it("numbers siblings for readers who do not see them", () => {
    const filtered = openRows(rootsOf(STEPS), { choices: new Map(), filter: { text: "g", statuses: new Set() } });
    for (const list of [openRows(rootsOf(STEPS), { choices: new Map([[taskKey("done"), true]]) }), filtered]) {
      for (const [index, row] of list.entries()) {
        expect(row.position).toBeGreaterThanOrEqual(1);
        expect(row.position).toBeLessThanOrEqual(row.siblings);
        if (row.depth > 0) expect(list[index - 1]?.depth).toBeGreaterThanOrEqual(row.depth - 1);
      }
      expect(new Set(list.map(({ key }) => key)).size).toBe(list.length);
    }
  });

  it("opens what a task stands in so that it has a row", () => {
    const roots = rootsOf(STEPS);
    const choices = choicesToSee(roots, "g5", new Map([[taskKey("g"), false]]));
    expect(openRows(roots, { choices }).some(({ key }) => key === taskKey("g5"))).toBe(true);
    expect(choicesToSee(roots, "g5", choices)).toBe(choices);
    expect(choicesToSee(roots, "unknown", choices)).toBe(choices);
  });

  it("lists the statuses that there are", () => {
    const { state } = story(STEPS);
    expect(statusesIn(headView(state, { asOfMs: at(5) }).counts)).toEqual(["completed", "in_progress", "not_started"]);
  });
});

describe("taskDetails", () => {
  const steps: Step[] = [
    [
      0,
      start(),
      add("g"),
      add("a", { parentTaskId: "g", expectedMs: 30_000, details: { from: "1", to: { v: "\u202e2" } } }),
    ],
    [10, begin("a"), report("a", { percentage: 30 })],
    [20, fail("a", "first\x07"), { type: "retryTask", taskId: "a" }],
    [30, { type: "pauseTask", taskId: "a" }],
    [40, { type: "resumeTask", taskId: "a" }, report("a", { percentage: 10, details: { node: "n1" } })],
  ];
  const details = (taskId: string, second: number) => {
    const { state } = story(steps);
    return taskDetails(state, taskId, momentAt(state, at(second)));
  };

  it("tells the attempts, the times with the pauses apart, and the details", () => {
    expect(details("a", 100)).toMatchObject({
      task: { attempt: 2, elapsedMs: 70_000, pausedMs: 10_000, over: { ms: 40_000, source: "expected" } },
      above: [{ taskId: "g", name: "g" }],
      plan: { p50: 30_000, source: "expected" },
      silentMs: 60_000,
      failedAttempts: [{ attempt: 1, elapsedMs: 10_000, percent: 30, errorMessage: "first\\x07" }],
      details: ["{", '  "from": "1",', '  "to": {', '    "v": "\\u202e2"', "  }", "}"],
      reportDetails: ["{", '  "node": "n1"', "}"],
    });
  });

  it("is undefined for a task that is not there", () => {
    expect(details("b", 100)).toBeUndefined();
  });
});

describe("workView", () => {
  it("names what is worked on, the oldest first, groups left out", () => {
    const { state } = story([...STEPS, [5, begin("last")]]);
    const { tasks, more } = workView(state, momentAt(state, at(9)), 1);
    expect([tasks.map(({ taskId }) => taskId), more]).toEqual([["g1"], 1]);
    expect(workView(state, momentAt(state, at(9))).tasks.map(({ taskId }) => taskId)).toEqual(["g1", "last"]);
  });
});
