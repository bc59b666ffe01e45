import { describe, expect, it } from "vitest";

import { ProgressTracker } from "../../src/progress-tracker.ts";
import { tempFolder } from "../temp-folder.ts";
import { IDS } from "./delivery-kit.ts";
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
    const well = scriptedNotifier("slow");
    const again = new ProgressTracker({ ...IDS, storagePath, notifiers: [well] });
    again.completeUpgrade();
    await again.close();
    expect(well.calls.flatMap(({ events }) => events.map(({ type }) => type))).toEqual([
      "upgrade.started",
      "upgrade.completed",
    ]);
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
});
