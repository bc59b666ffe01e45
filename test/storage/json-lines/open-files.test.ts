import * as nodeFs from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";

import { realFileSystem, type FileSystem } from "../../../src/storage/files.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import type { LogWriter } from "../../../src/storage/storage.ts";
import { appendLines, begun, codeOf, makeLines } from "../../contracts/log-lines.ts";
import { journalOf, readLog, rootOf, temporaryFolder, write } from "./folder.ts";

const { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } =
  nodeFs;

let path: string;
beforeEach(() => {
  path = temporaryFolder();
});

describe("writes that the system takes in pieces", () => {
  it("[L14, S2] every length of a short write, and every place of a failed one, leaves whole lines only (D12)", async () => {
    let room = Number.POSITIVE_INFINITY;
    let piece = Number.POSITIVE_INFINITY;
    const writeSync = (
      ...args: [fd: number, bytes: Uint8Array, offset: number, length: number, position: number]
    ): number => {
      const [fd, bytes, offset, length, position] = args;
      if (room === 0) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC", errno: -28 });
      const take = Math.min(length, piece, room);
      room -= take;
      return nodeFs.writeSync(fd, bytes, offset, take, position);
    };
    const storage = jsonLines({ path, fs: { ...realFileSystem, writeSync: writeSync as FileSystem["writeSync"] } });
    const writer = await begun(storage.openWriter("up"));
    const lines = await appendLines(writer, [1, 1]);
    const length = (makeLines(writer.header, [100, 100])[0] as Buffer).length;
    for (let k = 1, seq = 2; k <= length; k++, seq += 2) {
      const two = makeLines(writer.header, [seq, seq + 1], { opens: false });
      piece = k;
      room = k;
      expect(await codeOf(() => writer.append(seq - 1, Buffer.concat(two), seq + 1))).toBe("STORAGE_DEGRADED");
      expect((await readLog(path)).subarray(0, Buffer.concat(lines).length)).toEqual(Buffer.concat(lines));
      room = Number.POSITIVE_INFINITY;
      await writer.append(seq - 1, Buffer.concat(two), seq + 1);
      lines.push(...two);
      expect(await readLog(path), `pieces of ${k}`).toEqual(Buffer.concat(lines));
    }
    await writer.close();
  });
});

describe("what is made durable, and when (D14)", () => {
  const QUIET = /(^|\/)(lock[^/]*|holder\.json[^/]*)$/;

  /** A file system that records what is created, renamed and synced. */
  function recorder(): { fs: FileSystem; log: string[] } {
    const log: string[] = [];
    const names = new Map<number, string>();
    const fs = {
      ...realFileSystem,
      openSync: ((name: string, flags: string, mode?: number) => {
        const isNew = !existsSync(name);
        const fd = nodeFs.openSync(name, flags, mode);
        names.set(fd, name);
        if (isNew) log.push(`create ${name}`);
        return fd;
      }) as FileSystem["openSync"],
      mkdirSync: ((name: string, mode: number) => (
        log.push(`create ${name}`),
        nodeFs.mkdirSync(name, mode)
      )) as FileSystem["mkdirSync"],
      renameSync: ((from: string, to: string) => (
        log.push(`create ${to}`),
        nodeFs.renameSync(from, to)
      )) as FileSystem["renameSync"],
      fsyncSync: (fd: number) => (log.push(`sync ${names.get(fd)}`), nodeFs.fsyncSync(fd)),
      fdatasync: ((fd: number, done: (error: NodeJS.ErrnoException | null) => void) => {
        log.push(`sync ${names.get(fd)}`);
        nodeFs.fdatasync(fd, done);
      }) as FileSystem["fdatasync"],
    };
    return { fs, log };
  }

  /** Names that were made and whose folder was not synced afterwards. */
  const undurable = (log: readonly string[]): string[] =>
    log.flatMap((entry, index) => {
      const name = entry.slice("create ".length);
      if (!entry.startsWith("create ") || QUIET.test(name)) return [];
      return log.indexOf(`sync ${join(name, "..")}`, index) < 0 ? [name] : [];
    });

  it("[L2] every new name is durable in its folder before the first append returns", async () => {
    const { fs, log } = recorder();
    const writer = await begun(jsonLines({ path: join(path, "deep", "data"), fs }).openWriter("up"));
    await appendLines(writer, [1, 1]);
    expect(log.filter((entry) => entry.startsWith("create ")).length).toBeGreaterThanOrEqual(6);
    expect(undurable(log)).toEqual([]);
    await writer.close();
  });

  it("[L2, S6] so is every new name of a new file, a take-over, a snapshot and a next run", async () => {
    const { fs, log } = recorder();
    const storage = jsonLines({ path, fs });
    const old = await begun(storage.openWriter("up"));
    const lines = await appendLines(old, [1, 2]);
    const writer = await begun(storage.openWriter("up", { takeOver: true }));
    await appendLines(writer, [3, 3], { term: "t2" });
    expect(undurable(log)).toEqual([]);
    const { cursor } = JSON.parse((lines[0] as Buffer).toString()) as { cursor: string };
    await writer.saveSnapshot({ seq: 1, cursor }, ["{}"]);
    expect(undurable(log)).toEqual([]);
    log.length = 0;
    await appendLines(writer, [4, 4], { term: "t2", opens: false });
    await writer.beginNextRun();
    await appendLines(writer, [1, 1]);
    // The last line of the finished run is durable before its folder moves.
    const moved = log.findIndex((entry) => entry.startsWith("create ") && entry.endsWith("@1/journal"));
    expect(log.slice(0, moved).some((entry) => entry.startsWith("sync ") && entry.includes(".jsonl"))).toBe(true);
    expect(undurable(log.slice(moved))).toEqual([]);
    await old.close();
    await writer.close();
  });
});

