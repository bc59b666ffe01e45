import { expect, test } from "vitest";

import { newCounters } from "../../src/stream/counters.ts";
import { Subscriber } from "../../src/stream/subscriber.ts";
import { quickFolder } from "../faults/quick-folder.ts";
import { manualClock } from "../manual-clock.ts";
import { Reader, turn, turns } from "./checked-subscriber.ts";
import { HeldLink } from "./held-link.ts";
import { KeptLog } from "./kept-log.ts";

test("[W4] a reader that is too far behind is told the stretch in few events, and ends in the exact state", async () => {
  const clock = manualClock();
  const kept = new KeptLog(quickFolder(), clock);
  const log = await kept.live();
  const reader = new Reader({ log, kept, clock });
  await reader.readAll(kept);
  kept.report(10);
  await turns(20);
  const before = reader.ledger.counts.events;
  kept.report(2_000);
  kept.change();
  await turns(50);
  await reader.readAll(kept);
  expect(reader.ledger.counts.skipped).toBe(1);
  expect(reader.ledger.counts.events - before).toBeLessThan(30);
  expect(reader.counters).toMatchObject({ conflations: 1, resets: 0 });
  expect(reader.counters.eventsLeftOut).toBeGreaterThan(1_900);
  await reader.stop();
  log.close();
  await kept.close();
});

test("[W4] what was in the log when it joined is given exactly, however slow it is", async () => {
  const clock = manualClock();
  const kept = new KeptLog(quickFolder(), clock);
  const start = kept.end;
  kept.report(3_000);
  const log = await kept.live();
  const reader = new Reader({ log, kept, clock, after: start });
  while (reader.ledger.cursor !== kept.end) {
    clock.pass(60_000);
    reader.link.drain();
    await turn();
    reader.check();
  }
  expect(reader.ledger.counts).toEqual({ events: 3_000, snapshots: 0, recoveries: 1, skipped: 0, subscribed: 1 });
  await reader.stop();
  log.close();
  await kept.close();
});

test("a reader that reads nothing for long is slow by time, though little has come", async () => {
  const clock = manualClock();
  const kept = new KeptLog(quickFolder(), clock);
  const log = await kept.live();
  const reader = new Reader({ log, kept, clock, budget: { maxLagBytes: 1e9, maxLagMs: 10_000 } });
  await reader.readAll(kept);
  for (const [ms, skipped] of [
    [9_000, 0],
    [11_000, 1],
  ] as const) {
    kept.report(2);
    await turns(10);
    kept.report(20);
    await turns(10);
    clock.pass(ms);
    await reader.readAll(kept);
    expect(reader.ledger.counts.skipped).toBe(skipped);
  }
  await reader.stop();
  log.close();
  await kept.close();
});

test("[W5] no more than one write goes beyond what the link takes, also in a stretch that is told by few", async () => {
  const clock = manualClock();
  const kept = new KeptLog(quickFolder(), clock);
  const log = await kept.live();
  const windowBytes = 100_000;
  const reader = new Reader({ log, kept, clock, windowBytes });
  await reader.readAll(kept);
  // Changes of state are all told: some five megabytes of them.
  for (let n = 0; n < 500; n++) {
    kept.tracker.pauseTask("task-0", "x".repeat(10_000));
    kept.tracker.resumeTask("task-0");
    if (n === 100) {
      kept.tell();
      await turns(50);
    }
  }
  kept.tell();
  await turns(50);
  await reader.readAll(kept);
  expect(reader.ledger.counts.skipped).toBeGreaterThan(0);
  expect(reader.link.largestWrite).toBeLessThanOrEqual(256 * 1024 + 20_000);
  expect(reader.link.peakBytes).toBeLessThanOrEqual(windowBytes + reader.link.largestWrite);
  await reader.stop();
  log.close();
  await kept.close();
});

test("one that is stopped says nothing more, wherever it stands in a stretch that it tells by few", async () => {
  const clock = manualClock();
  const kept = new KeptLog(quickFolder(), clock);
  const log = await kept.live();
  for (let steps = 0; steps < 40; steps++) {
    const taken: string[] = [];
    const link = new HeldLink((text) => taken.push(text));
    const context = { clock, counters: newCounters(), budget: { maxLagBytes: 500, maxLagMs: 1_000 } };
    const subscriber = new Subscriber({ log, link, context });
    const run = subscriber.run();
    for (let n = 0; n < 6; n++) {
      await turn();
      link.drain();
    }
    // It is live; now its other side reads no more.
    kept.report();
    await turns(3);
    for (let n = 0; n < 100; n++) kept.change();
    kept.report(200, 500);
    await turns(3);
    for (let step = 0; step < steps; step++) {
      link.drain();
      if (step % 3 > 0) await turn();
      else await Promise.resolve();
    }
    subscriber.stop();
    link.drain();
    const said = taken.length;
    if (steps > 20) expect(taken.some((text) => text.includes('"skipped"'))).toBe(true);
    for (let n = 0; n < 5; n++) {
      kept.report();
      link.drain();
      await turn();
    }
    link.drain();
    expect(taken.length - said, `after ${steps} steps`).toBe(0);
    await run;
  }
  log.close();
  await kept.close();
});

test("[W4] the last event of a stretch is told also to a reader that does not get its kind, so that the stretch has an end", async () => {
  const clock = manualClock();
  const kept = new KeptLog(quickFolder(), clock);
  const log = await kept.live();
  const taken: { type: string; cursor?: string; to?: string }[] = [];
  const link = new HeldLink((text) => taken.push(JSON.parse(text) as { type: string }));
  const context = { clock, counters: newCounters(), budget: { maxLagBytes: 500, maxLagMs: 1_000 } };
  const subscriber = new Subscriber({ log, link, context, level: "tasks" });
  const run = subscriber.run();
  for (let n = 0; n < 6; n++, link.drain()) await turn();
  kept.report();
  await turns(3);
  kept.report(100);
  kept.tracker.appendLog("task-1", "the end");
  kept.tell();
  await turns(3);
  for (let n = 0; n < 20; n++, link.drain()) await turn();
  const skipped = taken.find(({ type }) => type === "skipped");
  expect(taken.at(-1)).toMatchObject({ type: "log.appended", cursor: skipped?.to });
  expect(taken.filter(({ type }) => type === "log.appended")).toHaveLength(1);
  subscriber.stop();
  await run;
  log.close();
  await kept.close();
});
