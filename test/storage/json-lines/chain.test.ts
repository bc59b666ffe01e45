import * as nodeFs from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";

import { realFileSystem, type FileSystem } from "../../../src/storage/files.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { encodeHeader, type JournalHeader } from "../../../src/storage/json-lines/journal.ts";
import type { LogReader } from "../../../src/storage/storage.ts";
import { appendLines, begun, codeOf, makeLines, readAll } from "../../contracts/log-lines.ts";
import { quickFolder } from "../../faults/quick-folder.ts";
import { fileLines, journalOf, readLog, rootOf, write, writeLines } from "./folder.ts";

const { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } = nodeFs;

let path: string;
beforeEach(() => {
  path = quickFolder();
});

const headerOf = (file: number): JournalHeader =>
  JSON.parse(fileLines(journalOf(path, file))[0]?.toString() ?? "") as JournalHeader;

async function openReader(): Promise<LogReader> {
  const reader = await jsonLines({ path }).openReader("up");
  if (reader === undefined) throw new Error("there should be a log");
  return reader;
}

describe("the chain of journal files", () => {
  it("[L8] a clean end is gone on with in the same file, an unclean one in a new file that seals it", async () => {
    const lines = await write(path, [1, 3]);
    lines.push(...(await write(path, [4, 6], { term: "t2" })));
    expect(readdirSync(join(rootOf(path), "journal"))).toEqual(["1.jsonl"]);
    const { size } = nodeFs.statSync(journalOf(path));
    appendFileSync(journalOf(path), "torn");
    lines.push(...(await write(path, [7, 8], { term: "t3", lastType: "writer.closed" })));
    expect(headerOf(2).previous).toEqual({ file: 1, bytes: size, seq: 6 });
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
    // What comes behind the seal is no part of the log, whatever it is.
    const { logId } = headerOf(1);
    appendFileSync(journalOf(path), makeLines({ logId, upgradeId: "up", run: 1 }, [7, 7], { term: "t9" })[0] as Buffer);
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
  });

  it("[K4, L8] a file that a displaced writer makes late is of a lower generation, and never read", async () => {
    const lines = await write(path, [1, 3], {});
    const old = await begun(jsonLines({ path }).openWriter("up"));
    const taker = await begun(jsonLines({ path }).openWriter("up", { takeOver: true }));
    const [file] = readdirSync(join(rootOf(path), "journal"))
      .map((name) => Number.parseInt(name))
      .sort((a, b) => b - a);
    expect(headerOf(file as number)).toMatchObject({ generation: 1 });
    const late = { ...headerOf(file as number), journal: (file as number) + 1, generation: 0 };
    const header = { logId: late.logId, upgradeId: "up", run: 1 };
    writeLines(journalOf(path, late.journal), [encodeHeader(late), ...makeLines(header, [4, 6], { term: "late" })]);
    lines.push(...(await appendLines(taker, [4, 5], { term: "t2" })));
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
    // Were the taker's file damaged, the displaced writer's must not come to be the log in its place.
    const whole = readFileSync(journalOf(path, file));
    const bytes = Buffer.from(whole);
    bytes.writeUInt8(0x21, 20);
    writeFileSync(journalOf(path, file), bytes);
    expect(await codeOf(() => readLog(path))).toBe("CORRUPT");
    writeFileSync(journalOf(path, file), whole);
    await taker.close();
    await old.close();
    lines.push(...(await write(path, [6, 7], { term: "t3" })));
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
  });

  it("[L4] a new file whose first line is torn or missing was never written to, and hinders nobody", async () => {
    const lines = await write(path, [1, 3], {});
    for (const [index, start] of ["", '{"journal":2,', "\0\0\0\0", "\n\n"].entries()) {
      writeFileSync(journalOf(path, 2 + index), start);
      expect(await readLog(path)).toEqual(Buffer.concat(lines));
    }
    lines.push(...(await write(path, [4, 5], { term: "t2", lastType: "writer.closed" })));
    expect(readdirSync(join(rootOf(path), "journal"))).toContain("6.jsonl");
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
  });

  it("[L8] names that are no journal file's are passed over", async () => {
    const lines = await write(path, [1, 3]);
    for (const name of ["0.jsonl", "01.jsonl", "2.jsonl.bak", "x.jsonl", "3.json", "-1.jsonl", "99999999999.jsonl"])
      writeFileSync(join(rootOf(path), "journal", name), "stray");
    lines.push(...(await write(path, [4, 5], { term: "t2" })));
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
  });

  it("[L6] a file missing from the middle is refused", async () => {
    await write(path, [1, 3], {});
    await write(path, [4, 6], { term: "t2" });
    await write(path, [7, 9], { term: "t3" });
    rmSync(journalOf(path, 2));
    expect(await codeOf(() => readLog(path))).toBe("CORRUPT");
  });
});