describe("a journal that somebody touches while it is open (D17)", () => {
  let writer: LogWriter;
  let lines: Buffer[];
  beforeEach(async () => {
    writer = await begun(jsonLines({ path }).openWriter("up"));
    lines = await appendLines(writer, [1, 3]);
    await writer.sync();
    await pastTheCheck();
    return () => writer.close();
  });

  /** The holder looks once in 100 ms. */
  const pastTheCheck = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 110));
  const append = (seq: number): Promise<Buffer[]> => appendLines(writer, [seq, seq], { opens: false });

  it("[L14] is put back when it was removed, and a reader of the old one goes on", async () => {
    const reader = await jsonLines({ path }).openReader("up");
    await reader?.read();
    rmSync(journalOf(path));
    lines.push(...(await append(4)));
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
    expect((await reader?.read())?.lastSeq).toBe(4);
    lines.push(...(await append(5)));
    expect((await reader?.read())?.lastSeq).toBe(5);
    lines.push(...(await append(6)));
    expect((await reader?.read())?.lastSeq).toBe(6);
    reader?.close();
  });

  it("[L14] is put back when it was replaced, and what stood there is kept", async () => {
    renameSync(journalOf(path), join(path, "away"));
    writeFileSync(journalOf(path), "something else\n");
    lines.push(...(await append(4)));
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
    const kept = readdirSync(join(rootOf(path), "journal")).find((name) => name.includes("replaced"));
    expect(readFileSync(join(rootOf(path), "journal", kept ?? ""), "utf8")).toBe("something else\n");
  });

  it.each([0, 1, 200, -1])("[L14] takes nothing more when it was cut short to %i bytes", async (to) => {
    const { size } = statSync(journalOf(path));
    truncateSync(journalOf(path), to < 0 ? size + to : to);
    expect(await codeOf(() => append(4))).toBe("STORAGE_DEGRADED");
    expect(await codeOf(() => append(4))).toBe("STORAGE_DEGRADED");
  });

  it.each([0, 300, -1])("[L14] that was cut between two checks to %i bytes is found out at the next", async (to) => {
    await append(4);
    const { size } = statSync(journalOf(path));
    truncateSync(journalOf(path), to < 0 ? size + to : to);
    await append(5).catch(() => undefined);
    await pastTheCheck();
    expect(await codeOf(() => append(6))).toBe("STORAGE_DEGRADED");
  });

  it("[L14] takes nothing more when its whole folder is gone, and close still frees the lock", async () => {
    rmSync(join(path, "upgrades"), { recursive: true });
    expect(await codeOf(() => append(4))).toBe("STORAGE_DEGRADED");
    await writer.close();
    const anew = await begun(jsonLines({ path }).openWriter("up"));
    await appendLines(anew, [1, 1]);
    await anew.close();
  });

  it("[L14] goes on when the folder comes back", async () => {
    renameSync(rootOf(path), join(path, "away"));
    expect(await codeOf(() => append(4))).toBe("STORAGE_DEGRADED");
    renameSync(join(path, "away"), rootOf(path));
    lines.push(...(await append(4)));
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
  });

  it("[K1, K2] has one writer still when its lock file is removed", async () => {
    rmSync(join(rootOf(path), "lock"));
    const taker = await begun(jsonLines({ path }).openWriter("up"));
    // As in a take-over, what the old one still writes is shut out before it has noticed.
    expect(existsSync(journalOf(path, 2))).toBe(true);
    expect(await codeOf(() => append(4))).toBe("FENCED");
    lines.push(...(await appendLines(taker, [4, 4], { term: "t2" })));
    expect(await readLog(path)).toEqual(Buffer.concat(lines));
    await taker.close();
  });

  it("[K1, K2] keeps its lock when the file is removed and nobody else has come", async () => {
    rmSync(join(rootOf(path), "lock"));
    await append(4);
    expect(await codeOf(() => jsonLines({ path }).openWriter("up"))).toBe("LOCKED");
  });
});

