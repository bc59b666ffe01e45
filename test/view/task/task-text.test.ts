import { describe, expect, it } from "vitest";
import { dayTimeText, etaWords, overWords } from "../../../src/view/estimate/eta-text.ts";
import { etaView } from "../../../src/view/estimate/eta.ts";
import { remarkText, taskText } from "../../../src/view/task/task-text.ts";
import { countsText, headView, momentAt, taskRows, toneOf } from "../../../src/view/upgrade/upgrade-view.ts";
import { add, at, begin, fail, finish, report, start, story, wait, type Step } from "../story.ts";

const words = (steps: readonly Step[], second: number) => {
  const { state } = story(steps);
  const head = headView(state, { asOfMs: at(second) });
  return etaWords(etaView(state, momentAt(state, at(second))), head, "utc");
};

const half: Step[] = [
  [0, start(), add("a"), begin("a")],
  [600, report("a", { percentage: 50 })],
];

describe("etaWords", () => {
  it("tells the end to the minute, with its range and where it comes from", () => {
    expect(words(half, 600)).toEqual({
      when: "12:20",
      left: "in about 10m 00s",
      range: "between 12:17 and 12:23",
      basis: "from the pace so far",
      usual: null,
      over: null,
    });
  });

  it("promises no time while something is waited for", () => {
    const held = words([...half, [600, wait("a", { kind: "PDB", name: "x" })]], 600);
    expect(held).toMatchObject({ when: "not before 12:17", left: "held by what is waited for" });
    expect(held.range).toBe("otherwise between 12:17 and 12:23");
  });

  it("says a range that is one minute once", () => {
    const near: Step[] = [...half, [1_198, report("a", { percentage: 99.99 })]];
    expect(words(near, 1_198)).toMatchObject({ when: "12:19", range: null, basis: "from the pace so far" });
  });

  it("says why there is none", () => {
    expect(words([[0, add("a")]], 1).when).toBe("not started");
    expect(words([[0, start(), add("a"), begin("a")]], 1).when).toBe("too early to say");
    expect(words([...half, [601, { type: "pauseUpgrade" }]], 700)).toMatchObject({ when: "paused", left: null });
    expect(words([...half, [660, finish("a"), { type: "completeUpgrade" }]], 999).when).toBe("12:11");
  });

  it("tells the date of another day", () => {
    expect(dayTimeText("2026-11-22T10:00:00.000Z", at(0), "utc")).toBe("2026-11-22 10:00:00");
    expect(dayTimeText("2026-11-23T10:00:00.000Z", at(0), "utc")).toBe("10:00:00");
  });

  it("says how far over, and over what", () => {
    expect(overWords({ ms: 23 * 60_000, source: "usual" })).toBe("23m 00s over usual");
  });
});

describe("taskText", () => {
  const row = (steps: readonly Step[], second: number, taskId: string) => {
    for (const each of taskRows(story(steps).state, at(second)))
      if (each.kind === "task" && each.task.taskId === taskId) return each.task;
    throw new Error(`no row of ${taskId}`);
  };

  it("says all that a row shows", () => {
    const steps: Step[] = [
      [
        0,
        start(),
        add("a", { taskName: "node 1", totalSteps: 4, unit: "pods", expectedMs: 10_000 }),
        begin("a"),
        fail("a", "no"),
      ],
      [10, { type: "retryTask", taskId: "a" }, report("a", { completedSteps: 3 })],
      [20, wait("a", { kind: "PDB", name: "x", message: "needs 2" })],
    ];
    expect(taskText(row(steps, 40, "a"))).toBe(
      "node 1, waiting, 75%, 3/4 pods, attempt 2, 30s, 20s over expected: waits 20s on PDB x: needs 2",
    );
    expect(remarkText(row([[0, start(), add("a"), begin("a", "cordoned")]], 1, "a"))).toBe("cordoned");
  });

  it("says nothing of a percentage that a failed task never had", () => {
    expect(taskText(row([[0, start(), add("a"), begin("a"), fail("a", "no")]], 1, "a"))).toBe("a, failed, 0s: no");
  });
});

describe("the whole", () => {
  it("stands still when it has ended: nothing left behind in it takes any longer", () => {
    const steps: Step[] = [...half, [700, { type: "failUpgrade", errorMessage: "no" }]];
    expect(taskRows(story(steps).state, at(9999))[0]).toMatchObject({ task: { elapsedMs: 700_000 } });
  });

  it("keeps paused time apart, also while it still lasts", () => {
    const steps: Step[] = [
      [0, start()],
      [10, { type: "pauseUpgrade" }],
      [30, { type: "resumeUpgrade" }],
      [40, { type: "pauseUpgrade" }],
    ];
    const head = headView(story(steps).state, { asOfMs: at(45) });
    expect(head).toMatchObject({ elapsedMs: 20_000, pausedMs: 25_000, pausedSinceMs: 5_000 });
  });

  it("is counted in words, and as loud as its status and its health", () => {
    const { state } = story([[0, start(), add("a"), begin("a"), report("a", { percentage: 5 })]]);
    const head = (second: number) => headView(state, { asOfMs: at(second) });
    expect(countsText(head(1))).toBe("0 of 1 task completed, 1 running");
    expect([toneOf(head(1)), toneOf(head(600))]).toEqual(["active", "bad"]);
  });
});
