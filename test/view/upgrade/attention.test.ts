import { describe, expect, it } from "vitest";
import { attentionView, type AttentionOptions } from "../../../src/view/upgrade/attention.ts";
import { momentAt } from "../../../src/view/upgrade/upgrade-view.ts";
import { add, at, begin, fail, finish, raise, report, start, story, wait, type Step } from "../story.ts";

const attention = (steps: readonly Step[], second: number, options?: AttentionOptions) => {
  const { state } = story(steps);
  return attentionView(state, momentAt(state, at(second)), options);
};

describe("attentionView", () => {
  it("is empty while all is well", () => {
    const steps: Step[] = [[0, start(), add("a"), add("b"), begin("a"), report("a", { percentage: 5 }), finish("a")]];
    expect(attention(steps, 10)).toEqual({ items: [], more: 0 });
  });

  it("tells what is waited for, since when, and what to do", () => {
    const steps: Step[] = [
      [0, start(), add("g"), add("n", { taskName: "node 1", parentTaskId: "g" }), begin("n")],
      [10, wait("n", { kind: "PDB", name: "shop/x", message: "needs 2", remedy: "scale x" })],
    ];
    expect(attention(steps, 70).items).toMatchObject([
      {
        word: "waiting",
        tone: "attention",
        title: "node 1 waits on PDB shop/x",
        lines: ["needs 2", "in g"],
        remedy: "scale x",
        taskId: "n",
        elapsedMs: 60_000,
      },
    ]);
  });

  it("has the failed tasks with why, the worst first, and not the groups that failed by them", () => {
    const steps: Step[] = [
      [0, start(), add("g"), add("a", { parentTaskId: "g" }), add("b"), begin("a"), begin("b")],
      [1, wait("b", { kind: "approval", name: "of the team" })],
      [5, fail("a", "no capacity")],
    ];
    expect(attention(steps, 15).items.map(({ word, title, elapsedMs }) => [word, title, elapsedMs])).toEqual([
      ["failed", "a", 10_000],
      ["waiting", "b waits on approval of the team", 14_000],
    ]);
    expect(attention(steps, 15).items[0]?.lines).toEqual(["no capacity", "in g"]);
  });

  it("has insights, and a link only for a web address", () => {
    const insight = (id: string, level: string, reference: string) => raise({ id, level, message: id, reference });
    const { items } = attention(
      [[0, start(), insight("a", "info", "javascript:alert(1)"), insight("b", "error", "https://example.com/x")]],
      5,
    );
    expect(items.map(({ key, href, reference }) => [key, href, reference])).toEqual([
      ["insight b", "https://example.com/x", "https://example.com/x"],
      ["insight a", null, "javascript:alert(1)"],
    ]);
  });

  it("has the reasons of bad health, but not those that are insights themselves", () => {
    const running: Step[] = [[0, start(), add("a"), begin("a"), report("a", { percentage: 5 })]];
    expect(attention(running, 600).items).toMatchObject([
      { word: "stalled", tone: "bad", taskId: "a", elapsedMs: 600_000 },
    ]);
    expect(attention(running, 600).items[0]?.remedy).toContain("Look at");
    expect(attention(running, 60, { hasWriter: false }).items).toMatchObject([{ word: "lost" }]);
    expect(attention([...running, [1, raise({ id: "i", level: "error", message: "bad" })]], 5).items).toHaveLength(1);
  });

  it("names a few of very many and counts the rest", () => {
    const names = Array.from({ length: 500 }, (_, index) => `t${index}`);
    const steps: Step[] = [[0, start(), ...names.flatMap((id) => [add(id), begin(id), fail(id, "no")])]];
    const { items, more } = attention(steps, 5, { maxItems: 20 });
    expect([items.length, more]).toEqual([20, 480]);
    expect(new Set(items.map(({ key }) => key)).size).toBe(20);
  });

  it("shows text from outside escaped", () => {
    const steps: Step[] = [[0, start(), add("a", { taskName: "\u202egpj" }), begin("a"), fail("a", "\x1b]0;x\x07")]];
    expect(attention(steps, 1).items[0]).toMatchObject({ title: "\\u202egpj", lines: ["\\x1b]0;x\\x07"] });
  });
});
