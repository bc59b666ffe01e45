import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { firstCursor, parseCursor } from "../../src/model/cursor.ts";
import { canonicalJson } from "../../src/model/json.ts";
import { linesAfter } from "../../src/stream/lines-after.ts";
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

async function opened(): Promise<{ kept: KeptLog; log: LiveLog }> {
  const kept = new KeptLog(quickFolder(), manualClock());
  const log = await kept.live();
  onTestFinished(async () => {
    log.close();
    await kept.close();
  });
  return { kept, log };
}

function stateIsTrue(kept: KeptLog, log: LiveLog): void {
  expect(log.cursor).toBe(kept.end);
  expect(canonicalJson(log.state)).toBe(canonicalJson(kept.facts.get(kept.end)?.state));
}

test("is at the log's end when it is opened, and follows it", async () => {
  const { kept, log } = await opened();
  stateIsTrue(kept, log);
  kept.report(700);
  await turns();
  stateIsTrue(kept, log);
  expect(log.hasWriter).toBe(true);
});

test("tells those who wait for a change, once for all that came together, until they no longer wait", async () => {
  const { kept, log } = await opened();
  let told = 0;
  const stop = log.onChange(() => (told += 1));
  kept.report(50);
  await turns();
  expect(told).toBe(1);
  stop();
  kept.report();
  await turns();
  expect(told).toBe(1);
});

/** Cursors that a reader may come with, and whether the log goes on from them. */
test("[W2] W05: a cursor that lies on the history is found; any other is none, whatever is wrong with it", async () => {
  const { kept, log } = await opened();
  const first = kept.end;
  kept.report(600);
  await kept.backUp();
  kept.report(20);
  const beyondBackup = kept.end;
  await turns();
  expect(await log.locate(beyondBackup)).toBe(parseCursor(beyondBackup).seq);
  await kept.restore();
  kept.report(40);
  kept.nextRun();
  const ofNextRun = kept.end;
  await turns();
  const { logId, term, seq } = parseCursor(log.cursor);
  expect(await log.locate(log.cursor)).toBe(seq);
  expect(await log.locate(firstCursor(logId))).toBe(0);
  const wrong = {
    "of the finished run": first,
    "of what the older backup took away": beyondBackup,
    "the beginning of another log": firstCursor("otherlog"),
    "of another log": `otherlog.${term}.${seq}`,
    "of another term": `${logId}.otherterm.${seq}`,
    "one beyond the end": `${logId}.${term}.${seq + 1}`,
    "far beyond the end": `${logId}.${term}.999999999999999`,
    "seq 0 of a term": `${logId}.${term}.0`,
    "a negative seq": `${logId}.${term}.-1`,
    "2^53 + 1": `${logId}.${term}.9007199254740993`,
    "a seq with noughts before it": `${logId}.${term}.0${seq}`,
    "a broken number": `${logId}.${term}.${seq}.5`,
    "an exponent": `${logId}.${term}.1e1`,
    "not even a cursor": "garbage",
    nothing: "",
    "a cursor and more": `${log.cursor}\n`,
    "capital letters": log.cursor.toUpperCase(),
    "another script's digits": `${logId}.${term}.١`,
    "very long": `${log.cursor}${"0".repeat(100_000)}`,
  };
  for (const [name, cursor] of Object.entries(wrong)) {
    if (cursor === ofNextRun) continue;
    expect(await log.locate(cursor), name).toBeUndefined();
    await expect(linesAfter(log, cursor, 10), name).rejects.toMatchObject({ code: "CURSOR_GONE" });
  }
});

test("[W2] W05: a cursor behind events that a power cut took away is none, also when others have come in their place", async () => {
  const folder = quickFolder();
  const clock = manualClock();
  const before = new KeptLog(folder, clock);
  before.report(20);
  const kept = join(folder, "data", "upgrades", "up", "journal");
  const [file] = readdirSync(kept);
  const size = statSync(join(kept, file as string)).size;
  const durable = before.end;
  before.report(5);
  const lost = before.end;
  await before.close();
  // What was not on stable storage is gone, a torn line is left.
  truncateSync(join(kept, file as string), size + 30);
  const after = new KeptLog(folder, clock);
  after.report(50);
  const log = await after.live();
  expect(await log.locate(durable)).toBe(parseCursor(durable).seq);
  expect(parseCursor(lost).seq).toBeLessThan(log.head);
  expect(await log.locate(lost)).toBeUndefined();
  stateIsTrue(after, log);
  log.close();
  await after.close();
});

