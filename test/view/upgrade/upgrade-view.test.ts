import { describe, expect, it } from "vitest";
import { upgradeView } from "../../../src/view/upgrade/upgrade-view.ts";
import type { TaskRow } from "../../../src/view/task/tree.ts";
import { add, at, begin, fail, finish, raise, report, start, story, wait, type Step } from "../story.ts";

const view = (steps: readonly Step[], second: number, more: { hasWriter?: boolean } = {}) =>
  upgradeView(story(steps).state, { asOfMs: at(second), ...more });

const taskOf = (steps: readonly Step[], second: number, taskId: string) => {
  const row = view(steps, second).rows.find(
    (candidate): candidate is TaskRow => candidate.kind === "task" && candidate.task.taskId === taskId,
  );
  if (row === undefined) throw new Error(`no row of ${taskId}`);
  return row.task;
};

describe("upgradeView: the whole", () => {
  it("says who, where, which phase and how long, as of the moment asked for", () => {
    const steps: Step[] = [
      [10, start("Preparation")],
      [70, { type: "setCurrentPhase", phase: "Nodes" }],
    ];
    expect(view(steps, 100)).toMatchObject({
      upgradeId: "upgrade-123",
      planId: "plan-456",
      clusterName: "my-cluster",
      status: "in_progress",
      hasEnded: false,
      phase: "Nodes",
      phaseElapsedMs: 30_000,
      elapsedMs: 90_000,
      silentMs: 30_000,
      asOf: new Date(at(100)).toISOString(),
      taskCount: 0,
    });
  });

  it("leaves pauses out, and does not run on after the end", () => {
    const steps: Step[] = [
      [0, start()],
      [10, { type: "pauseUpgrade" }],
      [40, { type: "resumeUpgrade" }],
      [50, { type: "completeUpgrade" }],
    ];
    expect(view(steps, 9999)).toMatchObject({
      status: "completed",
      hasEnded: true,
      elapsedMs: 20_000,
      percent: 100,
      health: null,
      message: null,
    });
  });

  it("does not go back when the reader's clock is behind the writer's", () => {
    expect(
      view(
        [
          [100, start()],
          [160, add("a")],
        ],
        0,
      ),
    ).toMatchObject({ elapsedMs: 60_000, silentMs: 0 });
  });

  it("counts what waits apart from what runs", () => {
    const steps: Step[] = [
      [0, start(), add("a"), add("b"), add("c"), add("d"), add("e")],
      [
        1,
        begin("a"),
        begin("b"),
        wait("b", { kind: "PDB", name: "x" }),
        wait("c", { kind: "approval", name: "y" }),
        begin("d"),
        fail("d", "broken"),
      ],
    ];
    const { counts, taskCount } = view(steps, 5);
    expect(counts).toEqual({
      completed: 0,
      in_progress: 1,
      waiting: 2,
      paused: 0,
      failed: 1,
      cancelled: 0,
      skipped: 0,
      not_started: 1,
    });
    expect(Object.values(counts).reduce((a, b) => a + b)).toBe(taskCount);
  });

  it("says unknown, never nought, while what runs tells no percentage", () => {
    expect(view([[0, add("a")]], 1).percent).toBeNull();
    expect(view([[0, start()]], 1).percent).toBeNull();
    expect(view([[0, start(), add("a"), begin("a"), report("a", { message: "busy" })]], 1).percent).toBeNull();
    expect(view([[0, start(), add("a"), begin("a"), report("a", { percentage: 0 })]], 1).percent).toBe(0);
    expect(view([[0, start(), add("a"), add("b"), begin("a"), begin("b"), finish("b")]], 1).percent).toBe(50);
  });

  it("tells why it failed", () => {
    expect(
      view(
        [
          [0, start()],
          [5, { type: "failUpgrade", errorMessage: "control plane\x1b[2J" }],
        ],
        9,
      ),
    ).toMatchObject({
      status: "failed",
      message: "control plane\\x1b[2J",
    });
  });

  it("puts the worst insight first, then the oldest", () => {
    const insight = (id: string, level: string) => raise({ id, level, message: id });
    const steps: Step[] = [
      [0, start(), insight("a", "info")],
      [1, insight("b", "warning")],
      [2, insight("c", "error")],
      [3, insight("d", "warning")],
    ];
    expect(view(steps, 10).insights.map(({ id }) => id)).toEqual(["c", "b", "d", "a"]);
    expect(view(steps, 10).insights[0]).toMatchObject({ level: "error", elapsedMs: 8000, remedy: null });
  });
});

