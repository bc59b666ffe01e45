import { expect, test } from "vitest";
import WsSocket from "ws";

import { canonicalJson } from "../../src/model/json.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import {
  upgradeFromJson,
  watch,
  type ConnectOptions,
  type Watched,
  type WatchOptions,
} from "../../src/stream/client.ts";
import { fold, testLog } from "../model/log.ts";
import { forThisTest, next, nextStatus } from "./client/reading.ts";
import { CHANNEL, ScriptedServer } from "./client/scripted-server.ts";

/** Comes back at once. */
const AT_ONCE: ConnectOptions = { random: () => 0 };

const watching = (url: string, options: Partial<WatchOptions> = {}) =>
  forThisTest(watch(url, { channel: CHANNEL, ...AT_ONCE, ...options }));

const withEvent = ({ event }: Watched): boolean => event !== undefined;
const seqsOf = (items: readonly Watched[]) => items.map(({ event }) => event?.seq);

/** A log of twelve events and more: an upgrade with a task that advances. */
function story() {
  const log = testLog();
  log.give({ type: "startUpgrade" });
  log.give({ type: "addTask", taskId: "a", taskName: "A" });
  log.give({ type: "startTask", taskId: "a" });
  for (let percentage = 10; percentage <= 70; percentage += 10) {
    log.give({ type: "updateTaskProgress", taskId: "a", percentage });
  }
  return log;
}

const { events } = story();
const at = (seq: number) => fold(events.slice(0, seq));
const cursorAt = (seq: number) => at(seq).cursor;
const event = (seq: number) => events[seq - 1] as ProgressEvent;

async function take(items: AsyncIterableIterator<Watched, undefined>, count: number): Promise<Watched[]> {
  const found: Watched[] = [];
  while (found.length < count) found.push(await next(items, withEvent));
  return found;
}

const expectFold = ({ state, event: last }: Watched) =>
  expect(canonicalJson(state)).toBe(canonicalJson(at(last?.seq as number)));

test("the present state comes first, then each event with the state that it leads to", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const first = items.next();
  const peer = await server.peer();
  expect((await first).value).toEqual({ state: undefined, cursor: undefined, connection: { status: "connecting" } });
  peer.begin(at(4)).say(event(5), { ...event(6), crc: "01234567" });
  const whole = await nextStatus(items, "live");
  expect(canonicalJson(whole.state)).toBe(canonicalJson(at(4)));
  expect(whole).toMatchObject({ cursor: cursorAt(4) });
  expect(whole).not.toHaveProperty("reset");
  const followed = await take(items, 2);
  expect(followed.map((item) => item.event)).toEqual([event(5), event(6)]);
  followed.forEach(expectFold);
  expect(followed.at(-1)?.cursor).toBe(cursorAt(6));
  expect(peer.url.searchParams.get("channel")).toBe(CHANNEL);
  expect(peer.protocols).toEqual(["milepost.v1"]);
});

test("a server that does not look at the address is asked in a message", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url, { after: cursorAt(4), level: "tasks" });
  const first = take(items, 1);
  const peer = await server.peer();
  peer.welcome(25_000, []);
  expect(await peer.heard()).toMatchObject({ type: "subscribe", channel: CHANNEL, after: cursorAt(4), level: "tasks" });
  peer.subscribed(cursorAt(4), true).say(event(5));
  expect(seqsOf(await first)).toEqual([5]);
});

test("what is known goes on from a state, also from one that was stored as JSON", async () => {
  const server = await ScriptedServer.start();
  const stored = upgradeFromJson(JSON.parse(JSON.stringify(at(4))));
  const items = watching(server.url, { after: stored });
  const followed = take(items, 1);
  const peer = await server.peer();
  expect(peer.after).toBe(cursorAt(4));
  peer.goOn().say(event(5));
  (await followed).forEach(expectFold);
});

test("after a bare cursor events go on, and the state is undefined until the server tells one", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url, { after: cursorAt(4) });
  const followed = take(items, 1);
  const peer = await server.peer();
  peer.goOn().say(event(5));
  expect(await followed).toMatchObject([{ state: undefined, event: event(5), cursor: cursorAt(5) }]);
  peer.snapshot(at(7)).subscribed(cursorAt(7), false).say(event(8));
  expect(await next(items, ({ reset }) => reset === true)).toMatchObject({ cursor: cursorAt(7) });
  (await take(items, 1)).forEach(expectFold);
});

test("a state in parts is shown once it is whole", async () => {
  const log = testLog();
  log.give({ type: "startUpgrade" });
  for (let n = 1; n <= 9; n++) log.give({ type: "addTask", taskId: `task ${n}`, taskName: `Task ${n}` });
  const { tasks: all, ...head } = JSON.parse(JSON.stringify(log.state));
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const first = nextStatus(items, "live");
  const peer = await server.peer();
  const opening = { type: "snapshot", channel: CHANNEL, cursor: log.state.cursor, recovered: false };
  peer.welcome();
  peer.say({ ...opening, part: 1, parts: 3, upgrade: { ...head, tasks: all.slice(0, 4) } });
  peer.say({ ...opening, part: 2, parts: 3, tasks: all.slice(4, 6) });
  peer.say({ ...opening, part: 3, parts: 3, tasks: all.slice(6) });
  peer.subscribed(log.state.cursor, false);
  expect(canonicalJson((await first).state)).toBe(canonicalJson(log.state));
});

