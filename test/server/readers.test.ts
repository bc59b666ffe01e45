import { expect, test } from "vitest";

import type { ErrorCode } from "../../src/errors.ts";
import { MilepostError } from "../../src/errors.ts";
import type { Access } from "../../src/server/access.ts";
import type { Grant } from "../../src/server/auth/grant.ts";
import { Ledger } from "../stream/ledger.ts";
import { frame, handshake, PING, PONG, RawClient } from "../wire/raw-client.ts";
import { served, until, type Served } from "../wire/served.ts";

const MIB = 1024 * 1024;
/** What goes out in one write beyond the window: a batch of the log. */
const ONE_WRITE = 256 * 1024 + 20_000;
const times = { pingIntervalMs: 25_000, pongTimeoutMs: 8_000, stallTimeoutMs: 30_000 };

/** A client whose every message is checked against the truth. */
class Reader {
  readonly ledger: Ledger;
  readonly client: RawClient;

  constructor({ port, kept }: Served, after?: string) {
    this.ledger = new Ledger(kept.facts, after);
    this.client = new RawClient(port);
    this.client.take = (text) => this.ledger.take(text);
    this.client.send(handshake({}, `GET /${after === undefined ? "" : `?after=${after}`} HTTP/1.1`));
  }

  async at(cursor: () => string): Promise<void> {
    await this.client.until(() => this.client.trouble !== undefined || this.ledger.isAt(cursor()), 15_000);
    if (this.client.trouble !== undefined) throw this.client.trouble;
    this.ledger.check();
  }
}

async function readers(at: Served, count: number): Promise<Reader[]> {
  const all = Array.from({ length: count }, () => new Reader(at));
  for (const reader of all) await reader.at(() => at.kept.end);
  return all;
}

/** Publishes some megabytes, in turns; gives the most that waited for one client meanwhile. */
async function publish({ kept, queuedBytes }: Served, megabytes: number): Promise<number> {
  let peak = 0;
  for (let n = 0; n < megabytes * 10; n++) {
    kept.report(10, 10_000);
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    peak = Math.max(peak, queuedBytes());
  }
  return peak;
}

test("W07: ten readers that take nothing change nothing for others, cost a window each, and are cut as slow", async () => {
  const at = await served({ times, closeTimeoutMs: 200 });
  const stalled = await readers(at, 10);
  for (const { client } of stalled) client.stall();
  const readBefore = stalled.map(({ client }) => client.socket.bytesRead);
  const well = await readers(at, 5);
  const peak = await publish(at, 15);
  for (const reader of well) await reader.at(() => at.kept.end);
  for (const { ledger } of well) expect(ledger.counts).toMatchObject({ events: 1_500, skipped: 0, snapshots: 1 });
  // The system holds what this process does not; together they are no more than a window and one write.
  expect(peak).toBeLessThanOrEqual(MIB + ONE_WRITE);
  expect(at.server.clientCount).toBe(15);
  // Not before the time is over.
  at.clock.pass(1_500);
  await new Promise((resolve) => setTimeout(resolve, 600));
  at.clock.pass(times.stallTimeoutMs - 2_000);
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(at.hub.counters.cutSlow).toBe(0);
  at.clock.pass(4_000);
  await until("the stalled ones are cut", () => at.hub.counters.cutSlow === 10);
  await until("and gone", async () => (await at.connections()) === 5);
  expect(at.server.clientCount).toBe(5);
  for (const [index, { client }] of stalled.entries()) {
    client.resume();
    await client.over();
    const bytes = client.socket.bytesRead - (readBefore[index] as number);
    expect(bytes).toBeLessThanOrEqual(MIB + ONE_WRITE);
    expect(client.trouble).toBeUndefined();
  }
  at.kept.report();
  for (const reader of well) await reader.at(() => at.kept.end);
  for (const { client } of [...stalled, ...well]) client.destroy();
});

