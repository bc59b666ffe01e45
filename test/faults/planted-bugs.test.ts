/** Each validator fails for the bug that it is there for: without this, "0 lost" would prove nothing. */

import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { MilepostError } from "../../src/errors.ts";
import { evolve } from "../../src/model/evolve.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { realFileSystem, type FileSystem } from "../../src/storage/files.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { manualClock } from "../manual-clock.ts";
import { tempFolder } from "../temp-folder.ts";
import { bentMemory } from "./bent.ts";
import { check_G1, check_G10, check_G2, check_G3, check_G5, check_G6, check_G7, check_G9 } from "./checks.ts";
import { FaultFs } from "./fault-fs.ts";
import { bentLines, displaced, ID, IDS, observe, troubled } from "./observed.ts";
import { powerCuts } from "./power-cut.ts";
import { quickFolder } from "./quick-folder.ts";
import { eventsOnDisk, storedEvents } from "./stored.ts";

describe("a validator", () => {
  it("finds nothing where nothing is wrong", async () => {
    const path = tempFolder();
    const { acked, told, stored, tracker } = observe(jsonLines({ path }));
    const found = [
      ...check_G1(acked, stored),
      ...check_G2(stored),
      ...check_G7(stored, 60_000),
      ...check_G9(tracker.progress, stored),
      ...check_G10(told, stored),
    ];
    await tracker.close();
    const faults = new FaultFs();
    found.push(...check_G5(await troubled(jsonLines({ path: tempFolder(), fs: faults.fs }), faults)));
    const other = tempFolder();
    const { writers, stored: history } = await displaced(other, jsonLines({ path: other }));
    found.push(...check_G6(writers, history));
    expect(found).toEqual([]);
  });

  it("check_G1 sees a storage that acknowledges before it writes", () => {
    const { acked, stored } = observe(bentMemory((write, lines) => void setTimeout(() => write(lines), 0)));
    expect(check_G1(acked, stored)).not.toEqual([]);
  });

  it("check_G1 sees a storage that keeps another event than it acknowledged", () => {
    const { acked, stored } = observe(
      bentMemory((write, lines) => write(Buffer.from(Buffer.from(lines).toString().replaceAll('"id":"0', '"id":"f')))),
    );
    expect(check_G1(acked, stored)).not.toEqual([]);
  });

  it.each(["fdatasync", "directory"] as const)(
    "check_G1 sees, after a power cut, that a sync was left out: %s",
    async (lie) => {
      const disk = () => new FaultFs({ isRecording: true, lie });
      const { violations } = await powerCuts({ root: quickFolder(), seeds: 8, cutsPerSeed: 30, disk });
      expect(violations).not.toEqual([]);
    },
  );

  it("check_G2 sees a storage that stores an append twice", () => {
    const { stored } = observe(
      bentMemory((write, lines, count) => {
        write(lines);
        if (count === 2) write(lines);
      }),
    );
    expect(check_G2(stored)).not.toEqual([]);
  });

  it("check_G2 sees a storage that lets an append overtake another", () => {
    let waiting: Uint8Array | undefined;
    const { stored } = observe(
      bentMemory((write, lines, count) => {
        if (count === 2) waiting = lines;
        else write(lines);
        if (count === 3 && waiting !== undefined) write(waiting);
      }),
    );
    expect(check_G2(stored)).not.toEqual([]);
  });

  it("check_G2 sees a storage that leaves one append out", () => {
    const { stored } = observe(bentMemory((write, lines, count) => (count === 3 ? undefined : write(lines))));
    expect(check_G2(stored)).not.toEqual([]);
  });

  it("check_G3 sees a half line that is followed by a good one", async () => {
    const path = tempFolder();
    const { tracker } = observe(jsonLines({ path }));
    const stored = [eventsOnDisk(path, ID)];
    await tracker.close();
    const file = join(path, "upgrades", ID, "journal", "1.jsonl");
    const whole = readFileSync(file);
    const last = whole.lastIndexOf("\n", whole.length - 2) + 1;
    writeFileSync(file, whole.subarray(0, last - 20));
    appendFileSync(file, whole.subarray(last));
    let error: unknown;
    try {
      await new ProgressTracker({ ...IDS, storagePath: path }).close();
    } catch (thrown) {
      error = thrown;
    }
    expect(check_G3({ error, stored })).not.toEqual([]);
  });

  it("check_G3 sees a recovery that cuts off the last whole line with the torn one", async () => {
    const path = tempFolder();
    const { tracker } = observe(jsonLines({ path }));
    await tracker.flush();
    const before = eventsOnDisk(path, ID);
    const file = join(path, "upgrades", ID, "journal", "1.jsonl");
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.lastIndexOf("\n", whole.length - 2) + 1));
    expect(check_G3({ stored: [before, eventsOnDisk(path, ID)] })).not.toEqual([]);
    await tracker.close().catch(() => undefined);
  });

  it("check_G5 sees a storage that drops what it cannot write", async () => {
    const faults = new FaultFs();
    const lost: FileSystem = {
      ...faults.fs,
      writeSync: ((fd: number, bytes: Uint8Array, ...rest: [number, number, number]) => {
        try {
          return faults.fs.writeSync(fd, bytes, ...rest);
        } catch {
          return bytes.length;
        }
      }) as FileSystem["writeSync"],
    };
    const found = await troubled(jsonLines({ path: tempFolder(), fs: lost }), faults).then(check_G5, String);
    expect(found).not.toEqual([]);
  });

  it("check_G5 sees trouble that throws into a command", async () => {
    const faults = new FaultFs();
    const storage = bentLines(jsonLines({ path: tempFolder(), fs: faults.fs }), (inner) => (...args) => {
      try {
        return inner.append(...args);
      } catch (error) {
        throw new MilepostError("FENCED", "the disk is full", { cause: error });
      }
    });
    expect(check_G5(await troubled(storage, faults))).not.toEqual([]);
  });

  it("check_G5 sees a flush that resolves while events wait", async () => {
    const faults = new FaultFs();
    const trouble = await troubled(jsonLines({ path: tempFolder(), fs: faults.fs }), faults);
    const flushes = trouble.flushes.map((flush) => ({ ...flush, outcome: "resolved" }));
    expect(check_G5({ ...trouble, flushes })).not.toEqual([]);
  });

  it("check_G5 sees trouble that health does not tell", async () => {
    const faults = new FaultFs();
    const trouble = await troubled(jsonLines({ path: tempFolder(), fs: faults.fs }), faults);
    const looks = trouble.looks.map((look) => ({ ...look, state: { ...look.state, health: null } }));
    expect(check_G5({ ...trouble, looks })).not.toEqual([]);
  });

  it("check_G6 sees a writer that does not look whether the lock is still its own", async () => {
    const path = tempFolder();
    const known = new Map<unknown, unknown>();
    const blind: FileSystem = {
      ...realFileSystem,
      statSync: ((file: string, options?: object) => {
        if (!known.has(file)) known.set(file, realFileSystem.statSync(file, options));
        return known.get(file);
      }) as FileSystem["statSync"],
    };
    const { writers, stored } = await displaced(path, jsonLines({ path, fs: blind }));
    expect(check_G6(writers, stored)).not.toEqual([]);
  });

  it("check_G6 sees a writer that swallows FENCED", async () => {
    const path = tempFolder();
    const storage = bentLines(jsonLines({ path }), (inner) => (...args) => {
      try {
        return inner.append(...args);
      } catch {
        return undefined;
      }
    });
    const { writers, stored } = await displaced(path, storage);
    expect(check_G6(writers, stored)).not.toEqual([]);
  });

  it("check_G7 sees durations taken from the wall clock", async () => {
    const clock = manualClock();
    const storage = jsonLines({ path: tempFolder() });
    const tracker = new ProgressTracker({
      ...IDS,
      storage,
      clock: { now: () => clock.now(), monotonic: () => clock.now() },
    });
    tracker.startUpgrade();
    clock.jump(7_200_000);
    tracker.setCurrentPhase("Nodes");
    clock.jump(-3_600_000);
    tracker.completeUpgrade();
    expect(check_G7(storedEvents(storage, ID), 1_000)).not.toEqual([]);
    await tracker.close();
  });

  it("check_G9 sees a state with an event too many, and one that missed an event", () => {
    const { tracker, stored } = observe(bentMemory((write, lines) => write(lines)));
    tracker.retryTask("a");
    expect(check_G9(tracker.progress, stored)).not.toEqual([]);
    const all = storedEvents(tracker.storage.driver, ID);
    expect(check_G9(tracker.progress, all)).toEqual([]);
    const last = all.at(-1) as ProgressEvent;
    expect(check_G9(evolve(tracker.progress, { ...last, seq: last.seq + 1 }), all)).not.toEqual([]);
  });

  it("check_G10 sees a tracker that tells before it has appended", () => {
    const { told, tracker, acked } = observe(bentMemory((write, lines) => void setTimeout(() => write(lines), 0)));
    expect(acked.length).toBeLessThan(tracker.progress.seq);
    const events = told.map(({ event }) => event);
    expect(check_G10(told, events)).not.toEqual([]);
  });

  it("check_G10 sees an event that is told twice, and one that is not told", () => {
    const { told, stored } = observe(bentMemory((write, lines) => write(lines)));
    expect(check_G10([...told, ...told.slice(-1)], stored)).not.toEqual([]);
    expect(check_G10(told.slice(1), stored)).not.toEqual([]);
  });
});