describe("snapshots", () => {
  it("[L11] one that is damaged, of another version, of another log or ahead is passed over; the log is the same", async () => {
    const lines = await write(path, [1, 30]);
    const file = join(rootOf(path), "snapshot.json");
    const writer = await begun(jsonLines({ path }).openWriter("up"));
    const { cursor } = JSON.parse((lines[19] as Buffer).toString()) as { cursor: string };
    await writer.saveSnapshot({ seq: 20, cursor }, ['{"a":1}']);
    await writer.close();
    const whole = readFileSync(file);
    const reader = await openReader();
    expect((await reader.snapshot())?.seq).toBe(20);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8((whole[at] as number) ^ 1, at);
      writeFileSync(file, damaged);
      expect(await reader.snapshot(), `byte ${at}`).toBeUndefined();
      expect((await readAll(reader)).equals(Buffer.concat(lines))).toBe(true);
    }
    for (const bytes of [Buffer.alloc(0), Buffer.from("{}"), whole.subarray(0, 40), Buffer.concat([whole, whole])]) {
      writeFileSync(file, bytes);
      expect(await reader.snapshot()).toBeUndefined();
    }
    reader.close();
  });

  it("[L11] two that are written at the same time do not mix, and one that fails leaves nothing behind", async () => {
    const lines = await write(path, [1, 5]);
    let isFull = false;
    const writeSync = (...args: Parameters<typeof nodeFs.writeSync>): number => {
      if (isFull) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      return nodeFs.writeSync(...args);
    };
    const storage = jsonLines({ path, fs: { ...realFileSystem, writeSync: writeSync as FileSystem["writeSync"] } });
    const writer = await begun(storage.openWriter("up"));
    const at = (seq: number): { seq: number; cursor: string } => ({
      seq,
      cursor: (JSON.parse((lines[seq - 1] as Buffer).toString()) as { cursor: string }).cursor,
    });
    const parts = (text: string): string[] => Array.from({ length: 20 }, () => text.repeat(50));
    await Promise.all([writer.saveSnapshot(at(2), parts("a")), writer.saveSnapshot(at(3), parts("b"))]);
    const snapshot = await (await openReader()).snapshot();
    expect([parts("a").join(""), parts("b").join("")]).toContain(snapshot?.text);
    isFull = true;
    expect(await codeOf(() => writer.saveSnapshot(at(4), parts("c")))).toBe("STORAGE_DEGRADED");
    isFull = false;
    expect(await (await openReader()).snapshot()).toEqual(snapshot);
    expect(readdirSync(rootOf(path)).filter((name) => name.includes("tmp"))).toEqual([]);
    await writer.close();
  });
});

describe("a reader that follows a live writer", () => {
  it("[L9, S1] goes on into the file after an unclean end, over a take-over, and never gives a line twice", async () => {
    const lines = await write(path, [1, 3], {});
    const reader = await openReader();
    const seen = [await readAll(reader)];
    lines.push(...(await write(path, [4, 6], { term: "t2" })));
    seen.push(await readAll(reader));
    const held = await begun(jsonLines({ path }).openWriter("up"));
    const taker = await begun(jsonLines({ path }).openWriter("up", { takeOver: true }));
    lines.push(...(await appendLines(taker, [7, 8], { term: "t3" })));
    seen.push(await readAll(reader));
    expect(Buffer.concat(seen)).toEqual(Buffer.concat(lines));
    await held.close();
    await taker.close();
    reader.close();
  });

  it("[L8, L12] goes on when a failed sync has its lines written again into a new file", async () => {
    let fails = false;
    const synced: number[] = [];
    const fs = {
      ...realFileSystem,
      fdatasync: ((fd: number, done: (error: NodeJS.ErrnoException | null) => void) => {
        synced.push(fd);
        if (!fails) nodeFs.fdatasync(fd, done);
        else setImmediate(() => done(Object.assign(new Error("EIO"), { code: "EIO", errno: -5 })));
      }) as FileSystem["fdatasync"],
    };
    const writer = await begun(jsonLines({ path, fs }).openWriter("up"));
    const lines = await appendLines(writer, [1, 3]);
    await writer.sync();
    const reader = await openReader();
    const seen = [await readAll(reader)];
    lines.push(...(await appendLines(writer, [4, 6], { opens: false })));
    seen.push(await readAll(reader));
    fails = true;
    expect(await codeOf(() => writer.sync())).toBe("STORAGE_DEGRADED");
    fails = false;
    lines.push(...(await appendLines(writer, [7, 8], { opens: false })));
    await writer.sync();
    seen.push(await readAll(reader));
    expect(Buffer.concat(seen)).toEqual(Buffer.concat(lines));
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
    expect(headerOf(2).previous).toMatchObject({ file: 1, seq: 3 });
    await writer.close();
    reader.close();
  });

  it("[L10] is told CURSOR_GONE when lines that it has seen are not in the log any more", async () => {
    const lines = await write(path, [1, 6], {});
    const reader = await openReader();
    await readAll(reader);
    // A power cut has taken the last three lines, and somebody wrote others.
    nodeFs.truncateSync(journalOf(path), Buffer.concat(fileLines(journalOf(path)).slice(0, 4)).length);
    expect(await codeOf(() => reader.read())).toBe("CURSOR_GONE");
    await write(path, [4, 9], { term: "t2" });
    expect(await codeOf(() => readAll(reader))).toBe("CURSOR_GONE");
    expect((await readLog(path)).subarray(0, 50)).toEqual(Buffer.concat(lines).subarray(0, 50));
    reader.close();
  });
});
