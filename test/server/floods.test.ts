import { expect, test } from "vitest";

import { frame, PING, RawClient } from "../wire/raw-client.ts";
import { served, until } from "../wire/served.ts";
import { MIB, Reader, readers } from "./checked-readers.ts";

const times = { pingIntervalMs: 25_000, pongTimeoutMs: 8_000, stallTimeoutMs: 30_000 };

test.each([
  ["pings", frame("x".repeat(125), { opcode: PING })],
  ["messages", frame(JSON.stringify({ type: "ping", requestId: "x".repeat(250) }))],
  ["questions for a summary", frame('{"type":"get_summary"}')],
  ["subscriptions", frame('{"type":"subscribe","channel":"upgrade:up"}')],
])("a flood of %s by one that does not read costs no more than a few windows", async (_name, bytes) => {
  const at = await served({ times });
  for (let n = 0; n < 300; n++) at.kept.tracker.addTask(`more-${n}`, "x".repeat(900));
  at.kept.tell();
  const [reader, well] = (await readers(at, 2)) as [Reader, Reader];
  reader.client.stall();
  const chunk = Buffer.concat(Array.from({ length: 2_000 }, () => bytes));
  let peak = 0;
  // Some forty megabytes of answers, if nobody minded.
  for (let n = 0; n < 150 && !reader.client.isOver; n++) {
    if (reader.client.socket.writableLength < MIB) reader.client.send(chunk);
    await new Promise(setImmediate);
    peak = Math.max(peak, at.queuedBytes());
  }
  expect(peak).toBeLessThanOrEqual(4 * MIB);
  at.kept.report();
  await well.at(() => at.kept.end);
  reader.client.destroy();
  well.client.destroy();
});

test("one that rests from reading is heard again when it reads again", async () => {
  const at = await served({ times });
  const [reader] = (await readers(at, 1)) as [Reader];
  let pongs = 0;
  reader.client.take = () => void (pongs += 1);
  for (let round = 1; round <= 3; round++) {
    reader.client.stall();
    const bytes = frame(JSON.stringify({ type: "ping", requestId: "x".repeat(250) }));
    reader.client.send(Buffer.concat(Array.from({ length: 40_000 }, () => bytes)));
    await until("the server rests", () => at.queuedBytes() > MIB - 1_000 || pongs > 0);
    reader.client.resume();
    await reader.client.until(() => pongs === round * 40_000, 15_000);
  }
  reader.client.destroy();
});

test("[W6, W11] W14: a flood of subscriptions to ten thousand channels meets the limit, and leaves nothing behind", async () => {
  const at = await served({ idleMs: 0 });
  const client = await RawClient.open(at.port);
  const answers = (): number => client.messages.filter(({ type }) => type === "error" || type === "subscribed").length;
  for (let n = 0; n < 10_000; n++) client.say({ type: "subscribe", channel: `upgrade:nowhere-${n}` });
  await client.until(() => client.closeCode !== undefined);
  expect(client.closeCode).toBe(4500);
  const codes = new Set(client.messages.flatMap(({ code }) => code ?? []));
  expect(codes).toEqual(new Set(["LIMIT_REACHED", "UNKNOWN_UPGRADE"].filter((code) => codes.has(code))));
  expect(codes.has("LIMIT_REACHED")).toBe(true);
  expect(answers()).toBeLessThan(200);
  client.destroy();
  await until("gone", () => at.server.clientCount === 0);
  at.clock.pass(1);
  await at.hub.look();
  expect(at.counts.watchers).toBe(0);
});

test("W14: subscribing to the same channel again and again is one subscription, from the last place asked for", async () => {
  const at = await served({ idleMs: 0 });
  const reader = new Reader(at);
  await reader.at(() => at.kept.end);
  const start = at.kept.end;
  at.kept.report(50);
  await reader.at(() => at.kept.end);
  reader.client.take = undefined;
  for (let n = 0; n < 10_000; n++)
    reader.client.say({ type: n % 3 === 2 ? "unsubscribe" : "subscribe", channel: "upgrade:up", after: start });
  reader.client.say({ type: "subscribe", channel: "upgrade:up", after: start, requestId: "last" });
  await reader.client.until(() => reader.client.messages.some(({ requestId }) => requestId === "last"));
  const index = reader.client.messages.findIndex(({ requestId }) => requestId === "last");
  at.kept.report(5);
  await reader.client.until(() => reader.client.messages.length - index >= 56);
  const behind = reader.client.messages.slice(index + 1).map(({ seq }) => seq as number);
  expect(behind).toEqual(behind.map((_seq, n) => (behind[0] as number) + n));
  expect(behind).toHaveLength(55);
  reader.client.destroy();
  await until("gone", () => at.server.clientCount === 0);
  at.clock.pass(1);
  for (let n = 0; n < 10; n++) await new Promise(setImmediate);
  await at.hub.look();
  expect(at.counts.watchers).toBe(0);
});

test("unsubscribed is unsubscribed: nothing of that channel comes behind it", async () => {
  const at = await served();
  for (let round = 0; round < 50; round++) {
    const client = await RawClient.open(at.port);
    at.kept.report(20);
    for (let n = 0; n < round % 5; n++) await new Promise(setImmediate);
    client.say({ type: "unsubscribe", channel: "upgrade:up" });
    for (let n = 0; n < 10; n++) {
      at.kept.report();
      await new Promise(setImmediate);
    }
    client.say({ type: "ping", requestId: "end" });
    await client.until(() => client.messages.some(({ requestId }) => requestId === "end"));
    const types = client.messages.map(({ type }) => type);
    expect(types.slice(types.indexOf("unsubscribed") + 1)).toEqual(["pong"]);
    client.destroy();
  }
});
