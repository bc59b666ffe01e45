import { describe, expect, it } from "vitest";

import { Circuit, requestRedrive, type Router } from "../../src/notify/delivery.ts";
import { MAX_DELAY_MS, RETRY_DELAYS_MS, retryDelayMs } from "../../src/notify/delivery/retry.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { randomOf } from "../faults/child.ts";
import { bench, reportOn, until } from "./delivery-kit.ts";
import {
  DELIVERED,
  RETRY,
  manualDeliveryClock,
  scriptedNotifier,
  type DeliveryManualClock,
} from "./scripted-notifier.ts";

/** Lets what is under way in this process come to rest. */
const rest = (ms = 10): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));

async function passInSteps(clock: DeliveryManualClock, ms: number, step: number): Promise<void> {
  for (let done = 0; done < ms; done += step) {
    clock.pass(Math.min(step, ms - done));
    await rest();
  }
}

describe("trying again (N04, N10)", () => {
  it("what fails each time is tried ten times by the schedule, then is a dead letter, and its key goes on", async () => {
    const b = bench();
    const seqs = reportOn(b.tracker, ["poisoned", "well"], 3);
    const poison = seqs.get("poisoned")?.[1] as number;
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock, maxEvents: 1 });
    notifier.answer = ({ seq }) => (seq === poison ? RETRY : DELIVERED);
    const other = scriptedNotifier("other", { clock });
    b.deliver(notifier, { clock, random: randomOf(3) });
    b.deliver(other, { clock });
    const last = b.tracker.progress.seq;
    const ofKey = seqs.get("poisoned") as number[];
    await until(() => notifier.taken.length === last - 3 && other.taken.length === last);
    expect(notifier.taken.filter((seq) => ofKey.includes(seq))).toEqual(ofKey.slice(0, 1));
    const tries = (): number[] => notifier.calls.filter(({ events }) => events[0]?.seq === poison).map(({ at }) => at);
    for (let steps = 0; (await b.deadLetters()).length === 0 && steps < 2_000; steps++) {
      clock.pass(Math.max(500, 0.03 * (RETRY_DELAYS_MS[tries().length] ?? 0)));
      await rest(4);
    }
    expect(tries()).toHaveLength(10);
    for (const [index, at] of tries().slice(1).entries()) {
      const share = (at - (tries()[index] as number)) / (RETRY_DELAYS_MS[index + 1] as number);
      expect(share).toBeGreaterThanOrEqual(0.8);
      expect(share).toBeLessThan(index === 0 ? 1.5 : 1.27);
    }
    await until(() => notifier.taken.length === last - 1);
    expect(notifier.taken.slice(-2)).toEqual(ofKey.slice(2));
    expect(await b.deadLetters()).toMatchObject([
      { notifier: "scripted", seq: poison, attempts: 10, code: "UNAVAILABLE", message: "come back later" },
    ]);
  }, 60_000);

  it("a thousand that fail together do not come back together", () => {
    const random = randomOf(7);
    for (let attempts = 1; attempts < RETRY_DELAYS_MS.length; attempts++) {
      const due = RETRY_DELAYS_MS[attempts] as number;
      const delays = Array.from({ length: 1_000 }, () => retryDelayMs(attempts, random) as number);
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(0.8 * due);
      expect(Math.max(...delays)).toBeLessThanOrEqual(1.2 * due);
      const buckets = new Map<number, number>();
      const width = Math.max(1_000, due / 100);
      for (const delay of delays) {
        const bucket = Math.floor((delay - 0.8 * due) / width);
        buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      }
      const mean = 1_000 / ((0.4 * due) / width);
      expect(Math.max(...buckets.values())).toBeLessThanOrEqual(2 * mean);
    }
    expect(retryDelayMs(10, random)).toBeUndefined();
  });

  it("a receiver may ask for more time, though not for years", () => {
    expect(retryDelayMs(1, () => 0.5, 60_000)).toBe(60_000);
    expect(retryDelayMs(1, () => 0.5, 1_000)).toBe(5_000);
    for (const asked of [-1, 0, Number.NaN]) expect(retryDelayMs(1, () => 0.5, asked)).toBe(5_000);
    for (const asked of [3e11, Number.POSITIVE_INFINITY]) expect(retryDelayMs(1, () => 0.5, asked)).toBe(MAX_DELAY_MS);
  });

  it("after a restart it goes on in the schedule, and a jump of the wall clock makes no wait longer (N14)", async () => {
    for (const jump of [0, -1e12, 1e12]) {
      const b = bench();
      b.tracker.startUpgrade();
      const before = manualDeliveryClock();
      const notifier = scriptedNotifier("scripted", { clock: before, maxEvents: 1 });
      notifier.answer = () => RETRY;
      const first = b.deliver(notifier, { clock: before, random: () => 0.5 });
      await until(() => notifier.calls.length === 1 && first.status.waiting === 1);
      await first.close();
      const after = manualDeliveryClock();
      after.jump(jump);
      const again = scriptedNotifier("scripted", { clock: after, maxEvents: 1 });
      again.answer = () => RETRY;
      const second = b.deliver(again, { clock: after, random: () => 0.5 });
      await until(() => second.status.waiting === 1);
      await rest();
      if (jump <= 0) expect(again.calls).toHaveLength(0);
      after.pass(5_001);
      await until(() => again.calls.length >= 1);
      await rest();
      expect(again.calls).toHaveLength(1);
      expect(await b.deadLetters()).toEqual([]);
    }
  });
});

