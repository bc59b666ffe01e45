import { describe, expect, it, onTestFinished } from "vitest";

import { Delivery, requestRedrive, systemDeliveryClock, type DeliveryClock } from "../../src/notify/delivery.ts";
import { rulesRouter } from "../../src/notify/rules.ts";
import { StorageDeliveries, type StorageDeliveriesOptions } from "../../src/notify/storage-deliveries.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { memory } from "../../src/storage/memory.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { tempFolder } from "../temp-folder.ts";
import { until } from "./delivery-kit.ts";
import { DELIVERED, REFUSED, RETRY, scriptedNotifier, type ScriptedNotifier } from "./scripted-notifier.ts";

const ROUTER = rulesRouter([{ events: ["upgrade.*"] }], "scripted");

/** Timers that ring twenty times as early: nobody here waits for seconds. */
const HASTY: DeliveryClock = {
  ...systemDeliveryClock,
  schedule: (run, delayMs, keepsAlive) => systemDeliveryClock.schedule(run, delayMs / 20, keepsAlive),
};

/** Tells `notifier` of all upgrades of a storage until the test has ended. */
function serve(
  storage: Storage,
  notifier: ScriptedNotifier,
  more: Partial<StorageDeliveriesOptions> = {},
): StorageDeliveries {
  const deliveries = new StorageDeliveries({
    storage,
    channels: [{ notifier, router: ROUTER }],
    clock: HASTY,
    ...more,
  });
  onTestFinished(() => deliveries.close());
  return deliveries;
}

const open = (storage: Storage, upgradeId: string): Promise<ProgressTracker> =>
  ProgressTracker.open({ upgradeId, planId: "p", clusterName: "c", storage });

/** An upgrade that was begun, and ended unless said otherwise. */
async function upgrade(storage: Storage, upgradeId: string, { isEnded = true } = {}): Promise<void> {
  const tracker = await open(storage, upgradeId);
  tracker.startUpgrade();
  if (isEnded) tracker.completeUpgrade();
  await tracker.close();
}

/** What was told, as `<upgrade> <type>`, each once and in order. */
const told = ({ calls }: ScriptedNotifier): readonly string[] =>
  calls.flatMap(({ events }) => events.map(({ upgradeId, type }) => `${upgradeId} ${type}`));

