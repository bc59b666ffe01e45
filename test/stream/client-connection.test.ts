import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { expect, test } from "vitest";

import { MilepostError, watch, type WatchOptions } from "../../src/stream/client.ts";
import { testLog } from "../model/log.ts";
import { forThisTest, manualTimers, nextStatus } from "./client/reading.ts";
import { CHANNEL, ScriptedServer } from "./client/scripted-server.ts";

const log = testLog();
log.give({ type: "startUpgrade" });
const state = log.state;

const watching = (url: string, options: Partial<WatchOptions> = {}) =>
  forThisTest(watch(url, { channel: CHANNEL, random: () => 0, ...options }));

/** Lets what has been sent arrive, with the clock standing still. */
const settled = (items: ReturnType<typeof watching>) => nextStatus(items, "live");

/** Reads to the end; the items' connections, and the error. */
async function untilError(items: ReturnType<typeof watching>) {
  const statuses: string[] = [];
  try {
    for await (const { connection } of items) statuses.push(connection.status);
  } catch (error) {
    return { statuses, error: error as MilepostError };
  }
  throw new Error("it ended without an error");
}

test.each([
  [4501, "UNAUTHENTICATED"],
  [4503, "FORBIDDEN"],
  [4500, "TOO_MANY_MISTAKES"],
  [1009, "TOO_LARGE"],
  [4999, "CLOSED"],
])("close code %i ends the iteration for good, with %s", async (closeCode, code) => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const ended = untilError(items);
  (await server.peer()).begin(state).close(closeCode);
  const { statuses, error } = await ended;
  expect(error).toBeInstanceOf(MilepostError);
  expect([error.code, statuses.at(-1)]).toEqual([code, "closed"]);
  expect(await items.next()).toEqual({ done: true, value: undefined });
  expect(server.count).toBe(1);
});

test.each([1000, 1001, 1011, 4401, 4408, 4429, 4499])("after close code %i the client comes back", async (code) => {
  const server = await ScriptedServer.start();
  const items = watching(server.url, { token: () => "t" });
  const live = nextStatus(items, "live");
  (await server.peer()).begin(state).close(code);
  await live;
  const waiting = nextStatus(items, "waiting");
  const peer = await server.peer();
  expect((await waiting).connection).toMatchObject({ attempt: 1, retryInMs: 0 });
  expect(peer.after).toBe(state.cursor);
});

test("a subscription that is refused for good ends the iteration; one that may succeed later is asked for again", async () => {
  const server = await ScriptedServer.start();
  const ended = untilError(watching(server.url));
  const refusal = { type: "error", channel: CHANNEL, message: "said by the server" };
  (await server.peer()).welcome().say({ ...refusal, code: "STORAGE_DEGRADED" });
  (await server.peer()).welcome().say({ ...refusal, code: "INVENTED_LATER" });
  (await server.peer()).welcome().say({ ...refusal, code: "UNKNOWN_UPGRADE" });
  const { error, statuses } = await ended;
  expect([error.code, error.message]).toEqual(["UNKNOWN_UPGRADE", "said by the server"]);
  expect(statuses.filter((status) => status === "waiting")).toHaveLength(2);
});

test("a server of another protocol is not tried again", async () => {
  const server = await ScriptedServer.start();
  const ended = untilError(watching(server.url));
  (await server.peer()).say({ type: "welcome", protocol: 2 });
  expect((await ended).error.code).toBe("NEWER_FORMAT");
});

test("a token goes into the subprotocol, never into the address; a function is asked anew for each connection", async () => {
  const server = await ScriptedServer.start();
  const tokens = ["first.token", "second-token"];
  const items = watching(server.url, { token: async () => tokens.shift() ?? "none" });
  const live = settled(items);
  const first = await server.peer();
  first.begin(state);
  await live;
  first.close(4401, "TOKEN_EXPIRED");
  void items.next();
  void items.next();
  void items.next();
  const second = await server.peer();
  expect([first, second].map(({ protocols }) => protocols)).toEqual([
    ["milepost.v1", "bearer.first.token"],
    ["milepost.v1", "bearer.second-token"],
  ]);
  expect(second.after).toBe(state.cursor);
  expect([first.url.href, second.url.href].join()).not.toMatch(/token/);
});

test("an expired token that cannot be replaced ends the iteration", async () => {
  const server = await ScriptedServer.start();
  const ended = untilError(watching(server.url, { token: "fixed" }));
  (await server.peer()).begin(state).close(4401);
  expect((await ended).error.code).toBe("TOKEN_EXPIRED");
});

test("a token that is no legal subprotocol is said in a message, before anything else is asked", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url, { token: "with spaces, and commas" });
  const live = settled(items);
  const peer = await server.peer();
  expect(peer.protocols).toEqual(["milepost.v1"]);
  peer.welcome(25_000, []).say({ type: "error", channel: CHANNEL, code: "FORBIDDEN", message: "nobody may" });
  expect(await peer.heard()).toMatchObject({ type: "authenticate", token: "with spaces, and commas" });
  peer.say({ type: "authenticated", subject: "somebody", expiresAt: null, channels: [] });
  expect(await peer.heard()).toMatchObject({ type: "subscribe", channel: CHANNEL });
  peer.snapshot(state).subscribed(state.cursor, false);
  expect((await live).cursor).toBe(state.cursor);
});

