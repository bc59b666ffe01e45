import * as nodeFs from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { realFileSystem } from "../../../src/storage/files.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import type { WatchFolder } from "../../../src/storage/json-lines/kernel-notices.ts";
import { JournalWatch } from "../../../src/storage/json-lines/watch.ts";
import { appendLines, begun } from "../../contracts/log-lines.ts";
import { hear, type Heard } from "../../contracts/storage-watch.ts";
import { temporaryFolder } from "./folder.ts";

const { appendFileSync, cpSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } = nodeFs;

/** Long ago: nothing of it is news. */
const OLD = new Date("2026-01-01T00:00:00Z");

interface Kernel {
  readonly watch: WatchFolder;
  /** The folders that are watched now. */
  readonly watched: string[];
  readonly asked: string[];
}

/** The kernel's notices, counted; with a limit like the real one's. */
function kernel({ limit = Infinity, code = "ENOSPC" } = {}): Kernel {
  const watched: string[] = [];
  const asked: string[] = [];
  const watch: WatchFolder = (path, options, listener) => {
    asked.push(path);
    if (watched.length >= limit) throw Object.assign(new Error(`${code}: no more`), { code });
    const watcher = nodeFs.watch(path, options, listener);
    watched.push(path);
    const close = watcher.close.bind(watcher);
    let isClosed = false;
    watcher.close = () => {
      if (!isClosed) watched.splice(watched.indexOf(path), 1);
      isClosed = true;
      close();
    };
    return watcher;
  };
  return { watch, watched, asked };
}

interface Watched {
  readonly upgrades: string;
  readonly kernel: Kernel;
  readonly warnings: string[];
  readonly heard: Heard;
}

/** Watches all logs below `path`, going round quickly; stopped when the test is over. */
function watchAll(path: string, { with: watched = kernel(), roundMs = 200, maxLively = 1_000 } = {}): Watched {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const upgrades = join(path, "upgrades");
  const watch = new JournalWatch({ fs: realFileSystem, upgrades, watch: watched.watch, warn, roundMs, maxLively });
  const heard = hear(watch);
  onTestFinished(() => heard.stop());
  return { upgrades, kernel: watched, warnings, heard };
}

/** Upgrades that were written long ago. */
function oldUpgrades(path: string, ids: readonly string[]): void {
  for (const id of ids) {
    const journal = join(path, "upgrades", id, "journal");
    mkdirSync(journal, { recursive: true });
    writeFileSync(join(journal, "1.jsonl"), "{}\n");
    for (const one of [join(journal, "1.jsonl"), journal, join(path, "upgrades", id)]) utimesSync(one, OLD, OLD);
  }
}

