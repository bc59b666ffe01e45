import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { watch, type ClientSocket, type WatchOptions } from "../../src/stream/client.ts";
import { fold, testLog } from "../model/log.ts";
import { forThisTest, manualTimers, next, nextStatus } from "./client/reading.ts";
import { CHANNEL, ScriptedServer } from "./client/scripted-server.ts";

const log = testLog();
log.give({ type: "startUpgrade" });
const state = log.state;

const watching = (url: string, options: Partial<WatchOptions> = {}) =>
  forThisTest(watch(url, { channel: CHANNEL, random: () => 0, ...options }));

test("leaving the loop closes the connection at once and leaves no timer", async () => {
  const server = await ScriptedServer.start();
  const clock = manualTimers();
  let peer: Awaited<ReturnType<ScriptedServer["peer"]>> | undefined;
  void server.peer().then((found) => {
    peer = found;
    found.begin(state);
  });
  for await (const { connection } of watch(server.url, { channel: CHANNEL, clock })) {
    if (connection.status === "live") break;
  }
  expect(await peer?.closed).toBe(1005);
  expect(clock.pending).toBe(0);
});

test.each(["while it connects", "while it is live", "while it waits for the next attempt"])(
  "a signal ends it without an error, %s, and so does return()",
  async (when) => {
    for (const how of ["signal", "return"]) {
      const server = await ScriptedServer.start();
      const clock = manualTimers();
      const controller = new AbortController();
      const items = watching(server.url, { clock, random: () => 1, signal: controller.signal });
      await items.next();
      const peer = await server.peer();
      if (when !== "while it connects") {
        const live = nextStatus(items, "live");
        peer.begin(state);
        await live;
      }
      if (when === "while it waits for the next attempt") {
        peer.destroy();
        await nextStatus(items, "waiting");
      }
      const pending = items.next();
      if (how === "signal") controller.abort();
      else await items.return?.();
      expect(await pending).toEqual({ done: true, value: undefined });
      expect(await items.next()).toEqual({ done: true, value: undefined });
      await peer.closed;
      expect([clock.pending, server.count]).toEqual([0, 1]);
    }
  },
);

test("a signal that has aborted before connects to nothing", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url, { signal: AbortSignal.abort() });
  expect(await items.next()).toEqual({ done: true, value: undefined });
  expect(server.count).toBe(0);
});

test("nothing is connected to before the first item is asked for", async () => {
  const made: string[] = [];
  class Never implements ClientSocket {
    constructor(url: string) {
      made.push(url);
    }
    send(): void {}
    close(): void {}
    addEventListener(): void {}
  }
  const items = watch("ws://server/ws?x=1#part", { channel: CHANNEL, WebSocket: Never });
  expect(made).toEqual([]);
  await items.next();
  void items.next();
  await new Promise((resolve) => setImmediate(resolve));
  expect(made).toEqual(["ws://server/ws?x=1&channel=upgrade%3Aupgrade-123"]);
  await items.return?.();
});

test("a reader slower than the events holds up the connection, and gets every event", async () => {
  const long = testLog();
  long.give({ type: "startUpgrade" });
  long.give({ type: "addTask", taskId: "a", taskName: "A" });
  const start = long.events.length;
  for (let n = 0; n < 25_000; n++) long.give({ type: "updateTaskProgress", taskId: "a", percentage: n % 100 });
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  await items.next();
  const first = await server.peer();
  first.begin(fold(long.events.slice(0, start))).say(...long.events.slice(start));
  // Nobody reads: the client gives up the connection by itself.
  await first.closed;
  const seqs: number[] = [];
  const reading = (async () => {
    while (seqs.at(-1) !== long.events.length) {
      const item = await next(items, ({ event }) => event !== undefined);
      seqs.push(item.event?.seq as number);
    }
  })();
  const peer = await server.peer();
  expect(seqs.length).toBeGreaterThan(9_000);
  expect(seqs.length).toBeLessThan(10_001);
  expect(peer.after).toBe(long.events[(seqs.at(-1) as number) - 1]?.cursor);
  peer.goOn().say(...long.events.slice(seqs.at(-1)));
  await reading;
  expect(seqs).toEqual(long.events.slice(start).map(({ seq }) => seq));
});

test.each([
  ["an upgrade's channel is needed", () => watch("ws://server", { channel: "fleet" })],
  ["a channel is malformed", () => watch("ws://server", { channel: "upgrade-123" })],
  ["a cursor is none", () => watch("ws://server", { channel: CHANNEL, after: "7" })],
  ["a level is none of an upgrade's", () => watch("ws://server", { channel: CHANNEL, level: "summary" as "logs" })],
  ["an address is none", () => watch("localhost:8765", { channel: CHANNEL })],
  ["an address holds a password", () => watch("ws://user:secret@server", { channel: CHANNEL })],
  ["waiting times are none", () => watch("ws://server", { channel: CHANNEL, backoff: { minMs: Number.NaN } })],
  ["waiting times contradict", () => watch("ws://server", { channel: CHANNEL, backoff: { minMs: 30_000 } })],
])("when %s, watch throws at once, and shows no secret", (_what, call) => {
  expect(call).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  expect(call).not.toThrow(/secret/);
});

test.each(["return", "break"])("a process ends by itself after %s", async (how) => {
  const server = await ScriptedServer.start();
  void server.peer().then((peer) => peer.begin(state));
  const script = `
    import { watch } from "milepost/client";
    const items = watch(${JSON.stringify(server.url)}, { channel: ${JSON.stringify(CHANNEL)} });
    for await (const { connection } of items) if (connection.status === "live") ${how === "break" ? "break" : "{ await items.return(); }"}
    process.stdout.write("left");
  `;
  const node = promisify(execFile);
  const { stdout } = await node(process.execPath, ["--input-type=module", "--eval", script], { timeout: 15_000 });
  expect(stdout).toBe("left");
});
