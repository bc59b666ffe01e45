import { describe, expect, it } from "vitest";

import { Delivery } from "../../../src/notify/delivery.ts";
import { ProgressTracker } from "../../../src/progress-tracker.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { DELIVERED, REFUSED, scriptedNotifier } from "../../notify/scripted-notifier.ts";
import { run, temporaryFolder } from "../command-line.ts";

/** An upgrade of which `well` takes all, and `hook` refuses what fails. */
async function told(): Promise<{ storagePath: string; failed: { seq: number; id: string } }> {
  const storagePath = temporaryFolder();
  const refusing = scriptedNotifier("hook");
  refusing.answer = ({ type }) => (type.endsWith(".failed") ? REFUSED : DELIVERED);
  const tracker = new ProgressTracker({
    upgradeId: "up",
    planId: "p",
    clusterName: "c",
    storagePath,
    notifiers: [scriptedNotifier("well"), refusing],
  });
  tracker.startUpgrade();
  const failed = tracker.failUpgrade("no");
  await tracker.close();
  return { storagePath, failed };
}

describe("milepost notify", () => {
  it("lists where each notifier stands", async () => {
    const { storagePath } = await told();
    const { stdout, exitCode } = await run(["notify", "list", "--storage-path", storagePath]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^up {2}hook: told up to event \d+ of run 1, 0 waiting, 1 dead letters, last call .* \(refused\)$/m,
    );
    expect(stdout).toMatch(
      /^up {2}well: told up to event \d+ of run 1, 0 waiting, 0 dead letters, last call .* \(delivered\)$/m,
    );
    const json = JSON.parse((await run(["notify", "list", "up", "--json", "--storage-path", storagePath])).stdout);
    expect(json).toMatchObject({
      upgradeId: "up",
      notifiers: [{ notifier: "hook", deadLetters: 1 }, { notifier: "well" }],
    });
    expect((await run(["notify", "list", "--storage-path", temporaryFolder()])).stdout).toBe(
      "no notifier was told anything yet\n",
    );
    expect((await run(["notify", "list", "nope", "--storage-path", storagePath])).exitCode).toBe(3);
  });

  it("explains what became of an event, by its seq or its id", async () => {
    const { storagePath, failed } = await told();
    for (const event of [String(failed.seq), failed.id]) {
      const { stdout } = await run(["notify", "explain", "up", event, "--storage-path", storagePath]);
      expect(stdout).toContain(`upgrade.failed (event ${failed.seq}, ${failed.id})`);
      expect(stdout).toContain("  hook: dead: given up after 1 attempts: BAD_REQUEST: not like this");
      expect(stdout).toMatch(/ {4}\S+ attempt 1: refused BAD_REQUEST: not like this/);
      expect(stdout).toMatch(/ {2}well: delivered: taken at /);
    }
    const { stdout } = await run(["notify", "explain", "up", "1", "--storage-path", storagePath]);
    expect(stdout).toContain("  well: not sent: no rule selected it");
    expect((await run(["notify", "explain", "up", "99", "--storage-path", storagePath])).exitCode).toBe(2);
  });

  it("has dead letters told again by whoever tells next", async () => {
    const { storagePath, failed } = await told();
    const { stdout } = await run(["notify", "redrive", "up", "hook", "--storage-path", storagePath]);
    expect(stdout).toBe("1 dead letters are told again by whoever tells hook now or next\n");
    const hook = scriptedNotifier("hook");
    const delivery = new Delivery({ notifier: hook, storage: jsonLines({ path: storagePath }), upgradeId: "up" });
    delivery.start();
    expect(await delivery.drain(5_000)).toBe(true);
    await delivery.close();
    expect(hook.taken).toContain(failed.seq);
    const after = await run(["notify", "list", "up", "--storage-path", storagePath]);
    expect(after.stdout).toMatch(/hook: .* 0 dead letters/);
    expect((await run(["notify", "redrive", "up", "nobody", "--storage-path", storagePath])).exitCode).toBe(2);
  });
});
