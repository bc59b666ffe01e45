import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it, onTestFinished } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { Delivery } from "../../src/notify/delivery.ts";
import type { Notifier, Outcome } from "../../src/notify/notifier.ts";
import { webhook, type WebhookOptions } from "../../src/notify/webhook.ts";
import { add, begin, start, story } from "../view/story.ts";
import { bench, IDS, reportOn, until } from "./delivery-kit.ts";
import { receiver, type Received } from "./receivers.ts";
import { manualDeliveryClock } from "./scripted-notifier.ts";

const NEVER = new AbortController().signal;
const { state, events } = story([[0, start("Nodes"), add("t1"), begin("t1")]]);
const STARTED = events.find(({ type }) => type === "upgrade.started") as ProgressEvent;
const OF_TASK = events.at(-1) as ProgressEvent;

/** One event for each name, in this order; a dot is one of the upgrade itself. */
const named = (names: string): ProgressEvent[] =>
  [...names].map((name, place) => {
    const seq = place + 10;
    return (
      name === "." ? { ...STARTED, seq, id: `${place}` } : { ...OF_TASK, taskId: name, seq, id: `${place}` }
    ) as never;
  });
const hook = (origin: string, more: Partial<WebhookOptions> = {}): Notifier => {
  const secrets = [`whsec_${Buffer.alloc(32, 7).toString("base64")}`];
  const notifier = webhook({ url: origin, secrets, allowedAddresses: ["127.0.0.1"], ...more });
  onTestFinished(() => notifier.close());
  return notifier;
};
const tell = (notifier: Notifier, names: string): Promise<readonly Outcome[]> =>
  notifier.notify({ events: named(names), state }, { signal: NEVER });
const placeOf = ({ headers }: Received): number => Number(headers["webhook-id"]);
const short = (outcomes: readonly Outcome[]): string =>
  outcomes.map((outcome) => (outcome.status === "delivered" ? "✓" : outcome.code === "HELD_BACK" ? "-" : "✗")).join("");

describe("a webhook that is told several events", () => {
  it("sends eight at a time, each task in its order, and what is of the upgrade in its place", async () => {
    let underWay = 0;
    let most = 0;
    const answered: number[] = [];
    const { origin, requests, connections } = await receiver(async (request, response) => {
      most = Math.max(most, ++underWay);
      // The later ones of a round are answered first.
      await sleep(20 - (placeOf(request) % 8) * 2);
      underWay -= 1;
      answered.push(placeOf(request));
      response.end();
    });
    const names = ".abcdefghijabcdefghij.abcde";
    const notifier = hook(origin);
    expect(short(await tell(notifier, names))).toBe("✓".repeat(names.length));
    expect(most).toBe(8);
    expect(connections()).toBeLessThanOrEqual(8);
    for (const name of new Set(names)) {
      const sent = requests.map(placeOf).filter((place) => names[place] === name);
      expect(sent).toEqual(sent.toSorted((a, b) => a - b));
    }
    const barrier = names.lastIndexOf(".");
    expect(answered.indexOf(barrier)).toBe(barrier);
    expect(requests.slice(0, barrier + 1).map(placeOf)).toEqual(expect.not.arrayContaining([barrier + 1]));
    await notifier.close();
  });

  it("holds back behind one that is not taken its own task alone", async () => {
    const { origin, requests } = await receiver((request, response) => {
      response.statusCode = placeOf(request) === 1 ? 500 : placeOf(request) === 3 ? 400 : 200;
      response.end();
    });
    expect(short(await tell(hook(origin), "abcabca."))).toBe("✓✗✓✗-✓✓✓");
    expect(requests.map(placeOf).toSorted()).toEqual([0, 1, 2, 3, 5, 6, 7]);
  });

  it("begins no more when the receiver asks for time, and says how much to all that are left", async () => {
    const { origin, requests } = await receiver((request, response) => {
      if (placeOf(request) === 9) response.writeHead(429, { "retry-after": "30" });
      response.end();
    });
    const outcomes = await tell(hook(origin), "aaaaaaaaaaaaaaaa");
    expect(short(outcomes)).toBe("✓✓✓✓✓✓✓✓✓✗------");
    expect(outcomes.slice(9)).toMatchObject(outcomes.slice(9).map(() => ({ retryAfterMs: 30_000 })));
    expect(requests).toHaveLength(10);
  });

  it("begins no more after five failures in a row, nor when its time is up", async () => {
    const failing = await receiver((_, response) => response.writeHead(503).end());
    expect(short(await tell(hook(failing.origin), ".abcdefghijklmnopq"))).toMatch(/^✗✗+-+$/);
    expect(failing.requests.length).toBeLessThanOrEqual(12);
    const slow = await receiver(async (_, response) => {
      await sleep(60);
      response.end();
    });
    expect(short(await tell(hook(slow.origin, { timeoutMs: 400 }), "aaaaaaaa"))).toMatch(/^✓+✗?-+$/);
  });

  it("asks anew where a connection that was kept has been closed, and only there", async () => {
    const sockets = new Set<{ resetAndDestroy(): unknown }>();
    let isMean = false;
    const { origin, requests, connections } = await receiver((_, response) => {
      if (isMean) return response.socket?.resetAndDestroy();
      if (response.socket !== null) sockets.add(response.socket);
      return response.end();
    });
    const notifier = hook(origin);
    expect(short(await tell(notifier, "a"))).toBe("✓");
    for (const socket of sockets) socket.resetAndDestroy();
    expect(short(await tell(notifier, "aa"))).toBe("✓✓");
    expect([requests.length, connections()]).toEqual([3, 3]);
    isMean = true;
    expect(short(await tell(notifier, "a"))).toBe("✗");
    expect(connections()).toBe(4);
  });
});

it("a receiver that asks for time in the middle of a batch is not asked before, by its delivery either", async () => {
  const on = bench();
  reportOn(
    on.tracker,
    Array.from({ length: 60 }, (_, n) => `t${n}`),
    0,
  );
  const clock = manualDeliveryClock();
  let count = 0;
  const { origin, requests } = await receiver((_, response) => {
    count += 1;
    if (count === 10) response.writeHead(429, { "retry-after": "60" });
    response.end();
  });
  const notifier = hook(origin, { clock });
  const delivery = new Delivery({ notifier, storage: on.storage, upgradeId: IDS.upgradeId, clock, random: () => 0.5 });
  onTestFinished(() => delivery.close());
  delivery.start();
  await until(async () => (await on.sent("webhook")).length === 32);
  const before = requests.length;
  expect(before).toBeLessThan(20);
  for (let passed = 0; passed < 59; passed += 10) {
    clock.pass(9_800);
    await sleep(15);
  }
  expect(requests.length).toBe(before);
  await until(() => {
    clock.pass(1_000);
    return new Set(requests.map(({ headers }) => headers["webhook-id"])).size === on.tracker.progress.seq;
  });
  expect(await on.deadLetters()).toEqual([]);
});
