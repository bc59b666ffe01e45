/** Notifiers, clocks, disks and configurations that do what they should not. */

import { describe, expect, it, onTestFinished } from "vitest";

import type { Outcome } from "../../src/notify/notifier.ts";
import { rulesRouter } from "../../src/notify/rules.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { FaultFs } from "../faults/fault-fs.ts";
import { tempFolder } from "../temp-folder.ts";
import { bench, IDS, reportOn, until, type Bench } from "./delivery-kit.ts";
import { DELIVERED, REFUSED, RETRY, manualDeliveryClock, scriptedNotifier } from "./scripted-notifier.ts";

const rest = (ms = 10): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));
const range = (to: number): number[] => Array.from({ length: to }, (_, index) => index + 1);
const thrower = (name: string): object =>
  Object.defineProperty({}, name, {
    get: () => {
      throw new Error("do not look");
    },
  });

async function raise(value: unknown): Promise<never> {
  throw value;
}

describe("a notifier that answers with nonsense", () => {
  const nonsense: readonly (readonly [string, (count: number) => unknown])[] = [
    ["outcomes without code and message", (count) => Array(count).fill({ status: "refused" })],
    ["codes and messages that are no text", (count) => Array(count).fill({ status: "refused", code: 7, message: {} })],
    ["an answer that is no text", (count) => Array(count).fill({ status: "delivered", answer: Symbol("x") })],
    ["outcomes that throw when looked at", (count) => Array(count).fill(thrower("status"))],
    ["a time that is no number", (count) => Array(count).fill({ ...RETRY, retryAfterMs: Number.NaN })],
    ["a time that is text", (count) => Array(count).fill({ ...RETRY, retryAfterMs: "soon" })],
    ["a time without end", (count) => Array(count).fill({ ...RETRY, retryAfterMs: Number.POSITIVE_INFINITY })],
    ["a text of a megabyte", (count) => Array(count).fill({ ...RETRY, message: "x".repeat(1_000_000) })],
    ["half a character and a NUL", (count) => Array(count).fill({ ...REFUSED, message: "\ud800\u0000" })],
    [
      "an array that throws",
      () =>
        new Proxy([], {
          get: () => {
            throw new Error("no");
          },
        }),
    ],
    ["a text", () => "delivered"],
    ["an error that throws when looked at", () => raise(thrower("code"))],
    ["nothing to catch", () => raise(undefined)],
  ];
  it.each(nonsense)("%s: it costs that notifier an attempt, and no event is lost", async (_what, answer) => {
    const b = bench();
    const last = [...reportOn(b.tracker, ["a"], 3).values()].flat().at(-1) as number;
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock });
    let calls = 0;
    notifier.reply = async ({ events }) => {
      if (++calls === 1) return (await answer(events.length)) as Outcome[];
      notifier.taken.push(...events.map(({ seq }) => seq));
      return events.map(() => DELIVERED);
    };
    b.deliver(notifier, { clock, random: () => 0.5 });
    await until(() => calls >= 1);
    await until(async () => {
      clock.pass(20_000_000);
      const dead = (await b.deadLetters()).length;
      return (
        new Set(notifier.taken).size + dead === last ||
        (await b.sent()).filter(({ outcome }) => outcome === "delivered").length === last
      );
    });
    for (const { message, code } of await b.deadLetters()) {
      expect([typeof message, typeof code]).toEqual(["string", "string"]);
      expect(String(message).length).toBeLessThanOrEqual(500);
    }
    expect(b.warnings.filter((line) => line.includes("is not told of"))).toEqual([]);
  });

  it("a notifier may not sort or shorten what it is given, so that outcomes are those of their events", async () => {
    const b = bench();
    reportOn(b.tracker, ["a"], 3);
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock });
    let calls = 0;
    notifier.reply = async ({ events }) => {
      if (++calls === 1) (events as unknown[]).length = 0;
      return events.map(() => DELIVERED);
    };
    b.deliver(notifier, { clock, random: () => 0.5 });
    await until(() => calls === 1);
    await until(async () => {
      clock.pass(6_000);
      return (await b.sent()).filter(({ outcome }) => outcome === "delivered").length === b.tracker.progress.seq;
    });
    expect((await b.sent()).find(({ outcome }) => outcome === "retry")?.answer).toMatch(
      /read only|not extensible|delete/,
    );
  });
});

