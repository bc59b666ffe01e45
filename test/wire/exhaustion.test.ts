import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { CLOSE, closeFrame, CONTINUATION, frame, handshake, PING, RawClient, TEXT } from "./raw-client.ts";
import { startServed, until, type Served } from "./served.ts";

const MIB = 1024 * 1024;

let at: Served;
let witness: RawClient;

beforeAll(async () => {
  at = await startServed({ closeTimeoutMs: 300 });
  witness = await RawClient.open(at.port);
});

afterAll(async () => {
  witness.destroy();
  await at.close();
});

/** Whatever was tried, the other client gets its events. */
afterEach(async () => {
  const seen = witness.frames.length;
  at.kept.report();
  await witness.until(() => witness.frames.length > seen);
  await until("only the witness is left", async () => at.server.clientCount === 1 && (await at.connections()) === 1);
  expect(at.errors).toEqual([]);
});

/** By how many bytes the process is larger afterwards than before, garbage not counted. */
async function growth(act: () => Promise<void>): Promise<number> {
  const used = (): number => {
    globalThis.gc?.();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return heapUsed + external + arrayBuffers;
  };
  const before = used();
  await act();
  return used() - before;
}

/** Sends chunk after chunk until the server has had enough. */
async function pour(client: RawClient, chunk: Buffer, times: number): Promise<void> {
  for (let n = 0; n < times && client.closeCode === undefined && !client.isOver; n++) {
    if (!client.socket.write(chunk)) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test("[W11] X06: a GiB that is declared is refused by its declaration; nothing is kept for it", async () => {
  const clients: RawClient[] = [];
  const grown = await growth(async () => {
    for (let n = 0; n < 20; n++) {
      const client = await RawClient.open(at.port);
      client.send(frame("x", { declaredLength: 1024 * MIB }));
      await client.until(() => client.closeCode !== undefined);
      expect(client.closeCode).toBe(1009);
      clients.push(client);
    }
  });
  expect(grown).toBeLessThan(8 * MIB);
  for (const client of clients) client.destroy();
});

test("X06: fragments that together are too much are refused when they are", async () => {
  const client = await RawClient.open(at.port);
  client.send(frame("x", { isFinal: false }));
  await pour(client, frame(Buffer.alloc(1_000, "x"), { opcode: CONTINUATION, isFinal: false }), 1_000);
  await client.until(() => client.closeCode !== undefined);
  expect(client.closeCode).toBe(1009);
  client.destroy();
});

test("X06: compression is never agreed to, so no small frame becomes a large message", async () => {
  const client = new RawClient(at.port);
  client.send(handshake({ "Sec-WebSocket-Extensions": "permessage-deflate; server_no_context_takeover" }));
  await client.until(() => client.status !== undefined);
  expect(client.answer.toLowerCase()).not.toContain("sec-websocket-extensions");
  await client.until(() => client.messages.length >= 3);
  client.send(frame(Buffer.alloc(60, 1), { rsv: 4 }));
  await client.until(() => client.closeCode !== undefined);
  expect(client.closeCode).toBe(1002);
  client.destroy();
});

test.each([
  ["empty", ""],
  ["of one byte", "x"],
])("X24: a million fragments, %s, are cut at the limit", async (_name, payload) => {
  const client = await RawClient.open(at.port);
  const chunk = Buffer.concat(
    Array.from({ length: 1_000 }, () => frame(payload, { opcode: CONTINUATION, isFinal: false })),
  );
  const grown = await growth(async () => {
    client.send(frame(payload, { isFinal: false }));
    await pour(client, chunk, 1_000);
    await client.until(() => client.closeCode !== undefined);
  });
  expect(client.closeCode).toBe(1008);
  expect(grown).toBeLessThan(16 * MIB);
  client.destroy();
});

test("X22: thousands of headers on a handshake are refused, 2,001 and 5,000", async () => {
  for (const count of [2_001, 5_000]) {
    const client = new RawClient(at.port);
    client.send(handshake(Object.fromEntries(Array.from({ length: count }, (_unused, n) => [`h${n}`, "x"]))));
    await client.until(() => client.status !== undefined);
    expect([400, 431]).toContain(client.status);
    client.destroy();
  }
});

test("a hundred handshakes that are never finished hold nobody up", async () => {
  const half = Array.from({ length: 100 }, () => new RawClient(at.port));
  for (const client of half) client.send(handshake().slice(0, -4));
  const client = await RawClient.open(at.port);
  client.destroy();
  for (const one of half) one.destroy();
});

test("X28: JSON that is deep or has many keys is refused as a message, and costs next to nothing", async () => {
  const client = await RawClient.open(at.port);
  const keys = Array.from({ length: 5_000 }, (_unused, n) => `"k${n}":1`).join(",");
  const texts = ["[".repeat(60_000), `{"type":"ping",${keys}}`, `{"type":"ping","requestId":${"9".repeat(60_000)}}`];
  const before = client.messages.length;
  for (const text of texts) client.send(frame(text));
  await client.until(() => client.messages.length >= before + texts.length);
  expect(client.messages.slice(before).map(({ type }) => type)).toEqual(["error", "error", "error"]);
  client.destroy();
});

const conversation = Buffer.concat([
  frame(JSON.stringify({ type: "ping", requestId: "é🚀" })),
  frame("12", { opcode: PING }),
  frame(JSON.stringify({ type: "unsubscribe", channel: "upgrade:up", requestId: "u" })),
  frame('{"type":', { isFinal: false }),
  frame("between", { opcode: PING }),
  frame('"ping"}', { opcode: CONTINUATION }),
  frame("no JSON"),
  frame(JSON.stringify({ type: "ping", requestId: "x".repeat(200) })),
  closeFrame(1000, "done"),
]);

/** What a client that only connects, and then says all this, is told. */
function told(client: RawClient): string[] {
  return client.frames
    .filter(({ opcode }) => opcode !== PING)
    .map(({ opcode, payload }) => `${opcode} ${payload.toString("latin1")}`);
}

async function said(parts: readonly Buffer[]): Promise<string[]> {
  const client = new RawClient(at.port);
  client.socket.setNoDelay(true);
  for (const part of parts) {
    client.send(part);
    // Apart from each other on their way, so that they come apart.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  }
  await client.until(() => client.closeCode !== undefined);
  client.destroy();
  return told(client);
}

test("W34: a conversation cut in two at any place, and byte by byte, is the same conversation", async () => {
  const open = Buffer.from(handshake());
  const client = await RawClient.open(at.port);
  client.send(conversation);
  await client.until(() => client.closeCode !== undefined);
  client.destroy();
  const whole = told(client);
  expect(whole.at(-1)?.startsWith(`${CLOSE} `)).toBe(true);
  expect(whole.filter((line) => line.startsWith(`${TEXT} `))).toHaveLength(8);
  for (let cut = 1; cut < conversation.length; cut++) {
    const one = await RawClient.open(at.port);
    one.socket.setNoDelay(true);
    one.send(conversation.subarray(0, cut));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    one.send(conversation.subarray(cut));
    await one.until(() => one.closeCode !== undefined);
    expect(told(one), `cut at ${cut}`).toEqual(whole);
    one.destroy();
  }
  // The handshake too, which is before all this.
  const bytes = Buffer.concat([open, frame("", { opcode: PING }), closeFrame(1000)]);
  const apart = await said([...bytes].map((byte) => Buffer.from([byte])));
  expect(apart.at(-1)).toBe(`${CLOSE} \x03\xe8`);
  for (let cut = 1; cut < open.length; cut += 7) {
    const frames = await said([bytes.subarray(0, cut), bytes.subarray(cut)]);
    expect(frames.at(-1)).toBe(`${CLOSE} \x03\xe8`);
  }
});
