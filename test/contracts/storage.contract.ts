/** What every storage driver must do (`src/storage/storage.ts`), whatever it stores in. */

import { describe, expect, it } from "vitest";

import type { LogHolder, LogReader, LogWriter, Storage } from "../../src/storage/storage.ts";
import { HOSTILE_IDS } from "../hostile-ids.ts";
import { appendLines, begun, codeOf, makeLines, readAll, seqsOf } from "./log-lines.ts";

/** One set of stored logs. `open` may be called again: each storage that it gives sees the same logs. */
export interface StoredLogs {
  open(): Storage;
}

export interface ContractOptions {
  /** Rules that a driver cannot hold, and why. Their tests are skipped, and show it. */
  readonly exceptions?: readonly { readonly rule: string; readonly reason: string }[];
}

const HOLDER: LogHolder = { program: "agent", pid: 4711, host: "here", since: "2026-01-02T03:04:05.000Z" };

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
  });
}

type Rule = (title: string, test: (logs: StoredLogs) => Promise<void>) => void;

async function openReader(storage: Storage, ref: string): Promise<LogReader> {
  const reader = await storage.openReader(ref);
  if (reader === undefined) throw new Error(`there should be a log ${ref}`);
  return reader;
}

/** A storage with the log `up` of `count` lines, its writer still open. */
async function withLog(logs: StoredLogs, count: number): Promise<{ storage: Storage; writer: LogWriter; lines: Buffer[] }> {
  const storage = logs.open();
  const writer = await begun(storage.openWriter("up"));
  return { storage, writer, lines: await appendLines(writer, [1, count]) };
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
      expect(await reader.read()).toEqual({ bytes: line, firstSeq: seq, lastSeq: seq });
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

  rule("[S7] a watcher hears of an append soon, and of nothing once it is stopped", async (logs) => {
    const { storage, writer } = await withLog(logs, 1);
    for (const ref of ["up", undefined]) {
      let calls = 0;
      let wake: () => void = () => undefined;
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const stop = storage.watch(ref, () => {
        calls += 1;
        wake();
      });
      const reader = await openReader(storage, "up");
      await readAll(reader);
      const { lastSeq } = (await reader.seek(0), (await reader.read()) as { lastSeq: number });
      await appendLines(writer, [lastSeq + 1, lastSeq + 1]);
      await woken;
      stop();
      const heard = calls;
      await appendLines(writer, [lastSeq + 2, lastSeq + 2]);
      await new Promise((resolve) => setImmediate(resolve));
      expect(calls).toBe(heard);
    }
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
    const values = [writer.append(0, line, 1), storage.openReader("up"), storage.list(), storage.holder("up")];
    const reader = await openReader(storage, "up");
    values.push(reader.read(), reader.seek(0), reader.snapshot(), storage.info("up"), writer.announce(HOLDER));
    values.push(writer.beginNextRun(), writer.close(), storage.delete("up"));
    if (storage.isSynchronous) expect(values.map(plain)).toEqual(values.map(() => true));
    else await Promise.all(values);
  });
}