test("one that is cut and reads again learns why, and may come back", async () => {
  const at = await served({ times, closeTimeoutMs: 10_000 });
  const [reader] = (await readers(at, 1)) as [Reader];
  reader.client.stall();
  await publish(at, 12);
  at.clock.pass(1_500);
  await new Promise((resolve) => setTimeout(resolve, 600));
  at.clock.pass(times.stallTimeoutMs + 1_000);
  await until("cut", () => at.hub.counters.cutSlow === 1);
  reader.client.resume();
  await reader.client.over();
  expect(reader.client.closeCode).toBe(4408);
  expect(reader.client.trouble).toBeUndefined();
  const again = new Reader(at, reader.ledger.cursor);
  await again.at(() => at.kept.end);
  expect(again.ledger.counts).toMatchObject({ recoveries: 1, snapshots: 0 });
  reader.client.destroy();
  again.client.destroy();
});

test("a slow reader is told the stretch by few events, and ends in the exact state", async () => {
  const at = await served({ times });
  const [reader] = (await readers(at, 1)) as [Reader];
  reader.client.stall();
  await publish(at, 20);
  reader.client.resume();
  await reader.at(() => at.kept.end);
  expect(reader.ledger.counts.skipped).toBeGreaterThan(0);
  expect(reader.ledger.counts.events).toBeLessThan(1_900);
  expect(reader.ledger.counts.snapshots).toBe(1);
  reader.client.destroy();
});

test("one that answers pings without reading costs no more than a window", async () => {
  const at = await served({ times });
  const [reader] = (await readers(at, 1)) as [Reader];
  reader.client.stall();
  let peak = 0;
  for (let round = 0; round < 15; round++) {
    peak = Math.max(peak, await publish(at, 1));
    for (let n = 0; n < 2_000; n++) reader.client.send(frame(String(n), { opcode: PONG }));
    at.clock.pass(5_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(peak).toBeLessThanOrEqual(MIB + ONE_WRITE);
  reader.client.destroy();
});

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

test("W09: a peer that has gone without a word is found within the interval and the time for an answer", async () => {
  const at = await served({ times, closeTimeoutMs: 100 });
  const [dead, well] = (await readers(at, 2)) as [Reader, Reader];
  const beat = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 600));
  // All that was sent is answered; then silence.
  at.clock.pass(1_100);
  await beat();
  dead.client.answersPings = false;
  const pings = (): number => dead.client.frames.filter(({ opcode }) => opcode === PING).length;
  const before = pings();
  at.clock.pass(times.pingIntervalMs);
  await beat();
  expect(pings()).toBe(before + 1);
  expect(at.server.clientCount).toBe(2);
  at.clock.pass(times.pongTimeoutMs + 1);
  await until("cut", () => at.hub.counters.cutDead === 1);
  await until("gone", async () => (await at.connections()) === 1);
  at.kept.report();
  await well.at(() => at.kept.end);
  for (const { client } of [dead, well]) client.destroy();
});

test("W10: an idle connection is asked every interval, and stays", async () => {
  const at = await served({ times });
  const [reader] = (await readers(at, 1)) as [Reader];
  const pings = (): number => reader.client.frames.filter(({ opcode }) => opcode === PING).length;
  at.clock.pass(1_100);
  await until("acknowledged", () => pings() >= 1);
  const before = pings();
  for (let n = 1; n <= 8; n++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    at.clock.pass(times.pingIntervalMs);
    await until("asked", () => pings() === before + n);
  }
  expect(at.server.clientCount).toBe(1);
  reader.client.destroy();
});

test("W13: a server that stops tells every client to come back, stalled ones too, and lets go of all sockets", async () => {
  const at = await served({ times, closeTimeoutMs: 300 });
  const all = await readers(at, 60);
  const half = new RawClient(at.port);
  half.send("GET / HTTP/1.1\r\n");
  const [stalled] = (await readers(at, 1)) as [Reader];
  stalled.client.stall();
  await publish(at, 12);
  await Promise.all(all.map((reader) => reader.at(() => at.kept.end)));
  const closing = at.server.close();
  at.kept.report(5);
  // As any client does: it answers with a close of its own.
  await Promise.all(
    all.map(async ({ client }) => {
      await client.until(() => client.closeCode !== undefined);
      client.socket.end(frame(Buffer.from([3, 233]), { opcode: 8 }));
    }),
  );
  await closing;
  expect(all.map(({ client }) => client.closeCode)).toEqual(all.map(() => 1001));
  expect(await at.connections()).toBe(0);
  await until("gone", () => at.server.clientCount === 0);
  for (const { client } of [...all, stalled]) client.destroy();
  half.destroy();
});

