import { describe, expect, it } from "vitest";
import { newsFilter, stillText } from "../../../src/view/log/news.ts";
import { upgradeView } from "../../../src/view/upgrade/upgrade-view.ts";
import { add, at, begin, finish, report, start, story, wait, type Step } from "../story.ts";

const news = (steps: readonly Step[]) => {
  const isNews = newsFilter();
  return story(steps).events.filter(isNews);
};

const percentages = (steps: readonly Step[]) =>
  news(steps).flatMap((event) => (event.type === "task.progressed" ? [event.percentage] : []));

describe("newsFilter", () => {
  it("passes reports that moved far, and not each of many", () => {
    const reports = Array.from({ length: 100 }, (_, index) => report("a", { percentage: index + 1 }));
    expect(
      percentages([
        [0, start(), add("a"), begin("a")],
        [1, ...reports],
      ]),
    ).toEqual([25, 50, 75, 100]);
  });

  it("passes a small change after a minute, and nothing that says the same again", () => {
    const steps: Step[] = [
      [0, start(), add("a"), begin("a")],
      [59, report("a", { percentage: 1 })],
      [60, report("a", { percentage: 2 })],
      [121, report("a", { percentage: 2 })],
      [122, report("a", { percentage: 2, message: "still" })],
    ];
    expect(percentages(steps)).toEqual([2, 2]);
  });

  it("tells tasks apart, and attempts", () => {
    const steps: Step[] = [
      [0, start(), add("a"), add("b"), begin("a"), begin("b")],
      [
        1,
        report("a", { percentage: 30 }),
        report("b", { percentage: 30 }),
        { type: "failTask", taskId: "a", errorMessage: "x" },
        { type: "retryTask", taskId: "a" },
      ],
      [2, report("a", { percentage: 30 })],
    ];
    expect(percentages(steps)).toEqual([30, 30, 30]);
  });

  it("passes every change of status", () => {
    const steps: Step[] = [[0, start(), add("a"), begin("a"), finish("a"), { type: "completeUpgrade" }]];
    expect(news(steps)).toHaveLength(story(steps).events.length);
  });
});

describe("stillText", () => {
  const still = (steps: readonly Step[], second: number) =>
    stillText(upgradeView(story(steps).state, { asOfMs: at(second) }));

  it("names what is waited for before what runs", () => {
    const steps: Step[] = [
      [0, start(), add("a"), add("b"), begin("a"), begin("b")],
      [60, wait("b", { kind: "PDB", name: "shop/x" })],
    ];
    expect(still(steps, 130)).toBe("still waiting: b on PDB shop/x (1m 10s)");
  });

  it("names what runs, by its leaves, with its percentage when it is known", () => {
    const steps: Step[] = [
      [
        0,
        start(),
        add("g"),
        add("a", { parentTaskId: "g" }),
        add("b", { parentTaskId: "g" }),
        begin("g"),
        begin("a"),
        begin("b"),
        report("a", { percentage: 40 }),
      ],
    ];
    expect(still(steps, 130)).toBe("still running: a (40%, 2m 10s); b (2m 10s)");
  });

  it("names three, and says how many more there are", () => {
    const names = ["a", "b", "c", "d", "e"];
    expect(still([[0, start(), ...names.map((name) => add(name)), ...names.map((name) => begin(name))]], 5)).toBe(
      "still running: a (5s); b (5s); c (5s); and 2 more",
    );
  });

  it("says how long nothing has come when nothing runs", () => {
    expect(still([[0, start()]], 300)).toBe("still here: no event for 5m 00s");
    expect(still([[0, start(), { type: "pauseUpgrade" }]], 60)).toBe("still paused: no event for 1m 00s");
  });
});
