import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/model/json.ts";
import { upgradeFromJson } from "../../../src/model/upgrade.ts";
import { run, temporaryFolder } from "../command-line.ts";
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

  it("refuses a format that it does not know", async () => {
    expect((await run(["export", "x", "--format", "xml"])).stderr).toContain(
      "--format must be one of json, ndjson, csv",
    );
  });
});