describe("a lock file that is none (L06)", () => {
  const lock = (): string => join(rootOf(path), "lock");
  beforeEach(() => write(path, [1, 2]).then(() => undefined));

  it("[K2] lets one in when it is empty", async () => {
    writeFileSync(lock(), "");
    const writer = await begun(jsonLines({ path }).openWriter("up"));
    expect(await codeOf(() => jsonLines({ path }).openWriter("up"))).toBe("LOCKED");
    await writer.close();
  });

  it.each([
    ["garbage", () => writeFileSync(lock(), Buffer.alloc(8192, 0xa5))],
    ["a foreign pid", () => writeFileSync(lock(), "12345\n".repeat(20))],
    ["a directory", () => (rmSync(lock()), mkdirSync(lock()))],
    ["a symbolic link to nowhere in reach", () => (rmSync(lock()), nodeFs.symlinkSync("/nowhere/lock", lock()))],
    ["a loop of symbolic links", () => (rmSync(lock()), nodeFs.symlinkSync(lock(), lock()))],
  ])("[K2] lets nobody in when it is %s, and says so; reading goes on", async (_name, spoil) => {
    spoil();
    const storage = jsonLines({ path });
    for (const takeOver of [false, true]) {
      const error: unknown = await Promise.resolve()
        .then(() => storage.openWriter("up", { takeOver }))
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "STORAGE_UNUSABLE", message: expect.stringContaining(lock()) as string });
    }
    expect(await storage.holder("up")).toBeUndefined();
    expect((await readLog(path)).length).toBeGreaterThan(0);
  });

  it("[X3] is not believed what it says of its holder", async () => {
    const writer = await begun(jsonLines({ path }).openWriter("up"));
    for (const text of [
      "",
      "null",
      "[]",
      '{"pid":"\u001b[2J"}',
      '{"program":1}',
      "{",
      '"x"',
      `{"program":"p","pid":1,"host":"h","since":"\u001b[2J"}`,
    ]) {
      writeFileSync(join(rootOf(path), "holder.json"), text);
      const error: unknown = await Promise.resolve()
        .then(() => jsonLines({ path }).openWriter("up"))
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "LOCKED",
        context: { holder: { program: process.platform === "linux" ? "node" : "unknown" } },
      });
      // eslint-disable-next-line no-control-regex
      expect((error as Error).message).not.toMatch(/[\u0000-\u001f]/);
    }
    await writer.close();
  });
});
