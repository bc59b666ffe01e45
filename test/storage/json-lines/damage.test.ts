import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { isMilepostError, type MilepostError } from "../../../src/errors.ts";
import { jsonLines, verifyUpgrade } from "../../../src/storage/json-lines.ts";
import { realFileSystem } from "../../../src/storage/files.ts";
import { codeOf, makeLines } from "../../contracts/log-lines.ts";
import { quickFolder } from "../../faults/quick-folder.ts";
import { fileLines, journalOf, readLog, rootOf, write, writeLines } from "./folder.ts";

const isLong = process.env["MILEPOST_LONG"] === "1";

/** A log of two files: ten lines (or so many) that were not closed, then as many that were. */
async function twoFiles(count = 10): Promise<{ path: string; lines: Buffer[] }> {
  const path = quickFolder();
  const lines = await write(path, [1, count], {});
  lines.push(...(await write(path, [count + 1, 2 * count], { term: "t2", lastType: "writer.closed" })));
  return { path, lines };
}

/** What reading gives: the bytes, or where the damage is said to be. */
async function outcome(path: string): Promise<Buffer | MilepostError["context"]> {
  try {
    return await readLog(path);
  } catch (error) {
    if (!isMilepostError(error, "CORRUPT")) throw error;
    return error.context;
  }
}

describe("a torn tail", () => {
  it("[L4, L5] cut at any byte of the last three records is left out, and kept behind the seal (D05)", async () => {
    const path = quickFolder();
    const lines = await write(path, [1, 10]);
    const file = journalOf(path);
    const whole = readFileSync(file);
    const start = whole.length - Buffer.concat(lines.slice(7)).length;
    for (let cut = start; cut < whole.length; cut++) {
      rmSync(rootOf(path), { recursive: true });
      mkdirSync(join(rootOf(path), "journal"), { recursive: true });
      writeFileSync(file, whole.subarray(0, cut));
      const kept = lines.filter((_, index) => whole.length - Buffer.concat(lines.slice(index + 1)).length <= cut);
      expect(await readLog(path), `cut at ${cut}`).toEqual(Buffer.concat(kept));
      if (!isLong && cut % 5 !== 0) continue;
      // A lock file, so that nobody seems to have taken it away from a live writer.
      writeFileSync(join(rootOf(path), "lock"), "");
      const more = await write(path, [kept.length + 1, kept.length + 2], { term: "t2" });
      expect(await readLog(path), `cut at ${cut}`).toEqual(Buffer.concat([...kept, ...more]));
      expect(readFileSync(file)).toEqual(whole.subarray(0, cut));
    }
  });

  it("[L4, L5] that cuts the header or the very first event leaves a log without events, and is kept", async () => {
    const path = quickFolder();
    const [first] = await write(path, [1, 3]);
    const file = journalOf(path);
    const whole = readFileSync(file);
    const header = fileLines(file)[0]?.length ?? 0;
    for (let cut = 0; cut < header + (first?.length ?? 0); cut++) {
      rmSync(rootOf(path), { recursive: true });
      mkdirSync(join(rootOf(path), "journal"), { recursive: true });
      writeFileSync(file, whole.subarray(0, cut));
      writeFileSync(join(rootOf(path), "lock"), "");
      if (cut < header) expect(await jsonLines({ path }).openReader("up"), `cut at ${cut}`).toBeUndefined();
      else expect(await readLog(path), `cut at ${cut}`).toEqual(Buffer.alloc(0));
      const problems = cut > 0 && cut < header ? [{ what: "ends inside its first line", offset: 0 }] : [];
      expect(verifyUpgrade(path, "up"), `cut at ${cut}`).toMatchObject({ problems, events: 0 });
      const more = await write(path, [1, 2], { term: "t2" });
      expect(await readLog(path), `cut at ${cut}`).toEqual(Buffer.concat(more));
      // The log has begun anew behind it.
      expect(verifyUpgrade(path, "up").problems, `cut at ${cut}`).toEqual([]);
      expect(readFileSync(file)).toEqual(whole.subarray(0, cut));
    }
  });

  it("[L4, L5] of zeros, garbage or half a character is left out, in 200 kinds (D06)", async () => {
    const path = quickFolder();
    const lines = await write(path, [1, 5]);
    const file = journalOf(path);
    const whole = readFileSync(file);
    const next = makeLines({ logId: logIdOf(path), upgradeId: "up", run: 1 }, [6, 6])[0] as Buffer;
    const character = next.indexOf("🚀");
    const kinds = Array.from({ length: 200 }, (_, kind) => {
      if (kind < 70)
        return Buffer.alloc([1, 512, 4096, 4096 - (whole.length % 4096)][kind] ?? 1 + ((kind * 61) % 4096));
      if (kind < 140) return garbage(kind, 1 + ((kind * 37) % 3000));
      if (kind < 180)
        return Buffer.concat([next.subarray(0, kind - 100), Buffer.alloc(kind % 7), garbage(kind, kind % 9)]);
      return next.subarray(0, character + 1 + (kind % 3));
    });
    for (const [kind, tail] of kinds.entries()) {
      writeFileSync(file, Buffer.concat([whole, tail]));
      expect(await readLog(path), `kind ${kind}`).toEqual(Buffer.concat(lines));
      if (kind % 10 !== 0) continue;
      const more = await write(path, [6, 7], { term: "t2" });
      expect(await readLog(path), `kind ${kind}`).toEqual(Buffer.concat([...lines, ...more]));
      expect(readFileSync(file)).toEqual(Buffer.concat([whole, tail]));
      rmSync(journalOf(path, 2));
    }
  });
});

