import { describe, expect, it } from "vitest";

import type { Notifier } from "../../src/notify/notifier.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { tempFolder } from "../temp-folder.ts";
import { expectRestTold, IDS } from "./delivery-kit.ts";
import { scriptedNotifier } from "./scripted-notifier.ts";

describe("a tracker with notifiers", () => {
  it("tells each what the rules select for it, and close lets them be told the end", async () => {
    const storagePath = tempFolder();
    const [all, failures] = [scriptedNotifier("all"), scriptedNotifier("failures")];
    const tracker = new ProgressTracker({
      ...IDS,
      storagePath,
      notifiers: [all, failures],
      rules: [
        { to: ["all"], events: ["*"] },
        { to: ["failures"], events: ["*.failed"] },
      ],
    });
    tracker.startUpgrade();
    tracker.addTask("a", "A");
    tracker.startTask("a");
    tracker.failTask("a", "no");
    tracker.failUpgrade("no");
    await tracker.close();
    expect(all.calls.flatMap(({ events }) => events.map(({ type }) => type))).toEqual([
      "writer.opened",
      "upgrade.started",
      "task.added",
      "task.started",
      "task.failed",
      "upgrade.failed",
      "writer.closed",
    ]);
    expect(failures.calls.flatMap(({ events }) => events.map(({ type }) => type))).toEqual([
      "task.failed",
      "upgrade.failed",
    ]);
  });

  it("close waits for a notifier that hangs no longer than it was told, and the next opener tells the rest", async () => {
    const storagePath = tempFolder();
    const hung = scriptedNotifier("slow");
    hung.reply = () => new Promise<never>(() => undefined);
    const tracker = new ProgressTracker({ ...IDS, storagePath, notifiers: [hung], drainTimeoutMs: 100 });
    tracker.startUpgrade();
    const began = performance.now();
    await tracker.close();
    expect(performance.now() - began).toBeLessThan(5_000);
    await expectRestTold(storagePath, "slow");
  });

  it("refuses notifiers that cannot be", () => {
    for (const notifiers of [
      [{}],
      "slack",
      [scriptedNotifier("a"), scriptedNotifier("a")],
      [scriptedNotifier("../x")],
      [scriptedNotifier("")],
    ])
      expect(() => new ProgressTracker({ ...IDS, storagePath: tempFolder(), notifiers: notifiers as [] })).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
  });

  it.each([
    [undefined, 'limits of "a" must be an object, not undefined'],
    [{ maxBytes: 1 }, 'limits.maxEvents of "a" must be a whole number of at least 1, not undefined'],
    [{ maxEvents: 0, maxBytes: 1 }, 'limits.maxEvents of "a" must be a whole number of at least 1, not 0'],
    [{ maxEvents: 1, maxBytes: Infinity }, 'limits.maxBytes of "a" must be a whole number of at least 1, not Infinity'],
  ])("refuses a notifier whose limits are %j when it is given, and not when it tells", (limits, said) => {
    const notifier = { ...scriptedNotifier("a"), limits };
    const options = { ...IDS, storagePath: tempFolder(), notifiers: [notifier as unknown as Notifier] };
    expect(() => new ProgressTracker(options)).toThrow(`notifiers[].${said}`);
  });
});
