import { expect, test } from "vitest";

import { newCounters } from "../../src/stream/counters.ts";
import type { LiveLog } from "../../src/stream/live-log.ts";
import type { Received } from "../../src/stream/protocol.ts";
import { BUDGET, Subscriber } from "../../src/stream/subscriber.ts";
import { systemClock } from "../../src/tracker/clock.ts";
import { quickFolder } from "../faults/quick-folder.ts";
import { turns } from "./checked-subscriber.ts";
import { HeldLink } from "./held-link.ts";
import { KeptLog } from "./kept-log.ts";

/** A reader at a level that keeps what it is sent. */
function follow(log: LiveLog, level: "summary" | "tasks") {
  const messages: Received[] = [];
  const link = new HeldLink((text) => messages.push(JSON.parse(text) as Received));
  const context = { clock: systemClock, counters: newCounters(), budget: BUDGET };
  const subscriber = new Subscriber({ log, link, context, level });
  void subscriber.run();
  const summaries = () => messages.flatMap((message) => (message.type === "summary" ? [message] : []));
  return { link, messages, summaries, subscriber };
}

test("[W10] a reader at level summary gets the live percentage, at most four times a second, the last one always", async () => {
  const kept = new KeptLog(quickFolder(), { ...systemClock, pass: () => undefined, jump: () => undefined });
  const log = await kept.live();
  const [reader, late, other] = [follow(log, "summary"), follow(log, "summary"), follow(log, "tasks")];
  await turns(20);
  for (const { link } of [reader, late, other]) link.drain();
  const since = performance.now();
  while (performance.now() - since < 600) {
    kept.report(3);
    await turns(5);
    reader.link.drain();
    other.link.drain();
  }
  const last = (): unknown => reader.summaries().at(-1)?.summary.cursor;
  await expect
    .poll(() => {
      reader.link.drain();
      return last();
    })
    .toBe(kept.end);
  const { length } = reader.summaries();
  expect(length).toBeGreaterThanOrEqual(3);
  expect(length).toBeLessThanOrEqual(2 + (performance.now() - since) / 250);
  const [newest] = reader.summaries().slice(-1);
  expect(newest?.channel).toBe(`upgrade:${log.ref}`);
  expect(newest?.summary.overallPercentage).toBe(log.state.overallPercentage);
  expect(reader.messages.filter(({ type }) => type.startsWith("task."))).toEqual([]);
  expect(reader.messages.slice(0, 2).map(({ type }) => type)).toEqual(["snapshot", "subscribed"]);
  expect(other.summaries()).toEqual([]);
  // One that could take nothing meanwhile gets the newest, once.
  late.link.drain();
  await turns(5);
  late.link.drain();
  expect(late.summaries().length).toBeLessThanOrEqual(2);
  expect(late.summaries().at(-1)?.summary.cursor).toBe(kept.end);
  for (const { subscriber } of [reader, late, other]) subscriber.stop();
  await turns(5);
  const next = follow(log, "summary");
  await turns(5);
  kept.report(3);
  // When the next one is told, those that have left are not.
  await expect
    .poll(() => {
      next.link.drain();
      return next.summaries().at(-1)?.summary.cursor;
    })
    .toBe(kept.end);
  next.subscriber.stop();
  reader.link.drain();
  expect(reader.summaries()).toHaveLength(length);
  log.close();
  await kept.close();
});