/** Bytes that look like nothing, the same in every run. */
function garbage(seed: number, length: number): Buffer {
  let state = seed * 2654435761;
  return Buffer.from(Array.from({ length }, () => (state = Math.imul(state ^ (state >>> 15), 2246822519) >>> 0) & 255));
}

function logIdOf(path: string): string {
  return (JSON.parse(fileLines(journalOf(path))[0]?.toString() ?? "") as { logId: string }).logId;
}

describe("a flipped bit", () => {
  it("[L5, L6] in the last record cuts that off, anywhere else is refused with its file and offset (D07)", async () => {
    const count = isLong ? 50 : 10;
    const { path, lines } = await twoFiles(count);
    const all = Buffer.concat(lines);
    const isTail = (file: number, line: number): boolean => file === 2 && line === count;
    let flips = 0;
    for (const file of [1, 2]) {
      const whole = readFileSync(journalOf(path, file));
      let offset = 0;
      for (const [number, line] of fileLines(journalOf(path, file)).entries()) {
        // One line of each kind in full; of the others every fourth byte, and the newline, which joins two lines.
        const step = isLong || number < 2 || isTail(file, number) ? 1 : 4;
        for (
          let at = 0;
          at < line.length;
          at += at + step < line.length || at === line.length - 1 ? step : line.length - 1 - at
        ) {
          const damaged = Buffer.from(whole);
          damaged.writeUInt8((whole[offset + at] as number) ^ (1 << (at % 8)), offset + at);
          writeFileSync(journalOf(path, file), damaged);
          flips += 1;
          const seen = await outcome(path);
          const name = `file ${file}, line ${number}, byte ${at}`;
          if (isTail(file, number)) expect(seen, name).toEqual(all.subarray(0, all.length - line.length));
          else expect(seen, name).toMatchObject({ file: journalOf(path, file), offset });
        }
        offset += line.length;
      }
      writeFileSync(journalOf(path, file), whole);
    }
    console.log(`D07: ${flips} bits flipped in ${lines.length} records`);
    expect(flips).toBeGreaterThan(isLong ? all.length : 1400);
    expect(await readLog(path)).toEqual(all);
  });

  it("[L6] is refused by whoever opens to write, and nothing is written", async () => {
    const { path } = await twoFiles();
    const whole = readFileSync(journalOf(path));
    for (let at = 3; at < whole.length; at += 97) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8((whole[at] as number) ^ 4, at);
      writeFileSync(journalOf(path), damaged);
      expect(await codeOf(() => write(path, [21, 21], { term: "t3" }))).toBe("CORRUPT");
      expect(readFileSync(journalOf(path))).toEqual(damaged);
    }
  });

  it("[L6] before the snapshot is not noticed when opening, but by whoever reads there", async () => {
    const path = quickFolder();
    const storage = jsonLines({ path });
    const lines = await write(path, [1, 500], { text: "x".repeat(2000), lastType: "writer.closed" });
    const writer = storage.openWriter("up");
    const opened = await writer;
    while ((await opened.reader.read()) !== undefined);
    await opened.begin();
    await opened.saveSnapshot({ seq: 490, cursor: cursorIn(lines[489] as Buffer) }, ["{}"]);
    await opened.close();
    const bytes = readFileSync(journalOf(path));
    const offset = fileLines(journalOf(path))[0]?.length ?? 0;
    bytes.writeUInt8(0x21, offset + 100);
    writeFileSync(journalOf(path), bytes);
    const again = await storage.openWriter("up");
    expect((await again.reader.snapshot())?.seq).toBe(490);
    expect((await again.reader.read())?.lastSeq).toBe(500);
    await again.close();
    expect(await outcome(path)).toMatchObject({ file: journalOf(path), offset, seq: 0 });
    bytes.writeUInt8(0x21, bytes.length - 5000);
    writeFileSync(journalOf(path), bytes);
    const third = await storage.openWriter("up");
    await third.reader.snapshot();
    expect(
      await codeOf(async () => {
        while ((await third.reader.read()) !== undefined);
      }),
    ).toBe("CORRUPT");
    await third.close();
  });
});

