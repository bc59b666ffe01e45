import { afterEach, describe, expect, it } from "vitest";
import type { ProgressTracker } from "../../../src/progress-tracker.ts";
import { run, start, temporaryFolder, until } from "../command-line.ts";
import { ended, openTracker } from "../recorded.ts";

let open: ProgressTracker | undefined;
afterEach(() => open?.close());

const started = (storagePath: string): ProgressTracker => {
  open = openTracker({ storagePath });
  open.startUpgrade();
  return open;
};

describe("milepost wait", () => {
  it("[P8] ends with 0 as soon as the upgrade has completed", async () => {
    const storagePath = temporaryFolder();
    const tracker = started(storagePath);
    const waiting = start(["wait", "upgrade-123", "--storage-path", storagePath]);
    tracker.completeUpgrade("all well");
    expect(await waiting.done).toBe(0);
    expect(waiting.stdout()).toBe("upgrade upgrade-123 completed (0s): all well\n");
  });

  it.each([
    ["completed", "completed", 0],
    ["completed", "ended", 0],
    ["completed", "failed", 7],
    ["completed", "in_progress", 7],
    ["failed", "completed", 7],
    ["failed", "failed", 0],
    ["failed", "ended", 0],
    ["cancelled", "ended", 0],
    ["cancelled", "completed", 7],
    ["cancelled", "cancelled", 0],
  ] as const)("[P8] of an upgrade that has %s, until %s, exits with %i", async (how, status, exitCode) => {
    const storagePath = temporaryFolder();
    await ended({ storagePath }, how);
    expect((await run(["wait", "upgrade-123", "--until", status, "--storage-path", storagePath])).exitCode).toBe(
      exitCode,
    );
  });

  it("waits for any status that the upgrade passes through", async () => {
    const storagePath = temporaryFolder();
    const tracker = started(storagePath);
    const waiting = start(["wait", "upgrade-123", "--until", "paused", "--storage-path", storagePath]);
    tracker.pauseUpgrade();
    expect(await waiting.done).toBe(0);
    tracker.resumeUpgrade();
    expect((await run(["wait", "upgrade-123", "--until", "in_progress", "--storage-path", storagePath])).exitCode).toBe(
      0,
    );
  });

  it("[P8] ends with 6 when the time has run out, and says how the upgrade is", async () => {
    const storagePath = temporaryFolder();
    started(storagePath);
    const { exitCode, stderr } = await run(["wait", "upgrade-123", "--timeout", "50ms", "--storage-path", storagePath]);
    expect(exitCode).toBe(6);
    expect(stderr).toBe(
      'milepost: upgrade "upgrade-123" is running after 0s; it goes on, wait again or watch it (TIMEOUT)\n',
    );
  });

  it("[P3] gives programs the summary", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath }, "failed");
    const { exitCode, stdout } = await run(["wait", "upgrade-123", "--json", "--storage-path", storagePath]);
    expect(exitCode).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({
      status: "failed",
      errorMessage: "the control plane failed",
      failedTasks: 1,
    });
  });

  it("refuses what it cannot wait for", async () => {
    const storagePath = temporaryFolder();
    expect((await run(["wait", "nope", "--storage-path", storagePath])).exitCode).toBe(3);
    expect((await run(["wait", "nope", "--until", "done", "--storage-path", storagePath])).stderr).toContain(
      "--until must be one of finished, ended, not_started, in_progress",
    );
    expect((await run(["wait", "nope", "--timeout", "soon", "--storage-path", storagePath])).exitCode).toBe(2);
  });

  it("[P10] is left by a signal without a word", async () => {
    const storagePath = temporaryFolder();
    started(storagePath);
    const waiting = start(["wait", "upgrade-123", "--storage-path", storagePath]);
    await until(() => waiting.signals.listenerCount("SIGTERM") > 0, "the wait to begin");
    waiting.signals.emit("SIGTERM");
    expect(await waiting.done).toBe(143);
    expect(waiting.stdout()).toBe("");
  });
});