describe.each<[string, () => Storage]>([
  ["jsonl", () => jsonLines({ path: tempFolder() })],
  ["memory", () => memory()],
])("all upgrades of a storage (%s)", (_kind, create) => {
  it("those that change are told from their beginning; those that had ended are not told, but for their next run", async () => {
    const storage = create();
    await upgrade(storage, "history");
    await upgrade(storage, "going", { isEnded: false });
    const notifier = scriptedNotifier();
    await serve(storage, notifier).start();
    await upgrade(storage, "new");
    const going = await open(storage, "going");
    going.completeUpgrade();
    await going.close();
    await until(() => notifier.taken.length === 4);
    await upgrade(storage, "history");
    await until(() => notifier.taken.length === 6);
    expect(told(notifier).toSorted()).toEqual(
      ["going", "history", "new"].flatMap((id) => [`${id} upgrade.completed`, `${id} upgrade.started`]),
    );
    const runs = notifier.calls.flatMap(({ batch: { state } }) => (state.upgradeId === "history" ? [state.run] : []));
    expect(new Set(runs)).toEqual(new Set([2]));
  });

  it("what is added to one that had ended is told, and what stood before is not", async () => {
    const storage = create();
    await upgrade(storage, "history");
    const notifier = scriptedNotifier();
    const router = rulesRouter([{ events: ["*"] }], "scripted");
    await serve(storage, notifier, { channels: [{ notifier, router }] }).start();
    const tracker = await open(storage, "history");
    tracker.raiseInsight({ id: "i", level: "warning", message: "look at this" });
    await tracker.close();
    await until(() => told(notifier).includes("history writer.closed"));
    expect(told(notifier)).toEqual(["history writer.opened", "history insight.raised", "history writer.closed"]);
  });

  it("what somebody left behind is told, of ended ones too", async () => {
    const storage = create();
    const tracker = await open(storage, "left");
    tracker.startUpgrade();
    const cut = scriptedNotifier();
    const first = new Delivery({ notifier: cut, storage, upgradeId: "left", router: ROUTER });
    first.start();
    await until(() => cut.taken.length === 1);
    await first.close();
    tracker.completeUpgrade();
    await tracker.close();
    const notifier = scriptedNotifier();
    await serve(storage, notifier).start();
    await until(() => notifier.taken.length === 1);
    expect(told(notifier)).toEqual(["left upgrade.completed"]);
  });

  it("costs nothing once all is told: deliveries close when it has been quiet, and open with the next change", async () => {
    const storage = create();
    for (let n = 0; n < 20; n++) await upgrade(storage, `history-${n}`);
    const notifier = scriptedNotifier();
    const deliveries = serve(storage, notifier, { lingerMs: 0 });
    await deliveries.start();
    expect(deliveries.openUpgrades).toEqual([]);
    await upgrade(storage, "new");
    await until(() => notifier.taken.length === 2);
    await until(() => deliveries.openUpgrades.length === 0);
    await upgrade(storage, "new");
    await until(() => notifier.taken.length === 4);
    expect(new Set(told(notifier)).size).toBe(2);
  });

  it("keeps no more open than it may, and keeps those open of which something waits", async () => {
    const storage = create();
    const notifier = scriptedNotifier();
    notifier.answer = ({ upgradeId }) => (upgradeId === "waits" ? RETRY : DELIVERED);
    let locked = 0;
    const counting: Storage = {
      ...storage,
      deliveries: (upgradeId) => {
        const store = storage.deliveries(upgradeId);
        const lock: typeof store.lock = (name) => {
          if (upgradeId === "waits") locked += 1;
          return store.lock(name);
        };
        return { ...store, lock };
      },
    };
    const deliveries = serve(counting, notifier, { maxQuiet: 2, lingerMs: 200 });
    await deliveries.start();
    for (const id of ["a", "b", "waits", "c", "d"]) await upgrade(storage, id);
    await until(() => notifier.taken.length === 8);
    await until(() => deliveries.openUpgrades.length === 3);
    expect(deliveries.openUpgrades).toContain("waits");
    await until(() => deliveries.openUpgrades.length === 1);
    expect([deliveries.openUpgrades, locked]).toEqual([["waits"], 1]);
  });

  it("dead letters are told again when somebody asks, also of upgrades that are not open", async () => {
    const storage = create();
    const notifier = scriptedNotifier();
    notifier.answer = () => REFUSED;
    const deliveries = serve(storage, notifier, { lingerMs: 0 });
    await deliveries.start();
    await upgrade(storage, "up");
    await until(() => notifier.calls.length > 0);
    await until(() => deliveries.openUpgrades.length === 0);
    notifier.answer = () => DELIVERED;
    await requestRedrive(storage.deliveries("up"), "scripted", new Date().toISOString());
    await until(() => notifier.taken.length === 2);
  });

  it("lets what is under way be told before it ends", async () => {
    const storage = create();
    await upgrade(storage, "going", { isEnded: false });
    const notifier = scriptedNotifier();
    notifier.reply = ({ events }) =>
      new Promise((resolve) => setTimeout(() => resolve(events.map(() => DELIVERED)), 200));
    const deliveries = serve(storage, notifier, { clock: systemDeliveryClock });
    await deliveries.start();
    await until(() => notifier.calls.length === 1);
    const going = await open(storage, "going");
    going.completeUpgrade();
    await going.close();
    await deliveries.close({ drainTimeoutMs: 5_000 });
    expect(told(notifier)).toEqual(["going upgrade.started", "going upgrade.completed"]);
  });
});

it("an upgrade of which nothing was heard for a day is history, until it goes on", async () => {
  const storage = jsonLines({ path: tempFolder() });
  const longAgo = { now: () => Date.now() - 2 * 86_400_000, monotonic: () => performance.now() };
  const tracker = await ProgressTracker.open({
    ...{ upgradeId: "old", planId: "p", clusterName: "c" },
    ...{ storage, clock: longAgo },
  });
  tracker.startUpgrade();
  await tracker.close();
  const notifier = scriptedNotifier();
  const deliveries = serve(storage, notifier);
  await deliveries.start();
  expect(deliveries.openUpgrades).toEqual([]);
  const again = await open(storage, "old");
  again.completeUpgrade();
  await again.close();
  await until(() => notifier.taken.length === 1);
  expect(told(notifier)).toEqual(["old upgrade.completed"]);
});

it("of two processes one tells; the other goes on when it ends (G17)", async () => {
  const path = tempFolder();
  const [one, two] = [scriptedNotifier(), scriptedNotifier()];
  const first = serve(jsonLines({ path }), one);
  const second = serve(jsonLines({ path }), two);
  await Promise.all([first.start(), second.start()]);
  const storage = jsonLines({ path });
  await upgrade(storage, "up", { isEnded: false });
  await until(() => one.taken.length + two.taken.length === 1);
  const [teller, other, closing] = one.taken.length === 1 ? [one, two, first] : [two, one, second];
  await until(() => (closing === first ? second : first).openUpgrades.length === 1);
  await closing.close();
  const tracker = await open(storage, "up");
  tracker.completeUpgrade();
  await tracker.close();
  await until(() => other.taken.length === 1);
  expect([told(teller), told(other)]).toEqual([["up upgrade.started"], ["up upgrade.completed"]]);
});