function writerRules(rule: Rule): void {
  rule("[S4, K1] a second writer is refused with LOCKED and told who holds the log", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 2);
    await writer.announce(HOLDER);
    for (const other of [storage, logs.open()]) {
      const error = await Promise.resolve()
        .then(() => other.openWriter("up"))
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "LOCKED", context: { holder: HOLDER } });
      expect(await other.holder("up")).toEqual(HOLDER);
    }
    await appendLines(writer, [3, 3]);
    expect((await readAll(await openReader(storage, "up"))).length).toBeGreaterThan(Buffer.concat(lines).length);
  });

  rule("[S4, K6] close frees the log, may be called twice, and takes nothing from the next holder", async (logs) => {
    const { storage, writer } = await withLog(logs, 2);
    await writer.announce(HOLDER);
    await writer.close();
    expect(await storage.holder("up")).toBeUndefined();
    const next = await begun(storage.openWriter("up"));
    await next.announce({ ...HOLDER, pid: 4712 });
    await writer.close();
    expect(await storage.holder("up")).toMatchObject({ pid: 4712 });
    expect(await codeOf(() => storage.openWriter("up"))).toBe("LOCKED");
    await appendLines(next, [3, 3], { term: "t2" });
  });

  rule("[K6] a closed writer is refused with CLOSED and writes nothing", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 2);
    await writer.close();
    const late = makeLines(writer.header, [3, 3])[0] as Buffer;
    for (const call of [() => writer.append(2, late, 3), () => writer.sync(), () => writer.beginNextRun()])
      expect(await codeOf(call)).toBe("CLOSED");
    expect(await codeOf(() => writer.saveSnapshot({ seq: 1, cursor: "a.b.1" }, ["{}"]))).toBe("CLOSED");
    expect(await readAll(await openReader(storage, "up"))).toEqual(Buffer.concat(lines));
    expect(await storage.list()).toEqual([{ ref: "up", upgradeId: "up" }]);
  });

  rule("[K3, K4] who is displaced is refused with FENCED, and its late lines are not in the log", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 3);
    await writer.sync();
    const taker = await begun(logs.open().openWriter("up", { takeOver: true }));
    const mine = await appendLines(taker, [4, 5], { term: "t2" });
    const late = makeLines(writer.header, [4, 4])[0] as Buffer;
    expect(await codeOf(() => writer.append(3, late, 4))).toBe("FENCED");
    expect(await codeOf(() => writer.append(3, late, 4))).toBe("FENCED");
    expect(await codeOf(() => writer.sync())).toBe("FENCED");
    const more = await appendLines(taker, [6, 6]);
    await writer.close();
    expect(await codeOf(() => storage.openWriter("up"))).toBe("LOCKED");
    expect(await readAll(await openReader(storage, "up"))).toEqual(Buffer.concat([...lines, ...mine, ...more]));
  });
}

function snapshotRules(rule: Rule): void {
  const cursorAt = (lines: readonly Buffer[], seq: number): string =>
    (JSON.parse((lines[seq - 1] as Buffer).toString()) as { cursor: string }).cursor;

  rule("[S5] the newest snapshot comes back as a whole, the reader right behind it", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 20);
    for (const seq of [5, 12]) {
      const parts = ['{"a":"é', "🚀", `","seq":${seq}}`];
      await writer.saveSnapshot({ seq, cursor: cursorAt(lines, seq) }, parts);
      const reader = await openReader(storage, "up");
      expect(await reader.snapshot()).toEqual({ seq, cursor: cursorAt(lines, seq), text: parts.join("") });
      expect(await readAll(reader)).toEqual(Buffer.concat(lines.slice(seq)));
    }
    await writer.close();
    const again = await logs.open().openWriter("up");
    expect((await again.reader.snapshot())?.seq).toBe(12);
  });

  rule("[S5, L11] a log without a snapshot is read from its beginning", async (logs) => {
    const { storage, lines } = await withLog(logs, 4);
    const reader = await openReader(storage, "up");
    await reader.seek(3);
    expect(await reader.snapshot()).toBeUndefined();
    expect(await readAll(reader)).toEqual(Buffer.concat(lines));
  });

  rule("[L10, L11] a snapshot that is not on the history of the log is passed over", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 4);
    const { logId } = writer.header;
    for (const [seq, cursor] of [
      [2, `another.t1.2`],
      [2, `${logId}.t9.2`],
      [2, `${logId}.t1.3`],
      [5, `${logId}.t1.5`],
      [1000, `${logId}.t1.1000`],
    ] as const) {
      await writer.saveSnapshot({ seq, cursor }, ["{}"]);
      const reader = await openReader(storage, "up");
      expect(await reader.snapshot(), cursor).toBeUndefined();
      expect(await readAll(reader)).toEqual(Buffer.concat(lines));
    }
  });
}

