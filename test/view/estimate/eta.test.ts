import { describe, expect, it } from "vitest";
import { etaView } from "../../../src/view/estimate/eta.ts";
import { momentAt } from "../../../src/view/upgrade/upgrade-view.ts";
import type { UsualDurations } from "../../../src/view/estimate/usual-durations.ts";
import { add, at, begin, finish, report, start, story, wait, type Step } from "../story.ts";
import { toldBy } from "../usual.ts";

const eta = (steps: readonly Step[], second: number, usual?: UsualDurations) => {
  const { state } = story(steps);
  return etaView(state, momentAt(state, at(second), usual));
};

const minutes = (count: number) => count * 60_000;

/** One earlier upgrade: `a` took 10 minutes, then `b` 20. */
const earlier = (more: number = 1) =>
  toldBy([
    story([
      [0, start(), add("a"), add("b"), begin("a")],
      [600 * more, finish("a"), begin("b")],
      [1800 * more, finish("b"), { type: "completeUpgrade" }],
    ]).state,
  ]);

describe("etaView", () => {
  it("foresees nothing before the start, while it is paused, after the end, and with nothing to go by", () => {
    expect(eta([[0, add("a")]], 1).range).toBeNull();
    expect(eta([[0, start(), add("a"), begin("a")]], 60).range).toBeNull();
    const half: Step[] = [
      [0, start(), add("a"), begin("a")],
      [60, report("a", { percentage: 50 })],
    ];
    expect(eta(half, 60).range).not.toBeNull();
    expect(eta([...half, [60, { type: "pauseUpgrade" }]], 90).range).toBeNull();
    expect(eta([...half, [60, finish("a"), { type: "completeUpgrade" }]], 90).range).toBeNull();
  });

  it("goes by the pace so far when nothing is planned, in a range that narrows towards the end", () => {
    const steps: Step[] = [
      [0, start(), add("a"), begin("a")],
      [60, report("a", { percentage: 25 })],
    ];
    const { range } = eta(steps, 60);
    expect(range).toMatchObject({ likelyMs: minutes(3), from: "pace", isHeld: false });
    expect(range?.likelyAt).toBe(new Date(at(60) + minutes(3)).toISOString());
    const late = eta([...steps, [220, report("a", { percentage: 90 })]], 220).range;
    const width = (each: typeof range) => (each === null ? NaN : each.highMs / each.lowMs);
    expect(width(late)).toBeLessThan(width(range));
  });

  it("goes by what earlier upgrades took, from the first second on", () => {
    const steps: Step[] = [[0, start(), add("a"), add("b"), begin("a")]];
    expect(eta(steps, 0, earlier()).usual).toMatchObject({ likelyMs: minutes(30), from: "usual" });
    const after = eta(steps, 300, earlier()).usual;
    expect(after?.likelyMs).toBeCloseTo(minutes(25), -3);
  });

  it("learns how fast this upgrade is from what it has done", () => {
    // `a` took twice as long as usual.
    const steps: Step[] = [
      [0, start(), add("a"), add("b"), begin("a")],
      [1200, finish("a"), begin("b")],
    ];
    expect(eta(steps, 1200, earlier()).usual?.likelyMs).toBeCloseTo(minutes(40), -3);
  });

  it("says the same of its own log, whatever is known of earlier upgrades", () => {
    const steps: Step[] = [
      [0, start(), add("a"), add("b"), begin("a")],
      [600, report("a", { percentage: 50 })],
    ];
    expect(eta(steps, 700, earlier()).range).toEqual(eta(steps, 700).range);
    expect(eta(steps, 700).usual).toBeNull();
  });

  it("takes no pace from the first few percent", () => {
    const steps = (percentage: number): Step[] => [
      [0, start(), add("a"), begin("a")],
      [60, report("a", { percentage })],
    ];
    expect(eta(steps(4.9), 60).range).toBeNull();
    expect(eta(steps(5), 60).range).toMatchObject({ from: "pace" });
  });

  it("goes by expected times, also for tasks of other weight that have none", () => {
    const steps: Step[] = [
      [0, start(), add("a", { expectedMs: minutes(10), weight: 2 }), add("b", { weight: 1 }), begin("a")],
    ];
    expect(eta(steps, 0).range).toMatchObject({ likelyMs: minutes(15), from: "expected" });
  });

  it("does not end before the task that needs longest", () => {
    const steps: Step[] = [
      [
        0,
        start(),
        add("a", { expectedMs: minutes(60) }),
        ...["b", "c", "d"].map((id) => add(id, { expectedMs: minutes(20) })),
      ],
      [0, begin("a"), begin("b"), begin("c"), begin("d")],
      [1200, finish("b"), finish("c"), finish("d")],
    ];
    const { range } = eta(steps, 1200);
    expect(range?.lowMs).toBeGreaterThanOrEqual(minutes(39));
    expect(range?.likelyMs).toBeGreaterThanOrEqual(minutes(40));
  });

  it("says that it is held while something is waited for", () => {
    const steps: Step[] = [
      [0, start(), add("a"), begin("a")],
      [60, report("a", { percentage: 50 }), wait("a", { kind: "PDB", name: "x" })],
    ];
    expect(eta(steps, 60).range?.isHeld).toBe(true);
    expect(eta([...steps, [61, { type: "clearWaitingOn", taskId: "a" }]], 62).range?.isHeld).toBe(false);
  });

  it("says how far the whole is over what is usual, also when it is over", () => {
    const steps: Step[] = [[0, start(), add("a"), add("b"), begin("a")]];
    expect(eta(steps, 1800, earlier()).over).toBeNull();
    expect(eta(steps, 3180, earlier()).over).toEqual({ ms: minutes(23), source: "usual" });
  });

  it("is always in order and never in the past, whatever is reported", () => {
    for (const percentage of [0.01, 1, 33, 50, 99, 99.99]) {
      for (const second of [0, 1, 60, 36_000]) {
        for (const usual of [undefined, earlier(), earlier(0.001), earlier(1000)]) {
          const found = eta([[0, start(), add("a"), add("b"), begin("a"), report("a", { percentage })]], second, usual);
          for (const range of [found.range, found.usual]) {
            if (range === null) continue;
            expect(range.lowMs).toBeGreaterThanOrEqual(0);
            expect(range.lowMs).toBeLessThanOrEqual(range.likelyMs);
            expect(range.likelyMs).toBeLessThanOrEqual(range.highMs);
            expect(Date.parse(range.highAt)).not.toBeNaN();
          }
        }
      }
    }
  });
});