const fileOf = (path: string, id: string): string => join(path, "upgrades", id, "journal", "1.jsonl");
const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `u${n}`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("watching all logs of a folder", () => {
  it("[S7] quiet logs cost no watch of the kernel's, and are not told", async () => {
    const path = temporaryFolder();
    oldUpgrades(path, ids(100));
    const { kernel, heard, upgrades } = watchAll(path);
    // Until a round is through: a change that only a round finds.
    const found = heard.next("u99");
    appendFileSync(fileOf(path, "u99"), "{}\n");
    await found;
    expect(new Set(heard.refs)).toEqual(new Set(["u99"]));
    const root = join(upgrades, "u99");
    expect(new Set(kernel.watched)).toEqual(new Set([upgrades, root, join(root, "journal")]));
  });

  it("[S7] a writer that opens a quiet log is heard at once, not when its turn comes", async () => {
    const path = temporaryFolder();
    const first = await begun(jsonLines({ path }).openWriter("up"));
    await appendLines(first, [1, 2], { lastType: "writer.closed" });
    await first.close();
    for (const one of [fileOf(path, "up"), join(path, "upgrades", "up", "journal")]) utimesSync(one, OLD, OLD);
    // So many that its turn does not come by chance.
    oldUpgrades(path, ids(200));
    const { heard } = watchAll(path, { roundMs: 3_600_000 });
    // The first look at all is through: nobody is told of what is old.
    await pause(400);
    expect(heard.refs).toEqual([]);
    const told = heard.next("up");
    const again = await begun(jsonLines({ path }).openWriter("up"));
    await appendLines(again, [3, 3], { term: "t2" });
    await told;
    for (let seq = 4; seq < 8; seq++) {
      const next = heard.next("up");
      await appendLines(again, [seq, seq], { term: "t2", opens: false });
      await next;
    }
  });

  it.each([
    ["ENOSPC", 0],
    ["EMFILE", 0],
    ["ENOSPC", 2],
  ])(
    "[S7] without notices (%s after %i watches) everything is found all the same, and said once",
    async (code, limit) => {
      const path = temporaryFolder();
      oldUpgrades(path, ids(30));
      const { heard, warnings, upgrades, kernel: counted } = watchAll(path, { with: kernel({ code, limit }) });
      const grown = heard.next("u7");
      appendFileSync(fileOf(path, "u7"), "{}\n");
      await grown;
      const come = heard.next("new");
      const writer = await begun(jsonLines({ path }).openWriter("new"));
      await appendLines(writer, [1, 1]);
      await come;
      for (let seq = 2; seq < 5; seq++) {
        const more = heard.next("new");
        await appendLines(writer, [seq, seq]);
        await more;
      }
      const nextRun = Promise.all([heard.next("new@1"), heard.next("new")]);
      await writer.beginNextRun();
      await nextRun;
      const gone = heard.next("u8");
      rmSync(join(upgrades, "u8"), { recursive: true });
      await gone;
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(code);
      // It is not asked again for every log and every look.
      expect(counted.asked.length).toBeLessThanOrEqual(limit + 1);
    },
  );

  it.each([0, Infinity])("[S7] another folder in the place of this one is found (%d watches)", async (limit) => {
    const path = temporaryFolder();
    oldUpgrades(path, ids(5));
    const { heard, upgrades } = watchAll(path, { with: kernel({ limit }) });
    await pause(300);
    cpSync(upgrades, join(path, "backup"), { recursive: true, preserveTimestamps: true });
    appendFileSync(join(path, "backup", "u3", "journal", "1.jsonl"), "{}\n");
    oldUpgrades(join(path, "other"), ["v"]);
    renameSync(join(path, "other", "upgrades", "v"), join(path, "backup", "v"));
    rmSync(join(path, "backup", "u4"), { recursive: true });
    const found = Promise.all(["u3", "u4", "v"].map((ref) => heard.next(ref)));
    renameSync(upgrades, join(path, "aside"));
    renameSync(join(path, "backup"), upgrades);
    await found;
    const grown = heard.next("v");
    appendFileSync(fileOf(path, "v"), "{}\n");
    await grown;
  });

  it("[S7] a folder that comes with an old log in it is told, as is a storage that comes whole", async () => {
    const path = temporaryFolder();
    const { heard } = watchAll(path);
    oldUpgrades(join(path, "else"), ["w", "x"]);
    const all = Promise.all([heard.next("w"), heard.next("x")]);
    renameSync(join(path, "else", "upgrades"), join(path, "upgrades"));
    await all;
    oldUpgrades(join(path, "else"), ["y"]);
    const one = heard.next("y");
    renameSync(join(path, "else", "upgrades", "y"), join(path, "upgrades", "y"));
    await one;
  });

  it.each([0, Infinity])(
    "[S7] what goes before it is looked at for the first time is told (%d watches)",
    async (limit) => {
      const path = temporaryFolder();
      oldUpgrades(path, ids(3));
      const { heard, upgrades } = watchAll(path, { with: kernel({ limit }) });
      const gone = Promise.all([heard.next("u1"), heard.next("u2")]);
      rmSync(join(upgrades, "u1"), { recursive: true });
      renameSync(join(upgrades, "u2"), join(path, "elsewhere"));
      await gone;
    },
  );

  it("[S7] an id that is too long for a file name is told by its id, also when its log goes", async () => {
    const path = temporaryFolder();
    const id = "long".repeat(60);
    const { heard } = watchAll(path);
    const storage = jsonLines({ path });
    const come = heard.next(id);
    const writer = await begun(storage.openWriter(id));
    await appendLines(writer, [1, 1]);
    await come;
    await writer.close();
    const gone = heard.next(id);
    await storage.delete(id);
    await gone;
  });

  it("[S7] what is no folder of an upgrade disturbs nobody", async () => {
    const path = temporaryFolder();
    const upgrades = join(path, "upgrades");
    mkdirSync(join(upgrades, "empty"), { recursive: true });
    writeFileSync(join(upgrades, "a file"), "");
    mkdirSync(join(upgrades, "@x"));
    mkdirSync(join(upgrades, "up"));
    writeFileSync(join(upgrades, "up", "journal"), "a file where a folder belongs");
    const { heard } = watchAll(path);
    const told = heard.next("u0");
    oldUpgrades(path, ["u0"]);
    await told;
    writeFileSync(join(upgrades, ".tmp"), "");
    rmSync(join(upgrades, ".tmp"));
    const more = heard.next("u0");
    appendFileSync(fileOf(path, "u0"), "{}\n");
    await more;
  });

  it("[S7] so many lively logs have watches and no more, and the others are found in their turn", async () => {
    const path = temporaryFolder();
    const many = ids(60);
    oldUpgrades(path, many);
    const { kernel, heard, upgrades } = watchAll(path, { maxLively: 20 });
    await pause(300);
    for (const id of many) utimesSync(join(upgrades, id), new Date(), new Date());
    const told = Promise.all(many.map((id) => heard.next(id)));
    for (const id of many) appendFileSync(fileOf(path, id), "{}\n");
    await told;
    expect(kernel.watched.length).toBeGreaterThan(20);
    expect(kernel.watched.length).toBeLessThanOrEqual(41);
  });

  it("[S7] who asks for one by name hears of it, however many others are lively", async () => {
    const path = temporaryFolder();
    oldUpgrades(path, ids(200));
    const options = { fs: realFileSystem, upgrades: join(path, "upgrades"), roundMs: 3_600_000, maxLively: 2 };
    const watch = new JournalWatch(options);
    const [one, all] = [hear(watch, "u0"), hear(watch)];
    await pause(400);
    for (const id of ["u1", "u2", "u3", "u4"]) {
      const other = all.next(id);
      utimesSync(join(path, "upgrades", id), new Date(), new Date());
      appendFileSync(fileOf(path, id), "{}\n");
      await other;
    }
    const told = one.next("u0");
    appendFileSync(fileOf(path, "u0"), "{}\n");
    await told;
    one.stop();
    all.stop();
  });

  it("[S7] nothing is left of it when the last one has stopped", async () => {
    const path = temporaryFolder();
    oldUpgrades(path, ids(3));
    const counted = kernel();
    const watch = new JournalWatch({ fs: realFileSystem, upgrades: join(path, "upgrades"), watch: counted.watch });
    const [all, again, one] = [hear(watch), hear(watch), hear(watch, "u1")];
    const told = Promise.all([all, again, one].map((heard) => heard.next("u1")));
    appendFileSync(fileOf(path, "u1"), "{}\n");
    await told;
    const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    all.stop();
    const still = Promise.all([again, one].map((heard) => heard.next("u1")));
    appendFileSync(fileOf(path, "u1"), "{}\n");
    await still;
    again.stop();
    expect(new Set(counted.watched)).toEqual(
      new Set([join(path, "upgrades", "u1"), join(path, "upgrades", "u1", "journal")]),
    );
    one.stop();
    expect(counted.watched).toEqual([]);
    expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout")).toHaveLength(before - 1);
  });
});