test("a handshake that is refused does not say why, so the token is said in a message, which is answered", async () => {
  const server = await ScriptedServer.start({
    refuse: (request) => /bearer/.test(String(request.headers["sec-websocket-protocol"])),
  });
  const ended = untilError(watching(server.url, { token: "wrong" }));
  const peer = await server.peer();
  peer.welcome(25_000, []);
  const { requestId } = await peer.heard();
  peer.say({ type: "error", code: "UNAUTHENTICATED", message: "this token is not known", requestId });
  const { error } = await ended;
  expect([error.code, error.message]).toEqual(["UNAUTHENTICATED", "this token is not known"]);
});

test("a token function that fails is called again; one that gives no text is a mistake", async () => {
  const server = await ScriptedServer.start();
  let calls = 0;
  const items = watching(server.url, {
    token: () => {
      calls += 1;
      if (calls === 1) throw new Error("the issuer is away");
      return "t";
    },
  });
  expect((await nextStatus(items, "waiting")).connection).toMatchObject({ reason: "the issuer is away" });
  void items.next();
  await server.peer();
  const { error } = await untilError(watching(server.url, { token: () => "" }));
  expect(error.code).toBe("INVALID_ARGUMENT");
});

test("waiting times double to a bound, with full jitter, and begin small again after a connection that held", async () => {
  const server = await ScriptedServer.start();
  const clock = manualTimers();
  const items = watching(server.url, { clock, random: () => 0.5, backoff: { minMs: 1_000, maxMs: 5_000 } });
  const waitingMs = async () => {
    const { connection } = await nextStatus(items, "waiting");
    return connection.status === "waiting" ? [connection.attempt, connection.retryInMs] : [];
  };
  const cut = async () => (await server.peer()).destroy();
  const seen: unknown[] = [];
  for (let attempt = 1; attempt <= 5; attempt++) {
    const [waited] = await Promise.all([waitingMs(), cut()]);
    seen.push(waited);
    const connecting = nextStatus(items, "connecting");
    clock.pass(Number(waited[1]));
    await connecting;
  }
  expect(seen).toEqual([
    [1, 500],
    [2, 1_000],
    [3, 2_000],
    [4, 2_500],
    [5, 2_500],
  ]);
  const live = settled(items);
  const peer = await server.peer();
  peer.begin(state);
  await live;
  clock.pass(5_000);
  peer.destroy();
  expect(await waitingMs()).toEqual([1, 500]);
});

test("a server that cannot be reached is tried again, and the reason is said", async () => {
  const free = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => free.once("listening", resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const items = watching(`ws://127.0.0.1:${port}`);
  expect((await nextStatus(items, "waiting")).connection).toMatchObject({
    attempt: 1,
    reason: expect.stringContaining("could not be reached"),
  });
  const server = await ScriptedServer.start({ port });
  const live = settled(items);
  (await server.peer()).begin(state);
  await live;
});

test("a quiet connection is asked, one that does not answer is said to be stale, and then replaced", async () => {
  const server = await ScriptedServer.start();
  const clock = manualTimers();
  const items = watching(server.url, { clock });
  const live = settled(items);
  const peer = await server.peer();
  peer.begin(state);
  await live;
  const lastHeard = clock.now();
  clock.pass(25_000);
  expect(await peer.heard()).toEqual({ type: "ping" });
  clock.pass(8_000);
  const stale = await nextStatus(items, "stale");
  expect(stale.state?.cursor).toBe(state.cursor);
  expect(stale.connection).toEqual({ status: "stale", sinceMs: lastHeard });
  peer.say({ type: "pong" });
  expect((await settled(items)).cursor).toBe(state.cursor);
  clock.pass(25_000);
  await peer.heard();
  clock.pass(33_000);
  expect((await nextStatus(items, "waiting")).connection).toMatchObject({ reason: "nothing was heard for 58 s" });
  expect(await peer.closed).toBe(1005);
});

test("a server that says nothing at first is not waited for longer than ten seconds", async () => {
  const server = await ScriptedServer.start();
  const clock = manualTimers();
  const items = watching(server.url, { clock });
  await nextStatus(items, "connecting");
  await server.peer();
  const waiting = nextStatus(items, "waiting");
  clock.pass(9_999);
  expect(clock.pending).toBe(1);
  clock.pass(1);
  expect((await waiting).connection).toMatchObject({ reason: "nothing was heard for 10 s" });
});

test("what is no Milepost server is said to be none, and tried again", async () => {
  const server = await ScriptedServer.start();
  const items = watching(server.url);
  const waiting = nextStatus(items, "waiting");
  (await server.peer()).say({ type: "hello" });
  expect((await waiting).connection).toMatchObject({ reason: expect.stringContaining("no welcome") });
});
