import { describe, expect, it, onTestFinished } from "vitest";

import { jsonLines, memory, ProgressTracker } from "../../src/index.ts";
import { LostWatch } from "../../src/server/lost-watch.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { readEvents, readUpgrade } from "../../src/tracker/read.ts";
import type { Clock } from "../../src/tracker/clock.ts";
import { manualClock, type ManualClock } from "../manual-clock.ts";
import { fleetOf } from "../stream/fleet-of.ts";
import { tempFolder } from "../temp-folder.ts";

const MINUTE = 60_000;

/** An upgrade whose writer has closed it, or was killed. */
async function left(
  storage: Storage,
  { clock, end = "close" }: { readonly clock: Clock; readonly end?: "close" | "kill" },
): Promise<void> {
  const tracker = new ProgressTracker({ upgradeId: "up", planId: "p", clusterName: "c", storage, clock });
  tracker.startUpgrade();
  tracker.addTask("t", "T");
  tracker.startTask("t");
  if (end === "close") return tracker.close();
  await killed(storage);
  onTestFinished(() => tracker.close());
}

/** The lock is free, and the log says no goodbye. */
async function killed(storage: Storage): Promise<void> {
  const writer = await storage.openWriter("up", { takeOver: true });
  await writer.begin();
  await writer.close();
}

interface Watching {
  readonly lost: LostWatch;
  readonly warnings: string[];
  /** As its timers would. */
  readonly look: () => Promise<void>;
}

async function watching(storage: Storage, clock: ManualClock): Promise<Watching> {
  const { fleet, hub, warnings } = fleetOf(storage, { clock });
  await fleet.start();
  const logger = { info: () => undefined, warn: (line: string) => void warnings.push(line), error: () => undefined };
  const lost = new LostWatch({ storage, hub, fleet, clock, logger });
  onTestFinished(() => lost.close());
  const look = async (): Promise<void> => {
    await hub.look();
    await lost.look();
  };
  return { lost, warnings, look };
}

async function healthEvents(storage: Storage): Promise<readonly object[]> {
  const found: object[] = [];
  for await (const event of readEvents(storage, "up")) if (event.type === "health.changed") found.push(event);
  return found;
}

const seqOf = async (storage: Storage): Promise<number> => (await readUpgrade(storage, "up")).state.seq;