describe("a notifier in trouble", () => {
  it("is left alone but for a probe, which costs no event an attempt, and gets all when it is back", async () => {
    const b = bench();
    const tasks = Array.from({ length: 20 }, (_, index) => `t${index}`);
    reportOn(b.tracker, tasks, 3);
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock, maxEvents: 1 });
    notifier.answer = () => RETRY;
    b.deliver(notifier, { clock, random: () => 0.5 });
    await until(() => notifier.calls.length === 5);
    await rest();
    expect(notifier.calls).toHaveLength(5);
    await passInSteps(clock, 6 * 3_600_000, 300_000);
    expect(notifier.calls.length).toBeLessThan(100);
    expect(Math.max(...(await b.sent()).map(({ attempt }) => attempt))).toBe(2);
    notifier.answer = () => DELIVERED;
    await passInSteps(clock, 300_000, 60_000);
    await until(() => notifier.taken.length === b.tracker.progress.seq);
    expect(new Set(notifier.taken).size).toBe(notifier.taken.length);
    expect(await b.deadLetters()).toEqual([]);
  });

  it("when it is back, what waits by its own schedule is tried at once", async () => {
    const b = bench();
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock, maxEvents: 1 });
    notifier.answer = ({ taskId }) => (taskId === undefined ? DELIVERED : RETRY);
    const delivery = b.deliver(notifier, { clock, random: () => 0.5 });
    const [[early] = []] = [...reportOn(b.tracker, ["a"], 0).values()];
    const tries = (): number => notifier.calls.filter(({ events }) => events[0]?.seq === early).length;
    await until(() => tries() === 1);
    for (let tried = 1; tried < 3; tried++) {
      await rest();
      clock.pass(tried === 1 ? 5_001 : 300_001);
      await until(() => tries() === tried + 1);
    }
    reportOn(b.tracker, ["b", "c", "d", "e", "f"], 0);
    clock.pass(5_001);
    await until(() => delivery.status.waiting >= 5);
    await rest();
    notifier.answer = () => DELIVERED;
    await passInSteps(clock, 60_000, 6_000);
    await until(() => notifier.taken.includes(early as number));
  });

  it("that asks for time is not called before", async () => {
    const b = bench();
    reportOn(b.tracker, ["a", "b", "c"], 2);
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock, maxEvents: 1 });
    notifier.answer = () => (notifier.calls.length === 1 ? { ...RETRY, retryAfterMs: 60_000 } : DELIVERED);
    b.deliver(notifier, { clock });
    await until(() => notifier.calls.length === 1);
    await passInSteps(clock, 59_000, 10_000);
    expect(notifier.calls).toHaveLength(1);
    clock.pass(1_001);
    await until(() => notifier.taken.length === b.tracker.progress.seq);
  });

  it("is called so many times at once by all deliveries together", async () => {
    const clock = manualDeliveryClock();
    const circuit = new Circuit({ clock, random: Math.random, maxCalls: 2 });
    const { signal } = new AbortController();
    const [first, second] = [await circuit.enter(signal), await circuit.enter(signal)];
    let third = false;
    const entering = circuit.enter(signal).then(() => (third = true));
    await rest();
    expect(third).toBe(false);
    first?.answered();
    await entering;
    second?.abandoned();
  });

  it("that hangs delays no other and is not waited for when the process ends (N16)", async () => {
    const b = bench();
    const hung = scriptedNotifier("hung");
    hung.reply = () => new Promise<never>(() => undefined);
    const well = scriptedNotifier("well");
    const stuck = b.deliver(hung, { timeoutMs: 60_000 });
    const going = b.deliver(well);
    reportOn(b.tracker, ["a"], 500);
    expect(await going.drain(10_000)).toBe(true);
    expect(well.taken).toHaveLength(b.tracker.progress.seq);
    const began = performance.now();
    await stuck.close({ drainTimeoutMs: 50 });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(hung.calls[0]?.signal.aborted).toBe(true);
    const after = scriptedNotifier("hung");
    await b.deliver(after).drain(10_000);
    expect(after.taken).toEqual(well.taken);
  });

  it("with a long log behind it holds a few pieces of it, not the log (N15)", async () => {
    const b = bench();
    for (let round = 0; round < 20_000; round++)
      b.tracker.raiseInsight({ id: `i${round % 3}`, level: "info", message: `${round}` });
    let bytesRead = 0;
    const counting: Pick<Storage, "openReader" | "watch" | "deliveries"> = {
      ...b.storage,
      openReader: async (ref) => {
        const reader = await b.storage.openReader(ref);
        if (reader === undefined) return undefined;
        return {
          header: reader.header,
          read: async (max) => {
            const batch = await reader.read(max);
            // The state is folded from larger pieces.
            if (max === 64 * 1024) bytesRead += batch?.bytes.length ?? 0;
            return batch;
          },
          seek: (seq) => reader.seek(seq),
          snapshot: () => reader.snapshot(),
          close: () => reader.close(),
        };
      },
    };
    const notifier = scriptedNotifier();
    notifier.reply = () => new Promise<never>(() => undefined);
    const delivery = b.deliver(notifier, { storage: counting });
    await until(() => notifier.calls.length === 1);
    await rest();
    expect(bytesRead).toBeLessThanOrEqual(2 * 64 * 1024);
    await delivery.close();
  });
});

