import fc from "fast-check";
import {
  canonicalJson,
  evolve,
  jsonLines,
  memory,
  ProgressTracker,
  readEvents,
  readUpgrade,
  type ProgressEvent,
  type Storage,
} from "milepost";
import { describe, expect, it } from "vitest";
import { emptyUpgrade } from "../../src/model/upgrade.ts";
import { firstCursor, parseCursor } from "../../src/model/cursor.ts";
import { isMilepostError } from "../../src/errors.ts";
import { manualClock } from "../manual-clock.ts";
import { stepsOf, type Step } from "../model/steps.ts";
import { tempFolder } from "../temp-folder.ts";

const IDS = { upgradeId: "arn:aws:eks:eu-west-1:1:cluster/prod", planId: "plan", clusterName: "prod" };
const isLong = process.env["MILEPOST_LONG"] === "1";

const STORAGES: Readonly<Record<string, () => Storage>> = {
  memory: () => memory(),
  jsonLines: () => jsonLines({ path: tempFolder() }),
};

async function all(storage: Storage, ref: string): Promise<ProgressEvent[]> {
  const found: ProgressEvent[] = [];
  for await (const event of readEvents(storage, ref)) found.push(event);
  return found;
}

const foldOf = (events: readonly ProgressEvent[]) => {
  const first = events[0];
  if (first?.type !== "writer.opened") throw new Error("a log begins with its writer");
  return events.reduce(evolve, emptyUpgrade(IDS, { cursor: firstCursor(first.logId), run: first.run }));
};

/** Takes the steps with real trackers, one after the other; a step that opens closes the one before. Returns the last state. */
async function live(storage: Storage, steps: readonly Step[]) {
  const clock = manualClock();
  const open = () => new ProgressTracker({ ...IDS, storage, clock, snapshotEvery: 20 });
  let tracker = open();
  for (const { command, passMs, jumpMs, opens } of steps) {
    clock.pass(passMs);
    clock.jump(jumpMs);
    if (opens) {
      const before = canonicalJson({ ...tracker.progress, seq: 0, cursor: "", openTerm: null, clock: null });
      await tracker.close();
      tracker = open();
      expect(canonicalJson({ ...tracker.progress, seq: 0, cursor: "", openTerm: null, clock: null })).toBe(before);
    }
    try {
      tracker.execute(command);
    } catch (error) {
      if (!isMilepostError(error)) throw error;
    }
  }
  return tracker;
}

describe.each(Object.entries(STORAGES))("over %s", (name, create) => {
  it("[E1] replaying the log gives the bytes of the live state (G9)", async () => {
    await fc.assert(
      fc.asyncProperty(stepsOf(80), async (steps) => {
        const storage = create();
        const tracker = await live(storage, steps);
        const { progress } = tracker;
        if (progress.seq > 0) {
          const events = await all(storage, IDS.upgradeId);
          expect(canonicalJson(foldOf(events))).toBe(canonicalJson(progress));
          expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
          expect(canonicalJson((await readUpgrade(storage, IDS.upgradeId)).state)).toBe(canonicalJson(progress));
        }
        await tracker.close();
        await storage.close();
      }),
      { numRuns: (isLong ? 1_000 : 40) * (name === "memory" ? 3 : 1) },
    );
  });

  it("[E7, E8] each event is whole, and each term begins with its writer", async () => {
    const storage = create();
    for (const phase of ["One", "Two"]) {
      const tracker = new ProgressTracker({ ...IDS, storage });
      tracker.startUpgrade(phase);
      tracker.setCurrentPhase(phase);
      await tracker.close();
    }
    const events = await all(storage, IDS.upgradeId);
    expect(events.map(({ type }) => type)).toEqual([
      ...["writer.opened", "upgrade.started", "writer.closed"],
      ...["writer.opened", "upgrade.phase_changed", "writer.closed"],
    ]);
    expect(events.filter(({ type }) => type === "writer.opened")).toMatchObject([
      { after: 0, logMs: 0 },
      { after: 3, logMs: expect.any(Number) },
    ]);
    for (const event of events) {
      expect(event).toMatchObject({
        upgradeId: IDS.upgradeId,
        ms: expect.any(Number),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      });
      expect(event.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(parseCursor(event.cursor).seq).toBe(event.seq);
    }
    expect(new Set(events.map(({ cursor }) => parseCursor(cursor).term)).size).toBe(2);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  });

  it("[L3, C1] 10,000 concurrent updates of one task are all there, in the order of the calls (M13)", async () => {
    const storage = create();
    const tracker = new ProgressTracker({ ...IDS, storage });
    tracker.startUpgrade();
    tracker.addTask("t", "Task", undefined, { totalSteps: 10_000 });
    const told: number[] = [];
    tracker.addEventCallback((event) => told.push(event.seq));
    const calls: number[] = [];
    const given = await Promise.all(
      Array.from({ length: 10_000 }, async (_, n) => {
        await (n % 3 === 0 ? Promise.resolve() : n % 3 === 1 ? undefined : new Promise(setImmediate));
        calls.push(n + 1);
        return tracker.updateTaskProgress("t", { completedSteps: n + 1 });
      }),
    );
    const { progress } = tracker;
    await tracker.close();
    const events = (await all(storage, IDS.upgradeId)).filter((event) => event.type === "task.progressed");
    expect(events.map(({ completedSteps }) => completedSteps)).toEqual(calls);
    expect(new Set(given.map(({ seq }) => seq)).size).toBe(10_000);
    expect(told).toEqual(Array.from({ length: told.length }, (_, n) => (told[0] as number) + n));
    expect(progress.tasks.get("t")?.completedSteps).toBe(calls.at(-1));
  });
});
