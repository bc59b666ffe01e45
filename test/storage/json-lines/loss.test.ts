import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";

import { realFileSystem, type FileSystem } from "../../../src/storage/files.ts";
import { jsonLines, salvageUpgrade, verifyUpgrade } from "../../../src/storage/json-lines.ts";
import { appendLines, begun, codeOf } from "../../contracts/log-lines.ts";
import { quickFolder } from "../../faults/quick-folder.ts";
import { contentsOf, fileLines, journalOf, readLog, rootOf, write, writeLines } from "./folder.ts";

let path: string;
beforeEach(() => {
  path = quickFolder();
});

const snapshotOf = (root = rootOf(path)): string => join(root, "snapshot.json");
const cursorIn = (line: Uint8Array): string => (JSON.parse(Buffer.from(line).toString()) as { cursor: string }).cursor;

/** A log of 30 events with a snapshot at 20. */
async function withSnapshot(): Promise<Buffer[]> {
  const lines = await write(path, [1, 30]);
  const writer = await begun(jsonLines({ path }).openWriter("up"));
  await writer.saveSnapshot({ seq: 20, cursor: cursorIn(lines[19] as Buffer) }, ['{"upgradeId":"up"}']);
  await writer.close();
  return lines;
}

async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

const problemsOf = (): readonly unknown[] => verifyUpgrade(path, "up").problems;

/** What somebody does to a journal, the file that is then named, and how many events are left. */
const LOSSES: readonly (readonly [string, () => void, () => string, number])[] = [
  ["removed", () => rmSync(journalOf(path)), () => join(rootOf(path), "journal"), 0],
  [
    "removed with its folder",
    () => rmSync(join(rootOf(path), "journal"), { recursive: true }),
    () => join(rootOf(path), "journal"),
    0,
  ],
  ["emptied", () => writeFileSync(journalOf(path), ""), () => journalOf(path), 0],
  [
    "cut behind its header",
    () => writeLines(journalOf(path), fileLines(journalOf(path)).slice(0, 1)),
    () => journalOf(path),
    0,
  ],
  [
    "cut at the end of a line",
    () => writeLines(journalOf(path), fileLines(journalOf(path)).slice(0, 13)),
    () => journalOf(path),
    12,
  ],
  [
    "cut in the middle of a line",
    () => writeFileSync(journalOf(path), Buffer.concat(fileLines(journalOf(path)).slice(0, 13)).subarray(0, -9)),
    () => journalOf(path),
    11,
  ],
  [
    "replaced by a link to nothing written",
    () => {
      writeFileSync(join(path, "other"), "");
      rmSync(journalOf(path));
      symlinkSync(join(path, "other"), journalOf(path));
    },
    () => journalOf(path),
    0,
  ],
];

describe("a journal that lacks what its snapshot proves", () => {
  it.each(LOSSES)(
    "[L6, L11] %s: verify says so, writers are refused and change nothing, salvage goes on",
    async (_name, lose, file, left) => {
      const lines = await withSnapshot();
      lose();
      const before = contentsOf(path);
      expect(problemsOf()).toMatchObject([{ file: file(), seq: left }]);
      expect((await jsonLines({ path }).list()).map(({ ref }) => ref)).toEqual(["up"]);
      for (const takeOver of [false, true]) {
        const error = await thrownBy(() => jsonLines({ path }).openWriter("up", { takeOver }));
        expect(error).toMatchObject({ code: "CORRUPT", context: { file: file(), seq: left, provenSeq: 20 } });
        expect((error as Error).message).toContain("milepost salvage");
      }
      expect(contentsOf(path)).toEqual(before);
      if (left > 0) expect(await readLog(path)).toEqual(Buffer.concat(lines.slice(0, left)));

      const report = salvageUpgrade(path, "up");
      expect(report.keptEvents).toBe(left);
      expect(report.damagedFolder).toBeDefined();
      expect(existsSync(join(report.damagedFolder as string, "snapshot.json"))).toBe(true);
      expect(existsSync(snapshotOf())).toBe(false);
      expect(problemsOf()).toEqual([]);
      await write(path, [left + 1, left + 3], { term: "t7" });
      expect(verifyUpgrade(path, "up")).toMatchObject({ events: left + 3, problems: [] });
    },
  );

  it.each(LOSSES.filter(([, , , left]) => left === 0))(
    "[L11] %s: a reader, who has nothing to show, says that it is lost and not that it never was",
    async (name, lose) => {
      await withSnapshot();
      lose();
      expect(await codeOf(() => jsonLines({ path }).openReader("up")), name).toBe("CORRUPT");
      rmSync(snapshotOf());
      expect(await codeOf(() => jsonLines({ path }).openWriter("up"))).toBe(undefined);
    },
  );

  it("[L11] restored alone from an older backup is refused too; restored with its snapshot it goes on", async () => {
    await write(path, [1, 10]);
    cpSync(rootOf(path), join(path, "backup"), { recursive: true });
    const writer = await begun(jsonLines({ path }).openWriter("up"));
    const lines = await appendLines(writer, [11, 20], { term: "t2" });
    await writer.saveSnapshot({ seq: 20, cursor: cursorIn(lines[9] as Buffer) }, ["{}"]);
    await writer.close();
    rmSync(join(rootOf(path), "journal"), { recursive: true });
    cpSync(join(path, "backup", "journal"), join(rootOf(path), "journal"), { recursive: true });
    expect(await codeOf(() => jsonLines({ path }).openWriter("up"))).toBe("CORRUPT");
    rmSync(rootOf(path), { recursive: true });
    renameSync(join(path, "backup"), rootOf(path));
    await write(path, [11, 12], { term: "t3" });
    expect(problemsOf()).toEqual([]);
  });

  it("[L11] is not assumed where a snapshot is damaged: then it proves nothing", async () => {
    await withSnapshot();
    rmSync(journalOf(path));
    const bytes = readFileSync(snapshotOf());
    bytes.writeUInt8(0x21, bytes.length - 20);
    writeFileSync(snapshotOf(), bytes);
    await write(path, [1, 2]);
    expect(problemsOf()).toEqual([]);
  });
});