describe("holding back", () => {
  it("what is held back is told when its time has come, in order, and holds back nothing else", async () => {
    const b = bench();
    const seqs = reportOn(b.tracker, ["quiet", "loud"], 12);
    const clock = manualDeliveryClock();
    const until8 = clock.now() + 3_600_000;
    const router: Router = {
      needsState: false,
      route: (event) =>
        event.taskId === "quiet"
          ? { key: "held", holdUntilMs: until8 }
          : event.taskId === "loud"
            ? { key: "loud" }
            : { skip: "" },
      holds: () => false,
    };
    const notifier = scriptedNotifier("scripted", { clock, maxEvents: 50 });
    const first = b.deliver(notifier, { clock, router });
    await until(() => notifier.taken.length === 13);
    expect(notifier.taken).toEqual(seqs.get("loud"));
    await first.close();
    b.deliver(notifier, { clock, router });
    await passInSteps(clock, 3_590_000, 600_000);
    expect(notifier.taken).toHaveLength(13);
    clock.pass(11_000);
    await until(() => notifier.taken.length === 26);
    expect(notifier.taken.slice(13)).toEqual(seqs.get("quiet"));
    expect(notifier.calls.at(-1)?.events).toHaveLength(13);
  });
});

describe("dead letters told again (N11)", () => {
  it("a thousand, twice, while it runs and after a restart: each once per redrive, with its id, none lost", async () => {
    const b = bench();
    reportOn(b.tracker, ["a"], 998);
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock, maxEvents: 50 });
    notifier.answer = () => ({ status: "refused", code: "NO", message: "not now" });
    const first = b.deliver(notifier, { clock });
    const last = b.tracker.progress.seq;
    const letters = async (): Promise<number> => (await b.deadLetters()).filter(({ notifier: name }) => name).length;
    await until(async () => (await letters()) === last);
    const store = b.storage.deliveries("up");
    notifier.calls.length = 0;
    await requestRedrive(store, "scripted", "now");
    clock.pass(5_001);
    await until(async () => (await letters()) === 2 * last);
    const told = notifier.calls.flatMap(({ events }) => events.map(({ seq }) => seq));
    expect(told).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    await requestRedrive(store, "scripted", "now");
    notifier.reply = () => new Promise<never>(() => undefined);
    clock.pass(5_001);
    await until(() => notifier.calls.at(-1)?.signal.aborted === false);
    await first.close();
    const again = scriptedNotifier("scripted", { clock, maxEvents: 50 });
    const second = b.deliver(again, { clock });
    await until(() => again.taken.length === last);
    await second.drain(100);
    expect(new Set(again.taken).size).toBe(last);
    const ids = (await b.deadLetters()).flatMap(({ id }) => (id === undefined ? [] : [id]));
    expect(new Set(again.calls.flatMap(({ events }) => events.map(({ id }) => id)))).toEqual(new Set(ids));
    await second.close();
    const third = scriptedNotifier("scripted", { clock });
    await b.deliver(third, { clock }).drain(100);
    expect(third.calls).toEqual([]);
  });
});
