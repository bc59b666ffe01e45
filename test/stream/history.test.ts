import { expect, test } from "vitest";

import type { LineBatch, LogReader } from "../../src/storage/storage.ts";
import type { Block } from "../../src/stream/block.ts";
import { History } from "../../src/stream/history.ts";
import type { LogSource } from "../../src/stream/upgrades.ts";
import { batch, eventText, range } from "./recorded-log.ts";

const MIB = 1024 * 1024;

/** A log of `count` events that counts how it is read. */
class CountedLog {
  readonly reads: number[] = [];
  opened = 0;
  closed = 0;
  logId = "log1";
  readonly #extra: number;
  readonly #count: number;

  constructor(count: number, extra = 0) {
    this.#count = count;
    this.#extra = extra;
  }

  get source(): LogSource {
    return {
      ref: "up",
      openReader: async () => this.#reader(),
      waitingLines: () => [],
      watch: () => () => undefined,
      holder: async () => undefined,
    };
  }

  #reader(): LogReader {
    this.opened += 1;
    let at = 0;
    const read = (memory?: Buffer): LineBatch | undefined => {
      if (at >= this.#count) return undefined;
      const perBatch = Math.max(1, Math.floor((256 * 1024) / (150 + this.#extra)));
      const [firstSeq, lastSeq] = [at + 1, Math.min(this.#count, at + perBatch)];
      at = lastSeq;
      this.reads.push(firstSeq);
      const lines = batch(firstSeq, lastSeq, { extra: this.#extra });
      return memory === undefined ? lines : lyingIn(memory, lines);
    };
    return {
      header: { logId: this.logId, upgradeId: "up", run: 1 },
      read: async (_maxBytes, memory) => read(memory),
      seek: async (seq) => {
        if (seq > this.#count) return false;
        at = seq;
        return true;
      },
      snapshot: () => undefined,
      close: () => void (this.closed += 1),
    };
  }
}

/** As a driver gives lines in the memory that it was given: whatever was there before is gone. */
function lyingIn(memory: Buffer, { bytes, ...rest }: LineBatch): LineBatch {
  if (bytes.length > memory.length) return { bytes, ...rest };
  memory.fill(0x21).set(bytes);
  return { bytes: memory.subarray(0, bytes.length), ...rest };
}

test("what was given stays as it was while more is read", async () => {
  for (const extra of [0, 30, 400]) {
    const history = new History(new CountedLog(8_000, extra).source, "log1");
    // The few at the end first: a block that fills little of what it was read into.
    const blocks: Block[] = [await history.block(8_000)];
    for (let seq = 1; seq < 7_000; seq = (blocks.at(-1) as Block).lastSeq + 1) blocks.push(await history.block(seq));
    for (const block of blocks)
      for (const seq of range(block.firstSeq, block.lastSeq))
        expect(block.text(seq).equals(eventText(seq, { extra }))).toBe(true);
  }
});

test("gives each event as it stands in the log", async () => {
  const history = new History(new CountedLog(5_000).source, "log1");
  for (const seq of [1, 512, 513, 4_999, 5_000, 2_600]) {
    expect((await history.block(seq)).text(seq)).toEqual(eventText(seq));
  }
});

test("readers near each other, and those that ask at the same time, share what is read", async () => {
  const log = new CountedLog(5_000);
  const history = new History(log.source, "log1");
  const blocks = await Promise.all(range(600, 700).map((seq) => history.block(seq)));
  expect(new Set(blocks).size).toBe(1);
  expect(log.reads).toEqual([513]);
  expect(log.opened).toBe(1);
  await history.block(1_000);
  expect(log.reads).toHaveLength(1);
});

test("one that reads on has it read once", async () => {
  const log = new CountedLog(20_000);
  const history = new History(log.source, "log1");
  for (let seq = 1; seq <= 20_000;) seq = (await history.block(seq)).lastSeq + 1;
  expect(log.reads).toEqual([...new Set(log.reads)]);
});

test("keeps the blocks that were last asked for, some eight MiB of them", async () => {
  const log = new CountedLog(30_000, 1_000);
  const history = new History(log.source, "log1");
  for (let seq = 1; seq <= 30_000;) {
    seq = (await history.block(seq)).lastSeq + 1;
    // In use all the time, so never dropped.
    await history.block(1);
  }
  expect(log.reads.filter((first) => first === 1)).toHaveLength(1);
  const before = log.reads.length;
  await history.block(29_999);
  expect(log.reads.length).toBe(before);
  await history.block(5_000);
  expect(log.reads.length).toBeGreaterThan(before);
});

test("large events: every one is found, a block has about a MiB, and reading on reads no event more than twice", async () => {
  const log = new CountedLog(700, 60_000);
  const history = new History(log.source, "log1");
  for (let seq = 1; seq <= 700; seq++) {
    const block = await history.block(seq);
    expect(block.text(seq).equals(eventText(seq, { extra: 60_000 }))).toBe(true);
    expect(block.sizeBytes).toBeLessThan(1.3 * MIB);
  }
  expect(log.reads.length).toBeLessThan(2 * (700 / 4));
});

test("an event that the log does not have, or another log in its place, is told as a changed history", async () => {
  const log = new CountedLog(100);
  const history = new History(log.source, "log1");
  await expect(history.block(101)).rejects.toMatchObject({ code: "CURSOR_GONE" });
  await expect(history.block(10_000)).rejects.toMatchObject({ code: "CURSOR_GONE" });
  // A failure is nobody else's.
  expect((await history.block(100)).text(100)).toEqual(eventText(100));
  log.logId = "log2";
  await expect(new History(log.source, "log1").block(1)).rejects.toMatchObject({ code: "CURSOR_GONE" });
});

test("closed, it gives nothing, and its reader is closed", async () => {
  const log = new CountedLog(100);
  const history = new History(log.source, "log1");
  await history.block(1);
  const late = history.block(99_999).catch((error: { code: string }) => error.code);
  history.close();
  expect(await late).toBe("CURSOR_GONE");
  await expect(history.block(1)).rejects.toMatchObject({ code: "CURSOR_GONE" });
  expect([log.opened, log.closed]).toEqual([1, 1]);
});
