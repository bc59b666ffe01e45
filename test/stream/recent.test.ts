import { expect, test } from "vitest";

import { webSocketEncoding } from "../../src/stream/encoding.ts";
import { RecentEvents } from "../../src/stream/recent.ts";
import { eventText, range, seqsIn } from "./recorded-log.ts";

const logs = { encoding: webSocketEncoding, level: "logs" } as const;
const MIB = 1024 * 1024;

function recentEvents(from: number, to: number, extra = 0): RecentEvents {
  const recent = new RecentEvents();
  for (const seq of range(from, to)) recent.add(seq, eventText(seq, { extra }));
  return recent;
}

test("has nothing at first", () => {
  const recent = new RecentEvents();
  expect(recent.block(1)).toBeUndefined();
  expect(recent.bytesAfter(0)).toBe(Infinity);
  expect(recent.totalBytes).toBe(0);
});

test("finds every event that is here, over all blocks, and none that is not", () => {
  const recent = recentEvents(101, 3_100, 500);
  for (const seq of range(101, 3_100)) expect(recent.block(seq)?.has(seq)).toBe(true);
  expect(recent.block(100)).toBeUndefined();
  expect(recent.block(3_101)).toBeUndefined();
  expect(seqsIn(recent.piece(101, 3_100, logs).bytes)).toEqual(range(101, 3_100));
  expect(seqsIn(recent.piece(1_000, 1_000, logs).bytes)).toEqual([1_000]);
});

test("counts the bytes behind each event", () => {
  const recent = recentEvents(1, 3_000, 500);
  let behind = 0;
  for (const seq of range(1, 3_000).reverse()) {
    expect(recent.bytesAfter(seq - 1)).toBe((behind += recent.piece(seq, seq, logs).bytes.length));
  }
  expect(recent.totalBytes).toBe(behind);
});

test("keeps about four MiB, drops the oldest block, and says that what is gone is gone", () => {
  const recent = recentEvents(1, 30_000, 500);
  const oldest = range(1, 30_000).find((seq) => recent.block(seq) !== undefined) as number;
  expect(oldest).toBeGreaterThan(1);
  const keptBytes = recent.bytesAfter(oldest - 1);
  expect(keptBytes).toBeLessThanOrEqual(4 * MIB);
  expect(keptBytes).toBeGreaterThan(3.5 * MIB);
  expect(recent.bytesAfter(oldest - 2)).toBe(Infinity);
  expect(recent.totalBytes).toBeGreaterThan(15 * MIB);
  expect(seqsIn(recent.piece(oldest, 30_000, logs).bytes)).toEqual(range(oldest, 30_000));
});

test("an event larger than all that is kept is here nevertheless, alone", () => {
  const recent = new RecentEvents();
  recent.add(1, eventText(1));
  recent.add(2, eventText(2, { extra: 5 * MIB }));
  recent.add(3, eventText(3));
  expect([1, 2, 3].map((seq) => recent.block(seq) !== undefined)).toEqual([false, false, true]);
  expect(seqsIn(recent.piece(3, 3, logs).bytes)).toEqual([3]);
});

test("a piece at a lower level has fewer messages, and says how many", () => {
  const recent = new RecentEvents();
  for (const seq of range(1, 3_000))
    recent.add(seq, eventText(seq, { extra: 500, type: seq % 3 === 0 ? "task.progressed" : "log.appended" }));
  const { bytes, messages } = recent.piece(1, 3_000, { encoding: webSocketEncoding, level: "tasks" });
  expect(messages).toBe(1_000);
  expect(seqsIn(bytes)).toEqual(range(1, 3_000).filter((seq) => seq % 3 === 0));
});
