import { describe, expect, test } from "vitest";

import { FLEET_SORTS, fleetRow, fleetView, type FleetQuery } from "../../../src/view/upgrade/fleet-view.ts";
import { summaryAt, type UpgradeSummary } from "../../../src/view/upgrade/summary.ts";
import { at, story, type Step } from "../story.ts";

/** The summary that a server gives `second` seconds into a story. */
function summary(upgradeId: string, second: number, steps: readonly Step[], hasWriter = true): UpgradeSummary {
  const { state } = story(steps);
  return { ...summaryAt(state, { asOfMs: at(second), hasWriter }), upgradeId };
}

const start: Step = [0, { type: "startUpgrade", phase: "Nodes" }];
const task: Step = [
  0,
  { type: "addTask", taskId: "t", taskName: "Drain", taskType: "upgrade_step" },
  { type: "startTask", taskId: "t" },
];
const waitingOn = { kind: "pdb", name: "web/api", message: "1 of 1 must stay" };
const step = (second: number, type: string, more: object = {}): Step => [second, { type, taskId: "t", ...more }];

const FLEET = [
  summary("fine", 60, [start, task, step(30, "updateTaskProgress", { percentage: 40 })]),
  summary("stalled", 3_600, [start, task]),
  summary("lost", 60, [start, task], false),
  summary("waits", 60, [start, task, step(20, "setWaitingOn", { waitingOn })]),
  summary("retrying", 60, [start, task, step(10, "failTask", { errorMessage: "no room" })]),
  summary("failed", 60, [start, [50, { type: "failUpgrade", errorMessage: "gave up" }]]),
  summary("done", 60, [start, [40, { type: "completeUpgrade" }]]),
  summary("idle", 60, [[0, { type: "addTask", taskId: "t", taskName: "Drain", taskType: "upgrade_step" }]]),
];
const ids = (query: FleetQuery = {}, asOfMs = at(60)): readonly string[] =>
  fleetView(FLEET, query, { asOfMs }).rows.map(({ upgradeId }) => upgradeId);
const row = (upgradeId: string, asOfMs = at(60)) =>
  fleetRow(FLEET.find((each) => each.upgradeId === upgradeId) as UpgradeSummary, asOfMs);

describe("the list of upgrades", () => {
  test("has the exceptions first, the worst of them before the others, and counts every group", () => {
    const { rows, counts, total } = fleetView(FLEET, {}, { asOfMs: at(60) });
    const inGroup = (group: string) => rows.filter((each) => each.group === group).map(({ upgradeId }) => upgradeId);
    expect(rows.slice(0, 4).map(({ group }) => group)).toEqual(Array(4).fill("attention"));
    expect(new Set(inGroup("attention").slice(0, 3))).toEqual(new Set(["stalled", "lost", "failed"]));
    expect(inGroup("attention")[3]).toBe("retrying");
    expect(inGroup("under_way")).toEqual(["fine", "waits", "idle"]);
    expect(inGroup("ended")).toEqual(["done"]);
    expect({ counts, total }).toEqual({ counts: { attention: 4, under_way: 3, ended: 1 }, total: 8 });
  });

  test("lets a failure be news for a day", () => {
    expect(row("failed", at(60 + 23 * 3_600)).group).toBe("attention");
    expect(row("failed", at(60 + 25 * 3_600)).group).toBe("ended");
  });

  test("says what it is, why, and what is waited for", () => {
    expect(row("stalled")).toMatchObject({ health: { word: "stalled", tone: "bad" }, glyph: "!", tone: "bad" });
    expect(row("stalled").health?.reason).toMatch(/Drain/);
    expect(row("waits")).toMatchObject({
      status: "waiting",
      waitingOn: { on: "pdb web/api", message: "1 of 1 must stay", elapsedMs: 40_000 },
    });
    expect(row("fine")).toMatchObject({ status: "in_progress", percent: 40, phase: "Nodes", doing: "Drain" });
    expect(row("waits").percent).toBeNull();
    expect(row("failed").doing).toBe("gave up");
    expect(row("idle")).toMatchObject({ status: "not_started", elapsedMs: null, left: null });
  });

  test("counts time on from the moment that the server told of, and time left down", () => {
    const [now, later] = [row("fine"), row("fine", at(70))];
    expect([now.elapsedMs, later.elapsedMs]).toEqual([60_000, 70_000]);
    expect((now.left?.likelyMs ?? 0) - (later.left?.likelyMs ?? 0)).toBe(10_000);
    expect(row("done", at(9_999)).elapsedMs).toBe(40_000);
    expect(row("fine", at(99_999)).left?.likelyMs).toBe(0);
  });

  test("finds all words, wherever they stand, and what a filter asks for", () => {
    expect(ids({ search: "DRAIN my-cl" })).toEqual(expect.arrayContaining(["fine", "waits", "lost"]));
    expect(ids({ search: "pdb web" })).toEqual(["waits"]);
    expect(ids({ search: "pdb nothing" })).toEqual([]);
    expect(ids({ status: "under_way" })).toEqual(["fine", "waits", "idle"]);
    expect(ids({ status: "waiting" })).toEqual(["waits"]);
    expect(ids({ status: "in_progress" })).toContain("waits");
    expect(ids({ health: "lost" })).toEqual(["lost"]);
    expect(ids({ health: "progressing" })).toEqual(expect.arrayContaining(["fine", "waits"]));
    expect(ids({ clusterName: "other" })).toEqual([]);
  });

  test.each(FLEET_SORTS)("holds the same upgrades in the order %s", (sort) => {
    expect([...ids({ sort })].sort()).toEqual(FLEET.map(({ upgradeId }) => upgradeId).sort());
  });

  test("shows an id in which there is nothing to see in quotes, so that it can be pressed", () => {
    expect(fleetRow({ ...(FLEET[0] as UpgradeSummary), upgradeId: " " }, at(60)).name).toBe('" "');
  });

  test("makes every text safe to show, and keeps the id as it is", () => {
    const hostile = "a\u202e\u001b[2J";
    const made = fleetRow({ ...(FLEET[0] as UpgradeSummary), upgradeId: hostile, clusterName: hostile }, at(60));
    expect(made).toMatchObject({
      upgradeId: hostile,
      name: "a\\u202e\\x1b[2J",
      clusterName: "a\\u202e\\x1b[2J",
    });
  });
});
