import { Duplex } from "node:stream";

import { expect, test } from "vitest";

import { WebSocketLink } from "../../src/server/websocket-link.ts";
import { newCounters } from "../../src/stream/counters.ts";
import { WINDOW_BYTES } from "../../src/stream/link.ts";
import { manualClock } from "../manual-clock.ts";

const KIB = 1024;
const times = { pingIntervalMs: 25_000, pongTimeoutMs: 8_000, stallTimeoutMs: 30_000 };

/** A link, what went out on it, and the hand of the system that takes it. */
function linked({ takes = true } = {}) {
  const clock = manualClock();
  const counters = newCounters();
  const pings: string[] = [];
  const closed: string[] = [];
  let take: (() => void) | undefined;
  const socket = new Duplex({
    highWaterMark: 16 * KIB,
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      if (chunk[0] === 0x89) pings.push(chunk.toString("latin1", 2));
      if (takes) done();
      else take = done;
    },
  });
  const link = new WebSocketLink(socket, { times, counters, clock }, { close: (code) => void closed.push(code) });
  const write = (bytes: number): void => link.write(Buffer.alloc(bytes, 0x81), 1);
  return {
    clock,
    counters,
    pings,
    closed,
    socket,
    link,
    write,
    takeOne: () => take?.(),
    tick: () => link.tick(clock.monotonic()),
  };
}

test("[W5] asks behind every 256 KiB, with the number of messages so far, and is full at a window that nobody has acknowledged", () => {
  const { link, write, pings } = linked();
  for (let n = 1; n <= 15; n++) write(64 * KIB);
  expect(pings).toEqual(["4", "8", "12"]);
  expect(link.canTake).toBe(true);
  write(64 * KIB);
  expect(pings).toEqual(["4", "8", "12", "16"]);
  expect(link.canTake).toBe(false);
});

test("an answer acknowledges what was sent before its question, and no more", async () => {
  const { link, write } = linked();
  for (let n = 1; n <= 16; n++) write(64 * KIB);
  let isReady = false;
  const ready = link.ready().then(() => (isReady = true));
  await Promise.resolve();
  expect(isReady).toBe(false);
  link.pong("8");
  await ready;
  // Half of the window.
  for (let n = 1; n <= 8; n++) {
    expect(link.canTake).toBe(true);
    write(64 * KIB);
  }
  expect(link.canTake).toBe(false);
});

test("[W5] what was never asked is no answer: no number ahead, none twice, no other text", () => {
  const { link, write } = linked();
  for (let n = 1; n <= 16; n++) write(64 * KIB);
  for (const text of ["", "0", "1", "3", "5", "17", "99999", "4 ", "04", "x"]) link.pong(text);
  expect(link.canTake).toBe(false);
  link.pong("4");
  expect(link.canTake).toBe(true);
  for (let n = 1; n <= 4; n++) write(64 * KIB);
  link.pong("4");
  expect(link.canTake).toBe(false);
});

test("a peer that answers and takes nothing is bounded by what waits in this process", () => {
  const { link, write, pings } = linked({ takes: false });
  for (let n = 0; n < 100 && link.canTake; n++) {
    write(64 * KIB);
    for (let seq = 0; seq <= 200; seq++) link.pong(String(seq));
  }
  expect(link.canTake).toBe(false);
  expect(link.isFull).toBe(true);
  expect(pings.length).toBeLessThanOrEqual(1);
});

test("asks after a second for what is not acknowledged, and after the interval of silence; not in between", () => {
  const { clock, write, tick, pings, link } = linked();
  write(10);
  clock.pass(999);
  tick();
  expect(pings).toEqual([]);
  clock.pass(1);
  tick();
  expect(pings).toEqual(["1"]);
  link.pong("1");
  for (let n = 0; n < 24; n++) {
    clock.pass(1_000);
    tick();
  }
  expect(pings).toEqual(["1"]);
  clock.pass(1_000);
  tick();
  expect(pings).toEqual(["1", "1"]);
});

test("gives up on one that takes nothing, and sooner on one that only does not answer", () => {
  const slow = linked();
  slow.write(WINDOW_BYTES);
  slow.clock.pass(times.stallTimeoutMs);
  slow.tick();
  expect(slow.closed).toEqual([]);
  slow.clock.pass(1);
  slow.tick();
  expect(slow.closed).toEqual(["TOO_SLOW"]);
  expect(slow.counters).toMatchObject({ cutSlow: 1, cutDead: 0 });

  const dead = linked();
  dead.clock.pass(times.pingIntervalMs);
  dead.tick();
  dead.clock.pass(times.pongTimeoutMs);
  dead.tick();
  expect(dead.closed).toEqual([]);
  dead.clock.pass(1);
  dead.tick();
  expect(dead.closed).toEqual(["TOO_SLOW"]);
  expect(dead.counters).toMatchObject({ cutSlow: 0, cutDead: 1 });
});

test("one that takes a little again and again is not given up", () => {
  const { write, tick, clock, link, closed } = linked();
  for (let n = 1; n <= 16; n++) write(64 * KIB);
  for (let messages = 4; messages <= 80; messages += 4) {
    clock.pass(20_000);
    tick();
    link.pong(String(messages));
    for (let n = 0; n < 4; n++) write(64 * KIB);
  }
  expect(closed).toEqual([]);
});

test("closed, it lets all who wait go, and says nothing more", async () => {
  const { link, write, socket, tick, clock, closed } = linked();
  write(WINDOW_BYTES);
  const ready = link.ready();
  link.close();
  await ready;
  const { writableLength } = socket;
  write(100);
  clock.pass(1e9);
  tick();
  expect(socket.writableLength).toBe(writableLength);
  expect(closed).toEqual([]);
  expect([link.isOpen, link.canTake]).toEqual([false, false]);
});

test("those who wait for the system to take what waits are let go when it has, and when the connection goes", async () => {
  for (const goes of [false, true]) {
    const { link, write, socket, takeOne } = linked({ takes: false });
    write(WINDOW_BYTES);
    const emptied = link.emptied();
    if (goes) socket.destroy();
    else {
      takeOne();
      takeOne();
    }
    await emptied;
    expect([socket.listenerCount("drain"), socket.listenerCount("close")]).toEqual([0, 0]);
  }
});
