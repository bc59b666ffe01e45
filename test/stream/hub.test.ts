import { expect, onTestFinished, test } from "vitest";

import { ProgressTracker } from "../../src/index.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { linesAfter } from "../../src/stream/lines-after.ts";
import type { LiveLog } from "../../src/stream/live-log.ts";
import { Hub } from "../../src/stream/hub.ts";
import type { Upgrades } from "../../src/stream/upgrades.ts";
import { quickFolder } from "../faults/quick-folder.ts";
import { manualClock } from "../manual-clock.ts";

/** The upgrades of a folder, and how many of their logs are watched and open. */
function stored(): {
  upgrades: Upgrades;
  path: string;
  counts: { watchers: number; readers: number; openings: number };
} {
  const path = quickFolder();
  const storage = jsonLines({ path });
  const counts = { watchers: 0, readers: 0, openings: 0 };
  const upgrades: Upgrades = {
    list: async () => storage.list(),
    log: (ref) => ({
      ref,
      openReader: async () => {
        counts.openings += 1;
        const reader = await storage.openReader(ref);
        if (reader === undefined) return undefined;
        counts.readers += 1;
        return {
          get header() {
            return reader.header;
          },
          read: (maxBytes) => reader.read(maxBytes),
          seek: (seq) => reader.seek(seq),
          snapshot: () => reader.snapshot(),
          close: () => {
            counts.readers -= 1;
            reader.close();
          },
        };
      },
      waitingLines: () => [],
      watch: () => {
        counts.watchers += 1;
        return () => void (counts.watchers -= 1);
      },
      holder: async () => storage.holder(ref),
    }),
    watch: () => () => undefined,
    delete: async (upgradeId) => storage.delete(upgradeId),
    execute: () => Promise.reject(new Error("nothing is written here")),
  };
  return { upgrades, path, counts };
}

async function written(path: string, upgradeId: string): Promise<void> {
  const tracker = new ProgressTracker({ upgradeId, planId: "plan-456", clusterName: "my-cluster", storagePath: path });
  tracker.startUpgrade();
  await tracker.close();
}

const idleMs = 30_000;

test("opens a log once, whoever asks at the same time or later, and closes it some time after the last has left", async () => {
  const { upgrades, path, counts } = stored();
  await written(path, "a");
  const clock = manualClock();
  const hub = new Hub({ upgrades, clock, idleMs, lookIntervalMs: 1e6 });
  onTestFinished(() => hub.close());
  const [first, second] = await Promise.all([hub.open("a"), hub.open("a")]);
  expect(second).toBe(first);
  expect(counts).toEqual({ watchers: 1, readers: 1, openings: 1 });
  first.release();
  clock.pass(idleMs * 2);
  await hub.look();
  expect(counts.watchers).toBe(1);
  second.release();
  clock.pass(idleMs - 1);
  await hub.look();
  // Somebody came back in time.
  const third = await hub.open("a");
  expect(third).toBe(first);
  clock.pass(idleMs * 2);
  await hub.look();
  expect(counts).toEqual({ watchers: 1, readers: 1, openings: 1 });
  third.release();
  clock.pass(idleMs);
  await hub.look();
  expect(counts).toEqual({ watchers: 0, readers: 0, openings: 1 });
  const anew = await hub.open("a");
  expect(anew).not.toBe(first);
  expect(counts).toEqual({ watchers: 1, readers: 1, openings: 2 });
});

test("ten thousand upgrades that there are not leave nothing behind", async () => {
  const { upgrades, counts } = stored();
  const hub = new Hub({ upgrades, lookIntervalMs: 1e6 });
  for (let n = 0; n < 10_000; n += 100) {
    const opening = Array.from({ length: 100 }, (_unused, index) => hub.open(`nowhere-${n + index}`));
    for (const { status } of await Promise.allSettled(opening)) expect(status).toBe("rejected");
  }
  expect(counts).toMatchObject({ watchers: 0, readers: 0 });
  await hub.close();
});

test("a log that came after it was asked for in vain is found", async () => {
  const { upgrades, path } = stored();
  const hub = new Hub({ upgrades, lookIntervalMs: 1e6 });
  await expect(hub.open("late")).rejects.toMatchObject({ code: "UNKNOWN_UPGRADE" });
  await written(path, "late");
  expect((await hub.open("late")).state.status).toBe("in_progress");
  await hub.close();
});

test("sees within one look that a writer has come or gone, and tells it as a change", async () => {
  const { upgrades, path } = stored();
  await written(path, "a");
  const hub = new Hub({ upgrades, lookIntervalMs: 1e6 });
  const log = await hub.open("a");
  let changes = 0;
  log.onChange(() => (changes += 1));
  const look = async (): Promise<boolean> => {
    await hub.look();
    for (let n = 0; n < 5; n++) await new Promise(setImmediate);
    return log.hasWriter;
  };
  expect(await look()).toBe(false);
  const tracker = new ProgressTracker({
    upgradeId: "a",
    planId: "plan-456",
    clusterName: "my-cluster",
    storagePath: path,
  });
  expect(await look()).toBe(true);
  expect(changes).toBe(1);
  await tracker.close();
  expect(await look()).toBe(false);
  await hub.close();
});

test("closed, it holds nothing: no watcher, no reader", async () => {
  const { upgrades, path, counts } = stored();
  for (const id of ["a", "b", "c"]) await written(path, id);
  const hub = new Hub({ upgrades });
  const logs = await Promise.all(["a", "b", "c"].map((id) => hub.open(id)));
  await linesAfter(logs[0] as LiveLog, undefined, 10);
  expect(counts.watchers).toBe(3);
  await hub.close();
  expect(counts).toMatchObject({ watchers: 0, readers: 0 });
});

test("[D5] a log that was deleted is not there for whoever asks next, and is when it has begun again", async () => {
  const { upgrades, path } = stored();
  await written(path, "a");
  const hub = new Hub({ upgrades, lookIntervalMs: 1e6 });
  onTestFinished(() => hub.close());
  const held = await hub.open("a");
  await upgrades.delete("a");
  await held.readToEnd();
  await expect(hub.open("a")).rejects.toMatchObject({ code: "UNKNOWN_UPGRADE" });
  await written(path, "a");
  // Nobody has told it.
  const again = await hub.open("a");
  expect([again, again.trouble, again.generation]).toEqual([held, undefined, 2]);
  expect(again.state.status).toBe("in_progress");
});
