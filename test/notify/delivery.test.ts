import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { ProgressTracker } from "../../src/progress-tracker.ts";
import type { Outcome } from "../../src/notify/notifier.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { bench, IDS, reportOn, until, type Bench } from "./delivery-kit.ts";
import { DELIVERED, REFUSED, RETRY, manualDeliveryClock, scriptedNotifier } from "./scripted-notifier.ts";

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const recordFile = ({ path }: Bench, name = "scripted"): string =>
  join(path, "upgrades", "up", "deliveries", `${name}.json`);

describe("a delivery", () => {
  it("tells every event in order, live and over restarts, each once", async () => {
    const b = bench();
    reportOn(b.tracker, ["a", "b"], 20);
    const first = scriptedNotifier();
    const delivery = b.deliver(first);
    expect(await delivery.drain(5_000)).toBe(true);
    const half = b.tracker.progress.seq;
    expect(first.taken).toEqual(range(1, half));
    reportOn(b.tracker, ["a"], 5);
    await until(() => first.taken.length === b.tracker.progress.seq);
    await delivery.close();
    reportOn(b.tracker, ["b"], 5);
    const second = scriptedNotifier();
    await b.deliver(second).drain(5_000);
    expect([...first.taken, ...second.taken]).toEqual(range(1, b.tracker.progress.seq));
    expect((await b.sent()).length).toBe(b.tracker.progress.seq);
    expect(b.warnings).toEqual([]);
  });

  it("keeps to the limits of the notifier, and gives a state that holds the events", async () => {
    const b = bench();
    reportOn(b.tracker, ["a", "b"], 40);
    const notifier = scriptedNotifier("scripted", { maxEvents: 7, maxBytes: 1_500 });
    await b.deliver(notifier).drain(5_000);
    expect(notifier.taken).toEqual(range(1, b.tracker.progress.seq));
    for (const { events, batch } of notifier.calls) {
      expect(events.length).toBeLessThanOrEqual(7);
      expect(events.length === 1 || JSON.stringify(events).length <= 1_600).toBe(true);
      expect(batch.state.seq).toBeGreaterThanOrEqual(events.at(-1)?.seq ?? 0);
    }
  });

  it("goes on from a finished run to the next one, and leaves nothing of either out", async () => {
    const b = bench();
    const notifier = scriptedNotifier("scripted", { maxEvents: 3 });
    const delivery = b.deliver(notifier, { fromRun: 1 });
    const ids: string[] = [];
    for (let run = 1; run <= 3; run++) {
      b.tracker.startUpgrade();
      reportOn(b.tracker, ["a"], 10);
      b.tracker.completeUpgrade();
      if (run === 2) await delivery.close();
    }
    await b.deliver(notifier, { fromRun: 1 }).drain(5_000);
    for (const { events } of notifier.calls) ids.push(...events.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    const stored = ["up@1", "up@2", "up"].flatMap((ref) => {
      const folder = join(b.path, "upgrades", ref, "journal");
      return readFileSync(join(folder, "1.jsonl"), "utf8").split("\n").slice(1, -1);
    });
    const storedIds = stored.flatMap((line) => /"id":"([^"]+)"/.exec(line)?.[1] ?? []);
    expect(ids).toEqual(expect.arrayContaining(storedIds.filter((id) => id.length === 36)));
    expect(b.warnings).toEqual([]);
  });
});

describe("outcomes (N03)", () => {
  const table: readonly [string, (tries: number) => Promise<readonly Outcome[]>, "taken" | "dead" | "tried again"][] = [
    ["delivered", async () => [DELIVERED], "taken"],
    ["refused", async () => [REFUSED], "dead"],
    ["retry", async () => [RETRY], "tried again"],
    ["a rejection", async () => Promise.reject(new Error("ECONNRESET")), "tried again"],
    ["a rejection that says nothing", async () => Promise.reject(new Error()), "tried again"],
    [
      "an exception",
      () => {
        throw Object.assign(new Error("cannot be serialised"), { code: "X" });
      },
      "tried again",
    ],
    ["no outcome at all", async () => [], "tried again"],
    ["undefined", async () => undefined as unknown as Outcome[], "tried again"],
    ["an outcome that is none", async () => [{ status: "perhaps" } as unknown as Outcome], "tried again"],
    ["too many outcomes", async () => [DELIVERED, REFUSED, RETRY], "taken"],
    ["silence", () => new Promise<never>(() => undefined), "tried again"],
  ];
  it.each(table)("%s", async (_name, reply, expected) => {
    const b = bench();
    b.tracker.startUpgrade();
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { maxEvents: 1, clock });
    const { seq } = b.tracker.progress;
    let tries = 0;
    notifier.reply = async (call) => (call.events[0]?.seq === seq ? reply(++tries) : call.events.map(() => DELIVERED));
    b.deliver(notifier, { clock, timeoutMs: 1_000, random: () => 0.5 });
    await until(() => tries === 1);
    if (expected === "tried again") {
      clock.pass(1_000);
      await until(() => {
        clock.pass(500);
        return tries === 2;
      });
      expect((await b.deadLetters()).length).toBe(0);
    } else {
      await until(async () => (await b.sent()).some((note) => note.seq === seq));
      await until(async () => (await b.deadLetters()).length === (expected === "dead" ? 1 : 0));
      clock.pass(100_000_000);
      expect(tries).toBe(1);
    }
  });

  it("of a batch that is taken in part only what was not taken is told again", async () => {
    const b = bench();
    const seqs = reportOn(b.tracker, ["a", "b", "c"], 6);
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock, maxEvents: 30 });
    const [failing] = (seqs.get("b") as number[]).slice(2);
    let failures = 2;
    notifier.answer = ({ seq }) =>
      seq === failing && failures-- > 0 ? RETRY : seq === seqs.get("c")?.[1] ? REFUSED : DELIVERED;
    b.deliver(notifier, { clock });
    await until(async () => (await b.deadLetters()).length === 1);
    for (let i = 0; i < 5; i++) {
      await until(() => clock.nextInMs() !== undefined);
      clock.pass(600_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await until(() => notifier.taken.length === b.tracker.progress.seq - 1);
    expect(new Set(notifier.taken).size).toBe(notifier.taken.length);
    expect(await b.deadLetters()).toMatchObject([
      { notifier: "scripted", seq: seqs.get("c")?.[1], code: "BAD_REQUEST", message: "not like this", attempts: 1 },
    ]);
  });
});

