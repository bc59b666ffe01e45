import { expect, onTestFinished, test } from "vitest";

import { MilepostError } from "../../src/errors.ts";
import { parseCursor } from "../../src/model/cursor.ts";
import { canonicalJson } from "../../src/model/json.ts";
import type { LogReader } from "../../src/storage/storage.ts";
import { LiveLog } from "../../src/stream/live-log.ts";
import type { LogSource } from "../../src/stream/upgrades.ts";
import { silentLogger } from "../../src/tracker/logger.ts";
import { quickFolder } from "../faults/quick-folder.ts";
import { manualClock } from "../manual-clock.ts";
import { KeptLog } from "./kept-log.ts";
import { range } from "./recorded-log.ts";

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function turns(count = 20): Promise<void> {
  for (let n = 0; n < count; n++) await turn();
}

function stateIsTrue(kept: KeptLog, log: LiveLog): void {
  expect(log.cursor).toBe(kept.end);
  expect(canonicalJson(log.state)).toBe(canonicalJson(kept.facts.get(kept.end)?.state));
}

interface Trouble {
  error: Error | undefined;
  /** Called whenever it has been met. */
  after: () => void;
}

/** A log whose storage can be out of order. */
async function troubled(): Promise<{ kept: KeptLog; log: LiveLog; trouble: Trouble }> {
  const kept = new KeptLog(quickFolder(), manualClock());
  const trouble: Trouble = { error: undefined, after: () => undefined };
  const check = (): void => {
    const { error } = trouble;
    if (error === undefined) return;
    trouble.after();
    throw error;
  };
  const source: LogSource = {
    ...kept.source,
    openReader: async () => {
      check();
      const reader = await kept.source.openReader();
      return reader && bent(reader, check);
    },
  };
  const log = await LiveLog.open({ source, logger: silentLogger, onReleased: () => undefined });
  onTestFinished(async () => {
    log.close();
    await kept.close();
  });
  return { kept, log, trouble };
}

function bent(reader: LogReader, check: () => void): LogReader {
  return {
    get header() {
      return reader.header;
    },
    read: (maxBytes) => {
      check();
      return reader.read(maxBytes);
    },
    seek: (seq) => reader.seek(seq),
    snapshot: () => reader.snapshot(),
    close: () => reader.close(),
  };
}

test.each([
  ["an error of the system", new Error("EIO: i/o error, read"), "STREAM_BROKEN"],
  ["damage", new MilepostError("CORRUPT", "the file holds a damaged line"), "CORRUPT"],
  ["a history that never stands still", new MilepostError("CURSOR_GONE", "the log has changed"), "STREAM_BROKEN"],
])("says what is in the way, and is well again when it has gone: %s", async (_name, error, code) => {
  const { kept, log, trouble } = await troubled();
  trouble.error = error;
  kept.report(3);
  await turns(50);
  expect(log.trouble?.code).toBe(code);
  trouble.error = undefined;
  kept.report(3);
  await turns(50);
  expect(log.trouble).toBeUndefined();
  stateIsTrue(kept, log);
});

test("a history that changes again while it is read anew is read once more, and nobody is told of trouble", async () => {
  const { kept, log, trouble } = await troubled();
  const { generation } = log;
  let failures = 3;
  trouble.error = new MilepostError("CURSOR_GONE", "the log has changed");
  trouble.after = () => {
    failures -= 1;
    if (failures === 0) trouble.error = undefined;
  };
  kept.report(3);
  await turns(50);
  expect(failures).toBe(0);
  expect(log.trouble).toBeUndefined();
  expect(log.generation).toBe(generation + 1);
  stateIsTrue(kept, log);
});

test("is well again though nothing was written meanwhile, when it is looked after", async () => {
  const { kept, log, trouble } = await troubled();
  trouble.error = new Error("EMFILE: too many open files");
  kept.report(3);
  await turns();
  expect(log.trouble).toBeDefined();
  trouble.error = undefined;
  await log.look();
  await turns();
  expect(log.trouble).toBeUndefined();
  stateIsTrue(kept, log);
});

/** Events that wait in a tracker's memory while the disk takes none. */
class WaitingLines {
  lines: Buffer[] = [];
  onChange: () => void = () => undefined;

  source(kept: KeptLog): LogSource {
    const own = kept.source;
    return {
      ...own,
      waitingLines: (after) =>
        this.lines.filter((line) => (JSON.parse(line.toString("utf8")) as { seq: number }).seq > after),
      watch: (onChange) => {
        this.onChange = onChange;
        return own.watch(onChange);
      },
    };
  }
}

test("what waits for the storage is told, and is not told again when it is stored", async () => {
  const kept = new KeptLog(quickFolder(), manualClock());
  const waiting = new WaitingLines();
  const log = await LiveLog.open({ source: waiting.source(kept), logger: silentLogger, onReleased: () => undefined });
  const { head, generation } = log;
  waiting.lines = range(head + 1, head + 20).map((seq) => madeLine(log.cursor, seq, "task.heartbeat"));
  waiting.onChange();
  await turns();
  expect(log.head).toBe(head + 20);
  // Some of them have been stored in the moment between reading the storage and asking for those that wait.
  waiting.lines = range(head + 25, head + 30).map((seq) => madeLine(log.cursor, seq, "task.heartbeat"));
  waiting.onChange();
  await turns();
  expect(log.head).toBe(head + 20);
  expect(log.generation).toBe(generation);
  waiting.lines = [];
  log.close();
  await kept.close();
});

function madeLine(cursor: string, seq: number, type: string): Buffer {
  const { logId, term } = parseCursor(cursor);
  const event = {
    seq,
    cursor: `${logId}.${term}.${seq}`,
    ms: seq,
    id: `i${seq}`,
    type,
    taskId: "task-0",
    time: "2026-03-01T08:00:00.000Z",
  };
  return Buffer.from(`${JSON.stringify(event)}\n`);
}

test("[W3] when another writer's events are stored in the place of those that waited, the readers are told that the history is another one", async () => {
  const kept = new KeptLog(quickFolder(), manualClock());
  await kept.reopen();
  const waiting = new WaitingLines();
  const log = await LiveLog.open({ source: waiting.source(kept), logger: silentLogger, onReleased: () => undefined });
  const { generation, head } = log;
  waiting.lines = range(head + 1, head + 3).map((seq) => madeLine(log.cursor, seq, "task.heartbeat"));
  waiting.onChange();
  await turns();
  expect(log.head).toBe(head + 3);
  waiting.lines = [];
  kept.report(5);
  await turns();
  expect(log.generation).toBe(generation + 1);
  stateIsTrue(kept, log);
  log.close();
  await kept.close();
});
