import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run, temporaryFolder } from "../command-line.ts";
import { damage, ended, journalOf, openTracker } from "../recorded.ts";

describe("milepost verify", () => {
  it("[L7] says that a log is whole, and how many events it has", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath, upgradeId: "a" });
    await ended({ storagePath, upgradeId: "b" });
    const { exitCode, stdout } = await run(["verify", "--storage-path", storagePath]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "a: whole, 7 events\nb: whole, 7 events\n" });
    expect((await run(["verify", "b", "--storage-path", storagePath])).stdout).toBe("b: whole, 7 events\n");
    expect((await run(["verify", "--quiet", "--storage-path", storagePath])).stdout).toBe("");
  });

  it("[L7] says where a log is damaged, exits with 4, and changes nothing", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath, upgradeId: "whole" });
    await ended({ storagePath });
    const { file, offset } = damage(storagePath);
    const before = readFileSync(file);
    const { exitCode, stdout } = await run(["verify", "--storage-path", storagePath]);
    expect(exitCode).toBe(4);
    expect(stdout).toContain("upgrade-123: DAMAGED after event 2; ");
    expect(stdout).toContain(`${file}, byte ${offset}, seq 2: `);
    expect(stdout).toContain("whole: whole, 7 events");
    expect(readFileSync(file)).toEqual(before);
    const json = JSON.parse((await run(["verify", "upgrade-123", "--json", "--storage-path", storagePath])).stdout);
    expect(json).toMatchObject({ ref: "upgrade-123", events: 2, problems: [{ file, offset, seq: 2 }] });
  });

  it("[L7] a log that cannot be read at all hides none of the others", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath, upgradeId: "whole" });
    await ended({ storagePath, upgradeId: "odd" });
    rmSync(journalOf(storagePath, "odd"));
    mkdirSync(journalOf(storagePath, "odd"));
    const { exitCode, stdout } = await run(["verify", "--storage-path", storagePath]);
    expect(exitCode).toBe(4);
    expect(stdout).toContain("odd: DAMAGED");
    expect(stdout).toContain("whole: whole, 7 events");
  });

  it("knows only upgrades that there are, in files", async () => {
    expect((await run(["verify", "nope", "--storage-path", temporaryFolder()])).exitCode).toBe(3);
    expect(await run(["verify", "--storage", "memory:"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("pass --storage-path"),
    });
  });
});

describe("milepost salvage", () => {
  it("[L7] keeps what can be read, sets the rest aside, and says so", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    const { file } = damage(storagePath);
    const damaged = readFileSync(file);
    expect((await run(["show", "upgrade-123", "--storage-path", storagePath])).exitCode).toBe(4);
    const { exitCode, stdout } = await run(["salvage", "upgrade-123", "--storage-path", storagePath]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /salvaged: the log goes on after event 2, 4 events behind the damage are left out; the damaged files are in .*journal\.damaged-1\n$/,
    );
    const aside = join(storagePath, "upgrades", "upgrade-123", "journal.damaged-1");
    expect(readdirSync(aside)).toContain("1.jsonl");
    expect(readFileSync(join(aside, "1.jsonl"))).toEqual(damaged);
    expect((await run(["verify", "--storage-path", storagePath])).stdout).toBe("upgrade-123: whole, 2 events\n");
    const tracker = openTracker({ storagePath });
    tracker.completeUpgrade();
    await tracker.close();
    expect((await run(["show", "upgrade-123", "--storage-path", storagePath])).stdout).toContain("completed");
  });

  it("leaves a log that is whole as it is, and one that is written", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    const before = readFileSync(journalOf(storagePath, "upgrade-123"));
    expect(await run(["salvage", "upgrade-123", "--storage-path", storagePath])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("nothing to salvage"),
    });
    expect(readFileSync(journalOf(storagePath, "upgrade-123"))).toEqual(before);
    const tracker = openTracker({ storagePath, upgradeId: "held" });
    tracker.startUpgrade();
    expect((await run(["salvage", "held", "--storage-path", storagePath])).exitCode).toBe(5);
    await tracker.close();
  });
});