describe("upgradeView: health", () => {
  const running: Step[] = [[0, start(), add("a"), begin("a"), report("a", { percentage: 5 })]];

  it("is none before the start and after the end", () => {
    expect(view([[0, add("a")]], 1).health).toBeNull();
    expect(view([...running, [9, { type: "cancelUpgrade" }]], 99_999).health).toBeNull();
  });

  it("is worked out for the moment asked for, not only for the last event", () => {
    expect(view(running, 60).health).toEqual({ state: "progressing", reasons: [] });
    expect(view(running, 600).health).toMatchObject({
      state: "stalled",
      reasons: [expect.stringContaining("no sign of life of a")],
    });
  });

  it("is lost when the writer is gone without a word", () => {
    expect(view(running, 60, { hasWriter: false }).health?.state).toBe("lost");
    expect(view(running, 60, { hasWriter: true }).health?.state).toBe("progressing");
  });
});

describe("upgradeView: a task", () => {
  it("has a percentage when it told one, steps, attempt and time", () => {
    const steps: Step[] = [
      [0, start(), add("a", { totalSteps: 5, unit: "nodes" })],
      [10, begin("a"), report("a", { completedSteps: 1 }), fail("a", "first try")],
      [20, { type: "retryTask", taskId: "a" }],
      [30, report("a", { completedSteps: 3 })],
    ];
    expect(taskOf(steps, 60, "a")).toMatchObject({
      status: "in_progress",
      percent: 60,
      steps: { completed: 3, total: 5, unit: "nodes" },
      attempt: 2,
      elapsedMs: 40_000,
      message: null,
    });
  });

  it("has no percentage before it begins, and an unknown one when it tells none", () => {
    expect(taskOf([[0, start(), add("a")]], 1, "a")).toMatchObject({ percent: null, elapsedMs: null });
    expect(taskOf([[0, start(), add("a"), begin("a")]], 1, "a").percent).toBeNull();
  });

  it("tells what it waits on, for how long, and the remedy", () => {
    const steps: Step[] = [
      [0, start(), add("a"), begin("a")],
      [10, wait("a", { kind: "PDB", name: "shop/\u202ex", message: "needs 2", remedy: "scale" })],
    ];
    expect(taskOf(steps, 70, "a")).toMatchObject({
      status: "waiting",
      waitingOn: { on: "PDB shop/\\u202ex", message: "needs 2", remedy: "scale", elapsedMs: 60_000 },
    });
  });

  it("tells why it failed, and nothing that only repeats its status", () => {
    expect(taskOf([[0, start(), add("a"), begin("a"), fail("a", "no capacity\nat all")]], 1, "a").message).toBe(
      "no capacity\\nat all",
    );
    expect(taskOf([[0, start(), add("a"), begin("a"), finish("a")]], 1, "a").message).toBeNull();
    expect(taskOf([[0, start(), add("a"), begin("a", "draining")]], 1, "a").message).toBe("draining");
  });

  it("with children counts them, without those that were skipped or cancelled", () => {
    const steps: Step[] = [
      [0, start(), add("g", { unit: "nodes" }), ...["a", "b", "c", "d"].map((id) => add(id, { parentTaskId: "g" }))],
      [10, begin("a"), finish("a"), begin("b"), { type: "skipTask", taskId: "c" }],
    ];
    expect(taskOf(steps, 20, "g")).toMatchObject({
      steps: { completed: 1, total: 3, unit: "nodes" },
      elapsedMs: 10_000,
      hasChildren: true,
    });
  });

  it("has a name that can be shown anywhere", () => {
    expect(taskOf([[0, start(), add("a", { taskName: "\x1b]0;owned\x07 node\u0007" })]], 1, "a").name).toBe(
      "\\x1b]0;owned\\x07 node\\x07",
    );
  });
});

describe("upgradeView: size", () => {
  it("makes a view of 20,000 tasks into as many lines as there is room for", () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `n${index}`);
    const { state } = story([
      [0, start(), add("g", { unit: "nodes" }), ...names.map((name) => add(name, { parentTaskId: "g" }))],
      [1, ...names.slice(0, 300).map((name) => begin(name))],
    ]);
    const { rows } = upgradeView(state, { asOfMs: at(2), maxLines: 20 });
    expect(rows).toHaveLength(20);
    expect(rows.at(-1)).toMatchObject({ kind: "more", counts: { in_progress: 282, not_started: 19_700 } });
  });
});
