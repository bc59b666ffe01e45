import type { Writable } from "node:stream";

import { expect, test } from "vitest";
import * as ws from "ws";

import { formatCursor } from "../../src/model/cursor.ts";
import { LineEncoder } from "../../src/storage/line.ts";
import { cursorOf, pingFrame, sseEncoding, typeOf, webSocketEncoding } from "../../src/stream/encoding.ts";
import type { ServerMessage } from "../../src/stream/protocol.ts";

/** How `ws` reads what a server sends; its types do not have it. */
const { Receiver } = ws as unknown as { readonly Receiver: new (options: { isServer: boolean }) => Writable };

/** What a WebSocket client makes of bytes: messages as text, pings as `ping:<payload>`. */
async function received(bytes: Buffer): Promise<string[]> {
  const receiver = new Receiver({ isServer: false });
  const messages: string[] = [];
  receiver.on("message", (data: Buffer, isBinary: boolean) => messages.push(isBinary ? "binary" : data.toString()));
  receiver.on("ping", (data: Buffer) => messages.push(`ping:${data.toString()}`));
  await new Promise<void>((resolve, reject) => {
    receiver.on("error", reject);
    receiver.end(bytes, resolve);
  });
  return messages;
}

test.each([
  [0, 2],
  [1, 2],
  [125, 2],
  [126, 4],
  [127, 4],
  [65_535, 4],
  [65_536, 10],
  [65_537, 10],
  [1_000_000, 10],
])("a text of %i bytes gets a header of %i, and any WebSocket client reads it back", async (length, headerBytes) => {
  const text = Buffer.alloc(length, "x");
  const size = webSocketEncoding.size(length, 0);
  expect(size).toBe(headerBytes + length);
  // Behind and in front of it nothing may be touched.
  const target = Buffer.alloc(size + 8, 0xee);
  expect(webSocketEncoding.write(target, 4, text)).toBe(4 + size);
  expect([target.readUInt32BE(0), target.readUInt32BE(4 + size)]).toEqual([0xeeeeeeee, 0xeeeeeeee]);
  expect(await received(target.subarray(4, 4 + size))).toEqual([text.toString()]);
});

test("a length beyond 32 bits is written in both halves", () => {
  const length = 2 ** 32 + 5;
  expect(webSocketEncoding.size(length, 0)).toBe(length + 10);
});

test("a message is counted in bytes, not in characters", async () => {
  const message: ServerMessage = { type: "error", code: "INTERNAL", message: "é🚀".repeat(40) };
  expect(await received(webSocketEncoding.message(message))).toEqual([JSON.stringify(message)]);
});

test("a ping carries its text", async () => {
  expect(await received(pingFrame("12345"))).toEqual(["ping:12345"]);
  expect(pingFrame("")).toEqual(Buffer.from([0x89, 0]));
});

const cursor = formatCursor({ logId: "log1", term: "t1", seq: 7 });
function line(fields: object): Buffer {
  return new LineEncoder().encode(JSON.stringify({ seq: 7, cursor, ms: 1, id: "i", ...fields })).subarray(0, -1);
}

test("an event for SSE is its cursor as id, its text as data, and an empty line; nothing more, nothing less", () => {
  const text = line({ type: "log.appended", text: 'ends\nhere\r\n\n\u2028 "id: x"' });
  const size = sseEncoding.size(text.length, cursor.length);
  const target = Buffer.alloc(size + 4, 0xee);
  expect(sseEncoding.write(target, 0, text)).toBe(size);
  expect(target.subarray(0, size).toString()).toBe(`id: ${cursor}\ndata: ${text.toString()}\n\n`);
  expect(target.readUInt32BE(size)).toBe(0xeeeeeeee);
  // One field of data and one id, whatever the text says: its line breaks are escaped.
  expect(
    target
      .subarray(0, size)
      .toString()
      .split(/\r\n|\r|\n/),
  ).toHaveLength(4);
});

test("a message for SSE is a named event; only a snapshot moves the reader's last id", () => {
  const pong = sseEncoding.message({ type: "pong" }).toString();
  expect(pong).toBe('event: pong\ndata: {"type":"pong"}\n\n');
  const skipped = { type: "skipped", channel: "upgrade:u", from: "a.b.1", to: "a.b.9", reason: "slow" } as const;
  expect(sseEncoding.message(skipped).toString()).not.toMatch(/^id:/m);
  expect(sseEncoding.text("snapshot", cursor, "{}").toString()).toBe(`event: snapshot\nid: ${cursor}\ndata: {}\n\n`);
});

test.each([
  ["plain", { type: "task.progressed", taskId: "a" }],
  ["a text that looks like a type", { type: "log.appended", text: '"type":"task.completed","cursor":"x.y.1"' }],
  ["an id that looks like one", { id: '","type":"x","cursor":"z', type: "task.heartbeat" }],
])("cursor and type are read from the text: %s", (_name, fields) => {
  const text = line(fields);
  expect(cursorOf(text)).toBe(cursor);
  expect(typeOf(text)).toBe(fields.type);
});
