import { appendFileSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { jsonLines, memory, ProgressTracker } from "../../src/index.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { Clock } from "../../src/tracker/clock.ts";
import { readUpgrade } from "../../src/tracker/read.ts";
import { summaryAt } from "../../src/view/upgrade/summary.ts";
import { manualClock } from "../manual-clock.ts";
import { tempFolder } from "../temp-folder.ts";
import { fleetOf, toldBy } from "./fleet-of.ts";

function track(storage: Storage, upgradeId: string, options: { clusterName?: string; clock?: Clock } = {}) {
  const tracker = new ProgressTracker({ upgradeId, planId: "plan", clusterName: "c", storage, ...options });
  onTestFinished(() => tracker.close());
  return tracker;
}

/** An upgrade that has ended, its writer gone. */
async function ended(storage: Storage, upgradeId: string, options: { clusterName?: string; clock?: Clock } = {}) {
  const tracker = track(storage, upgradeId, options);
  tracker.startUpgrade();
  tracker.addTask("a", "A");
  tracker.startTask("a");
  tracker.completeTask("a");
  tracker.completeUpgrade();
  await tracker.close();
}

const idsOf = (summaries: readonly { readonly upgradeId: string }[]): string[] =>
  summaries.map(({ upgradeId }) => upgradeId);

describe("what a fleet knows", () => {
  it("[W10] is one summary of each upgrade, the newest first, of all or of a kind", async () => {
    const [storage, clock] = [memory(), manualClock()];
    for (const [upgradeId, clusterName] of [
      ["old", "east"],
      ["middle", "west"],
    ] as const) {
      await ended(storage, upgradeId, { clusterName, clock });
      clock.pass(60_000);
    }
    const running = track(storage, "running", { clusterName: "east", clock });
    running.startUpgrade("Drain");
    const { fleet } = fleetOf(storage, { clock });
    await fleet.start();
    clock.pass(5_000);
    expect(idsOf(fleet.list())).toEqual(["running", "middle", "old"]);
    expect(idsOf(fleet.list({ clusterName: "east" }))).toEqual(["running", "old"]);
    expect(idsOf(fleet.list({ status: "completed" }))).toEqual(["middle", "old"]);
    expect(fleet.list({ status: "completed", clusterName: "nowhere" })).toEqual([]);
    // Numbers of time are those of now; what has ended has none that change.
    expect(fleet.get("running")).toMatchObject({ currentPhase: "Drain", durationMs: 5_000 });
    expect(fleet.get("old")).toMatchObject({ durationMs: 0, asOf: new Date(clock.now()).toISOString(), health: null });
    expect(fleet.get("never there")).toBeUndefined();
  });

  it("does not hold finished runs, and reads one that is asked for by its ref", async () => {
    const storage = memory();
    await ended(storage, "up");
    const next = track(storage, "up");
    next.startUpgrade("Again");
    const { fleet } = fleetOf(storage);
    await fleet.start();
    expect(fleet.list()).toMatchObject([{ upgradeId: "up", run: 2, currentPhase: "Again" }]);
    expect(fleet.get("up@1")).toBeUndefined();
    expect(await fleet.read("up@1")).toMatchObject({ upgradeId: "up", run: 1, status: "completed" });
    expect(await fleet.read("up")).toMatchObject({ run: 2 });
    await expect(fleet.read("up@7")).rejects.toMatchObject({ code: "UNKNOWN_UPGRADE" });
  });

  it("reads what has ended once, holds none of it open, and looks again only when its log has changed", async () => {
    const path = tempFolder();
    const storage = jsonLines({ path });
    const ids = Array.from({ length: 50 }, (_, n) => `u${n}`);
    for (const id of ids) {
      await ended(storage, id);
      const journal = join(path, "upgrades", id, "journal");
      for (const old of [join(journal, "1.jsonl"), journal]) utimesSync(old, 0, 0);
    }
    const { fleet, opened, openReaders } = fleetOf(jsonLines({ path }));
    await fleet.start();
    expect(fleet.list()).toHaveLength(50);
    expect(openReaders()).toBe(0);
    const told = toldBy(fleet);
    const [before, changed] = [opened.length, told.next(({ upgradeId }) => upgradeId === "u7")];
    const tracker = track(storage, "u7");
    tracker.raiseInsight({ id: "late", level: "warning", message: "seen afterwards" });
    await tracker.close();
    await changed;
    expect(new Set(opened.slice(before))).toEqual(new Set(["u7"]));
    expect(new Set(idsOf(told.all))).toEqual(new Set(["u7"]));
    await vi.waitFor(() => expect(openReaders()).toBe(0));
  });

  it("says what every log says, whatever happened while it was looking", async () => {
    const path = tempFolder();
    const write = jsonLines({ path });
    const clock = manualClock();
    await ended(write, "first", { clock });
    const { fleet, hub } = fleetOf(jsonLines({ path }), { clock });
    const told = toldBy(fleet);
    const start = fleet.start();
    const trackers = Array.from({ length: 8 }, (_, n) => track(write, `t${n}`, { clock }));
    for (let round = 0; round < 5; round++) {
      for (const tracker of trackers) {
        tracker.startUpgrade(`round ${round}`);
        tracker.addTask("a", "A");
        tracker.updateTaskProgress("a", (round * 7) % 100);
        if (round % 2 === 1) tracker.completeUpgrade();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await start;
    for (const tracker of trackers) {
      tracker.failUpgrade("broke");
      await tracker.close();
    }
    const ids = [...trackers.keys()].map((n) => `t${n}`);
    await vi.waitFor(async () => {
      await hub.look();
      expect(fleet.list()).toHaveLength(9);
      for (const id of ids) {
        const { state } = await readUpgrade(write, id);
        expect(fleet.get(id)).toEqual(summaryAt(state, { asOfMs: clock.now(), hasWriter: false }));
      }
    });
    expect(idsOf(told.all)).toEqual(expect.arrayContaining(ids));
  });

  it("reads a log anew that became another one while it was read", async () => {
    const storage = memory();
    await ended(storage, "up");
    let isFirst = true;
    // Nobody tells of the change: the reader itself has to find it.
    const deaf: Storage = { ...storage, watch: () => () => undefined };
    const { fleet } = fleetOf(deaf, {
      beforeRead: (ref) => {
        if (ref !== "up" || !isFirst) return;
        isFirst = false;
        track(storage, "up").startUpgrade("Second run");
      },
    });
    await fleet.start();
    await vi.waitFor(() => expect(fleet.get("up")).toMatchObject({ run: 2, currentPhase: "Second run" }));
  });

  it("looks at everything when anything may have changed", async () => {
    const storage = memory();
    for (const id of ["a", "b", "same"]) await ended(storage, id);
    const deaf: Storage = { ...storage, watch: () => () => undefined };
    const { fleet, opened, anyChanged } = fleetOf(deaf);
    await fleet.start();
    await storage.delete("a");
    await ended(storage, "c");
    track(storage, "b").startUpgrade();
    expect(idsOf(fleet.list())).toEqual(expect.arrayContaining(["a", "b", "same"]));
    const told = toldBy(fleet);
    anyChanged();
    await vi.waitFor(() => {
      expect(idsOf(fleet.list()).sort()).toEqual(["b", "c", "same"]);
      expect(fleet.get("b")).toMatchObject({ run: 2, status: "in_progress" });
    });
    await vi.waitFor(() => expect(opened.filter((ref) => ref === "same")).toHaveLength(2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(new Set(idsOf(told.all))).toEqual(new Set(["b", "c"]));
  });

  it("is not hidden by a log that cannot be read; that is said once, and seen when it is mended", async () => {
    const path = tempFolder();
    const storage = jsonLines({ path });
    for (const id of ["good", "bad"]) await ended(storage, id);
    const file = join(path, "upgrades", "bad", "journal", "1.jsonl");
    const whole = readFileSync(file);
    const damaged = Buffer.from(whole);
    damaged.write("XXXX", whole.indexOf(0x0a) + 40);
    writeFileSync(file, damaged);
    const { fleet, warnings, anyChanged } = fleetOf(jsonLines({ path }));
    await fleet.start();
    expect(idsOf(fleet.list())).toEqual(["good"]);
    expect(fleet.unreadable).toEqual([{ upgradeId: "bad", code: "CORRUPT" }]);
    anyChanged();
    await ended(storage, "more");
    await vi.waitFor(() => expect(fleet.list()).toHaveLength(2));
    expect(warnings).toHaveLength(1);
    truncateSync(file, 0);
    appendFileSync(file, whole);
    await vi.waitFor(() => expect(fleet.list()).toHaveLength(3));
    expect(fleet.unreadable).toEqual([]);
  });
});
