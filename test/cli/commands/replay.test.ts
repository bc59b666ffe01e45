import { describe, expect, it } from "vitest";
import { ProgressTracker } from "../../../src/progress-tracker.ts";
import { run, start, temporaryFolder, until } from "../command-line.ts";

/** An upgrade of an hour, recorded in no time by a clock of its own. */
const recordAnHour = async (storagePath: string) => {
  let nowMs = Date.UTC(2026, 10, 23, 12);
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  const tracker = new ProgressTracker({ upgradeId: "hour", planId: "p", clusterName: "c", storagePath, clock });
  tracker.startUpgrade("One");
  tracker.addTask("a", "Task a");
  for (let minute = 10; minute <= 60; minute += 10) {
    nowMs += 600_000;
    tracker.updateTaskProgress("a", (minute * 100) / 60);
  }
  tracker.completeTask("a");
  tracker.completeUpgrade();
  await tracker.close();
};

describe("milepost replay", () => {
  it("[P9] plays every change, with the times and durations that it had", async () => {
    const storagePath = temporaryFolder();
    await recordAnHour(storagePath);
    const { exitCode, stdout } = await run(["replay", "hour", "--speed", "max", "--storage-path", storagePath]);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("REPLAY as fast as it goes of hour: what is shown has been");
    expect(lines.at(-2)).toMatch(/^\d\d:00:00 task Task a completed \(50m 00s\)$/);
    expect(lines.at(-1)).toMatch(/^\d\d:00:00 upgrade completed \(1h 00m\)$/);
  });

  it("shows nothing of an upgrade that is not there but the error", async () => {
    const ran = await run(["replay", "nope", "--storage-path", temporaryFolder()]);
    expect(ran).toMatchObject({ exitCode: 3, stdout: "", stderr: expect.stringContaining("(UNKNOWN_UPGRADE)") });
  });

  it("keeps the times between events, so many times as fast", async () => {
    const storagePath = temporaryFolder();
    await recordAnHour(storagePath);
    const startedMs = performance.now();
    expect((await run(["replay", "hour", "--speed", "7200x", "--storage-path", storagePath])).exitCode).toBe(0);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(499);
  });

  it("[P3] gives programs the events", async () => {
    const storagePath = temporaryFolder();
    await recordAnHour(storagePath);
    const { stdout } = await run(["replay", "hour", "--speed", "max", "--json", "--storage-path", storagePath]);
    const seqs = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { seq: number }).seq);
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => index + 1));
  });

  it("is left by a signal in the middle", async () => {
    const storagePath = temporaryFolder();
    await recordAnHour(storagePath);
    const replaying = start(["replay", "hour", "--speed", "1", "--storage-path", storagePath]);
    await until(() => replaying.stdout().includes("started: One"), "the first events");
    replaying.signals.emit("SIGINT");
    expect(await replaying.done).toBe(130);
  });

  it("knows only upgrades that there are", async () => {
    expect((await run(["replay", "nope", "--storage-path", temporaryFolder()])).exitCode).toBe(3);
  });
});
