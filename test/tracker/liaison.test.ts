import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

import { ProgressTracker } from "../../src/progress-tracker.ts";
import type { ProgressTrackerOptions } from "../../src/progress-tracker-options.ts";
import { realFileSystem, type FileSystem } from "../../src/storage/files.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { sendCommands } from "../../src/tracker/hand-over.ts";
import { Liaison } from "../../src/tracker/liaison.ts";
import { openTracker } from "../../src/tracker/open.ts";
import { runNow } from "../../src/tracker/steps.ts";
import { check_G2 } from "../faults/checks.ts";
import { eventsOnDisk } from "../faults/stored.ts";
import { tempFolder } from "../temp-folder.ts";

const ID = "upgrade-123";
const PHASE = { type: "setCurrentPhase", phase: "Nodes" };

const open = (options: Partial<ProgressTrackerOptions>): ProgressTracker =>
  new ProgressTracker({ upgradeId: ID, planId: "plan-456", clusterName: "my-cluster", ...options });

/** A file system that does not take the name of a holder. */
function unannounceable(isFull = (): boolean => true): FileSystem {
  return {
    ...realFileSystem,
    openSync: ((path: string, ...more: [string, number]) => {
      if (path.includes("holder") && isFull())
        throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC", errno: -28 });
      return realFileSystem.openSync(path, ...more);
    }) as FileSystem["openSync"],
  };
}

async function socketOf(path: string): Promise<string> {
  for (const until = Date.now() + 10_000; Date.now() < until; await sleep(5)) {
    const holder = await jsonLines({ path }).holder(ID);
    if (holder?.socket !== undefined) return holder.socket;
  }
  throw new Error("nobody listens");
}

describe("a holder that cannot say that it is one", () => {
  it("[K5, L12] tracks all the same, says so in its log, and is held against others without a name", async () => {
    const path = tempFolder();
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const logger = { info: () => undefined, warn, error: () => undefined };
    const tracker = open({ storage: jsonLines({ path, fs: unannounceable() }), logger });
    const started = tracker.startUpgrade();
    for (const until = Date.now() + 5_000; warnings.length < 2 && Date.now() < until;) await sleep(5);
    expect(warnings).toEqual([
      expect.stringContaining("others cannot see who holds this upgrade"),
      expect.stringContaining("other processes cannot report into this upgrade"),
    ]);
    const refused = sendCommands(jsonLines({ path }), ID, [PHASE], { timeoutMs: 200 });
    await expect(refused).rejects.toMatchObject({
      code: "LOCKED",
      message: expect.stringContaining("an unknown time"),
    });
    await tracker.close();
    expect(eventsOnDisk(path, ID).map(({ id }) => id)).toContain(started.id);
    // Nothing listens any more, and nothing is left of what did.
    expect(readdirSync(join(path, "upgrades", ID)).filter((name) => name.endsWith(".sock"))).toEqual([]);
    expect(await sendCommands(jsonLines({ path }), ID, [PHASE])).toMatchObject([{ type: "upgrade.phase_changed" }]);
    expect(check_G2(eventsOnDisk(path, ID))).toEqual([]);
  });
});

describe("a holder that could not say so at first", () => {
  it("[K5] says so as soon as it can, and takes commands from then on", async () => {
    const path = tempFolder();
    let isFull = true;
    const storage = jsonLines({ path, fs: unannounceable(() => isFull) });
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const logger = { info: () => undefined, warn, error: () => undefined };
    const opened = runNow(openTracker({ storage, upgradeId: ID, logger }));
    const liaison = new Liaison({ ...opened, upgradeId: ID, logger, snapshotEvery: 1_000, lookIntervalMs: 10 });
    for (const until = Date.now() + 5_000; warnings.length < 2 && Date.now() < until;) await sleep(5);
    await sleep(50);
    expect(warnings).toHaveLength(2);
    isFull = false;
    await socketOf(path);
    expect(await sendCommands(jsonLines({ path }), ID, [PHASE])).toMatchObject([{ type: "upgrade.phase_changed" }]);
    expect(opened.tracker.state.currentPhase).toBe("Nodes");
    await liaison.close();
    await opened.tracker.close();
    expect(readdirSync(join(path, "upgrades", ID)).filter((name) => name.endsWith(".sock"))).toEqual([]);
  });

  it.runIf(process.platform === "linux")(
    "[K5] is known by its process all the same, and not as who held it before",
    async () => {
      const path = tempFolder();
      const fs = unannounceable();
      const holderFile = join(path, "upgrades", ID, "holder.json");
      const tracker = open({ storage: jsonLines({ path, fs }) });
      tracker.startUpgrade();
      const named = { pid: process.pid, host: hostname(), since: "an unknown time" };
      expect(jsonLines({ path }).holder(ID)).toMatchObject(named);
      // The name of one that was killed before it, which could not be replaced.
      const dead = { program: "old", pid: 2 ** 22 + 1, host: hostname(), since: "2026-01-01T00:00:00Z" };
      writeFileSync(holderFile, JSON.stringify(dead));
      expect(jsonLines({ path }).holder(ID)).toMatchObject(named);
      // One of another machine, or of a container, cannot be asked for here: its word holds.
      writeFileSync(holderFile, JSON.stringify({ ...dead, host: "elsewhere" }));
      expect(jsonLines({ path }).holder(ID)).toMatchObject({ program: "old", host: "elsewhere" });
      await tracker.close();
      expect(jsonLines({ path }).holder(ID)).toBeUndefined();
    },
  );
});

describe("the socket of a holder", () => {
  it("[K5] is found also where the folder's name is too long for one, and is gone when the holder closes", async () => {
    const path = join(tempFolder(), "x".repeat(100));
    const tracker = open({ storagePath: path });
    tracker.startUpgrade();
    const socket = await socketOf(path);
    expect(dirname(socket)).not.toContain(path);
    expect(await sendCommands(jsonLines({ path }), ID, [PHASE])).toMatchObject([{ type: "upgrade.phase_changed" }]);
    expect(tracker.progress.currentPhase).toBe("Nodes");
    await tracker.close();
    expect(existsSync(socket)).toBe(false);
  });
});

describe("the snapshots of a holder", () => {
  it("[L11] one is kept when it closes, after as many events as it was told", async () => {
    const path = tempFolder();
    const life = async (updates: number): Promise<number> => {
      const tracker = open({ storagePath: path, snapshotEvery: 50 });
      tracker.startUpgrade();
      tracker.addTask("t", "Task");
      for (let step = 0; step < updates; step++) tracker.updateTaskProgress("t", step);
      await tracker.close();
      const reader = await jsonLines({ path }).openReader(ID);
      const snapshot = await reader?.snapshot();
      reader?.close();
      return snapshot?.seq ?? 0;
    };
    expect(await life(20)).toBe(0);
    const first = await life(60);
    expect(first).toBeGreaterThan(60);
    expect(await life(20)).toBe(first);
    expect(await life(60)).toBeGreaterThan(first + 60);
  });
});
