import { describe, expect, it } from "vitest";
import { FleetScene } from "../../../src/cli/presenter/fleet-scene.ts";
import type { Key } from "../../../src/cli/presenter/keys.ts";
import { lineWidth, paint, pen } from "../../../src/cli/render/pen.ts";
import { summaryAt, type UpgradeSummary } from "../../../src/view/upgrade/summary.ts";
import { add, at, begin, start, story, wait } from "../../view/story.ts";

const HOSTILE = "\x1b[2J\x1b]8;;x\x07\u202ertl 日本語👩‍👩‍👧 ".repeat(4);

const summaryOf = (upgradeId: string, steps: Parameters<typeof story>[0], clusterName = "my-cluster"): UpgradeSummary =>
  summaryAt(story(steps, { upgradeId, planId: "p", clusterName } as never).state, { asOfMs: at(60), hasWriter: true });

const many = (count: number): readonly UpgradeSummary[] =>
  Array.from({ length: count }, (_, index) => summaryOf(`up-${index}`, [[index, start("Nodes")]]));

const set = (summaries: readonly UpgradeSummary[], { columns = 80, rows = 24 } = {}) => {
  const opened: string[] = [];
  const scene = new FleetScene({ now: () => at(60), location: "./data", onOpen: (id) => opened.push(id) });
  const by = pen({ width: columns, isAscii: false, hasColor: false });
  const show = (next: readonly UpgradeSummary[]) =>
    scene.show(new Map(next.map((summary) => [summary.upgradeId, summary])), undefined);
  show(summaries);
  const lines = () => scene.lines(by, rows - 1).map((line) => paint(line, by));
  const press = (...keys: readonly (string | Key)[]) => {
    lines();
    for (const key of keys.flatMap((each): Key[] =>
      typeof each === "string" ? [...each].map((char) => ({ name: "char", char })) : [each],
    ))
      scene.key(key);
  };
  return { scene, show, lines, press, opened, by, selected: () => lines().find((line) => line.startsWith("❯")) };
};

describe("FleetScene", () => {
  it("lists what needs somebody first, and says what is waited for", () => {
    const waits = summaryOf("waits", [
      [0, start("Nodes"), add("n"), begin("n"), wait("n", { kind: "PodDisruptionBudget", name: "shop/checkout" })],
    ]);
    const done = summaryOf("done", [[0, start(), { type: "completeUpgrade" }]]);
    const failed = summaryOf("failed", [[0, start(), { type: "failUpgrade", errorMessage: "no capacity" }]]);
    const { lines } = set([done, waits, failed]);
    expect(lines()[0]).toBe("Upgrades of ./data  1 in trouble, 1 under way, 1 ended");
    expect(lines().slice(3, 6)).toEqual([
      expect.stringMatching(/^❯ failed .*✗ failed .*no capacity$/),
      expect.stringMatching(/^ {2}waits .*waits 1m 00s on Pod/),
      expect.stringMatching(/^ {2}done .*✓ completed +100%/),
    ]);
  });

  it("opens the selected one, which stays selected while others come and go", () => {
    const all = many(60);
    const { press, opened, selected, show, lines } = set(all);
    press("jjj");
    const id = /up-\d+/.exec(selected() ?? "")?.[0] ?? "";
    show([summaryOf("newest", [[59, start()]]), ...all.filter(({ upgradeId }) => upgradeId !== "up-59")]);
    expect(selected()).toContain(id);
    press({ name: "enter" });
    expect(opened).toEqual([id]);
    expect(lines().join("\n")).toMatch(/^ {2}… \d+ more below$/m);
    press("G");
    expect(selected()).toContain("up-0 ");
    press("/up-7", { name: "enter" });
    expect(lines().filter((line) => /^[ ❯] up-/.test(line))).toHaveLength(1);
    press({ name: "escape" }, "/nothing");
    expect(lines().join("\n")).toContain("none of 60 holds “nothing”");
  });

  it("says what to do when there are none", () => {
    expect(set([]).lines().join("\n")).toContain("milepost run -- <command> tracks one");
  });

  it.each([
    [80, 24],
    [200, 60],
    [40, 10],
    [20, 5],
    [9, 3],
  ])("[P7] [X3] fits a window of %i x %i, whatever names hold", (columns, rows) => {
    const hostile = Array.from({ length: 30 }, (_, index) =>
      summaryOf(`${HOSTILE}${index}`, [[0, start(HOSTILE)]], HOSTILE),
    );
    const { scene, press, by } = set(hostile, { columns, rows });
    for (const key of ["j", "G", "?", "x", "/r", { name: "enter" } as const]) {
      press(key);
      const lines = scene.lines(by, rows - 1);
      expect(lines.length).toBeLessThanOrEqual(rows - 1);
      for (const line of lines) {
        expect(lineWidth(line)).toBeLessThanOrEqual(columns);
        // eslint-disable-next-line no-control-regex -- control characters are what is looked for
        expect(paint(line, by)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
      }
    }
  });
});
