import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/model/json.ts";
import { upgradeFromJson } from "../../../src/model/upgrade.ts";
import { outputError } from "../../../src/cli/commands/export.ts";
import { cleanEnv, NODE_ARGUMENTS, run, temporaryFolder } from "../command-line.ts";
import { ended, openTracker } from "../recorded.ts";

describe("milepost export", () => {
  it("[P9] as NDJSON writes the stored bytes", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    const { exitCode, stdout } = await run([
      "export",
      "upgrade-123",
      "--format",
      "ndjson",
      "--storage-path",
      storagePath,
    ]);
    expect(exitCode).toBe(0);
    const journal = readFileSync(join(storagePath, "upgrades", "upgrade-123", "journal", "1.jsonl"), "utf8");
    expect(stdout).toBe(
      journal
        .split("\n")
        .filter((line) => line.startsWith('{"seq"'))
        .join("\n") + "\n",
    );
  });

  it("[P9] as JSON writes the events and the state that they fold to", async () => {
    const storagePath = temporaryFolder();
    const tracker = openTracker({ storagePath });
    tracker.startUpgrade();
    tracker.addTask("a", "a", undefined, { details: { nodes: 3 } });
    const { stdout } = await run(["export", "upgrade-123", "--storage-path", storagePath]);
    const exported = JSON.parse(stdout);
    expect(exported).toMatchObject({ format: "milepost-export", version: 1 });
    expect(exported.events.map(({ seq }: { seq: number }) => seq)).toEqual([1, 2, 3]);
    expect(canonicalJson(upgradeFromJson(exported.upgrade))).toBe(canonicalJson(tracker.progress));
    await tracker.close();
  });

  it("[P9] as CSV writes one row per event, harmless in a spreadsheet", async () => {
    const storagePath = temporaryFolder();
    const tracker = openTracker({ storagePath });
    tracker.startUpgrade();
    tracker.addTask("=1+1", '=cmd|"/C calc"!A1');
    tracker.updateTaskProgress(
      "=1+1",
      { completedSteps: 1, totalSteps: 4, unit: "nodes" },
      "-2\r\nlines, and a comma",
      { a: 1 },
    );
    await tracker.close();
    const { stdout } = await run(["export", "upgrade-123", "--format", "csv", "--storage-path", storagePath]);
    expect(stdout.startsWith("seq,time,type,taskId,taskName,status,percentage,")).toBe(true);
    const row = stdout.split(/\r\n(?=\d+,|$)/).find((line) => line.includes("task.progressed"));
    expect(row).toMatch(
      /^\d+,[^,]+,task\.progressed,'=1\+1,"'=cmd\|""\/C calc""!A1",in_progress,25,1,4,nodes,1,,"'-2\r\nlines, and a comma",,"\{""a"":1\}",/,
    );
  });

  it("writes a file whole or not at all", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    const folder = temporaryFolder();
    const file = join(folder, "out.json");
    expect(await run(["export", "upgrade-123", "-o", file, "--storage-path", storagePath])).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
    expect(JSON.parse(readFileSync(file, "utf8")).upgrade.status).toBe("completed");
    expect(await run(["export", "nope", "-o", join(folder, "none.json"), "--storage-path", storagePath])).toMatchObject(
      { exitCode: 3 },
    );
    expect(readdirSync(folder)).toEqual(["out.json"]);
    const nowhere = await run([
      "export",
      "upgrade-123",
      "-o",
      join(folder, "no", "such", "file"),
      "--storage-path",
      storagePath,
    ]);
    expect(nowhere).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("(ENOENT)") });
  });

  it("[X3] as CSV on a terminal lets no control character through; elsewhere the text is as it was", async () => {
    const storagePath = temporaryFolder();
    const tracker = openTracker({ storagePath });
    tracker.startUpgrade();
    tracker.addTask("a", "a\u001b[2J\u202eb");
    await tracker.close();
    const csv = ["export", "upgrade-123", "--format", "csv", "--storage-path", storagePath];
    const { stdout } = await run(csv, { terminal: { columns: 80, rows: 24 } });
    expect(stdout).toContain("a\\u001b[2J\\u202eb");
    expect(stdout.replaceAll("\r\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    expect((await run(csv)).stdout).toContain("a\u001b[2J\u202eb");
  });

  it("says that the disk is full when it is: no fault of the name", () => {
    let full: unknown;
    try {
      writeFileSync("/dev/full", "x");
    } catch (error) {
      full = error;
    }
    const { code, message } = outputError("out.csv", full as NodeJS.ErrnoException);
    expect(code).toBe("STORAGE_DEGRADED");
    expect(message).toMatch(/^--output "out.csv" cannot be written: the disk is full \(ENOSPC: .*\); free space/);
  });

  it("exits with 1 when the system lets the file grow no further, and leaves nothing", async () => {
    const storagePath = temporaryFolder();
    const tracker = openTracker({ storagePath });
    tracker.startUpgrade();
    tracker.addTask("a", "a");
    for (let step = 0; step < 40; step++) tracker.appendLog("a", "x".repeat(1000));
    await tracker.close();
    const folder = temporaryFolder();
    const verb = [...NODE_ARGUMENTS, "export", "upgrade-123", "-o", join(folder, "out"), "--storage-path", storagePath];
    const words = [process.execPath, ...verb].map((word) => `'${word}'`).join(" ");
    const ran = spawnSync("bash", ["-c", `ulimit -f 8; ${words}`], { env: cleanEnv(), encoding: "utf8" });
    expect(ran.stderr).toMatch(/ cannot be written: the system refused it \(EFBIG: .*\(STORAGE_DEGRADED\)\n$/);
    expect(ran.status).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("refuses a format that it does not know", async () => {
    expect((await run(["export", "x", "--format", "xml"])).stderr).toContain(
      "--format must be one of json, ndjson, csv",
    );
  });
});
