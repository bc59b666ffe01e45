/** What every storage driver must do (`src/storage/storage.ts`), whatever it stores in. */

import { describe, expect, it } from "vitest";

import { appendLines, begun, codeOf, makeLines, readAll, seqsOf } from "./log-lines.ts";
import { deliveryRules } from "./storage-deliveries.ts";
import { watchRules } from "./storage-watch.ts";
import { runRules, snapshotRules, writerRules } from "./storage-logs.ts";
import { HOLDER, openReader, withLog, type Rule, type StoredLogs } from "./stored-logs.ts";

export interface ContractOptions {
  /** Rules that a driver cannot hold, and why. Their tests are skipped, and show it. */
  readonly exceptions?: readonly { readonly rule: string; readonly reason: string }[];
}

/** Holds a driver to the contract. `create` makes an empty set of logs and removes it when its test is over. */
export function storageContract(
  name: string,
  create: () => StoredLogs,
  { exceptions = [] }: ContractOptions = {},
): void {
  const rule = (title: string, test: (logs: StoredLogs) => Promise<void>): void => {
    const exception = exceptions.find(({ rule: id }) => title.startsWith(`[${id}]`));
    if (exception === undefined) it(title, () => test(create()));
    else it.skip(`${title} (${exception.reason})`, () => undefined);
  };
  describe(`${name}, as a storage`, () => {
    describe("reading", () => readingRules(rule));
    describe("appending", () => appendingRules(rule));
    describe("one writer", () => writerRules(rule));
    describe("snapshots", () => snapshotRules(rule));
    describe("logs and runs", () => runRules(rule));
    describe("watching", () => watchRules(rule));
    describe("what deliveries keep", () => deliveryRules(rule));
  });
}

function readingRules(rule: Rule): void {
  rule("[S1] lines come back as the bytes that they are, whatever size of batch is asked for", async (logs) => {
    const { storage, lines } = await withLog(logs, 60);
    for (const maxBytes of [undefined, 1, 100, 199, 4096]) {
      expect(await readAll(await openReader(storage, "up"), maxBytes)).toEqual(Buffer.concat(lines));
    }
    const reader = await openReader(storage, "up");
    expect(seqsOf(await reader.read(1))).toEqual([1, 1]);
    const batch = await reader.read(1000);
    expect(batch?.firstSeq).toBe(2);
    expect(batch?.bytes.length).toBeLessThan(2000);
  });

  rule("[S1] the end is undefined, and asking again later goes on", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 2);
    const reader = await openReader(storage, "up");
    expect(await readAll(reader)).toEqual(Buffer.concat(lines));
    for (let seq = 3; seq < 20; seq++) {
      expect(await reader.read()).toBeUndefined();
      const [line] = await appendLines(writer, [seq, seq]);
      expect(await reader.read()).toEqual({ bytes: line, ends: [line?.length], firstSeq: seq, lastSeq: seq });
    }
  });

  rule("[S1] a batch says where each line ends, wherever it was put", async (logs) => {
    const { storage, lines } = await withLog(logs, 40);
    for (const memory of [undefined, Buffer.alloc(1), Buffer.alloc(700), Buffer.alloc(100_000)]) {
      const reader = await openReader(storage, "up");
      const seen: Buffer[] = [];
      for (let batch = await reader.read(700, memory); batch; batch = await reader.read(700, memory)) {
        expect(batch.ends.length).toBe(batch.lastSeq - batch.firstSeq + 1);
        for (const [index, end] of batch.ends.entries())
          seen.push(Buffer.from(batch.bytes.subarray(batch.ends[index - 1] ?? 0, end)));
      }
      expect(seen).toEqual(lines);
    }
  });

  rule("[S1] seek goes behind every seq of the log, and says false for any other", async (logs) => {
    const { storage, lines } = await withLog(logs, 40);
    const reader = await openReader(storage, "up");
    for (let seq = 40; seq >= 0; seq--) {
      expect(await reader.seek(seq)).toBe(true);
      expect(await readAll(reader)).toEqual(Buffer.concat(lines.slice(seq)));
    }
    for (const seq of [41, 1e9, -1, 0.5, 39.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await reader.seek(seq), String(seq)).toBe(false);
    }
    expect(await reader.seek(39)).toBe(true);
    expect(seqsOf(await reader.read())).toEqual([40, 40]);
  });

  rule("[S1] seek finds every place of a log of many kilobytes", async (logs) => {
    const storage = logs.open();
    const writer = await begun(storage.openWriter("up"));
    const lines = makeLines(writer.header, [1, 900], { text: "x".repeat(2000) });
    await writer.append(0, Buffer.concat(lines), 900);
    const reader = await openReader(storage, "up");
    for (let seq = 0; seq <= 900; seq += 37) {
      expect(await reader.seek(seq)).toBe(true);
      const batch = await reader.read(1);
      expect(batch && Buffer.from(batch.bytes)).toEqual(lines[seq]);
    }
  });

  rule("[S1] a reader whose log was deleted says CURSOR_GONE and does not wait for ever", async (logs) => {
    const { storage, writer } = await withLog(logs, 3);
    const reader = await openReader(storage, "up");
    await readAll(reader);
    await writer.close();
    await storage.delete("up");
    expect(await codeOf(() => reader.read())).toBe("CURSOR_GONE");
    reader.close();
  });

  rule("[S3] a ref that is not there has no reader", async (logs) => {
    const { storage, writer } = await withLog(logs, 3);
    await writer.beginNextRun();
    for (const ref of ["other", "up@0", "up@2", "up@01", "up@1e0", "up@", "@1", "u", "up@-1", "1"])
      expect(await storage.openReader(ref), ref).toBeUndefined();
  });
}