test.each([
  ["a part is missing", [1, 3]],
  ["a part comes twice", [1, 2, 2]],
  ["the last part is missing", [1, 2]],
  ["the first part is missing", [2, 3]],
])("a state of which %s is not shown, and asked for again", async (_what, parts) => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const shown = next(items, ({ state }) => state !== undefined);
  const peer = await server.peer();
  const { tasks, ...head } = JSON.parse(JSON.stringify(at(4)));
  const opening = { type: "snapshot", channel: CHANNEL, cursor: cursorAt(4), recovered: false, parts: 3 };
  peer.welcome();
  for (const part of parts)
    peer.say({ ...opening, part, ...(part === 1 ? { upgrade: { ...head, tasks } } : { tasks: [] }) });
  peer.subscribed(cursorAt(4), false);
  (await server.peer()).begin(at(6));
  expect(await shown).toMatchObject({ cursor: cursorAt(6) });
});

test("history that is not continued is said, with the state as it is now", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const shown = next(items, ({ reset }) => reset === true);
  (await server.peer()).begin(at(8)).destroy();
  const peer = await server.peer();
  expect(peer.after).toBe(cursorAt(8));
  peer.begin(at(6));
  const reset = await shown;
  expect([reset.reset, reset.event, reset.cursor]).toEqual([true, undefined, cursorAt(6)]);
  expect(canonicalJson(reset.state)).toBe(canonicalJson(at(6)));
});

/** What a server says in one breath, and may be cut in. */
const CONVERSATION = [
  { type: "welcome", protocol: 1, server: "milepost/test", pingIntervalMs: 25_000, channels: [CHANNEL] },
  { type: "snapshot", channel: CHANNEL, cursor: cursorAt(4), recovered: false, upgrade: at(4) },
  { type: "subscribed", channel: CHANNEL, cursor: cursorAt(4), recovered: false },
  event(5),
  { type: "skipped", channel: CHANNEL, from: cursorAt(5), to: cursorAt(9), reason: "slow" },
  event(7),
  event(9),
  event(10),
];

test.each(
  CONVERSATION.flatMap((_message, count) => [[count, "after a message"] as const, [count, "in mid-frame"] as const]),
)("a connection that is cut behind message %i, %s, is gone on from its last whole place", async (count, how) => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const shown: Watched[] = [];
  const reading = (async () => {
    while (shown.at(-1)?.event?.seq !== 11) shown.push(await next(items, ({ state }) => state !== undefined));
  })();
  const first = await server.peer();
  first.say(...CONVERSATION.slice(0, count));
  if (how === "in mid-frame") await first.cutWithin(CONVERSATION[count] as object);
  else first.destroy();
  const peer = await server.peer();
  // Up to the state there is no place; within the stretch it is the one before it.
  const place = [null, null, null, 4, 5, 5, 5, 9][count] ?? null;
  expect(peer.after).toBe(place === null ? null : cursorAt(place));
  if (place === null) peer.begin(at(4)).say(...events.slice(4, 11));
  else peer.goOn().say(...events.slice(place, 11));
  await reading;
  const told = shown.filter(withEvent);
  const expected = count === 7 ? [5, 9, 10, 11] : [5, 6, 7, 8, 9, 10, 11];
  expect(seqsOf(told)).toEqual(expected);
  told.forEach(expectFold);
  expect(shown.filter(({ reset }) => reset)).toEqual([]);
});

test("[W9] within a stretch nothing is shown; at its end once, with the events that were sent of it", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const followed = take(items, 2);
  const peer = await server.peer();
  peer.begin(at(4));
  peer.say({ type: "skipped", channel: CHANNEL, from: cursorAt(4), to: cursorAt(9), reason: "slow" });
  peer.say(event(6), event(6), event(9), event(10));
  const [stretch, after] = (await followed) as [Watched, Watched];
  expect(stretch).toMatchObject({ event: event(9), conflated: [event(6), event(9)], cursor: cursorAt(9) });
  expectFold(stretch);
  expect(after.event).toEqual(event(10));
  expect(after).not.toHaveProperty("conflated");
});

const other = (seq: number, changes: object) => ({ ...event(seq), ...changes });
const stretch = (from: string, to: string) => ({ type: "skipped", channel: CHANNEL, from, to, reason: "slow" });

