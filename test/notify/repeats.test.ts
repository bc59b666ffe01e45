import { describe, expect, it, onTestFinished } from "vitest";

import { Delivery } from "../../src/notify/delivery.ts";
import { eventReports } from "../../src/notify/delivery/report.ts";
import { parseNotes } from "../../src/notify/delivery/sent.ts";
import type { ToldEvent } from "../../src/notify/notifier.ts";
import { rulesRouter, type Rule } from "../../src/notify/rules.ts";
import { headline } from "../../src/notify/wording.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { tempFolder } from "../temp-folder.ts";
import { IDS, until } from "./delivery-kit.ts";
import { DELIVERED, manualDeliveryClock, REFUSED, RETRY, scriptedNotifier } from "./scripted-notifier.ts";

const MINUTE = 60_000;
const HALF_HOUR: Rule = { events: ["task.waiting", "*.failed", "health.changed"], repeatMinutes: 30 };

/** An upgrade on a clock of the test's own, whose task waits, and a delivery that begins anew when it is asked to. */
function stuck(rule: Rule = HALF_HOUR) {
  const storage: Storage = jsonLines({ path: tempFolder() });
  const clock = manualDeliveryClock();
  const tracker = new ProgressTracker({ ...IDS, storage, clock });
  onTestFinished(() => tracker.close());
  tracker.startUpgrade();
  tracker.addTask("a", "Drain ng-1");
  tracker.startTask("a");
  const notifier = scriptedNotifier("scripted", { clock });
  let delivery: Delivery | undefined;
  const deliver = (on: Pick<Storage, "openReader" | "watch" | "deliveries"> = storage): Delivery => {
    const router = rulesRouter([rule], "scripted");
    const options = { notifier, storage: on, upgradeId: IDS.upgradeId, router, clock, random: () => 0.5 };
    delivery = new Delivery(options);
    onTestFinished(() => delivery?.close());
    delivery.start();
    return delivery;
  };
  /** Lets minutes pass in steps, and what is due be told. */
  const pass = async (minutes: number, step = 1): Promise<void> => {
    const isResting = (): boolean => ["idle", "in_trouble"].includes(delivery?.status.state ?? "");
    await until(isResting);
    for (let passed = 0; passed < minutes; passed += step) {
      clock.pass(step * MINUTE);
      // It wakes in this turn of the event loop, and rests when it has told what is due.
      await new Promise((resolve) => setImmediate(resolve));
      await until(isResting);
    }
  };
  const told = (): readonly ToldEvent[] => notifier.calls.flatMap(({ events }) => events as readonly ToldEvent[]);
  const counts = (): readonly number[] => told().flatMap(({ repeat }) => (repeat === undefined ? [] : [repeat.count]));
  return { storage, clock, tracker, notifier, deliver, pass, told, counts };
}

const WAIT = { kind: "pdb", name: "web" };