describe("an upgrade whose writer is gone", () => {
  it("[H2, H3] is recorded as lost, once, when its writer was killed", async () => {
    const [storage, clock] = [memory(), manualClock()];
    await left(storage, { clock, end: "kill" });
    const { look } = await watching(storage, clock);
    await look();
    expect(await healthEvents(storage)).toMatchObject([
      { health: "lost", previousHealth: null, reasons: [{ code: "writer_died" }] },
    ]);
    const seq = await seqOf(storage);
    for (let n = 0; n < 5; n++) {
      clock.pass(10 * MINUTE);
      await look();
    }
    expect(await seqOf(storage)).toBe(seq);
    expect(await storage.holder("up")).toBeUndefined();
  });

  it("[H3] is recorded as lost when its writer has been away for 5 minutes, and not before", async () => {
    const [storage, clock] = [memory(), manualClock()];
    await left(storage, { clock });
    const { look } = await watching(storage, clock);
    clock.pass(5 * MINUTE - 1);
    await look();
    expect(await healthEvents(storage)).toEqual([]);
    clock.pass(1);
    await look();
    expect(await healthEvents(storage)).toMatchObject([{ health: "lost", reasons: [{ code: "writer_gone" }] }]);
  });

  it("[H3] stays lost for every reader once it is recorded, until somebody reports again; then it can be lost again", async () => {
    const [storage, clock] = [memory(), manualClock()];
    await left(storage, { clock });
    const { look } = await watching(storage, clock);
    const again = fleetOf(storage, { clock });
    await again.fleet.start();
    const health = async (): Promise<string | undefined> => {
      await again.hub.look();
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      return (await again.fleet.read("up")).health?.state;
    };
    for (let loss = 1; loss <= 3; loss++) {
      clock.pass(6 * MINUTE);
      await look();
      expect(await healthEvents(storage)).toHaveLength(loss);
      expect(await health()).toBe("lost");
      clock.pass(1);
      expect(await health()).toBe("lost");
      const back = new ProgressTracker({ upgradeId: "up", planId: "p", clusterName: "c", storage, clock });
      back.updateTaskProgress("t", 10 * loss);
      expect(await health()).toBe("progressing");
      await back.close();
      expect(await health()).toBe("progressing");
      await look();
    }
    expect((await healthEvents(storage)).map((event) => (event as { health: string }).health)).toEqual([
      "lost",
      "lost",
      "lost",
    ]);
  });

  it("[H2] is left alone when it has ended, is written, or is only away for a while", async () => {
    for (const state of ["ended", "written", "not started"] as const) {
      const [storage, clock] = [memory(), manualClock()];
      const tracker = new ProgressTracker({ upgradeId: "up", planId: "p", clusterName: "c", storage, clock });
      tracker.addTask("t", "T");
      if (state !== "not started") tracker.startUpgrade();
      if (state === "ended") tracker.failUpgrade("broke");
      if (state === "written") onTestFinished(() => tracker.close());
      else await tracker.close();
      const { look } = await watching(storage, clock);
      const seq = await seqOf(storage);
      clock.pass(60 * MINUTE);
      await look();
      await look();
      expect(await seqOf(storage), state).toBe(seq);
    }
  });

  it("[K1, H2] is recorded once by several servers that look at the same time", async () => {
    const [path, clock] = [tempFolder(), manualClock()];
    await left(jsonLines({ path }), { clock });
    const servers = await Promise.all([1, 2, 3].map(() => watching(jsonLines({ path }), clock)));
    clock.pass(10 * MINUTE);
    for (let n = 0; n < 3; n++) await Promise.all(servers.map(({ look }) => look()));
    expect(await healthEvents(jsonLines({ path }))).toHaveLength(1);
    expect(servers.flatMap(({ warnings }) => warnings)).toEqual([]);
  });

  it("[K3] is not taken from one who is back, and is looked at again when that one is gone", async () => {
    const [path, clock] = [tempFolder(), manualClock()];
    const storage = jsonLines({ path });
    await left(storage, { clock });
    const { lost, look, warnings } = await watching(storage, clock);
    clock.pass(10 * MINUTE);
    // Back, and nobody has noticed: the lock says so.
    const back = await jsonLines({ path }).openWriter("up");
    await lost.look();
    expect(await healthEvents(storage)).toEqual([]);
    await back.close();
    await look();
    expect(await healthEvents(storage)).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it("[H3] is not recorded of one who came and went since it was last looked at", async () => {
    const [storage, clock] = [memory(), manualClock()];
    await left(storage, { clock });
    // What the server knows is what it read at its start.
    const { lost, look } = await watching({ ...storage, watch: () => () => undefined }, clock);
    clock.pass(10 * MINUTE);
    const back = new ProgressTracker({ upgradeId: "up", planId: "p", clusterName: "c", storage, clock });
    back.updateTaskProgress("t", 50);
    await back.close();
    const seq = await seqOf(storage);
    await lost.look();
    await look();
    expect(await seqOf(storage)).toBe(seq);
  });

  it("[L12] is reported when the storage does not take it, not again at every look, and recorded when it does", async () => {
    const clock = manualClock();
    const inner = memory();
    await left(inner, { clock });
    let isBroken = true;
    let openings = 0;
    const storage: Storage = {
      ...inner,
      openWriter: (...args) => {
        openings += 1;
        if (isBroken) throw new Error("no such disk");
        return inner.openWriter(...args);
      },
    };
    const { look, warnings } = await watching(storage, clock);
    clock.pass(10 * MINUTE);
    for (let n = 0; n < 5; n++) await look();
    expect([openings, warnings.length]).toEqual([1, 1]);
    isBroken = false;
    clock.pass(MINUTE);
    await look();
    expect(await healthEvents(storage)).toHaveLength(1);
  });
});