test.each([
  ["an event is missing", [event(7)]],
  ["an earlier event comes again", [event(4)]],
  ["another event has the seq of the last one", [other(5, { cursor: "log1.other.5" })]],
  ["an event is of another term that was not opened", [other(6, { cursor: "log1.other.6" })]],
  ["an event is of another log", [other(6, { cursor: "log2.term1.6" })]],
  ["the seq is not that of the cursor", [other(6, { seq: 7 })]],
  ["a cursor is none", [other(6, { cursor: "6" })]],
  ["a stretch begins elsewhere", [stretch(cursorAt(6), cursorAt(9)), event(9)]],
  ["a stretch ends before it begins", [stretch(cursorAt(5), cursorAt(5)), event(9)]],
  ["a stretch is left behind", [stretch(cursorAt(5), cursorAt(9)), event(10)]],
  ["a stretch goes back", [stretch(cursorAt(5), cursorAt(9)), event(7), event(6), event(9)]],
  ["a stretch ends in another term", [stretch(cursorAt(5), cursorAt(9)), other(9, { cursor: "log1.other.9" })]],
  [
    "a stretch begins within one",
    [stretch(cursorAt(5), cursorAt(9)), event(6), stretch(cursorAt(6), cursorAt(10)), event(10)],
  ],
  [
    "the server goes on from another place",
    [{ type: "subscribed", channel: CHANNEL, cursor: cursorAt(7), recovered: true }],
  ],
  [
    "a state is announced that has not come",
    [{ type: "subscribed", channel: CHANNEL, cursor: cursorAt(7), recovered: false }],
  ],
  ["a message is no JSON object", [null]],
])("when %s, nothing is shown of it, and the client goes on from the last good place", async (_what, messages) => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const followed = take(items, 3);
  (await server.peer()).begin(at(4)).say(event(5), ...(messages as object[]));
  const peer = await server.peer();
  expect(peer.after).toBe(cursorAt(5));
  peer.goOn().say(event(6), event(7));
  const told = await followed;
  expect(seqsOf(told)).toEqual([5, 6, 7]);
  told.forEach(expectFold);
});

test("a server that goes on from another place than was asked for is not followed", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url, { after: at(5), level: "tasks" });
  const followed = take(items, 1);
  (await server.peer()).welcome().subscribed(cursorAt(7), true).say(event(8));
  (await server.peer()).goOn().say(event(6));
  expect(seqsOf(await followed)).toEqual([6]);
});

test("what nobody has read yet is not forgotten when the connection changes", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url, { after: at(3) });
  await items.next();
  const peer = await server.peer();
  peer.goOn().say(event(4)).destroy();
  const again = await server.peer();
  again.begin(at(6)).destroy();
  const last = await server.peer();
  last.goOn().say(event(7));
  const unread: Watched[] = [];
  while (unread.at(-1)?.event?.seq !== 7) unread.push((await items.next()).value as Watched);
  const told = unread.filter((item) => item.event !== undefined || item.reset === true);
  expect(told.map((item) => [item.state?.seq, item.event?.seq, item.reset])).toEqual([
    [4, 4, undefined],
    [6, undefined, true],
    [7, 7, undefined],
  ]);
});

test("the last event, when it comes again, is passed over", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const followed = take(items, 2);
  (await server.peer()).begin(at(4)).say(event(5), event(5), event(6));
  expect(seqsOf(await followed)).toEqual([5, 6]);
  expect(server.count).toBe(1);
});

test("a new term is followed when it opens", async () => {
  const log = story().open();
  log.give({ type: "updateTaskProgress", taskId: "a", percentage: 99 });
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const followed = take(items, 2);
  (await server.peer()).begin(at(events.length)).say(...log.events.slice(events.length));
  expect(seqsOf(await followed)).toEqual([12, 13]);
});

test("at level tasks seq only ascends, and the text of logs is left out", async () => {
  const log = story();
  log.give({ type: "appendLog", taskId: "a", text: "said" });
  log.give({ type: "completeTask", taskId: "a" });
  const server = await ScriptedServer.start();
  const items = watching(server.url, { level: "tasks" });
  const followed = take(items, 3);
  const peer = await server.peer();
  expect(peer.url.searchParams.get("level")).toBe("tasks");
  peer.begin(at(4)).say(event(6), event(11), ...log.events.slice(11));
  expect(seqsOf(await followed)).toEqual([6, 11, 13]);
  expect(server.count).toBe(1);
});

test("messages and events that are not known change nothing that they should not", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const followed = take(items, 2);
  const peer = await server.peer();
  peer.begin(at(4)).say({ type: "news" }, { type: "pong" }, { type: "error", code: "INTERNAL", message: "elsewhere" });
  peer.say({ ...event(5), type: "task.invented" }, { ...event(6) });
  expect(seqsOf(await followed)).toEqual([5, 6]);
  expect(server.count).toBe(1);
});

test.each([
  ["Node's own", undefined],
  ["that of the package ws", WsSocket],
])("the WebSocket class may be %s", async (_name, WebSocket) => {
  const server = await ScriptedServer.start();
  const items = watching(server.url.replace("ws:", "http:"), { WebSocket });
  const followed = take(items, 1);
  (await server.peer()).begin(at(4)).say(event(5));
  expect(seqsOf(await followed)).toEqual([5]);
});
