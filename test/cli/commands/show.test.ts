import { afterEach, describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/model/json.ts";
import { upgradeFromJson } from "../../../src/model/upgrade.ts";
import type { ProgressTracker } from "../../../src/progress-tracker.ts";
import { run, start, temporaryFolder, until } from "../command-line.ts";
import { ended, openTracker, running } from "../recorded.ts";

let open: ProgressTracker | undefined;
afterEach(() => open?.close());

describe("milepost show", () => {
  it("[P9] shows the whole, the tasks, what is waited on, and who writes", async () => {
    const storagePath = temporaryFolder();
    open = running({ storagePath });
    open.raiseInsight({ id: "i", level: "warning", message: "pod x cannot be evicted", remedy: "scale it" });
    const { exitCode, stdout } = await run(["show", "upgrade-123", "--storage-path", storagePath]);
    expect(exitCode).toBe(0);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/^upgrade-123 on my-cluster +● running {2}\ds$/);
    expect(lines[1]).toMatch(/^━+╌+ +\d+%$/);
    expect(stdout).toContain("1 of 5 tasks completed, 2 running, 1 waiting");
    expect(lines).toContainEqual(expect.stringMatching(/^✓ completed {4}Control plane +0s$/));
    expect(lines).toContainEqual(expect.stringMatching(/^● running {6}Node group +0\/3 nodes +0s$/));
    expect(lines).toContainEqual(expect.stringMatching(/^● running {8}Node n1 {2}evicting +40% +0s$/));
    expect(stdout).toMatch(/waits 0s on PodDisruptionBudget shop\/checkout\n +remedy: scale checkout\n/);
    expect(lines).toContainEqual(expect.stringMatching(/^! warning: pod x cannot be evicted/));
    expect(stdout).toContain(`(pid ${process.pid} on`);
  });

  it("means the only unfinished upgrade, else the newest, when none is named", async () => {
    const storagePath = temporaryFolder();
    const shown = async () => run(["show", "--storage-path", storagePath]);
    expect(await shown()).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("milepost demo") });
    await ended({ storagePath, upgradeId: "first" });
    await ended({ storagePath, upgradeId: "second" });
    expect((await shown()).stdout).toMatch(/^second /);
    const one = openTracker({ storagePath, upgradeId: "first" });
    one.startUpgrade();
    await ended({ storagePath, upgradeId: "third" });
    expect((await shown()).stdout).toMatch(/^first /);
    const two = openTracker({ storagePath, upgradeId: "other" });
    two.startUpgrade();
    expect(await shown()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('2 upgrades have not ended; name one of them: "other", "first"'),
    });
    await Promise.all([one.close(), two.close()]);
  });

  it("[P3] gives programs the folded state, byte for byte, and the numbers of the moment", async () => {
    const storagePath = temporaryFolder();
    open = running({ storagePath });
    const asOfMs = Date.now() + 60_000;
    const clock = { now: () => asOfMs, monotonic: () => 0 };
    const { stdout } = await run(["show", "upgrade-123", "--json", "--storage-path", storagePath], { clock });
    const shown = JSON.parse(stdout);
    expect(canonicalJson(upgradeFromJson(shown.state))).toBe(canonicalJson(open.progress));
    expect(shown.asOf).toBe(new Date(asOfMs).toISOString());
    expect(shown.summary).toMatchObject({
      asOf: shown.asOf,
      overallPercentage: open.progress.overallPercentage,
      activeTasks: 3,
      waitingTasks: 1,
    });
    expect(shown.summary.durationMs).toBeGreaterThanOrEqual(59_000);
  });

  it("says when the writer is gone", async () => {
    const storagePath = temporaryFolder();
    const tracker = running({ storagePath });
    await tracker.close();
    const clock = { now: () => Date.now() + 600_000, monotonic: () => 0 };
    const { stdout } = await run(["show", "--storage-path", storagePath], { clock });
    expect(stdout).toContain("Health: lost: nobody has reported for 10 min");
  });

  it("folds what is well when there are very many tasks, and shows every one with --all", async () => {
    const storagePath = temporaryFolder();
    const tracker = openTracker({ storagePath });
    tracker.startUpgrade();
    tracker.addTask("g", "Group", undefined, { unit: "nodes" });
    for (let index = 0; index < 100; index++)
      tracker.addTask(`n${index}`, `n${index}`, undefined, { parentTaskId: "g" });
    tracker.startTask("n7");
    for (let index = 50; index < 100; index++) {
      tracker.startTask(`n${index}`);
      tracker.completeTask(`n${index}`);
    }
    await tracker.close();
    const { stdout } = await run(["show", "--storage-path", storagePath]);
    expect(stdout).toContain("50 of 100 nodes");
    expect(stdout).toMatch(/running +n7 /);
    expect((await run(["show", "--all", "--storage-path", storagePath])).stdout.match(/ n\d+/g)).toHaveLength(100);
  });

  it("[X3] shows hostile texts as text", async () => {
    const storagePath = temporaryFolder();
    const evil = "\x1b[2J\x1b]52;c;x\x07\u202e\r\n\x9b";
    const tracker = openTracker({ storagePath, upgradeId: "x\u202e", clusterName: "c\u2066" });
    tracker.startUpgrade(evil);
    tracker.addTask("a\u202d", evil, undefined, { unit: evil, totalSteps: 3 });
    tracker.updateTaskProgress("a\u202d", { completedSteps: 1 }, evil);
    tracker.setWaitingOn("a\u202d", { kind: evil, name: evil, message: evil, remedy: evil });
    tracker.raiseInsight({ id: "i\u202e", level: "error", message: evil, remedy: evil });
    await tracker.close();
    const verbs = [
      ...[["show"], ["list"], ["watch", "--once"], ["doctor"], ["verify"]].flatMap((verb) => [
        verb,
        [...verb, "--json"],
      ]),
      ...[
        ["replay", "x\u202e", "--speed", "max"],
        ["export", "x\u202e"],
      ].flatMap((verb) => [verb, [...verb, "--json"]]),
      ["export", "x\u202e", "--format", "ndjson"],
      ["export", "x\u202e", "--format", "csv"],
      ["watch", "--json"],
    ];
    for (const verb of verbs) {
      const world = { terminal: { columns: 200, rows: 100 }, env: { NO_COLOR: "1", TERM: "dumb" } };
      const running = start([...verb, "--storage-path", storagePath], world);
      if (verb.join() === "watch,--json") {
        await until(() => running.stdout().includes("writer.closed"), "the events");
        running.signals.emit("SIGINT");
      }
      await running.done;
      const printed = running.stdout() + running.stderr();
      expect({ verb, text: printed.replaceAll(/\r?\n/g, "") }).not.toEqual({
        verb,
        text: expect.stringMatching(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u),
      });
      expect(printed).not.toBe("");
    }
  });
});
