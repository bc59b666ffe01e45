import { describe, expect, it } from "vitest";
import { frameLines } from "../../../src/cli/render/frame.ts";
import { lineWidth, paint, pen } from "../../../src/cli/render/pen.ts";
import { upgradeLines } from "../../../src/cli/render/upgrade-lines.ts";
import type { UpgradeProgress } from "../../../src/model/upgrade.ts";
import { durationText } from "../../../src/view/text/duration.ts";
import { upgradeView, type HeadView } from "../../../src/view/upgrade/upgrade-view.ts";
import { add, at, begin, fail, finish, raise, report, start, story, wait } from "../../view/story.ts";

const nodes = Array.from({ length: 30 }, (_, index) => `ip-10-0-1-${index}`);

/** An upgrade with something of everything, long and wide texts among it. */
const busy = (): UpgradeProgress =>
  story([
    [
      0,
      start("Node group with a rather long name 日本語"),
      add("plane", { taskName: "Control plane 1.33 → 1.34" }),
      add("group", { taskName: "Node group", unit: "nodes" }),
      ...nodes.map((name) => add(name, { parentTaskId: "group", totalSteps: 7, unit: "pods" })),
      add("long", { taskName: "a task with a name that is so long that no window holds it ".repeat(4) }),
    ],
    [10, begin("plane"), finish("plane"), begin("group")],
    [20, ...nodes.slice(0, 12).flatMap((name) => [begin(name), finish(name)])],
    [
      30,
      begin("ip-10-0-1-12"),
      report("ip-10-0-1-12", { completedSteps: 3, message: "evicting pods 👩‍👩‍👧 of 名前" }),
      begin("ip-10-0-1-13"),
      wait("ip-10-0-1-13", {
        kind: "PodDisruptionBudget",
        name: "shop/checkout",
        message: "needs 2",
        remedy: "scale it ".repeat(30),
      }),
      begin("ip-10-0-1-14"),
      fail("ip-10-0-1-14", "NodeCreationFailure: ".repeat(20)),
      begin("long"),
      raise({ id: "a", level: "warning", message: "pod cannot be evicted ".repeat(10), remedy: "kubectl scale" }),
      raise({ id: "b", level: "error", message: "bad" }),
      raise({ id: "c", level: "info", message: "note" }),
    ],
  ]).state;

const foot = (head: HeadView) => {
  const text = `last event ${durationText(head.silentMs)} ago, q leaves`;
  return { line: [{ text, look: undefined }] };
};

const plain = (width: number, isAscii = false) => pen({ width, isAscii, hasColor: false });
const painted = (
  state: UpgradeProgress,
  width: number,
  maxLines: number,
  more: { isAscii?: boolean; second?: number } = {},
) => {
  const by = plain(width, more.isAscii);
  return frameLines(state, by, { asOfMs: at(more.second ?? 100), maxLines, foot, banner: "BANNER" }).map((line) =>
    paint(line, by),
  );
};

describe("frameLines", () => {
  it("[P7] fits every window", () => {
    const state = busy();
    for (const width of [1, 2, 5, 10, 20, 39, 40, 49, 50, 59, 60, 80, 99, 100, 120, 200]) {
      for (const maxLines of [1, 3, 5, 9, 13, 14, 23, 40, 100]) {
        const by = plain(width);
        const lines = frameLines(state, by, { asOfMs: at(100), maxLines, foot });
        expect({ width, maxLines, fits: lines.length <= maxLines }).toEqual({ width, maxLines, fits: true });
        for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(width);
      }
    }
  });

  it("keeps what failed and what waits in sight when there is little room", () => {
    const lines = painted(busy(), 80, 16).join("\n");
    expect(lines).toMatch(/✗ failed +ip-10-0-1-14/);
    expect(lines).toMatch(/◌ waiting +ip-10-0-1-13/);
    expect(lines).toContain("12/30 nodes");
    expect(lines).toMatch(/^… 30 more \(13 completed, 2 running, 15 not started\)$/m);
    expect(lines).toContain("more insights");
  });

  it("says what stands above, how to leave, and when the last event was", () => {
    const lines = painted(busy(), 80, 24);
    expect(lines[0]).toBe("BANNER");
    expect(lines.at(-1)).toBe("last event 1m 10s ago, q leaves");
  });

  it("says a status by a word, never by colour alone", () => {
    const words = painted(busy(), 80, 60).flatMap((line) => /^[✓●◌✗○] (\S+( started)?)/.exec(line)?.[1] ?? []);
    expect(new Set(words)).toEqual(new Set(["completed", "running", "waiting", "failed", "not started"]));
  });

  it("leaves the unit of steps out where there is no room for it, never the numbers", () => {
    const { state } = story([
      [0, start(), add("a", { totalSteps: 42, unit: "deployments" }), report("a", { completedSteps: 28 })],
    ]);
    expect(painted(state, 80, 24).find((line) => line.startsWith("● running      a"))).toMatch(/ 28\/42 +1m 40s$/);
  });

  it("uses ASCII only in ASCII mode", () => {
    for (const line of painted(busy(), 100, 60, { isAscii: true })) expect(line).toMatch(/^[\x20-\x7e]*$/);
  });

  it("says unknown where a percentage is unknown", () => {
    const { state } = story([[0, start(), add("a"), begin("a")]]);
    const lines = painted(state, 80, 24);
    expect(lines[2]).toMatch(/ unknown$/);
    expect(lines.find((line) => line.startsWith("● running      a"))).toMatch(/ unknown +1m 40s$/);
  });

  it("tells that health is bad, and why", () => {
    const { state } = story([[0, start(), add("a"), begin("a")]]);
    expect(painted(state, 80, 24, { second: 400 })).toContain("Health: stalled: no sign of life of a for 7 min");
  });
});

describe("upgradeLines", () => {
  it("shows header, tree and insights of a finished upgrade", () => {
    const { state } = story([
      [0, start(), add("a"), begin("a"), finish("a"), add("b"), { type: "skipTask", taskId: "b" }],
      [65, { type: "completeUpgrade", message: "all nodes run 1.34" }],
    ]);
    const by = plain(60);
    const lines = upgradeLines(upgradeView(state, { asOfMs: at(9999) }), by).map((line) => paint(line, by));
    expect(lines).toEqual([
      `upgrade-123 on my-cluster${" ".repeat(16)}✓ completed  1m 05s`,
      `${"━".repeat(55)} 100%`,
      "1 of 2 tasks completed, 1 skipped",
      "all nodes run 1.34",
      "",
      `✓ completed    a${" ".repeat(42)}0s`,
      "– skipped      b",
    ]);
  });
});
