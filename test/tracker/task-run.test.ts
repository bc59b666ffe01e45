import { memory, ProgressTracker } from "milepost";
import { describe, expect, it, onTestFinished } from "vitest";

import { jsonLines } from "../../src/storage/json-lines.ts";
import { sendCommands } from "../../src/tracker/hand-over.ts";
import { tempFolder } from "../temp-folder.ts";

const IDS = { upgradeId: "upgrade-123", planId: "plan-456", clusterName: "my-cluster" };

function started(options: { readonly storagePath?: string } = {}): ProgressTracker {
  const storage = options.storagePath === undefined ? { storage: memory() } : options;
  const tracker = new ProgressTracker({ ...IDS, ...storage });
  onTestFinished(() => tracker.close());
  tracker.startUpgrade();
  return tracker;
}

/** Work that ends only when it is told to stop, and then says why. */
const untilTold = ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));

/** What may end the work, and what its caller is then told. */
const ENDS: readonly (readonly [string, (tracker: ProgressTracker) => unknown, string])[] = [
  ["the upgrade is cancelled", (tracker) => tracker.cancelUpgrade("enough"), "CANCELLED"],
  ["the upgrade fails", (tracker) => tracker.failUpgrade("no way on"), "CANCELLED"],
  ["the upgrade is completed", (tracker) => tracker.completeUpgrade(), "CANCELLED"],
  ["its task is cancelled", (tracker) => tracker.cancelTask("t"), "CANCELLED"],
  ["the tracker closes", (tracker) => tracker.close(), "CLOSED"],
];

describe("work that runs in a task", () => {
  it.each(ENDS)("is told to stop when %s, and so is its caller", async (_what, end, code) => {
    const tracker = started();
    const run = tracker.run("t", "Task", untilTold);
    const refused = expect(run).rejects.toMatchObject({ code });
    await end(tracker);
    await refused;
    expect(tracker.progress.tasks.get("t")?.status).not.toBe("completed");
  });

  it("[V6] is a function; anything else is refused before a task is added", async () => {
    const tracker = started();
    const { seq } = tracker.progress;
    const run = tracker.run("t", "Task", 5 as never);
    await expect(run).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining("not 5") });
    expect(tracker.progress.seq).toBe(seq);
  });

  it("is told when another process ends the upgrade", async () => {
    const storagePath = tempFolder();
    const tracker = started({ storagePath });
    const refused = expect(tracker.run("t", "Task", untilTold)).rejects.toMatchObject({ code: "CANCELLED" });
    await sendCommands(jsonLines({ path: storagePath }), IDS.upgradeId, [{ type: "cancelUpgrade" }]);
    await refused;
  });

  it("is not told of another task's end, and its own reports go on", async () => {
    const tracker = started();
    tracker.addTask("other", "Other");
    const value = await tracker.run("t", "Task", (task) => {
      tracker.cancelTask("other");
      task.progress(40);
      return task.signal.aborted;
    });
    expect(value).toBe(false);
    expect(tracker.progress.tasks.get("t")?.status).toBe("completed");
  });

  it("that ends well all the same is no success for its caller when that could not be recorded", async () => {
    const tracker = started();
    const run = tracker.run("t", "Task", () => {
      tracker.cancelUpgrade();
      return "done";
    });
    await expect(run).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("stops at its caller's own signal, and is a failed task then", async () => {
    const tracker = started();
    const own = new AbortController();
    const run = tracker.run("t", "Task", untilTold, { signal: own.signal });
    const refused = expect(run).rejects.toThrow("enough");
    own.abort(new Error("enough"));
    await refused;
    expect(tracker.getTaskProgress("t")).toMatchObject({ status: "failed", errorMessage: "enough" });
  });
});