describe("a notifier that calls the tracker", () => {
  it("may report while it is told, and may not keep the tracker from closing", async () => {
    const notifier = scriptedNotifier("inward");
    const tracker = new ProgressTracker({
      ...{ ...IDS, storagePath: tempFolder(), drainTimeoutMs: 300 },
      notifiers: [notifier],
      rules: [{ events: ["task.*"] }],
    });
    let closing: Promise<void> | undefined;
    notifier.reply = async ({ events }) => {
      for (const { type, taskId } of events)
        if (type === "task.started" && taskId !== undefined) tracker.appendLog(taskId, "told");
      closing ??= events.some(({ type }) => type === "task.completed") ? tracker.close() : undefined;
      await closing;
      return events.map(() => DELIVERED);
    };
    tracker.startUpgrade();
    tracker.addTask("a", "A");
    tracker.startTask("a");
    await until(() => notifier.calls.flatMap(({ events }) => events).some(({ type }) => type === "task.started"));
    const begun = performance.now();
    tracker.completeTask("a");
    await until(() => closing !== undefined);
    await closing;
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

describe("a wall clock that jumps", () => {
  const QUIET = { from: "22:00", to: "07:00", timeZone: "UTC" } as const;

  it.each([
    ["forward over the end of the quiet hours", 12 * 3_600_000],
    ["back by a day", -24 * 3_600_000],
    ["by ten years", 315_360_000_000],
    ["to 1970", -1_772_000_000_000],
  ])("%s: what is held back is told once, at the latest after a day, and after a restart too", async (_what, jump) => {
    const clock = manualDeliveryClock();
    clock.pass(15 * 3_600_000);
    const storage = jsonLines({ path: tempFolder() });
    const tracker = new ProgressTracker({ ...IDS, storage, clock });
    onTestFinished(() => tracker.close());
    tracker.startUpgrade();
    tracker.addTask("a", "a");
    tracker.startTask("a");
    const { seq } = tracker.progress;
    const router = rulesRouter([{ events: ["task.started"], quietHours: QUIET }], "scripted");
    const b: Pick<Bench, "deliver"> = bench();
    const notifier = scriptedNotifier("scripted", { clock });
    const first = b.deliver(notifier, { storage, clock, router });
    await until(() => first.status.waiting === 1);
    await rest();
    expect(notifier.taken).toEqual([]);
    clock.jump(jump);
    await rest();
    await first.close();
    const second = b.deliver(notifier, { storage, clock, router });
    await until(() => second.status.state === "idle" || notifier.taken.length > 0);
    for (let hours = 0; hours < 30 && notifier.taken.length === 0; hours++) {
      clock.pass(3_600_000);
      await rest(4);
    }
    await until(() => notifier.taken.length === 1);
    clock.pass(100_000_000);
    await rest();
    expect(notifier.taken).toEqual([seq]);
  });

  it("while what failed waits for its next try: neither a storm nor a longer wait", async () => {
    for (const jump of [1e12, -1e12]) {
      const b = bench();
      b.tracker.startUpgrade();
      const clock = manualDeliveryClock();
      const notifier = scriptedNotifier("scripted", { clock, maxEvents: 1 });
      notifier.answer = () => RETRY;
      b.deliver(notifier, { clock, random: () => 0.5 });
      await until(() => notifier.calls.length === 1);
      await rest();
      clock.jump(jump);
      clock.pass(4_900);
      await rest();
      expect(notifier.calls).toHaveLength(1);
      clock.pass(200);
      await until(() => notifier.calls.length === 2);
    }
  });
});

describe("a disk that is full", () => {
  it("stops the telling until outcomes can be kept, then goes on; what comes twice is one batch", async () => {
    const path = tempFolder();
    const faults = new FaultFs();
    const storage = jsonLines({ path, fs: faults.fs });
    const tracker = new ProgressTracker({ ...IDS, storage: jsonLines({ path }) });
    onTestFinished(() => tracker.close());
    reportOn(tracker, ["a", "b"], 30);
    const last = tracker.progress.seq;
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock });
    notifier.answer = ({ seq }) => {
      if (notifier.calls.length === 2 && faults.hits === 0)
        faults.fail({ call: "write", nth: 1, error: "ENOSPC", isForEver: true });
      return seq % 10 === 0 ? REFUSED : DELIVERED;
    };
    const warnings: string[] = [];
    const logger = { info: () => undefined, warn: (line: string) => void warnings.push(line), error: () => undefined };
    const delivery = bench().deliver(notifier, { storage, clock, logger });
    await until(() => delivery.status.state === "in_trouble");
    const calls = notifier.calls.length;
    for (let n = 0; n < 10; n++) {
      clock.pass(5_001);
      await rest(4);
    }
    expect(notifier.calls.length).toBe(calls);
    expect(warnings.filter((line) => line.includes("is not told of"))).toHaveLength(1);
    faults.heal();
    await until(() => {
      clock.pass(5_001);
      return notifier.taken.length >= last - Math.floor(last / 10);
    });
    expect(notifier.taken.length - new Set(notifier.taken).size).toBeLessThanOrEqual(10);
    const letters = await storage.deliveries(IDS.upgradeId).readDeadLetters(0, 1_000_000);
    const dead = new Set(letters.lines.map(({ text }) => (JSON.parse(text) as { seq: number }).seq));
    expect(range(last).filter((seq) => !dead.has(seq) && !notifier.taken.includes(seq))).toEqual([]);
    expect(delivery.status.counts.dead).toBeGreaterThanOrEqual(dead.size);
  });
});

describe("what a configuration leaves behind", () => {
  it("a notifier that is taken out and put back is told what came in between, once", async () => {
    const storagePath = tempFolder();
    const all = [{ events: ["*"] }];
    const life = async (
      notifiers: readonly ReturnType<typeof scriptedNotifier>[],
      work: (t: ProgressTracker) => void,
    ) => {
      const tracker = new ProgressTracker({ ...IDS, storagePath, notifiers, rules: all, drainTimeoutMs: 2_000 });
      work(tracker);
      await tracker.close();
    };
    const [before, after] = [scriptedNotifier(), scriptedNotifier()];
    await life([before], (tracker) => void tracker.startUpgrade());
    await life([], (tracker) => reportOn(tracker, ["a"], 5));
    await life([after], (tracker) => void tracker.completeUpgrade());
    const told = [...before.taken, ...after.taken];
    expect(told).toEqual(range(told.length));
    expect(told.length).toBeGreaterThan(8);
  });

  it("names of tasks are any text: each is a key of its own, over restarts", async () => {
    const b = bench();
    const names = ["ü 🚀", "a/b", "..", "1/a", "__proto__", "constructor", "\u202eabc", "x".repeat(200)];
    const seqs = reportOn(b.tracker, names, 2);
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock, maxEvents: 100 });
    notifier.answer = ({ taskId }) => (taskId === undefined ? DELIVERED : RETRY);
    const first = b.deliver(notifier, { clock, random: () => 0.5 });
    await until(() => first.status.waiting === names.length);
    await first.close();
    const again = scriptedNotifier("scripted", { clock });
    b.deliver(again, { clock, random: () => 0.5 });
    await until(() => {
      clock.pass(6_000);
      return again.taken.length === [...seqs.values()].flat().length;
    });
    for (const name of names)
      expect(again.taken.filter((seq) => seqs.get(name)?.includes(seq))).toEqual(seqs.get(name));
  });
});
