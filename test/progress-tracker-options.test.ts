import { existsSync } from "node:fs";

import { expect, test } from "vitest";

import { memory, ProgressTracker } from "../src/index.ts";

const IDS = { upgradeId: "u", planId: "p", clusterName: "c" };
const open = (options: unknown): ProgressTracker => new ProgressTracker(options as never);

const WRONG: readonly (readonly [string, unknown, string])[] = [
  ["nothing", undefined, "INVALID_ARGUMENT"],
  ["no plan", { upgradeId: "u", clusterName: "c", storage: memory() }, "INVALID_ID"],
  ["no cluster", { upgradeId: "u", planId: "p", storage: memory() }, "INVALID_ID"],
  ["a storagePath that is no text", { ...IDS, storagePath: 5 }, "INVALID_ARGUMENT"],
  ["an empty storagePath", { ...IDS, storagePath: "" }, "INVALID_ARGUMENT"],
  ["a storage without its functions", { ...IDS, storage: {} }, "INVALID_ARGUMENT"],
  ["a storage of an unknown scheme", { ...IDS, storage: "ftp://x" }, "INVALID_ARGUMENT"],
  ["a storage and a storagePath", { ...IDS, storage: memory(), storagePath: "x" }, "INVALID_ARGUMENT"],
  ["a clock that is none", { ...IDS, storage: memory(), clock: 5 }, "INVALID_ARGUMENT"],
  ["a logger that is none", { ...IDS, storage: memory(), logger: {} }, "INVALID_ARGUMENT"],
  ["an id maker that is none", { ...IDS, storage: memory(), createId: "x" }, "INVALID_ARGUMENT"],
  ["a negative queue", { ...IDS, storage: memory(), maxQueuedEvents: -5 }, "INVALID_ARGUMENT"],
  ["an interval that is no number", { ...IDS, storage: memory(), syncIntervalMs: Number.NaN }, "INVALID_ARGUMENT"],
  ["snapshots after no events", { ...IDS, storage: memory(), snapshotEvery: 0 }, "INVALID_ARGUMENT"],
  ["a port that is none", { ...IDS, storage: memory(), websocketPort: 99_999_999 }, "INVALID_ARGUMENT"],
  ["a negative threshold", { ...IDS, storage: memory(), healthThresholds: { slowAfterMs: -1 } }, "INVALID_ARGUMENT"],
];

test.each(WRONG)("[P2] a tracker is not made from %s, and nothing is opened", (_what, options, code) => {
  expect(() => open(options)).toThrowError(expect.objectContaining({ code }));
  expect(existsSync("5")).toBe(false);
});

test("[V6] a clock that gives no time is refused by name", () => {
  const clock = { now: () => Number.NaN, monotonic: () => 0 };
  expect(() => open({ ...IDS, storage: memory(), clock })).toThrowError(
    expect.objectContaining({ code: "INVALID_ARGUMENT" }),
  );
});

test("[V6] tasks that are no list are refused", async () => {
  const tracker = open({ ...IDS, storage: memory() });
  expect(() => tracker.addTasks(5 as never)).toThrowError(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  await tracker.close();
});

test.each(["cancelUpgrade", "failUpgrade"] as const)(
  "a running function is told when %s ends the upgrade, and its caller too",
  async (end) => {
    const tracker = open({ ...IDS, storage: memory() });
    tracker.startUpgrade();
    let wasAborted = false;
    const run = tracker.run("drain", "Drain", async ({ signal }) => {
      tracker[end]("stop");
      wasAborted = signal.aborted;
      return Promise.resolve(5);
    });
    await expect(run).rejects.toMatchObject({ code: "CANCELLED" });
    expect(wasAborted).toBe(true);
    await tracker.close();
  },
);
