import { existsSync } from "node:fs";

import { expect, test } from "vitest";

import { memory, ProgressTracker } from "../src/index.ts";

const IDS = { upgradeId: "u", planId: "p", clusterName: "c" };
const open = (options: unknown): ProgressTracker => new ProgressTracker(options as never);

const CLOCK = { now: () => 1_767_225_600_000, monotonic: () => 0 };
const LOGGER = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The object without one of its functions. */
const without = (object: object, name: string): object => ({ ...object, [name]: undefined });

const WRONG: readonly (readonly [string, unknown, string])[] = [
  ["nothing", undefined, "INVALID_ARGUMENT"],
  ["no upgrade", { planId: "p", clusterName: "c", storage: memory() }, "INVALID_ID"],
  ["an upgrade id that is a number", { ...IDS, upgradeId: 5, storage: memory() }, "INVALID_ID"],
  ["no plan", { upgradeId: "u", clusterName: "c", storage: memory() }, "INVALID_ID"],
  ["no cluster", { upgradeId: "u", planId: "p", storage: memory() }, "INVALID_ID"],
  ["a storagePath that is no text", { ...IDS, storagePath: 5 }, "INVALID_ARGUMENT"],
  ["an empty storagePath", { ...IDS, storagePath: "" }, "INVALID_ARGUMENT"],
  ["a storage without its functions", { ...IDS, storage: {} }, "INVALID_ARGUMENT"],
  ["a storage that cannot be written", { ...IDS, storage: without(memory(), "openWriter") }, "INVALID_ARGUMENT"],
  ["a storage that cannot be listed", { ...IDS, storage: without(memory(), "list") }, "INVALID_ARGUMENT"],
  ["a storage without deliveries", { ...IDS, storage: without(memory(), "deliveries") }, "INVALID_ARGUMENT"],
  ["a storage of an unknown scheme", { ...IDS, storage: "ftp://x" }, "INVALID_ARGUMENT"],
  ["a storage and a storagePath", { ...IDS, storage: memory(), storagePath: "x" }, "INVALID_ARGUMENT"],
  ["a clock that is none", { ...IDS, storage: memory(), clock: 5 }, "INVALID_ARGUMENT"],
  ["a clock without a date", { ...IDS, storage: memory(), clock: without(CLOCK, "now") }, "INVALID_ARGUMENT"],
  ["a clock that only jumps", { ...IDS, storage: memory(), clock: without(CLOCK, "monotonic") }, "INVALID_ARGUMENT"],
  ["a logger without errors", { ...IDS, storage: memory(), logger: without(LOGGER, "error") }, "INVALID_ARGUMENT"],
  ["a logger that is none", { ...IDS, storage: memory(), logger: {} }, "INVALID_ARGUMENT"],
  ["an id maker that is none", { ...IDS, storage: memory(), createId: "x" }, "INVALID_ARGUMENT"],
  ["a queue of nothing", { ...IDS, storage: memory(), maxQueuedEvents: 0 }, "INVALID_ARGUMENT"],
  ["a negative queue", { ...IDS, storage: memory(), maxQueuedEvents: -5 }, "INVALID_ARGUMENT"],
  ["an interval that is no number", { ...IDS, storage: memory(), syncIntervalMs: Number.NaN }, "INVALID_ARGUMENT"],
  ["snapshots after no events", { ...IDS, storage: memory(), snapshotEvery: 0 }, "INVALID_ARGUMENT"],
  ["a port that is none", { ...IDS, storage: memory(), websocketPort: 99_999_999 }, "INVALID_ARGUMENT"],
  ["a port beyond the last", { ...IDS, storage: memory(), websocketPort: 65_536 }, "INVALID_ARGUMENT"],
  ["a port before the first", { ...IDS, storage: memory(), websocketPort: -1 }, "INVALID_ARGUMENT"],
  ["a bus that is no text", { ...IDS, storage: memory(), eventbridgeBusName: 5 }, "INVALID_ARGUMENT"],
  ["an empty region", { ...IDS, storage: memory(), awsRegion: "" }, "INVALID_ARGUMENT"],
  ["a program that is no text", { ...IDS, storage: memory(), program: {} }, "INVALID_ARGUMENT"],
  ["a negative threshold", { ...IDS, storage: memory(), healthThresholds: { slowAfterMs: -1 } }, "INVALID_ARGUMENT"],
];

test.each(WRONG)("[P2] a tracker is not made from %s, and nothing is opened", (_what, options, code) => {
  expect(() => open(options)).toThrowError(expect.objectContaining({ code }));
  expect(existsSync("5")).toBe(false);
});

test("a tracker is made from each option as it may be, and from absent ones that are named", async () => {
  const given = { clock: CLOCK, logger: LOGGER, createId: () => "id", healthThresholds: { slowFactor: 2 } };
  for (const options of [
    { ...given, storage: "memory:", websocketPort: 0, maxQueuedEvents: 1, snapshotEvery: 1, syncIntervalMs: 0 },
    { storage: memory(), websocketPort: 65_535, awsRegion: "eu-west-1", program: "agent" },
    { storage: memory(), storagePath: undefined, clock: undefined, program: undefined, websocketPort: undefined },
  ]) {
    const tracker = open({ ...IDS, ...options });
    expect(tracker.startUpgrade().seq).toBe(2);
    await tracker.close();
  }
});

test("[V6] a clock that gives no time is refused by name", () => {
  const clock = { now: () => Number.NaN, monotonic: () => 0 };
  expect(() => open({ ...IDS, storage: memory(), clock })).toThrowError(
    expect.objectContaining({ code: "INVALID_ARGUMENT" }),
  );
});

test.each([[5], [[{ taskId: "a", taskName: "A" }, null]], [[, "a"]]])("[V6] %j is no list of tasks", async (tasks) => {
  const tracker = open({ ...IDS, storage: memory() });
  expect(() => tracker.addTasks(tasks as never)).toThrowError(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  expect(tracker.progress.tasks.size).toBe(0);
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

test("[V1] an upgrade cannot be named as a finished run is", () => {
  for (const upgradeId of ["u@1", "arn:aws:eks:eu-west-1:1:cluster/a@20"]) {
    expect(() => new ProgressTracker({ upgradeId, planId: "p", clusterName: "c", storage: memory() })).toThrow(
      /finished run/,
    );
  }
  const fine = new ProgressTracker({ upgradeId: "ops@example.com", planId: "p", clusterName: "c", storage: memory() });
  expect(fine.upgradeId).toBe("ops@example.com");
});

test.each(["upgradeId", "planId", "clusterName"])("[V1] %s cannot be one that shows nothing", (field) => {
  const ids = { upgradeId: "u", planId: "p", clusterName: "c" };
  expect(() => new ProgressTracker({ ...ids, [field]: " ", storage: memory() })).toThrow(
    `${field} " " shows nothing; choose one with letters or digits`,
  );
});