const cursorIn = (line: Buffer): string => (JSON.parse(line.toString()) as { cursor: string }).cursor;

describe("records and files that are moved about, each with its own checksum right (D08)", () => {
  let seed: { path: string; lines: Buffer[] };
  let other: { path: string; lines: Buffer[] };
  const files = (path: string): [Buffer[], Buffer[]] => [fileLines(journalOf(path, 1)), fileLines(journalOf(path, 2))];

  /** Each takes the lines of the two files, and those of another upgrade's, and gives what is written in their place. */
  type Lines = readonly Buffer[];
  const kinds: readonly [string, file: 1 | 2, line: number, change: (own: Lines, foreign: Lines) => Lines][] = [
    ["a record is deleted", 1, 4, (own) => own.toSpliced(4, 1)],
    ["the first record is deleted", 1, 1, (own) => own.toSpliced(1, 1)],
    ["the first record of a later file is deleted", 2, 1, (own) => own.toSpliced(1, 1)],
    ["a stretch of records is deleted", 2, 3, (own) => own.toSpliced(3, 4)],
    ["the last record of a sealed file is deleted", 1, 10, (own) => own.slice(0, 10)],
    ["a record is there twice", 1, 5, (own) => own.toSpliced(5, 0, own[4] as Buffer)],
    ["the last record is there twice", 2, 11, (own) => [...own, own[10] as Buffer]],
    ["two records are swapped", 1, 3, (own) => own.with(3, own[4] as Buffer).with(4, own[3] as Buffer)],
    ["a record is another upgrade's of the same seq", 1, 6, (own, foreign) => own.with(6, foreign[6] as Buffer)],
    ["another upgrade's records follow the last one", 2, 11, (own, foreign) => [...own, foreign[10] as Buffer]],
    ["a record is of another term", 1, 7, (own) => own.with(7, ofTerm(own[7] as Buffer, "t9"))],
    ["a record is a header", 1, 5, (own) => own.with(5, own[0] as Buffer)],
    ["records of the next file follow in a sealed one", 1, 10, (own) => own.toSpliced(10, 1, own[9] as Buffer)],
  ];

  it.each(kinds)("[L6] %s: refused, at its place", async (_name, file, line, change) => {
    seed = await twoFiles();
    other = await twoFiles();
    const own = files(seed.path)[file - 1] as Buffer[];
    writeLines(journalOf(seed.path, file), change(own, files(other.path)[file - 1] as Buffer[]));
    const offset = Buffer.concat(own.slice(0, line)).length;
    expect(await outcome(seed.path)).toMatchObject({ file: journalOf(seed.path, file), offset });
  });

  it.each([
    ["the first file is removed", (path: string) => rmSync(journalOf(path, 1))],
    [
      "a file is another one under a higher number",
      (path: string) => copyFileSync(journalOf(path, 1), journalOf(path, 3)),
    ],
    [
      "two files change places",
      (path: string) => {
        const [one, two] = [readFileSync(journalOf(path, 1)), readFileSync(journalOf(path, 2))];
        writeFileSync(journalOf(path, 1), two);
        writeFileSync(journalOf(path, 2), one);
      },
    ],
    [
      "the first line of the newest file is gone",
      (path: string) => writeLines(journalOf(path, 2), fileLines(journalOf(path, 2)).slice(1)),
    ],
    ["a file is another upgrade's", (path: string) => copyFileSync(journalOf(other.path, 1), journalOf(path, 1))],
    [
      "the sealed file is cut short",
      (path: string) => truncateSync(journalOf(path, 1), readFileSync(journalOf(path, 1)).length - 1),
    ],
  ])("[L6] %s: refused", async (_name, change) => {
    seed = await twoFiles();
    other = await twoFiles();
    change(seed.path);
    expect(await codeOf(() => readLog(seed.path))).toBe("CORRUPT");
    expect(await codeOf(() => write(seed.path, [21, 21], { term: "t3" }))).toBe("CORRUPT");
  });

  it("[L6] a whole journal of another upgrade, or of another run, is refused", async () => {
    seed = await twoFiles();
    cpSync(rootOf(seed.path), join(seed.path, "upgrades", "copy"), { recursive: true });
    expect(await codeOf(() => readLog(seed.path, "copy"))).toBe("CORRUPT");
    expect(await codeOf(() => jsonLines({ path: seed.path }).openWriter("copy"))).toBe("CORRUPT");
    cpSync(rootOf(seed.path), join(seed.path, "upgrades", "up@7"), { recursive: true });
    expect(await codeOf(() => readLog(seed.path, "up@7"))).toBe("CORRUPT");
  });
});

