import { expect, test } from "vitest";

import { Block, blockOf, isOfLevel, piece } from "../../src/stream/block.ts";
import { roomToFrame, sseEncoding, webSocketEncoding } from "../../src/stream/encoding.ts";
import { batch, eventText, framedTexts, range, seqsIn } from "./recorded-log.ts";

const logs = { encoding: webSocketEncoding, level: "logs" } as const;

test("holds the events it was given, each as it stands in the log", () => {
  const block = blockOf(batch(5, 9));
  expect([block.firstSeq, block.lastSeq]).toEqual([5, 9]);
  expect([4, 5, 9, 10].map((seq) => block.has(seq))).toEqual([false, true, true, false]);
  for (const seq of range(5, 9)) expect(block.text(seq)).toEqual(eventText(seq));
  expect(framedTexts(block.encoded(webSocketEncoding, 6, 8))).toEqual(
    range(6, 8).map((seq) => eventText(seq).toString()),
  );
});

test("reads texts of every size of frame back", () => {
  const sizes = [0, 20, 40, 126, 65_400, 65_536, 70_000, 200_000];
  const block = new Block(1);
  const texts = sizes.map((extra, index) => eventText(index + 1, { extra }));
  for (const text of texts) block.add(text);
  texts.forEach((text, index) => expect(block.text(index + 1).equals(text)).toBe(true));
});

/** Lines of every size of frame, one behind the other as they were read into a memory with `room` before them. */
function readBehind(room: number) {
  const texts = [0, 0, 0, 40, 65_400, 0, 70_000, 20, 0].map((extra, index) => eventText(index + 1, { extra }));
  const bytes = Buffer.concat(texts.flatMap((text) => [text, Buffer.from("\n")]));
  const ends = texts.map((_text, index) => texts.slice(0, index + 1).reduce((sum, { length }) => sum + length + 1, 0));
  const memory = Buffer.alloc(room + bytes.length + 100);
  bytes.copy(memory, room);
  const lines = memory.subarray(room, room + bytes.length);
  return { texts, memory, ends, batch: { bytes: lines, ends, firstSeq: 1, lastSeq: texts.length } };
}

test("lines become frames where they lie, as far as there is room before them, and elsewhere without", () => {
  const needed = roomToFrame(readBehind(0).ends);
  for (const room of [0, 1, needed - 1, needed, needed + 1, needed + 1_000]) {
    const { texts, memory, batch } = readBehind(room);
    const before = Buffer.from(memory);
    const block = blockOf(batch, memory);
    const frames = block.encoded(webSocketEncoding, 1, texts.length);
    expect(framedTexts(frames)).toEqual(texts.map(String));
    texts.forEach((text, index) => expect(block.text(index + 1).equals(text)).toBe(true));
    expect(frames.buffer === memory.buffer).toBe(room >= needed);
    if (room < needed) expect(memory.equals(before)).toBe(true);
  }
  const { texts, batch } = readBehind(needed);
  const elsewhere = blockOf(batch, Buffer.alloc(10));
  expect(framedTexts(elsewhere.encoded(webSocketEncoding, 1, texts.length))).toEqual(texts.map(String));
});

test("what was given out before it grew stays as it was", () => {
  const block = new Block(1);
  block.add(eventText(1));
  const early = block.encoded(webSocketEncoding, 1, 1);
  const copy = Buffer.from(early);
  for (const seq of range(2, 2_000)) block.add(eventText(seq));
  expect(early.equals(copy)).toBe(true);
  expect(seqsIn(block.encoded(webSocketEncoding, 1, 2_000))).toEqual(range(1, 2_000));
});

test("counts its bytes up to each event", () => {
  const block = blockOf(batch(10, 20));
  expect(block.bytesUpTo(9)).toBe(0);
  for (const seq of range(10, 20)) {
    expect(block.bytesUpTo(seq)).toBe(block.encoded(webSocketEncoding, 10, seq).length);
  }
  expect(block.bytesUpTo(20)).toBe(block.sizeBytes);
});

test("the last event within a number of bytes is never before the first and never past the limit", () => {
  const block = blockOf(batch(1, 50));
  const one = block.bytesUpTo(1);
  expect(block.lastWithin(1, 0)).toBe(1);
  expect(block.lastWithin(50, 0)).toBe(50);
  expect(block.lastWithin(1, Infinity)).toBe(50);
  for (const from of [1, 2, 20, 49]) {
    for (const limit of [one - 1, one, one + 1, 10 * one, 30 * one]) {
      const last = block.lastWithin(from, limit);
      const bytes = (to: number): number => block.bytesUpTo(to) - block.bytesUpTo(from - 1);
      expect(last === from || bytes(last) <= limit).toBe(true);
      if (last < 50) expect(bytes(last + 1)).toBeGreaterThan(limit);
    }
  }
});

test("SSE events are made when they are first wanted, and go on when the block has grown", () => {
  const block = blockOf(batch(1, 3));
  const event = (seq: number): string => `id: log1.t1.${seq}\ndata: ${eventText(seq).toString()}\n\n`;
  expect(block.encoded(sseEncoding, 2, 3).toString()).toBe(event(2) + event(3));
  block.addBatch(batch(4, 300));
  expect(block.encoded(sseEncoding, 3, 300).toString()).toBe(range(3, 300).map(event).join(""));
});

test.each([
  ["summary", ["upgrade.started", "writer.opened"]],
  ["tasks", ["upgrade.started", "task.progressed", "task.heartbeat", "writer.opened"]],
  ["logs", ["upgrade.started", "task.progressed", "task.heartbeat", "log.appended", "writer.opened"]],
] as const)("the level %s has its kinds of events, counted", (level, kept) => {
  const types = ["upgrade.started", "task.progressed", "task.heartbeat", "log.appended", "writer.opened"];
  expect(types.filter((type) => isOfLevel(level, type))).toEqual(kept);
  const block = new Block(1);
  types.forEach((type, index) => block.add(eventText(index + 1, { type })));
  const { bytes, messages } = piece(block, { ...logs, level }, 1, types.length);
  expect(messages).toBe(kept.length);
  expect(framedTexts(bytes).map((text) => (JSON.parse(text) as { type: string }).type)).toEqual(kept);
});
