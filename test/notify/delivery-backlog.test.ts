/** Much that waits or is dead, told again. */

import { expect, it } from "vitest";

import { requestRedrive } from "../../src/notify/delivery.ts";
import { bench, reportOn, until } from "./delivery-kit.ts";
import { DELIVERED, REFUSED, RETRY, manualDeliveryClock, scriptedNotifier } from "./scripted-notifier.ts";

const rest = (ms = 10): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));
const range = (to: number): number[] => Array.from({ length: to }, (_, index) => index + 1);

it("dead letters that lie far apart in the log, and not in its order, are found again", async () => {
  const b = bench();
  reportOn(b.tracker, ["a", "b", "c"], 700);
  const clock = manualDeliveryClock();
  const notifier = scriptedNotifier("scripted", { clock, maxEvents: 50 });
  const refused = (seq: number): boolean => seq % 211 < 3;
  notifier.answer = ({ seq }) => (refused(seq) ? REFUSED : DELIVERED);
  const delivery = b.deliver(notifier, { clock });
  const { seq: last } = b.tracker.progress;
  const dead = range(last).filter(refused);
  await until(
    () => delivery.status.counts.dead === dead.length && delivery.status.counts.delivered + dead.length === last,
  );
  notifier.answer = () => DELIVERED;
  notifier.taken.length = 0;
  await requestRedrive(b.storage.deliveries("up"), "scripted", "now");
  clock.pass(5_001);
  await until(() => notifier.taken.length === dead.length);
  expect(notifier.taken.toSorted((x, y) => x - y)).toEqual(dead);
  expect(delivery.status.counts.dead).toBe(dead.length);
});

it("what waited in many keys is told together when it may be, each key in its order, each event once", async () => {
  const b = bench();
  const tasks = Array.from({ length: 30 }, (_, n) => `t${n}`);
  const clock = manualDeliveryClock();
  const notifier = scriptedNotifier("scripted", { clock, maxEvents: 20 });
  let isDown = true;
  // Some are taken in the very batch in which another of their key is not.
  const fails = (seq: number): boolean => seq % 7 < 5;
  const seqs = reportOn(b.tracker, tasks, 40);
  // It goes on failing when the others are taken: what follows it may not overtake it then.
  const stubborn = seqs.get("t5")?.find(fails);
  let failures = 2;
  notifier.answer = ({ seq }) => {
    if (isDown) return fails(seq) ? RETRY : DELIVERED;
    return seq === stubborn && failures-- > 0 ? RETRY : DELIVERED;
  };
  const delivery = b.deliver(notifier, { clock, random: () => 0.5 });
  await until(() => delivery.status.waiting === tasks.length + 1);
  await rest(20);
  isDown = false;
  const before = notifier.calls.length;
  await until(() => {
    clock.pass(60_000);
    return notifier.taken.length >= b.tracker.progress.seq;
  });
  expect(notifier.taken.toSorted((x, y) => x - y)).toEqual(range(b.tracker.progress.seq));
  const late = notifier.calls.slice(before).flatMap(({ events }) => events.map(({ seq }) => seq));
  for (const ofTask of seqs.values()) {
    const told = late.filter((seq) => ofTask.includes(seq));
    expect(told).toEqual(told.toSorted((x, y) => x - y));
  }
  // One try alone for each key, and then whole batches.
  expect(notifier.calls.length - before).toBeLessThan(tasks.length * 3 + b.tracker.progress.seq / 20 + 10);
  expect(await b.deadLetters()).toEqual([]);
});

it("ten thousand dead letters are told again in seconds, each once, and their log lines have a number each (G24)", async () => {
  const b = bench();
  reportOn(b.tracker, ["a", "b"], 5_000);
  const last = b.tracker.progress.seq;
  const clock = manualDeliveryClock();
  const notifier = scriptedNotifier("scripted", { clock, maxEvents: 1_000, maxBytes: 10_000_000 });
  notifier.answer = () => REFUSED;
  const delivery = b.deliver(notifier, { clock });
  await until(() => delivery.status.counts.dead === last);
  const lines = b.warnings.filter((line) =>
    line.startsWith("event is a dead letter: notifier=scripted upgrade=up run=1 "),
  );
  expect(lines).toHaveLength(last);
  expect(lines.find((line) => line.includes(" seq=7 "))).toMatch(
    / seq=7 type=\S+ id=\S+ attempt=1 code=BAD_REQUEST: not like this$/,
  );
  notifier.answer = () => DELIVERED;
  const begun = performance.now();
  await requestRedrive(b.storage.deliveries("up"), "scripted", "now");
  clock.pass(5_001);
  await until(() => notifier.taken.length >= last);
  expect(notifier.taken.toSorted((x, y) => x - y)).toEqual(range(last));
  expect(performance.now() - begun).toBeLessThan(10_000);
  await until(() => delivery.status.counts.delivered === last);
}, 60_000);
