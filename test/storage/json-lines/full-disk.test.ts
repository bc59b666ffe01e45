import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { ProgressTracker } from "../../../src/index.ts";
import { unusable } from "../../../src/storage/files.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { temporaryFolder } from "./folder.ts";

const ids = { upgradeId: "up", planId: "p", clusterName: "c" };

describe("a full disk", () => {
  it("[L12] an upgrade opens on it; its events wait, and are stored when there is space", async ({ skip }) => {
    const mount = join(temporaryFolder(), "small");
    mkdirSync(mount);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "milepost-test", mount], { stdio: "pipe" });
    } catch (error) {
      skip(`mounting is not allowed here (${String(error).slice(0, 80)})`);
    }
    onTestFinished(() => void execFileSync("umount", ["-l", mount]));
    const storage = jsonLines({ path: mount });
    const first = await ProgressTracker.open({ ...ids, storage });
    first.startUpgrade();
    await first.close();
    try {
      writeFileSync(join(mount, "ballast"), Buffer.alloc(1_000_000));
    } catch {
      // Full.
    }
    const tracker = await ProgressTracker.open({ ...ids, storage });
    // More than what is left of the page that the log ends in.
    for (let task = 0; task < 10; task++) tracker.addTask(`t${task}`, "x".repeat(1000));
    await expect(tracker.flush()).rejects.toMatchObject({ code: "STORAGE_DEGRADED" });
    expect(tracker.progress.health?.state).toBe("degraded");
    expect(() => storage.openWriter("up")).toThrow(expect.objectContaining({ code: "LOCKED" }) as Error);
    rmSync(join(mount, "ballast"));
    await tracker.flush();
    await tracker.close();
    expect((await ProgressTracker.open({ ...ids, storage })).progress.tasks.get("t9")).toBeDefined();
  });
});

describe("the remedy in STORAGE_UNUSABLE", () => {
  it.each([
    [{ code: "ENOSPC" }, "ENOSPC", "free space"],
    [{ code: "ERR_SQLITE_ERROR", errcode: 13 }, "SQLITE_FULL", "free space"],
    [{ code: "ERR_SQLITE_ERROR", errcode: 778 }, "SQLITE_IOERR", "locks"],
    [{ code: "EISDIR" }, "EISDIR", "move it away"],
    [{ code: "EROFS" }, "EROFS", "read-only"],
    [{ code: "", errno: -4094, message: ", Unknown error: Read-only file system 'x'" }, "EROFS", "read-only"],
    [{ code: "EACCES" }, "EACCES", "read and write"],
  ])("[L15] fits the system's reason: %o", (cause, code, remedy) => {
    const error = unusable("/data", Object.assign(new Error("x"), cause));
    expect(error.message).toContain(`/data cannot be used (${code}); `);
    expect(error.message).toContain(remedy);
  });
});
