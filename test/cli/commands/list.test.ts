import { afterEach, describe, expect, it } from "vitest";
import type { ProgressTracker } from "../../../src/progress-tracker.ts";
import { run, temporaryFolder } from "../command-line.ts";
import { damage, ended, running } from "../recorded.ts";

let open: ProgressTracker | undefined;
afterEach(() => open?.close());

describe("milepost list", () => {
  it("[P9] lists the newest first, with status, cluster and how far", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath, upgradeId: "first", clusterName: "blue" });
    await ended({ storagePath, upgradeId: "second" }, "failed");
    open = running({ storagePath, upgradeId: "third" });
    const { exitCode, stdout } = await run(["list", "--storage-path", storagePath]);
    expect(exitCode).toBe(0);
    const [heading, ...rows] = stdout.trimEnd().split("\n");
    expect(heading).toMatch(/^UPGRADE +CLUSTER +STATUS +DONE/);
    expect(rows).toEqual([
      expect.stringMatching(/^third +my-cluster +● running +\d+% .*waits \d+s on PodDisruptionBudget shop\/checkout$/),
      expect.stringMatching(/^second +my-cluster +✗ failed .*the control plane failed$/),
      expect.stringMatching(/^first +blue +✓ completed +100%/),
    ]);
  });

  it("filters by status and by cluster", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath, upgradeId: "first", clusterName: "blue" });
    await ended({ storagePath, upgradeId: "second", clusterName: "green" });
    await ended({ storagePath, upgradeId: "third", clusterName: "green" }, "failed");
    const ids = async (...options: string[]) => {
      const { stdout } = await run(["list", "--json", "--storage-path", storagePath, ...options]);
      return (JSON.parse(stdout) as { upgradeId: string }[]).map(({ upgradeId }) => upgradeId);
    };
    expect(await ids("--cluster", "green")).toEqual(["third", "second"]);
    expect(await ids("--status", "completed")).toEqual(["second", "first"]);
    expect(await ids("--status", "completed", "--cluster", "green")).toEqual(["second"]);
    expect((await run(["list", "--status", "done", "--storage-path", storagePath])).exitCode).toBe(2);
  });

  it("[P3] gives programs the summary of each, and who writes it", async () => {
    const storagePath = temporaryFolder();
    open = running({ storagePath });
    const { stdout } = await run(["list", "--json", "--storage-path", storagePath]);
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({
        ref: "upgrade-123",
        status: "in_progress",
        totalTasks: 5,
        completedTasks: 1,
        waitingTasks: 1,
        health: { state: "progressing", reasons: [] },
        holder: expect.objectContaining({ pid: process.pid }),
      }),
    ]);
  });

  it("shows finished runs only when asked", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    await ended({ storagePath });
    const refs = async (...options: string[]) =>
      (await run(["list", "--storage-path", storagePath, ...options])).stdout.match(/^upgrade-123\S*/gm);
    expect(await refs()).toEqual(["upgrade-123"]);
    expect(await refs("--runs")).toEqual(["upgrade-123", "upgrade-123@1"]);
  });

  it("shows the others when one log is damaged", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath, upgradeId: "good" });
    await ended({ storagePath, upgradeId: "bad" });
    damage(storagePath, "bad");
    const { exitCode, stdout } = await run(["list", "--storage-path", storagePath]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^good .*completed/m);
    expect(stdout).toMatch(/^bad +unreadable .*holds a damaged line/m);
    const [, bad] = JSON.parse((await run(["list", "--json", "--storage-path", storagePath])).stdout);
    expect(bad).toMatchObject({ ref: "bad", error: { code: "CORRUPT" } });
  });

  it("says that there are none", async () => {
    const storagePath = temporaryFolder();
    expect((await run(["list", "--storage-path", storagePath])).stdout).toBe(`no upgrades in ${storagePath}\n`);
    expect((await run(["list", "--quiet", "--storage-path", storagePath])).stdout).toBe("");
    expect((await run(["list", "--json", "--storage-path", storagePath])).stdout).toBe("[]\n");
  });
});
