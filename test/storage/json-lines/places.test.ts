import { spawnSync } from "node:child_process";
import * as nodeFs from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";

import { jsonLines } from "../../../src/storage/json-lines.ts";
import { encodeHeader } from "../../../src/storage/json-lines/journal.ts";
import { appendLines, begun, codeOf } from "../../contracts/log-lines.ts";
import { contentsOf, journalOf, readLog, rootOf, temporaryFolder, write } from "./folder.ts";

const { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } = nodeFs;

let path: string;
beforeEach(() => {
  path = temporaryFolder();
});

describe("folders that cannot be used (D20)", () => {
  it.each([
    ["a file", (place: string) => writeFileSync(place, "")],
    ["a loop of symbolic links", (place: string) => nodeFs.symlinkSync(place, place)],
    ["a link to nowhere", (place: string) => nodeFs.symlinkSync(join(place, "no", "where"), place)],
  ])("[L15] a storage path that is %s is refused by its name", async (_name, make) => {
    const place = join(path, "place");
    make(place);
    const error: unknown = await Promise.resolve()
      .then(() => jsonLines({ path: place }).openWriter("up"))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "STORAGE_UNUSABLE", message: expect.stringContaining(place) as string });
  });

  it.each([
    [
      "the journal is a file",
      () => (mkdirSync(rootOf(path), { recursive: true }), writeFileSync(join(rootOf(path), "journal"), "")),
    ],
    ["a journal file is a folder", () => mkdirSync(journalOf(path), { recursive: true })],
  ])("[L15] %s: refused when it is opened, and the list of the others is not disturbed", async (_name, make) => {
    make();
    writeFileSync(join(path, "upgrades", "stray file"), "");
    mkdirSync(join(path, "upgrades", "Not a name"));
    const storage = jsonLines({ path });
    const other = await begun(storage.openWriter("other"));
    await appendLines(other, [1, 1]);
    await other.close();
    expect(await codeOf(() => storage.openWriter("up"))).toBe("STORAGE_UNUSABLE");
    expect(await codeOf(() => storage.openReader("up"))).toBe("STORAGE_UNUSABLE");
    expect((await storage.list()).map(({ ref }) => ref)).toContain("other");
  });

  it("[L15] a storage path that is missing is made, for its owner only, whatever the umask", async () => {
    const before = process.umask(0);
    try {
      const storage = jsonLines({ path: join(path, "a", "b") });
      const writer = await begun(storage.openWriter("up"));
      await writer.announce({ program: "p", pid: 1, host: "h", since: "2026-01-01T00:00:00Z" });
      const [line] = await appendLines(writer, [1, 1]);
      const { cursor } = JSON.parse(line?.toString() ?? "") as { cursor: string };
      await writer.saveSnapshot({ seq: 1, cursor }, ["{}"]);
      for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
        const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
        expect(mode.toString(8), entry.name).toBe(entry.isDirectory() ? "700" : "600");
      }
      await writer.close();
    } finally {
      process.umask(before);
    }
  });

  /** Root may do anything, so the look is taken by a process of another user. */
  const asNobody = `
    import { jsonLines } from "${new URL("../../../src/storage/json-lines.ts", import.meta.url).href}";
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
    try { jsonLines({ path: process.argv[1] }).openWriter("up"); console.log("opened"); }
    catch (error) { console.log(error.code, error.message.includes(process.argv[1])); }`;

  it.skipIf(process.platform === "win32").each([
    ["is read-only", 0o555],
    ["may not be entered", 0o000],
  ])("[L15] a storage path that %s is refused by its name", (_name, mode) => {
    const place = join(path, "place");
    mkdirSync(place);
    chmodSync(path, 0o755);
    chmodSync(place, mode);
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--conditions=milepost-source", "--input-type=module", "-e", asNobody, place],
      { encoding: "utf8" },
    );
    expect(stdout, stderr).toBe("STORAGE_UNUSABLE true\n");
    chmodSync(place, 0o700);
  });
});

describe("formats (D19)", () => {
  const fixture = new URL("../../fixtures/journal-format-1", import.meta.url).pathname;

  it("[L15] a journal of format 1 reads for ever", async () => {
    nodeFs.cpSync(fixture, path, { recursive: true });
    const bytes = await readLog(path);
    expect(bytes.toString()).toBe(readFileSync(join(fixture, "expected.ndjson"), "utf8"));
    const more = await write(path, [9, 10], { term: "later" });
    expect(await readLog(path)).toEqual(Buffer.concat([bytes, ...more]));
  });

  it("[L15] a newer format is refused, and nothing is written", async () => {
    mkdirSync(join(rootOf(path), "journal"), { recursive: true });
    const header = { journal: 1, format: 2, logId: "abc", upgradeId: "up", run: 1, generation: 0, previous: null };
    writeFileSync(journalOf(path), encodeHeader(header));
    const before = contentsOf(join(rootOf(path), "journal"));
    expect(await codeOf(() => jsonLines({ path }).openWriter("up"))).toBe("NEWER_FORMAT");
    expect(await codeOf(() => jsonLines({ path }).openWriter("up", { takeOver: true }))).toBe("NEWER_FORMAT");
    expect(await codeOf(() => jsonLines({ path }).openReader("up"))).toBe("NEWER_FORMAT");
    expect(contentsOf(join(rootOf(path), "journal"))).toEqual(before);
    expect(existsSync(journalOf(path, 2))).toBe(false);
  });
});