describe("a record that is not as it was left (N17)", () => {
  const spoil: Readonly<Record<string, (file: string, b: Bench) => void>> = {
    missing: (file) => rmSync(file),
    "cut short": (file) => writeFileSync(file, readFileSync(file, "utf8").slice(0, 40)),
    empty: (file) => writeFileSync(file, ""),
    "of a later version": (file) =>
      writeFileSync(file, readFileSync(file, "utf8").replace('"version": 1', '"version": 2')),
    "of another log": (file) =>
      writeFileSync(file, readFileSync(file, "utf8").replace(/"cursor": "[^.]+/, '"cursor": "another')),
    "ahead of the log": (file) => writeFileSync(file, readFileSync(file, "utf8").replace(/\.(\d+)"/, '.9$1"')),
    "with a cursor that is none": (file) =>
      writeFileSync(file, readFileSync(file, "utf8").replace(/"cursor": "[^"]+/, '"cursor": "?')),
  };
  it.each(Object.keys(spoil))("%s: nothing is lost, and one warning says so", async (kind) => {
    const b = bench();
    reportOn(b.tracker, ["a"], 10);
    const before = scriptedNotifier();
    const delivery = b.deliver(before);
    await delivery.drain(5_000);
    await delivery.close();
    (spoil[kind] as (file: string, b: Bench) => void)(recordFile(b), b);
    reportOn(b.tracker, ["a"], 3);
    const after = scriptedNotifier();
    const second = b.deliver(after);
    await second.drain(5_000);
    const last = b.tracker.progress.seq;
    expect(new Set([...before.taken, ...after.taken])).toEqual(new Set(range(1, last)));
    expect(after.taken).toEqual(range(after.taken[0] as number, last));
    expect(b.warnings).toHaveLength(1);
    await second.close();
    const third = scriptedNotifier();
    await b.deliver(third).drain(5_000);
    expect(third.taken).toEqual([]);
    expect(b.warnings).toHaveLength(1);
  });

  it("a log that lost its tail is told again from where the histories part, not from its beginning", async () => {
    const b = bench();
    reportOn(b.tracker, ["a"], 10);
    const before = scriptedNotifier();
    const delivery = b.deliver(before);
    await delivery.drain(5_000);
    await delivery.close();
    const kept = b.tracker.progress.seq - 4;
    const journal = join(b.path, "upgrades", "up", "journal", "1.jsonl");
    const lines = readFileSync(journal, "utf8").split("\n");
    await b.tracker.close();
    rmSync(join(b.path, "upgrades", "up", "snapshot.json"), { force: true });
    writeFileSync(journal, `${lines.slice(0, kept + 1).join("\n")}\n`);
    const again = new ProgressTracker({ ...IDS, storagePath: b.path });
    reportOn(again, ["a"], 8);
    const after = scriptedNotifier();
    await b.deliver(after).drain(5_000);
    expect(after.taken).toEqual(range(kept + 1, again.progress.seq));
    expect(b.warnings).toHaveLength(1);
    await again.close();
  });
});

describe("one sender at a time (N18)", () => {
  it("the second waits, and goes on where the first ended", async () => {
    const b = bench();
    const clock = manualDeliveryClock();
    const [one, two] = [scriptedNotifier(), scriptedNotifier()];
    const first = b.deliver(one, { clock });
    reportOn(b.tracker, ["a"], 10);
    await until(() => one.taken.length === b.tracker.progress.seq);
    const second = b.deliver(two, { storage: jsonLines({ path: b.path }), clock });
    await until(() => second.status.state === "standby" && first.status.state === "idle");
    expect(await second.drain(5_000)).toBe(false);
    await first.close();
    reportOn(b.tracker, ["a"], 10);
    const all = range(1, b.tracker.progress.seq);
    await until(() => {
      clock.pass(1_000);
      return one.taken.length + two.taken.length >= all.length;
    });
    expect([...one.taken, ...two.taken]).toEqual(all);
  });

  it("an upgrade that is deleted is not brought back by its deliveries", async () => {
    const b = bench();
    const notifier = scriptedNotifier();
    const delivery = b.deliver(notifier);
    reportOn(b.tracker, ["a"], 3);
    await delivery.drain(5_000);
    await b.tracker.close();
    await delivery.drain(5_000);
    await b.storage.delete("up");
    await delivery.drain(100);
    await delivery.close();
    expect(await b.storage.list()).toEqual([]);
    expect(() => readFileSync(recordFile(b))).toThrow("ENOENT");
    mkdirSync(join(b.path, "upgrades"), { recursive: true });
  });
});