test("W14: a flood of subscriptions to ten thousand channels meets the limit, and leaves nothing behind", async () => {
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
  for (let n = 0; n < 10_000; n++) reader.client.say({ type: n % 3 === 2 ? "unsubscribe" : "subscribe", channel: "upgrade:up", after: start });
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

/** Tokens are names; `bad` is none, `old` has expired. */
function scripted(): Access & { revoked: Set<string>; left: number } {
  const grantOf = (subject: string): Grant => ({
    subject,
    permissions: [{ action: "watch", channel: subject === "other" ? "upgrade:another" : "*" }],
    expiresAtMs: Date.parse("2026-03-01T09:00:00.000Z"),
  });
  const access = {
    revoked: new Set<string>(),
    left: 0,
    authenticator: {
      anonymous: undefined,
      authenticate: async (token: string) => grantOf(token),
      isCurrent: ({ subject }: Grant) => !access.revoked.has(subject),
    },
    admit: async () => ({
      grant: undefined,
      leave: () => void (access.left += 1),
      authenticate: async (token: string) => {
        await new Promise(setImmediate);
        const refused = { bad: "UNAUTHENTICATED", old: "TOKEN_EXPIRED", fast: "RATE_LIMITED" } as Record<string, ErrorCode>;
        const code = refused[token];
        if (code !== undefined) throw new MilepostError(code, "no");
        return grantOf(token);
      },
    }),
    mayMessage: () => true,
    chooseProtocol: () => false as const,
  };
  return access;
}

async function arrived(at: Served): Promise<RawClient> {
  const client = new RawClient(at.port);
  client.send(handshake());
  await client.until(() => client.messages.some(({ type }) => type === "welcome"));
  return client;
}

test("W15: what is sent before the credentials is refused, and tells nothing; without any the connection ends in time", async () => {
  const access = scripted();
  const at = await served({ access, authTimeoutMs: 10_000 });
  const client = new RawClient(at.port);
  const say = (message: unknown): Buffer => frame(JSON.stringify(message));
  client.send(
    Buffer.concat([
      Buffer.from(handshake()),
      say({ type: "subscribe", channel: "upgrade:up" }),
      say({ type: "get_summary", channel: "upgrade:up" }),
      say({ type: "subscribe", channel: "upgrade:nowhere" }),
      say({ type: "ping" }),
    ]),
  );
  await client.until(() => client.messages.length >= 5);
  expect(client.messages.map(({ type, code, channels }) => code ?? channels ?? type)).toEqual([
    [],
    "UNAUTHENTICATED",
    "UNAUTHENTICATED",
    "UNAUTHENTICATED",
    "UNAUTHENTICATED",
  ]);
  expect(JSON.stringify(client.messages)).not.toContain("my-cluster");
  at.clock.pass(9_000);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(client.closeCode).toBeUndefined();
  at.clock.pass(1_500);
  await client.until(() => client.closeCode !== undefined);
  expect(client.closeCode).toBe(4501);
  client.destroy();
  await until("left", () => access.left === 1);
});

test("with its token in the first message a client gets what is there; a wrong token ends the connection", async () => {
  const at = await served({ access: scripted() });
  const client = await arrived(at);
  client.say({ type: "authenticate", token: "me", requestId: "r" });
  await client.until(() => client.messages.some(({ type }) => type === "subscribed"));
  expect(client.messages[1]).toMatchObject({ type: "authenticated", subject: "me", channels: ["upgrade:up"], requestId: "r" });
  client.destroy();
  for (const [token, code] of [["bad", 4501], ["old", 4401], ["fast", 4429]] as const) {
    const refused = await arrived(at);
    refused.say({ type: "authenticate", token });
    await refused.until(() => refused.closeCode !== undefined);
    expect(refused.closeCode).toBe(code);
    refused.destroy();
  }
});

test("one who may not see an upgrade is told what one is told of an upgrade that there is not", async () => {
  const at = await served({ access: scripted() });
  const client = await arrived(at);
  client.say({ type: "authenticate", token: "other" });
  await client.until(() => client.messages.length >= 2);
  for (const id of ["up", "nowhere"]) client.say({ type: "subscribe", channel: `upgrade:${id}`, requestId: id });
  await client.until(() => client.messages.length >= 4);
  const answers = client.messages.slice(2).map((answer) => JSON.stringify(answer).replaceAll(new RegExp(`\\b${String(answer["requestId"])}\\b`, "g"), "X"));
  expect(new Set(answers).size).toBe(1);
  client.destroy();
});

test("W17: credentials that end or are renewed while connected", async () => {
  const access = scripted();
  const at = await served({ access });
  const client = await arrived(at);
  const ledger = new Ledger(at.kept.facts);
  client.say({ type: "authenticate", token: "me" });
  await client.until(() => client.messages.some(({ type }) => type === "subscribed"));
  for (const message of client.frames) if (message.opcode === 1 && !message.payload.includes("authenticated")) ledger.take(message.payload.toString());
  client.take = (text) => (text.includes('"authenticated"') ? undefined : ledger.take(text));
  // New ones come before the old ones end: nothing is missed, nothing comes twice.
  at.kept.report(10);
  client.say({ type: "authenticate", token: "me2" });
  at.kept.report(10);
  await client.until(() => ledger.isAt(at.kept.end) || client.trouble !== undefined);
  access.revoked.add("me");
  await new Promise((resolve) => setTimeout(resolve, 400));
  at.kept.report(10);
  await client.until(() => ledger.isAt(at.kept.end) || client.trouble !== undefined);
  expect(client.trouble).toBeUndefined();
  expect(ledger.counts).toMatchObject({ subscribed: 1, events: 30 });
  // Now they end.
  access.revoked.add("me2");
  await client.until(() => client.closeCode !== undefined, 5_000);
  expect(client.closeCode).toBe(4401);
  const again = await arrived(at);
  again.say({ type: "authenticate", token: "me3" });
  at.kept.report(3);
  again.say({ type: "subscribe", channel: "upgrade:up", after: ledger.again() });
  await again.until(() => again.messages.some(({ type }) => type === "subscribed"));
  client.destroy();
  again.destroy();
});

test("one whose admission comes when it has gone is counted out again", async () => {
  const left: number[] = [];
  let admit = (): void => undefined;
  const base = scripted();
  const access: Access = {
    ...base,
    admit: async (request, count) => {
      await new Promise<void>((resolve) => (admit = resolve));
      return { ...(await base.admit(request, count)), leave: () => void left.push(1) };
    },
  };
  const at = await served({ access });
  const client = new RawClient(at.port);
  client.send(handshake());
  await until("it is there", async () => (await at.connections()) === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  client.socket.resetAndDestroy();
  await until("it has gone", async () => (await at.connections()) === 0);
  admit();
  await until("counted out", () => left.length === 1);
});

test("W16: a server that ends in the middle of a large snapshot; the client comes back to the next one, and has it all", async () => {
  const at = await served({ closeTimeoutMs: 50 });
  for (let n = 0; n < 8_000; n++) at.kept.tracker.addTask(`more-${n}`, "x".repeat(900));
  at.kept.tell();
  const reader = new Reader(at);
  await reader.client.until(() => reader.ledger.counts.snapshots >= 2);
  reader.client.stall();
  at.kept.report();
  await at.server.close();
  expect(reader.ledger.counts.subscribed).toBe(0);
  reader.client.destroy();
  const next = await served();
  expect(next.port).not.toBe(at.port);
  const after = await secondServer(at);
  const again = new Reader({ ...at, port: after.port }, reader.ledger.again());
  await again.at(() => at.kept.end);
  expect(again.ledger.state?.tasks.size).toBe(8_005);
  again.client.destroy();
  await after.close();
});

/** Another server of the same hub. */
async function secondServer({ hub }: Served): Promise<{ port: number; close(): Promise<void> }> {
  const { MilepostServer } = await import("../../src/server/server.ts");
  const { loopbackAccess } = await import("../../src/server/access.ts");
  const server = new MilepostServer({ hub, access: loopbackAccess(), port: 0, http: () => () => undefined });
  const { port } = await server.listen();
  return { port, close: () => server.close() };
}
