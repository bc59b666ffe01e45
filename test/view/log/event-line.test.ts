import { describe, expect, it } from "vitest";
import { evolve } from "../../../src/model/evolve.ts";
import { emptyUpgrade } from "../../../src/model/upgrade.ts";
import { clockText } from "../../../src/view/text/duration.ts";
import { eventLine } from "../../../src/view/log/event-line.ts";
import { add, at, begin, fail, finish, IDS, raise, report, start, story, wait, type Step } from "../story.ts";

/** The lines that the events of a story make, without their times. */
const lines = (steps: readonly Step[]) => {
  let state = emptyUpgrade(IDS);
  return story(steps).events.flatMap((event) => {
    state = evolve(state, event);
    return eventLine(event, state)?.text ?? [];
  });
};

describe("eventLine", () => {
  it("says what happened, to whom and after how long", () => {
    const steps: Step[] = [
      [0, start("Nodes"), add("node-3", { totalSteps: 7, unit: "pods" })],
      [5, begin("node-3", "cordoned")],
      [60, report("node-3", { completedSteps: 3, message: "evicting" })],
      [255, finish("node-3")],
      [300, { type: "completeUpgrade" }],
    ];
    expect(lines(steps)).toEqual([
      "upgrade upgrade-123 on my-cluster started: Nodes",
      "task node-3 started: cordoned",
      "task node-3 at 3/7 pods, 42%: evicting",
      "task node-3 completed (4m 10s)",
      "upgrade completed (5m 00s)",
    ]);
  });

  it("carries the local time of the event", () => {
    const { events, state } = story([[3723, start()]]);
    expect(eventLine(events[1]!, state)?.time).toBe(clockText(new Date(at(3723)).toISOString()));
  });

  it("tells of waiting, failing and trying again with the remedy and the reason", () => {
    const steps: Step[] = [
      [0, start(), add("a"), begin("a")],
      [
        1,
        wait("a", { kind: "PDB", name: "shop/x", message: "needs 2", remedy: "scale it" }),
        { type: "clearWaitingOn", taskId: "a" },
      ],
      [9, fail("a", "no capacity"), { type: "retryTask", taskId: "a" }],
      [
        10,
        { type: "pauseTask", taskId: "a" },
        { type: "resumeTask", taskId: "a" },
        { type: "cancelTask", taskId: "a", message: "not needed" },
      ],
    ];
    expect(lines(steps).slice(2)).toEqual([
      "task a waits on PDB shop/x: needs 2 (remedy: scale it)",
      "task a waits no longer",
      "task a failed (9s): no capacity",
      "task a started again, attempt 2",
      "task a paused (1s)",
      "task a resumed",
      "task a cancelled (1s): not needed",
    ]);
  });

  it("tells of the upgrade's own changes", () => {
    const steps: Step[] = [
      [0, start(), add("a")],
      [
        1,
        { type: "setCurrentPhase", phase: "Two" },
        { type: "pauseUpgrade", message: "change freeze" },
        { type: "resumeUpgrade" },
      ],
      [
        2,
        raise({ id: "i", level: "error", message: "bad", remedy: "mend" }),
        { type: "clearInsight", insightId: "i", message: "mended" },
      ],
      [3, { type: "completeUpgrade" }],
    ];
    expect(lines(steps).slice(1)).toEqual([
      "phase Two",
      "upgrade paused: change freeze",
      "upgrade resumed",
      "error: bad (remedy: mend)",
      "cleared: i: mended",
      expect.stringContaining("warning: 1 of 1 tasks had not completed"),
      "upgrade completed (3s) with 1 task unfinished",
    ]);
    expect(
      lines([
        [0, start()],
        [5, { type: "failUpgrade", errorMessage: "why" }],
      ]).at(-1),
    ).toBe("upgrade failed (5s): why");
  });

  it("says when the percentage is unknown and when it went back", () => {
    const steps: Step[] = [
      [0, start(), add("a"), begin("a"), report("a", { message: "busy" })],
      [1, report("a", { percentage: 60 })],
      [2, report("a", { percentage: 40 })],
    ];
    expect(lines(steps).slice(2)).toEqual(["task a runs: busy", "task a at 60%", "task a at 40% (went back)"]);
  });

  it("has nothing to say of definitions, heartbeats, log text and writers", () => {
    const steps: Step[] = [
      [0, start(), add("a"), begin("a")],
      [20, { type: "heartbeat", taskId: "a" }, { type: "appendLog", taskId: "a", text: "x" }],
    ];
    expect(lines(steps)).toEqual(["upgrade upgrade-123 on my-cluster started: Preparation", "task a started"]);
  });

  it("[X3] lets no control character of names and messages through", () => {
    const evil = "\x1b[2J\r\n\u202e";
    const steps: Step[] = [
      [
        0,
        start(evil),
        add("a", { taskName: evil }),
        begin("a", evil),
        wait("a", { kind: evil, name: evil, message: evil, remedy: evil }),
      ],
      [
        1,
        report("a", { completedSteps: 1, totalSteps: 2, unit: evil, message: evil }),
        fail("a", evil),
        raise({ id: "i", level: "info", message: evil, remedy: evil }),
      ],
      [2, { type: "setCurrentPhase", phase: `${evil}2` }, { type: "failUpgrade", errorMessage: evil }],
    ];
    expect(lines(steps).join("")).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});
