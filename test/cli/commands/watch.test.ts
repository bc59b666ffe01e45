import { afterEach, describe, expect, it } from "vitest";
import type { ProgressTracker } from "../../../src/progress-tracker.ts";
import { run, start, temporaryFolder, until } from "../command-line.ts";
import { ended, openTracker, running } from "../recorded.ts";

let open: ProgressTracker | undefined;
afterEach(() => open?.close());

describe("milepost watch", () => {
  it.each([[[]], [["--json", "--once"]]])("refuses --after where it would have no effect (with %j)", async (more) => {
    const verb = ["watch", "x", "--after", "junk", "--storage", "memory:", ...more];
    expect(await run(verb)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--after is about events") });
  });

  it("[P7] prints the present and then every change, and ends when the upgrade does", async () => {
    const storagePath = temporaryFolder();
    const tracker = (open = running({ storagePath }));
    const watching = start(["watch", "--storage-path", storagePath]);
    await until(() => watching.stdout() !== "", "the present");
    tracker.clearWaitingOn("n2");
    tracker.completeTask("n2");
    tracker.failTask("n1", "no capacity");
    tracker.completeUpgrade("good enough");
    expect(await watching.done).toBe(0);
    const lines = watching.stdout().trimEnd().split("\n");
    for (const line of lines) expect(line).toMatch(/^\d\d:\d\d:\d\d /);
    expect(lines.map((line) => line.slice(9))).toEqual([
      expect.stringMatching(
        /^upgrade upgrade-123 on my-cluster: running, \d+%, Nodes, 1 of 5 tasks completed, 2 running, 1 waiting$/,
      ),
      "task Node n2 waits no longer",
      "task Node n2 completed (0s)",
      "task Node n1 failed (0s): no capacity",
      expect.stringMatching(/^warning: 3 of 5 tasks had not completed/),
      "upgrade completed (0s) with 3 tasks unfinished: good enough",
    ]);
  });

  it.each([
    ["completed", 0],
    ["failed", 7],
    ["cancelled", 7],
  ] as const)("[P7] of an upgrade that has %s exits with %i", async (how, exitCode) => {
    const storagePath = temporaryFolder();
    await ended({ storagePath }, how);
    for (const more of [[], ["--json"], ["--plain"]])
      expect(await run(["watch", ...more, "--storage-path", storagePath])).toMatchObject({ exitCode });
  });

  it("says what is waited for when nothing changes for long", async () => {
    const storagePath = temporaryFolder();
    open = running({ storagePath });
    let monotonicMs = 0;
    const startMs = Date.now();
    const clock = { now: () => startMs + monotonicMs, monotonic: () => monotonicMs };
    const watching = start(["watch", "--sign-of-life", "5m", "--storage-path", storagePath], { clock });
    await until(() => watching.stdout() !== "", "the present");
    monotonicMs = 301_000;
    await until(() => watching.stdout().includes("still"), "a sign of life");
    expect(watching.stdout().split("\n")[1]).toMatch(
      / still waiting: Node n2 on PodDisruptionBudget shop\/checkout \(5m 0\ds\)$/,
    );
    expect(watching.stdout().match(/still/g)).toHaveLength(1);
    watching.signals.emit("SIGTERM");
    await watching.done;
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ])("[P10] left by %s exits with %i, and the upgrade goes on", async (signal, exitCode) => {
    const storagePath = temporaryFolder();
    open = running({ storagePath });
    for (const more of [[], ["--json"]]) {
      const watching = start(["watch", ...more, "--storage-path", storagePath]);
      await until(() => watching.stdout() !== "", "the present");
      watching.signals.emit(signal);
      expect(await watching.done).toBe(exitCode);
      expect(watching.signals.eventNames()).toEqual([]);
    }
    expect(open.progress.status).toBe("in_progress");
  });

  it("[P3] gives programs every event as it is stored, from the beginning or after a cursor", async () => {
    const storagePath = temporaryFolder();
    const tracker = (open = openTracker({ storagePath }));
    tracker.startUpgrade();
    const { cursor } = tracker.addTask("a", "a") && tracker.progress;
    const all = start(["watch", "--json", "--storage-path", storagePath]);
    const later = start(["watch", "upgrade-123", "--json", "--after", cursor, "--storage-path", storagePath]);
    tracker.startTask("a");
    tracker.completeTask("a");
    tracker.completeUpgrade();
    expect([await all.done, await later.done]).toEqual([0, 0]);
    const events = (text: string) =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { seq: number; type: string; crc: string });
    expect(events(all.stdout()).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(events(later.stdout()).map(({ type }) => type)).toEqual([
      "task.started",
      "task.completed",
      "upgrade.completed",
    ]);
    expect(events(later.stdout())[0]?.crc).toMatch(/^[0-9a-f]{8}$/);
    expect(await run(["watch", "--json", "--after", "gone.gone.1", "--storage-path", storagePath])).toMatchObject({
      exitCode: 3,
    });
  });

  it("prints the present and exits with --once", async () => {
    const storagePath = temporaryFolder();
    open = running({ storagePath });
    const { exitCode, stdout } = await run(["watch", "--once", "--storage-path", storagePath]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^upgrade-123 on my-cluster .*running/);
    expect(JSON.parse((await run(["watch", "--once", "--json", "--storage-path", storagePath])).stdout)).toMatchObject({
      status: "in_progress",
    });
  });

  it("goes on with the next run of an upgrade", async () => {
    const storagePath = temporaryFolder();
    const tracker = (open = openTracker({ storagePath }));
    tracker.startUpgrade();
    tracker.cancelUpgrade();
    tracker.startUpgrade("Again");
    const watching = start(["watch", "--storage-path", storagePath]);
    await until(() => watching.stdout() !== "", "the present");
    tracker.completeUpgrade();
    expect(await watching.done).toBe(0);
    expect(watching.stdout()).toContain("running, percentage unknown, Again, no tasks yet");
  });

  it("says when the writer is gone", async () => {
    const storagePath = temporaryFolder();
    const tracker = running({ storagePath });
    const watching = start(["watch", "--storage-path", storagePath], {
      clock: { now: () => Date.now() + 600_000, monotonic: () => 0 },
    });
    await until(() => watching.stdout() !== "", "the present");
    await tracker.close();
    await until(() => watching.stdout().includes("lost: nobody has reported"), "the loss", 15_000);
    watching.signals.emit("SIGINT");
    await watching.done;
  });
});
