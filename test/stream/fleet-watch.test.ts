import { describe, expect, it, onTestFinished, vi } from "vitest";

import { jsonLines, memory, ProgressTracker } from "../../src/index.ts";
import { LostWatch } from "../../src/server/lost-watch.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { TELL_INTERVAL_MS } from "../../src/stream/fleet.ts";
import type { Clock } from "../../src/tracker/clock.ts";
import { manualClock, type ManualClock } from "../manual-clock.ts";
import { tempFolder } from "../temp-folder.ts";
import { fleetOf, toldBy } from "./fleet-of.ts";

function track(
  storage: Storage,
  upgradeId: string,
  options: { clusterName?: string; clock?: Clock; syncIntervalMs?: number } = {},
) {
  const tracker = new ProgressTracker({ upgradeId, planId: "plan", clusterName: "c", storage, ...options });
  onTestFinished(() => tracker.close());
  return tracker;
}

/** Lets all that waits for nothing but its turn happen. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const MINUTE = 60_000;

describe("what a fleet tells", () => {
  it("is every upgrade that another process begins, changes and ends, without being asked", async () => {
    const path = tempFolder();
    const { fleet } = fleetOf(jsonLines({ path }));
    await fleet.start();
    expect(fleet.list()).toEqual([]);
    const told = toldBy(fleet);
    const began = told.next(({ upgradeId, status }) => upgradeId === "new" && status === "in_progress");
    const tracker = track(jsonLines({ path }), "new");
    tracker.startUpgrade("Drain");
    await began;
    const moved = told.next(({ currentPhase }) => currentPhase === "Cordon");
    tracker.setCurrentPhase("Cordon");
    await moved;
    const done = told.next(({ status }) => status === "completed");
    tracker.completeUpgrade();
    expect(await done).toMatchObject({ upgradeId: "new", health: null });
    await tracker.close();
    const again = told.next(({ run }) => run === 2);
    track(jsonLines({ path }), "new").startUpgrade("Second run");
    expect(await again).toMatchObject({ status: "in_progress", currentPhase: "Second run" });
  });

  it("goes to those who watch its cluster or its status, and no longer to one who has stopped", async () => {
    const storage = memory();
    const { fleet } = fleetOf(storage);
    await fleet.start();
    const [east, ends, all, none] = [
      toldBy(fleet, { clusterName: "east" }),
      toldBy(fleet, { status: "completed" }),
      toldBy(fleet),
      toldBy(fleet),
    ];
    none.stop();
    none.stop();
    const both = Promise.all(["e", "w"].map((id) => all.next((s) => s.upgradeId === id && s.status === "completed")));
    for (const [id, clusterName] of [
      ["e", "east"],
      ["w", "west"],
    ] as const) {
      const tracker = track(storage, id, { clusterName });
      tracker.startUpgrade();
      await turns();
      tracker.completeUpgrade();
    }
    await both;
    expect(new Set(east.all.map(({ upgradeId }) => upgradeId))).toEqual(new Set(["e"]));
    expect(new Set(ends.all.map(({ status }) => status))).toEqual(new Set(["completed"]));
    expect(ends.all).toHaveLength(2);
    expect(none.all).toEqual([]);
  });

  it("comes at once, then at most every 250 ms of each upgrade, and the last state always", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const [storage, clock] = [memory(), manualClock()];
    // No syncs: one under way when the clock is moved would have taken all that time, which is trouble.
    const trackers = ["a", "b"].map((id) => track(storage, id, { clock, syncIntervalMs: 3_600_000 }));
    for (const tracker of trackers) {
      tracker.startUpgrade();
      tracker.addTask("t", "T");
    }
    const { fleet } = fleetOf(storage, { clock });
    await fleet.start();
    const told = toldBy(fleet);
    const times = new Map<string, number[]>();
    fleet.watch({}, ({ upgradeId }) => {
      times.set(upgradeId, [...(times.get(upgradeId) ?? []), clock.monotonic()]);
    });
    const pass = async (ms: number): Promise<void> => {
      clock.pass(ms);
      vi.advanceTimersByTime(ms);
      await turns();
    };
    let percent = 0;
    for (let step = 0; step < 100; step++) {
      percent += 1;
      trackers[0]?.updateTaskProgress("t", percent);
      await turns();
      if (step === 0) expect(told.all).toMatchObject([{ upgradeId: "a", overallPercentage: 1 }]);
      if (step === 50) trackers[1]?.updateTaskProgress("t", 7);
      await pass(10);
    }
    const ofA = times.get("a") ?? [];
    expect(ofA.length).toBeLessThanOrEqual(5);
    expect(ofA.length).toBeGreaterThanOrEqual(4);
    await pass(TELL_INTERVAL_MS + 1);
    await pass(10 * TELL_INTERVAL_MS);
    const last = told.all.filter(({ upgradeId }) => upgradeId === "a").at(-1);
    expect(last?.cursor).toBe(trackers[0]?.progress.cursor);
    for (const [index, time] of (times.get("a") ?? []).entries())
      if (index > 0) expect(time - (times.get("a")?.[index - 1] ?? 0)).toBeGreaterThanOrEqual(TELL_INTERVAL_MS);
    // One upgrade does not wait for another, and nothing is told twice.
    expect(told.all.filter(({ upgradeId }) => upgradeId === "b")).toHaveLength(1);
    expect(told.all.filter(({ upgradeId }) => upgradeId === "a").length).toBeLessThanOrEqual(6);
    // Computed when it is told, not when it happened.
    expect(Date.parse(last?.asOf ?? "")).toBeGreaterThan(Date.parse("2026-03-01T08:00:01.000Z"));
  });

  it("is health that time alone changes, once for each change", async () => {
    const [storage, clock] = [memory(), manualClock()];
    const tracker = track(storage, "up", { clock });
    tracker.startUpgrade();
    tracker.addTask("t", "T");
    tracker.startTask("t");
    const { fleet, hub } = fleetOf(storage, { clock });
    await fleet.start();
    const told = toldBy(fleet);
    await fleet.look();
    expect(told.all).toEqual([]);
    clock.pass(5 * MINUTE);
    await fleet.look();
    await fleet.look();
    expect(told.all).toMatchObject([{ upgradeId: "up", health: { state: "stalled" } }]);
    clock.pass(1_000);
    const well = told.next(({ health }) => health?.state === "progressing");
    tracker.updateTaskProgress("t", 10);
    await well;
    await killed(storage, clock);
    const lost = told.next(({ health }) => health?.state === "lost");
    clock.pass(1_000);
    await hub.look();
    await lost;
  });

  it("is that a lost one is back, though it is not followed while it is lost", async () => {
    const [path, clock] = [tempFolder(), manualClock()];
    const storage = jsonLines({ path });
    const tracker = track(storage, "up", { clock });
    tracker.startUpgrade();
    await tracker.close();
    clock.pass(10 * MINUTE);
    const given = fleetOf(storage, { clock });
    await given.fleet.start();
    const lost = new LostWatch({ storage, hub: given.hub, fleet: given.fleet, clock });
    onTestFinished(() => lost.close());
    const told = toldBy(given.fleet);
    await lost.look();
    await given.hub.look();
    await vi.waitFor(async () => {
      await given.fleet.look();
      clock.pass(31_000);
      await given.hub.look();
      expect(given.openReaders()).toBe(0);
    });
    expect(given.fleet.list()).toMatchObject([{ status: "in_progress", health: { state: "lost" } }]);
    const fresh = fleetOf(storage, { clock });
    await fresh.fleet.start();
    expect([fresh.openReaders(), fresh.fleet.list().length]).toEqual([0, 1]);
    const back = told.next(({ health }) => health?.state === "progressing");
    track(storage, "up", { clock }).setCurrentPhase("Going on");
    await back;
    await vi.waitFor(() => expect(fresh.fleet.get("up")).toMatchObject({ currentPhase: "Going on" }));
  });

  it("ends with it, and one who throws hurts no other", async () => {
    const storage = memory();
    const tracker = track(storage, "up");
    tracker.startUpgrade("One");
    const { fleet, openReaders, hub } = fleetOf(storage);
    fleet.watch({}, () => {
      throw new Error("a bad watcher");
    });
    const told = toldBy(fleet);
    await fleet.start();
    const two = told.next(({ currentPhase }) => currentPhase === "Two");
    tracker.setCurrentPhase("Two");
    await two;
    fleet.close();
    const count = told.all.length;
    tracker.setCurrentPhase("Three");
    await turns();
    expect(told.all).toHaveLength(count);
    expect(fleet.list()).toEqual([]);
    await hub.close();
    expect(openReaders()).toBe(0);
  });

  it("leaves an upgrade out that was deleted, also one that was followed", async () => {
    const path = tempFolder();
    const storage = jsonLines({ path });
    const tracker = track(storage, "gone");
    tracker.startUpgrade();
    const { fleet } = fleetOf(jsonLines({ path }));
    await fleet.start();
    expect(fleet.list()).toHaveLength(1);
    await tracker.close();
    await storage.delete("gone");
    await vi.waitFor(() => expect(fleet.list()).toEqual([]));
    const told = toldBy(fleet);
    const back = told.next(({ upgradeId }) => upgradeId === "gone");
    track(storage, "gone").startUpgrade("Anew");
    expect(await back).toMatchObject({ run: 1 });
    await vi.waitFor(() => expect(fleet.get("gone")).toMatchObject({ currentPhase: "Anew" }));
  });
});

/** The writer of `up` is displaced by one that is killed: its lock is free, and its log says no goodbye. */
async function killed(storage: Storage, clock: ManualClock): Promise<void> {
  const writer = await storage.openWriter("up", { takeOver: true });
  await writer.begin();
  await writer.close();
  clock.pass(1);
}