describe("a snapshot that proves no loss", () => {
  it("[L4, S6] of a finished run, left behind by a crash or written late, hinders neither the next run nor the finished one", async () => {
    const lines = await withSnapshot();
    const snapshot = readFileSync(snapshotOf());
    const writer = await begun(jsonLines({ path }).openWriter("up"));
    await writer.beginNextRun();
    await writer.saveSnapshot({ seq: 20, cursor: cursorIn(lines[19] as Buffer) }, ["{}"]);
    await writer.close();
    expect(existsSync(snapshotOf())).toBe(false);
    writeFileSync(snapshotOf(), snapshot);
    await write(path, [1, 3], { term: "t5" });
    expect(problemsOf()).toEqual([]);
    rmSync(join(rootOf(path), "journal"), { recursive: true });
    expect(await jsonLines({ path }).openReader("up")).toBeUndefined();
    expect((await jsonLines({ path }).list()).map(({ ref }) => ref)).toEqual(["up@1"]);
    await write(path, [1, 3], { term: "t6" });
    expect(verifyUpgrade(path, "up@1")).toMatchObject({ events: 30, problems: [] });
  });

  it("[L4, S6] moved before a crash kept its log from following is no finished run", async () => {
    await withSnapshot();
    mkdirSync(`${rootOf(path)}@1`);
    renameSync(snapshotOf(), snapshotOf(`${rootOf(path)}@1`));
    expect((await jsonLines({ path }).list()).map(({ ref }) => ref)).toEqual(["up"]);
    expect(await jsonLines({ path }).openReader("up@1")).toBeUndefined();
    await write(path, [31, 32], { term: "t2" });
    expect(problemsOf()).toEqual([]);
  });

  it("[L4, L7] of a log that a salvage has replaced, killed before it moved the snapshot, hinders nobody", async () => {
    await withSnapshot();
    writeLines(journalOf(path), fileLines(journalOf(path)).slice(0, 13));
    const renameSync_ = ((from: string, to: string) => {
      if (from.includes(".new")) realFileSystem.renameSync(from, to);
      else throw Object.assign(new Error("killed"), { code: "EIO" });
    }) as FileSystem["renameSync"];
    await codeOf(() => salvageUpgrade(path, "up", { fs: { ...realFileSystem, renameSync: renameSync_ } }));
    expect(existsSync(snapshotOf())).toBe(true);
    await write(path, [13, 14], { term: "t7" });
    expect(verifyUpgrade(path, "up")).toMatchObject({ events: 14, problems: [] });
    expect(salvageUpgrade(path, "up")).toMatchObject({ keptEvents: 14 });
    expect(existsSync(snapshotOf())).toBe(false);
    expect(verifyUpgrade(path, "up")).toMatchObject({ events: 14, problems: [] });
  });

  it("[L4] is none at all in a folder that was just made", async () => {
    mkdirSync(rootOf(path), { recursive: true });
    writeFileSync(join(rootOf(path), "lock"), "");
    expect(await jsonLines({ path }).openReader("up")).toBeUndefined();
    await write(path, [1, 2]);
    expect(problemsOf()).toEqual([]);
  });
});

describe("what is no regular file", () => {
  it(
    "[L15] a named pipe in place of a journal file keeps nobody waiting and hides no other log",
    { timeout: 10_000 },
    async ({ skip }) => {
      await write(path, [1, 2]);
      rmSync(journalOf(path));
      if (spawnSync("mkfifo", [journalOf(path)]).status !== 0) skip("there is no mkfifo here");
      // In another process: one that waits for the pipe waits for ever, and no time limit of this one ends it.
      const storage = new URL("../../../src/storage/json-lines.ts", import.meta.url).href;
      const text = `
      const { jsonLines, verifyUpgrade, salvageUpgrade } = await import(${JSON.stringify(storage)});
      const path = ${JSON.stringify(path)};
      const storage = jsonLines({ path });
      const said = [];
      for (const call of [() => storage.openReader("up"), () => storage.openWriter("up"), () => verifyUpgrade(path, "up"), () => salvageUpgrade(path, "up")])
        try { call(); said.push("nothing"); } catch (error) { said.push(error.code + " " + error.message.includes("pipe")); }
      console.log(JSON.stringify([said, storage.list().map(({ ref }) => ref)]));`;
      const child = spawnSync(process.execPath, ["--conditions=milepost-source", "--input-type=module", "-e", text], {
        timeout: 5_000,
      });
      expect(child.stdout.toString().trim(), child.stderr.toString()).toBe(
        JSON.stringify([new Array(4).fill("STORAGE_UNUSABLE true"), ["up"]]),
      );
    },
  );

  it("[L15] a link to a journal file elsewhere is followed", async () => {
    const lines = await write(path, [1, 2]);
    renameSync(journalOf(path), join(path, "elsewhere"));
    symlinkSync(join(path, "elsewhere"), journalOf(path));
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
  });
});
