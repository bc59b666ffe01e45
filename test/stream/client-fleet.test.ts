import { expect, test } from "vitest";

import { watchFleet, type UpgradeSummary } from "../../src/stream/client.ts";
import { summaryAt } from "../../src/view/upgrade/summary.ts";
import { testLog } from "../model/log.ts";
import { forThisTest, next, nextStatus } from "./client/reading.ts";
import { ScriptedServer } from "./client/scripted-server.ts";

const state = testLog().state;

const summary = (upgradeId: string, overallPercentage: number): UpgradeSummary => ({
  ...summaryAt(state, { asOfMs: 0, hasWriter: true }),
  upgradeId,
  overallPercentage,
});

const all = (...upgrades: readonly UpgradeSummary[]) => ({ type: "snapshot", channel: "fleet", upgrades });
const news = (upgradeId: string, percentage: number) => ({
  type: "summary",
  channel: "fleet",
  summary: summary(upgradeId, percentage),
});
const numbers = (upgrades: ReadonlyMap<string, UpgradeSummary>) =>
  [...upgrades].map(([id, { overallPercentage }]) => `${id} ${overallPercentage}`);

const watching = (url: string) => forThisTest(watchFleet(url, { random: () => 0 }));

test("all summaries come first, then each that changes; what was given out stays as it was", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const live = nextStatus(items, "live");
  const peer = await server.peer();
  expect(peer.url.searchParams.get("channel")).toBe("fleet");
  peer.welcome(25_000, ["fleet"]).say(all(summary("a", 1), summary("b", 2)));
  const first = await live;
  peer.say({ type: "summary", summary: summary("x", 1), requestId: "of somebody" }, news("b", 3));
  const second = await next(items, ({ changed }) => changed.length > 0);
  expect(numbers(first.upgrades)).toEqual(["a 1", "b 2"]);
  expect(numbers(second.upgrades)).toEqual(["a 1", "b 3"]);
  expect(second.changed).toEqual([summary("b", 3)]);
});

test("a reader who is late gets the newest summary of each", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const live = nextStatus(items, "live");
  const peer = await server.peer();
  peer.welcome(25_000, ["fleet"]).say(all(summary("a", 1), summary("b", 2)));
  await live;
  peer.say(news("a", 10), ...Array.from({ length: 20_000 }, (_unused, n) => news("b", n)), { type: "pong" });
  peer.close(1001);
  await peer.closed;
  await server.peer();
  const late = (await items.next()).value;
  expect(late?.changed).toEqual([summary("a", 10), summary("b", 19_999)]);
  expect(numbers(late?.upgrades ?? new Map())).toEqual(["a 10", "b 19999"]);
});

test("after a lost connection what is known stays, until all summaries have come anew", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const live = nextStatus(items, "live");
  (await server.peer())
    .welcome(25_000, ["fleet"])
    .say(all(summary("a", 1), summary("b", 2)))
    .close(1001);
  await live;
  const waiting = await nextStatus(items, "waiting");
  expect([numbers(waiting.upgrades), waiting.changed]).toEqual([["a 1", "b 2"], []]);
  const again = nextStatus(items, "live");
  (await server.peer()).welcome(25_000, ["fleet"]).say(all(summary("b", 5)));
  expect(numbers((await again).upgrades)).toEqual(["b 5"]);
});

test("a cluster is asked for by its name, and an upgrade is none of a fleet", async () => {
  const server = await ScriptedServer.start();
  const items = forThisTest(watchFleet(server.url, { channel: "cluster:my-cluster" }));
  void items.next();
  expect((await server.peer()).url.searchParams.get("channel")).toBe("cluster:my-cluster");
  expect(() => watchFleet(server.url, { channel: "upgrade:a" })).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT" }),
  );
});

test("[W10] what is deleted is dropped, told once, and kept in what was given out; also while there was no connection", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const live = nextStatus(items, "live");
  const gone = (upgradeId: string) => ({ type: "removed", channel: "fleet", upgradeId });
  const peer = await server.peer();
  peer.welcome(25_000, ["fleet"]).say(all(summary("a", 1), summary("b", 2), summary("c", 3)));
  const first = await live;
  peer.say(gone("a"));
  const second = await next(items, ({ removed }) => removed.length > 0);
  expect([[...second.upgrades.keys()], second.changed, second.removed]).toEqual([["b", "c"], [], ["a"]]);
  expect([...first.upgrades.keys()]).toEqual(["a", "b", "c"]);
  peer.close(1001);
  const back = await server.peer();
  back.welcome(25_000, ["fleet"]).say(all(summary("c", 4)));
  const third = await next(items, ({ removed }) => removed.length > 0);
  expect([numbers(third.upgrades), third.removed]).toEqual([["c 4"], ["b"]]);
  // A reader who is late is told of one that went and came as of one that is there.
  back.say(gone("c"), news("c", 5), news("d", 1), gone("d"));
  const last = await next(items, ({ upgrades }) => upgrades.get("c")?.overallPercentage === 5 && !upgrades.has("d"));
  expect(numbers(last.upgrades)).toEqual(["c 5"]);
});