/** The line as another term would have written it, with a checksum that is right. */
function ofTerm(line: Buffer, term: string): Buffer {
  const { seq, cursor } = JSON.parse(line.toString()) as { seq: number; cursor: string };
  const logId = cursor.split(".")[0] as string;
  return makeLines({ logId, upgradeId: "up", run: 1 }, [seq, seq], { term, opens: false })[0] as Buffer;
}

describe("a line that is being written", () => {
  it("[L9] is no damage when it is finished, with another behind it, while it is looked at", async () => {
    const path = quickFolder();
    const lines = await write(path, [1, 6]);
    const whole = readFileSync(journalOf(path));
    const half = whole.length - Buffer.concat(lines.slice(4)).length + 20;
    writeFileSync(journalOf(path), whole.subarray(0, half));
    const fs = { ...realFileSystem };
    const reader = await jsonLines({ path, fs }).openReader("up");
    expect((await reader?.read())?.lastSeq).toBe(4);
    expect(await reader?.read()).toBeUndefined();
    // The writer goes on between the reader's two looks at the same place.
    let looks = 0;
    fs.readSync = ((...args: [fd: number, bytes: Buffer, offset: number, length: number, position: number]) => {
      const read = realFileSystem.readSync(...args);
      if (args[4] === half - 20 && looks++ === 0) writeFileSync(journalOf(path), whole);
      return read;
    }) as typeof fs.readSync;
    expect((await reader?.read())?.lastSeq).toBe(6);
    reader?.close();
  });

  it("[L9] stops a reader, which leaves every byte where it is", async () => {
    const path = quickFolder();
    await write(path, [1, 3], {});
    const file = journalOf(path);
    const next = makeLines({ logId: logIdOf(path), upgradeId: "up", run: 1 }, [4, 4], { opens: false })[0] as Buffer;
    writeFileSync(file, Buffer.concat([readFileSync(file), next.subarray(0, 30)]));
    const before = readFileSync(file);
    const reader = await jsonLines({ path }).openReader("up");
    expect((await reader?.read())?.lastSeq).toBe(3);
    expect(await reader?.read()).toBeUndefined();
    expect(readFileSync(file)).toEqual(before);
    writeFileSync(file, Buffer.concat([before, next.subarray(30)]));
    expect(Buffer.from((await reader?.read())?.bytes ?? [])).toEqual(next);
    reader?.close();
  });
});