test("gives lines from any cursor to the end, as they stand in the log", async () => {
  const { kept, log } = await opened();
  kept.report(3_000, 2_000);
  await turns(60);
  stateIsTrue(kept, log);
  const seqs: number[] = [];
  let after: string | undefined;
  for (;;) {
    const { lines, cursor, isEnd } = await linesAfter(log, after, 700);
    for (const line of lines) {
      const text = Buffer.from(line).toString("utf8");
      const event = JSON.parse(text) as { seq: number; cursor: string };
      expect(kept.facts.get(event.cursor)?.text).toBe(text);
      seqs.push(event.seq);
    }
    after = cursor;
    if (isEnd) break;
  }
  expect(seqs).toEqual(range(1, log.head));
  expect(after).toBe(log.cursor);
  expect(await linesAfter(log, after, 10)).toEqual({ lines: [], cursor: after, isEnd: true });
});

test("[W3] a log that is removed is told as unknown, and one that comes in its place is served", async () => {
  const { kept, log } = await opened();
  await kept.remove();
  await turns();
  expect(log.trouble?.code).toBe("UNKNOWN_UPGRADE");
  const { generation } = log;
  await kept.replace();
  await turns();
  expect(log.trouble).toBeUndefined();
  expect(log.generation).toBeGreaterThan(generation);
  stateIsTrue(kept, log);
});

test("opening what there is not fails, and leaves nobody watching", async () => {
  let watchers = 0;
  const source: LogSource = {
    ref: "nowhere",
    openReader: async () => undefined,
    waitingLines: () => [],
    watch: () => {
      watchers += 1;
      return () => void (watchers -= 1);
    },
    holder: async () => undefined,
  };
  const opening = LiveLog.open({ source, logger: silentLogger, onReleased: () => undefined });
  await expect(opening).rejects.toMatchObject({ code: "UNKNOWN_UPGRADE" });
  expect(watchers).toBe(0);
});

test("a half-written line is nothing yet; when it is whole it is an event", async () => {
  const { kept } = await opened();
  await kept.reopen();
  const directory = join(kept.folder, "data", "upgrades", "up", "journal");
  const files = readdirSync(directory).sort((a, b) => parseInt(a) - parseInt(b));
  const path = join(directory, files.at(-1) as string);
  const copy = join(kept.folder, "copy");
  cpSync(path, copy);
  const before = statSync(path).size;
  kept.report();
  const lines = readFileSync(path).subarray(before);
  // The same lines in pieces, at the end of a log of its own.
  rmSync(path);
  cpSync(copy, path);
  const other = await kept.live();
  const start = other.head;
  for (let at = 0; at < lines.length; at += 25) {
    appendFileSync(path, lines.subarray(at, at + 25));
    kept.tell();
    await turns(3);
    expect(other.head - start).toBe(
      lines
        .subarray(0, at + 25)
        .toString("latin1")
        .split("\n").length - 1,
    );
  }
  expect(other.head - start).toBe(2);
  other.close();
});

test("a burst of twenty thousand events is taken in over many turns of the event loop", async () => {
  const { kept, log } = await opened();
  const start = log.head;
  for (let n = 0; n < 20_000; n++) kept.tracker.updateTaskProgress(`task-${n % 5}`, (n % 990) / 10, `${n}`);
  kept.tell();
  let last = log.head;
  let most = 0;
  while (log.head < start + 20_000) {
    await turn();
    most = Math.max(most, log.head - last);
    last = log.head;
  }
  // A batch of a log is at most 256 KiB.
  expect(most).toBeLessThan(2_000);
  stateIsTrue(kept, log);
});
