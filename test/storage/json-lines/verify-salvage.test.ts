import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as nodeFs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { realFileSystem, type FileSystem } from "../../../src/storage/files.ts";
import { jsonLines, salvageUpgrade, verifyUpgrade } from "../../../src/storage/json-lines.ts";
import { begun, codeOf } from "../../contracts/log-lines.ts";
import { quickFolder } from "../../faults/quick-folder.ts";
import { contentsOf, fileLines, journalOf, readLog, rootOf, write } from "./folder.ts";

/** Two files of ten lines each. */
async function twoFiles(): Promise<{ path: string; lines: Buffer[] }> {
  const path = quickFolder();
  const lines = await write(path, [1, 10], {});
  lines.push(...(await write(path, [11, 20], { term: "t2", lastType: "writer.closed" })));
  return { path, lines };
}

/** Changes a byte in line `line` of a file (0: its header); returns where that line begins. */
function damage(path: string, file: number, line: number): number {
  const lines = fileLines(journalOf(path, file));
  const offset = Buffer.concat(lines.slice(0, line)).length;
  const bytes = readFileSync(journalOf(path, file));
  bytes.writeUInt8(0x21, offset + 20);
  writeFileSync(journalOf(path, file), bytes);
  return offset;
}

/** The events of a log without what names it. */
const eventsOf = (bytes: Buffer): string[] =>
  bytes
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.replace(/[a-z0-9]{12,13}(?=[."])/g, "LOG").replace(/,"crc".*/, ""));

describe("verify", () => {
  it("[L7] finds nothing wrong with a whole log, tells its torn tail and what is not part of it, and changes nothing", async () => {
    const { path } = await twoFiles();
    writeFileSync(journalOf(path, 2), Buffer.concat([readFileSync(journalOf(path, 2)), Buffer.from('{"seq":21,"cur')]));
    writeFileSync(join(rootOf(path), "journal", "notes.txt"), "mine");
    const before = contentsOf(path);
    const { size } = nodeFs.statSync(journalOf(path, 2));
    expect(verifyUpgrade(path, "up")).toEqual({
      ref: "up",
      files: [journalOf(path, 1), journalOf(path, 2)],
      events: 20,
      eventsBehind: 0,
      problems: [],
      tornTail: { file: journalOf(path, 2), offset: size - 14, bytes: 14 },
      ignoredFiles: ["notes.txt"],
    });
    expect(contentsOf(path)).toEqual(before);
  });

  it.each([
    ["an old line", 1, 4, 3, 16],
    ["the last line of a sealed file", 1, 10, 9, 10],
    ["a line of the newest file", 2, 5, 14, 5],
    ["the header of the first file", 1, 0, 0, 20],
    ["the header of the newest file", 2, 0, 10, 10],
  ])("[L7, L6] finds damage in %s, where it is, and what stands behind it", async (...row) => {
    const [, file, line, kept, behind] = row;
    const { path } = await twoFiles();
    const offset = damage(path, file, line);
    const report = verifyUpgrade(path, "up");
    expect(report.problems[0]).toMatchObject({ file: journalOf(path, file), offset });
    // What stands behind the damaged first line of the first file is all there, and readable.
    const isFirstHeader = file === 1 && line === 0;
    expect(report.events).toBe(isFirstHeader ? 20 : kept);
    expect(report.eventsBehind).toBe(isFirstHeader ? 0 : behind);
    expect(await codeOf(() => readLog(path))).toBe("CORRUPT");
  });

  it.each([
    ["the first file", 1, 20, 0],
    ["the newest file", 2, 30, 10],
  ])(
    "[L7] finds %s cut inside its first line; one that is empty was never written",
    async (_name, file, size, kept) => {
      const { path } = await twoFiles();
      if (file === 1) rmSync(journalOf(path, 2));
      const whole = readFileSync(journalOf(path, file));
      writeFileSync(journalOf(path, file), whole.subarray(0, size));
      const { events, problems } = verifyUpgrade(path, "up");
      const cut = { file: journalOf(path, file), offset: 0, seq: kept, what: "ends inside its first line" };
      expect([events, problems]).toEqual([kept, [cut]]);
      writeFileSync(journalOf(path, file), "");
      expect(verifyUpgrade(path, "up").problems).toEqual([]);
    },
  );

  it("[L7] tells each of several places", async () => {
    const { path } = await twoFiles();
    const places = [damage(path, 1, 3), damage(path, 1, 7), damage(path, 2, 2)];
    expect(verifyUpgrade(path, "up").problems.map(({ offset, seq }) => [offset, seq])).toEqual([
      [places[0], 2],
      [places[1], 6],
      [places[2], 11],
    ]);
  });

  it("[L7] of an upgrade that is not there says so", async () => {
    const { path } = await twoFiles();
    expect(await codeOf(() => verifyUpgrade(path, "other"))).toBe("UNKNOWN_UPGRADE");
    expect(await codeOf(() => salvageUpgrade(path, "other"))).toBe("UNKNOWN_UPGRADE");
  });
});

describe("salvage", () => {
  it("[L7] leaves a whole log as it is", async () => {
    const { path } = await twoFiles();
    const before = contentsOf(join(rootOf(path), "journal"));
    expect(salvageUpgrade(path, "up")).toMatchObject({ keptEvents: 20, found: { problems: [] } });
    expect(contentsOf(join(rootOf(path), "journal"))).toEqual(before);
    expect(readdirSync(rootOf(path)).filter((name) => name.includes("damaged"))).toEqual([]);
  });

  it.each([
    ["an old line", 1, 4, 3],
    ["the last line of a sealed file", 1, 10, 9],
    ["a line of the newest file", 2, 5, 14],
    ["the header of the first file", 1, 0, 20],
    ["the header of the newest file", 2, 0, 10],
  ])("[L7, L10] keeps what stands before damage in %s, and every old byte aside", async (_name, file, line, kept) => {
    const { path, lines } = await twoFiles();
    damage(path, file, line);
    const old = Object.values(contentsOf(join(rootOf(path), "journal"))).sort();
    const report = salvageUpgrade(path, "up");
    expect(report.keptEvents).toBe(kept);
    expect(report.found.problems.length).toBeGreaterThan(0);
    const bytes = await readLog(path);
    expect(eventsOf(bytes)).toEqual(eventsOf(Buffer.concat(lines.slice(0, kept))));
    const logIdOf = (line?: Buffer): string => /"cursor":"(\w+)/.exec(line?.toString() ?? "")?.[1] ?? "";
    expect(logIdOf(bytes)).not.toBe(logIdOf(lines[0]));
    expect(report.damagedFolder).toBe(join(rootOf(path), "journal.damaged-1"));
    expect(Object.values(contentsOf(report.damagedFolder ?? "")).sort()).toEqual(old);
    expect(verifyUpgrade(path, "up")).toMatchObject({ events: kept, problems: [], ignoredFiles: [] });
    await write(path, [kept + 1, kept + 2], { term: "t3" });
    expect(eventsOf(await readLog(path))).toHaveLength(kept + 2);
    // Again: nothing is left to do, and the next damage gets a folder of its own.
    expect(salvageUpgrade(path, "up").damagedFolder).toBeUndefined();
    damage(
      path,
      readdirSync(join(rootOf(path), "journal"))
        .map((name) => Number.parseInt(name))
        .sort((a, b) => a - b)[0] ?? 0,
      1,
    );
    expect(salvageUpgrade(path, "up").damagedFolder).toBe(join(rootOf(path), "journal.damaged-2"));
  });

  it("[L7, K1] is refused while somebody writes the upgrade", async () => {
    const { path } = await twoFiles();
    const writer = await begun(jsonLines({ path }).openWriter("up"));
    damage(path, 1, 4);
    expect(await codeOf(() => salvageUpgrade(path, "up"))).toBe("LOCKED");
    await writer.close();
  });

  it("[L7] salvages a finished run by its name", async () => {
    const { path } = await twoFiles();
    const writer = await begun(jsonLines({ path }).openWriter("up"));
    await writer.beginNextRun();
    await writer.close();
    const root = join(path, "upgrades", "up@1");
    rmSync(join(root, "journal", "1.jsonl"));
    expect(salvageUpgrade(path, "up@1")).toMatchObject({ keptEvents: 0, found: { eventsBehind: 10 } });
    expect((await readLog(path, "up@1")).length).toBe(0);
  });

  it("[L7, L4] killed at any call, it leaves the old log or the new one, and ends the same when it is called again (D15)", async () => {
    for (let kill = 1; ; kill++) {
      const { path, lines } = await twoFiles();
      damage(path, 2, 5);
      const isDone = salvageKilledAt(path, kill);
      const code = await codeOf(() => readLog(path));
      if (code === undefined)
        expect(eventsOf(await readLog(path))).toEqual(eventsOf(Buffer.concat(lines.slice(0, 14))));
      else expect(code).toBe("CORRUPT");
      salvageUpgrade(path, "up");
      expect(eventsOf(await readLog(path)), `killed at call ${kill}`).toEqual(
        eventsOf(Buffer.concat(lines.slice(0, 14))),
      );
      expect(verifyUpgrade(path, "up")).toMatchObject({ events: 14, problems: [], ignoredFiles: [] });
      const aside = join(rootOf(path), "journal.damaged-1");
      expect(existsSync(join(aside, "1.jsonl")) && existsSync(join(aside, "2.jsonl"))).toBe(true);
      if (isDone) break;
    }
  }, 60_000);
});

/** Runs a salvage whose `kill`-th change of the disk, and all after it, do not happen. True if it had ended before. */
function salvageKilledAt(path: string, kill: number): boolean {
  let calls = 0;
  const counted = <T extends (...args: never[]) => unknown>(call: T): T =>
    ((...args: never[]) => {
      calls += 1;
      if (calls >= kill) throw new Error("killed");
      return call(...args);
    }) as T;
  const fs: FileSystem = {
    ...realFileSystem,
    writeSync: counted(nodeFs.writeSync as never),
    renameSync: counted(nodeFs.renameSync),
    mkdirSync: counted(nodeFs.mkdirSync as never),
    fsyncSync: counted(nodeFs.fsyncSync),
    rmSync: counted(nodeFs.rmSync),
  };
  try {
    salvageUpgrade(path, "up", { fs });
    return true;
  } catch {
    return false;
  }
}