function runRules(rule: Rule): void {
  rule("[S6, U3] the next run has a log of its own, and the finished one stays readable as <id>@<n>", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 3);
    const follower = await openReader(storage, "up");
    await readAll(follower);
    const unread = await openReader(storage, "up");
    const first = writer.header;
    const next = await writer.beginNextRun();
    expect(next).toEqual(writer.header);
    expect(next).toMatchObject({ upgradeId: "up", run: 2 });
    expect(next.logId).not.toBe(first.logId);
    expect(await storage.list()).toEqual([{ ref: "up@1", upgradeId: "up", run: 1 }]);
    const second = await appendLines(writer, [1, 2]);
    const finished = await openReader(storage, "up@1");
    expect(finished.header).toEqual(first);
    expect(await readAll(finished)).toEqual(Buffer.concat(lines));
    expect(await readAll(await openReader(storage, "up"))).toEqual(Buffer.concat(second));
    expect(await codeOf(() => follower.read())).toBe("CURSOR_GONE");
    // One that had read nothing reads either what it was opened on or that it is gone, never something else.
    expect(await readAll(unread).catch((error: unknown) => error)).toSatisfy(
      (seen: unknown) => (seen instanceof Error && "code" in seen && seen.code === "CURSOR_GONE") || Buffer.concat(lines).equals(seen as Buffer),
    );
    await writer.beginNextRun();
    await appendLines(writer, [1, 1]);
    await writer.close();
    const again = await logs.open().openWriter("up");
    expect(again.header.run).toBe(3);
    const refs = (await storage.list()).map(({ ref }) => ref).sort();
    expect(refs).toEqual(["up", "up@1", "up@2"]);
  });

  rule("[S6] delete removes an upgrade with its finished runs and nothing else, and not while it is held", async (logs) => {
    const { storage, writer } = await withLog(logs, 3);
    await writer.beginNextRun();
    await appendLines(writer, [1, 1]);
    const twin = await begun(storage.openWriter("up@1"));
    await appendLines(twin, [1, 1]);
    expect(await codeOf(() => storage.delete("up"))).toBe("LOCKED");
    expect(await storage.list()).toHaveLength(3);
    await writer.close();
    await twin.close();
    await storage.delete("up");
    expect(await storage.list()).toEqual([{ ref: "up@1", upgradeId: "up@1" }]);
    await storage.delete("up");
    await storage.delete("never there");
    const anew = await begun(storage.openWriter("up"));
    expect(anew.header.run).toBe(1);
    expect(await anew.reader.read()).toBeUndefined();
  });

  rule("[S6] an upgrade whose id looks like a finished run is itself", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 2);
    await writer.beginNextRun();
    expect(await readAll(await openReader(storage, "up@1"))).toEqual(Buffer.concat(lines));
    const twin = await begun(storage.openWriter("up@1"));
    const own = await appendLines(twin, [1, 1], { text: "twin" });
    expect(await readAll(await openReader(storage, "up@1"))).toEqual(Buffer.concat(own));
  });

  rule("[S6] info says whether there is a log and how large it is", async (logs) => {
    const { storage, lines } = await withLog(logs, 9);
    expect(await storage.info("none")).toMatchObject({ exists: false, sizeBytes: 0 });
    const { exists, sizeBytes, location } = await storage.info("up");
    expect(exists).toBe(true);
    expect(sizeBytes).toBeGreaterThanOrEqual(Buffer.concat(lines).length);
    expect(location).not.toBe("");
  });

  rule("[V1, X1, X2] every hostile id has a log of its own under exactly its name (M06)", async (logs) => {
    const storage = logs.open();
    expect(new Set(HOSTILE_IDS).size).toBeGreaterThanOrEqual(40);
    const stored = new Map<string, Buffer>();
    for (const [index, id] of [...new Set(HOSTILE_IDS)].entries()) {
      const writer = await begun(storage.openWriter(id));
      stored.set(id, Buffer.concat(await appendLines(writer, [1, 1], { term: `h${index}`, text: id })));
      await writer.close();
    }
    const listed = await logs.open().list();
    expect(listed.map(({ ref }) => ref).sort()).toEqual([...stored.keys()].sort());
    for (const [id, bytes] of stored) {
      const reader = await openReader(storage, id);
      expect(reader.header.upgradeId).toBe(id);
      expect(await readAll(reader), JSON.stringify(id)).toEqual(bytes);
      reader.close();
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
}