function appendingRules(rule: Rule): void {
  rule("[S2] an append with another expected seq is refused and leaves nothing behind", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 3);
    for (const expected of [0, 2, 4, 100]) {
      const foreign = Buffer.concat(makeLines(writer.header, [expected + 1, expected + 1]));
      expect(await codeOf(() => writer.append(expected, foreign, expected + 1))).toBe("CORRUPT");
    }
    const more = await appendLines(writer, [4, 4]);
    expect(await readAll(await openReader(storage, "up"))).toEqual(Buffer.concat([...lines, ...more]));
  });

  rule("[S2] many lines in one append are many lines", async (logs) => {
    const storage = logs.open();
    const writer = await begun(storage.openWriter("up"));
    const lines = makeLines(writer.header, [1, 300]);
    await writer.append(0, Buffer.concat(lines.slice(0, 120)), 120);
    await writer.append(120, Buffer.concat(lines.slice(120)), 300);
    const reader = await openReader(storage, "up");
    expect(await reader.seek(299)).toBe(true);
    expect(seqsOf(await reader.read())).toEqual([300, 300]);
  });

  rule("[L2] sync resolves, with and without something to sync, also many at once", async (logs) => {
    const { writer } = await withLog(logs, 3);
    await Promise.all([writer.sync(), writer.sync(), writer.sync()]);
    await writer.sync();
    await appendLines(writer, [4, 4]);
    await writer.sync();
  });

  rule("[S3, L3] a log that is opened again has the same header and lines, and goes on behind them", async (logs) => {
    const { writer, lines } = await withLog(logs, 5);
    const { header } = writer;
    await writer.close();
    for (let seq = 6; seq < 12; seq += 2) {
      const again = await begun(logs.open().openWriter("up"));
      expect(again.header).toEqual(header);
      lines.push(...(await appendLines(again, [seq, seq + 1], { term: `t${seq}`, lastType: "writer.closed" })));
      await again.close();
    }
    expect(await readAll(await openReader(logs.open(), "up"))).toEqual(Buffer.concat(lines));
  });

  rule("[S8] a synchronous storage returns plain values", async (logs) => {
    const storage = logs.open();
    const plain = (value: unknown): boolean => !(value instanceof Promise);
    const writer = await storage.openWriter("up");
    await writer.begin();
    const [line] = makeLines(writer.header, [1, 1]) as [Buffer];
    const values: unknown[] = [
      writer.append(0, line, 1),
      storage.openReader("up"),
      storage.list(),
      storage.holder("up"),
    ];
    const reader = await openReader(storage, "up");
    values.push(reader.read(), reader.seek(0), reader.snapshot(), storage.info("up"), writer.announce(HOLDER));
    values.push(writer.beginNextRun(), writer.close(), storage.delete("up"));
    if (storage.isSynchronous) expect(values.map(plain)).toEqual(values.map(() => true));
    else await Promise.all(values);
  });
}