describe("what is still stuck", () => {
  it("is told again every so many minutes, with an id and a time of its own, until it goes on", async () => {
    const on = stuck();
    const waits = on.tracker.setWaitingOn("a", WAIT);
    on.deliver();
    await on.pass(95);
    const [first, ...again] = on.told();
    expect(first).toMatchObject({ id: waits.id, type: "task.waiting" });
    expect(again).toEqual(
      [1, 2, 3].map((count) => ({
        ...waits,
        id: `${waits.id}-repeat-${count}`,
        time: new Date(Date.parse(waits.time) + count * 30 * MINUTE).toISOString(),
        repeat: { count, since: waits.time },
      })),
    );
    expect(headline(again[1] as ToldEvent, on.tracker.progress)).toBe(
      "Still, after 1h 00m: Drain ng-1 waits on pdb web",
    );
    on.tracker.clearWaitingOn("a");
    await on.pass(70);
    expect(on.counts()).toEqual([1, 2, 3]);
    // Stuck anew, it counts anew.
    on.tracker.setWaitingOn("a", WAIT);
    await on.pass(31);
    expect(on.counts()).toEqual([1, 2, 3, 1]);
  });

  it.each<[string, (tracker: ProgressTracker) => unknown, (tracker: ProgressTracker) => unknown]>([
    ["a task that failed", (t) => t.failTask("a", "no"), (t) => t.retryTask("a")],
    ["an upgrade that failed", (t) => t.failUpgrade("no"), (t) => t.startUpgrade()],
    ["a task of an upgrade that ends", (t) => t.setWaitingOn("a", WAIT), (t) => t.completeUpgrade()],
  ])("%s: told again until it does not hold any more", async (_what, begin, end) => {
    const on = stuck();
    begin(on.tracker);
    on.deliver();
    await on.pass(65);
    expect(on.counts()).toEqual([1, 2]);
    end(on.tracker);
    await on.pass(65);
    expect(on.counts()).toEqual([1, 2]);
    expect(on.tracker.progress.status).not.toBe("not_started");
  });

  it("is told for three days at most", async () => {
    const on = stuck({ ...HALF_HOUR, repeatMinutes: 1_440 });
    on.tracker.setWaitingOn("a", WAIT);
    on.deliver();
    await on.pass(7_200, 60);
    expect(on.counts()).toEqual([1, 2, 3]);
  });

  it("keeps its turn over a restart; what was due meanwhile is told once", async () => {
    const on = stuck();
    on.tracker.setWaitingOn("a", WAIT);
    const first = on.deliver();
    await on.pass(40);
    await first.close();
    on.clock.pass(130 * MINUTE);
    on.deliver();
    await until(() => on.counts().length === 2);
    expect(on.counts()).toEqual([1, 5]);
    await on.pass(15);
    expect(on.counts()).toEqual([1, 5, 6]);
  });

  it("that was told and not noted when the process died is told again with the same id", async () => {
    const on = stuck();
    on.tracker.setWaitingOn("a", WAIT);
    let isDead = false;
    const dying = {
      ...on.storage,
      deliveries: (upgradeId: string) => {
        const store = on.storage.deliveries(upgradeId);
        const save = (name: string, text: string): Promise<void> =>
          isDead ? Promise.reject(new Error("dead")) : store.save(name, text);
        return { ...store, save };
      },
    };
    const first = on.deliver(dying);
    await on.pass(1);
    isDead = true;
    for (let minute = 0; minute < 31 && on.counts().length === 0; minute++) await on.pass(1);
    await first.close();
    on.deliver();
    await until(() => on.counts().length === 2);
    const ids = on.told().flatMap(({ id, repeat }) => (repeat === undefined ? [] : [id]));
    expect(new Set(ids).size).toBe(1);
    expect(on.told().filter(({ repeat }) => repeat === undefined)).toHaveLength(1);
  });

  it("that is not taken is tried again with the same id, until the next one's turn; that is no dead letter", async () => {
    const on = stuck();
    const waits = on.tracker.setWaitingOn("a", WAIT);
    on.notifier.answer = ({ id }) => (/-repeat-1$/.test(id) ? RETRY : /-repeat-2$/.test(id) ? REFUSED : DELIVERED);
    on.deliver();
    await on.pass(95);
    expect(new Set(on.counts())).toEqual(new Set([1, 2, 3]));
    expect(on.counts().filter((count) => count === 1).length).toBeGreaterThan(1);
    expect(on.counts().filter((count) => count !== 1)).toEqual([2, 3]);
    const store = on.storage.deliveries(IDS.upgradeId);
    expect((await store.readDeadLetters(0)).lines).toEqual([]);
    const [report] = await eventReports(store, { run: 1, event: waits });
    expect(report?.verdict).toBe("delivered");
    expect(new Set(report?.sent.map(({ id }) => id))).toEqual(
      new Set([waits.id, ...[1, 2, 3].map((count) => `${waits.id}-repeat-${count}`)]),
    );
    expect(parseNotes(await store.readSent("scripted")).at(-1)?.outcome).toBe("delivered");
  });

  it("is not told again in quiet hours, nor while the event itself waits to be told", async () => {
    // The clock begins at 08:00.
    const quiet = stuck({ ...HALF_HOUR, quietHours: { from: "08:20", to: "09:20" } });
    quiet.tracker.setWaitingOn("a", WAIT);
    quiet.deliver();
    await quiet.pass(95);
    expect(quiet.counts()).toEqual([3]);
    const waiting = stuck();
    waiting.tracker.setWaitingOn("a", WAIT);
    waiting.notifier.answer = ({ id }) =>
      id.includes("-repeat-") ? DELIVERED : { ...RETRY, retryAfterMs: 40 * MINUTE };
    waiting.deliver();
    await waiting.pass(35);
    expect(waiting.counts()).toEqual([]);
  });
});
