import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { evolve } from "../../src/model/evolve.ts";
import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import { HeldLog } from "../../web/src/history/held-log.ts";
import { WholeLog } from "../../web/src/history/whole-log.ts";
import { BEGINNING, json, logOf, SMALL } from "./long-log.ts";
import { statesOf } from "./recorded.ts";

describe("HeldLog", () => {
  const events = logOf(1_100);
  const states = statesOf(events);
  const held = (bounds = { maxEvents: 1e9, maxLogBytes: 1e9 }) => {
    const log = new HeldLog(BEGINNING, bounds);
    events.forEach((event, index) => log.append(event, states[index] as UpgradeProgress));
    return log;
  };

  it("gives at every event, in any order, the very state that the fold gives", () => {
    const log = held();
    for (let place = 0; place < events.length; place += 1) {
      const seq = ((place * 389) % events.length) + 1;
      expect(json(log.stateAt(seq))).toBe(json(states[seq - 1]));
    }
    for (const seq of [200, 199, 150, 200, 2]) expect(json(log.stateAt(seq))).toBe(json(states[seq - 1]));
    expect(log.stateAt(0)).toBeUndefined();
    expect(log.stateAt(events.length + 1)).toBeUndefined();
  });

  it("drops the oldest beyond its bound, says so, and is exact for the rest", () => {
    const log = held(SMALL.newest);
    const { firstSeq } = log;
    // 600 at most, and a drop is a 64th of them.
    expect(firstSeq).toBeGreaterThanOrEqual(501);
    expect(firstSeq).toBeLessThanOrEqual(511);
    expect(json(log.before)).toBe(json(states[firstSeq - 2]));
    expect(log.lastSeq).toBe(1_100);
    expect(log.stateAt(firstSeq - 1)).toBeUndefined();
    for (let seq = firstSeq; seq <= 1_100; seq += 1) expect(json(log.stateAt(seq))).toBe(json(states[seq - 1]));
    expect(log.entries[0]?.seq).toBeGreaterThanOrEqual(firstSeq);
  });

  it("is exact while what it folds on from is dropped, too", () => {
    const many = logOf(5_000);
    const after = statesOf(many);
    const log = new HeldLog(BEGINNING, { maxEvents: 2_500, maxLogBytes: 1e9 });
    many.forEach((event, index) => {
      log.append(event, after[index] as UpgradeProgress);
      if (index % 50 !== 0) return;
      const seq = log.firstSeq + ((index * 7) % (log.lastSeq - log.firstSeq + 1));
      expect(json(log.stateAt(seq))).toBe(json(after[seq - 1]));
    });
    expect(log.lastSeq - log.firstSeq).toBeGreaterThan(2_400);
    expect(log.lastSeq - log.firstSeq).toBeLessThan(2_500);
  });

  it("drops by the bytes of the text of logs, too, and always but a small part", () => {
    const log = new HeldLog(BEGINNING, { maxEvents: 1e9, maxLogBytes: 4e6 });
    let least = Infinity;
    for (let seq = 1; seq <= 3_000; seq += 1) {
      const text = "x".repeat(20_000);
      const event = {
        ...(events[20] as ProgressEvent),
        type: "log.appended",
        taskId: "t1",
        text,
        seq,
      } as ProgressEvent;
      log.append(event, evolve(log.state, event));
      if (seq > 200) least = Math.min(least, log.logText.lines.length);
    }
    expect(log.logText.lines.length).toBeLessThan(101);
    expect(least).toBeGreaterThan(50);
  });

  it("gives the state before it for an event that a salvage has lost", () => {
    const log = new HeldLog(BEGINNING, SMALL.newest);
    for (const event of events.slice(0, 300))
      if (event.seq < 20 || event.seq > 30) log.append(event, evolve(log.state, event));
    for (const seq of [20, 25, 30]) expect(json(log.stateAt(seq))).toBe(json(states[18]));
    expect(log.stateAt(31)?.seq).toBe(31);
  });

  it("finds the event of a moment", () => {
    const log = held();
    for (const seq of [1, 30, 256, 257, 700, 1_100]) {
      const { lastMs } = (states[seq - 1] as UpgradeProgress).clock;
      const found = log.seqAt(lastMs);
      expect((states[found - 1] as UpgradeProgress).clock.lastMs).toBe(lastMs);
      expect(states[found]?.clock.lastMs).not.toBe(lastMs);
    }
    expect(log.seqAt(-1)).toBe(1);
    expect(log.seqAt(1e12)).toBe(1_100);
  });
});

describe("WholeLog", () => {
  const events = logOf(20_000);
  const states = statesOf(events);
  const log = new WholeLog(events[0] as ProgressEvent, SMALL);
  for (const event of events.slice(1)) log.append(event);

  /** Reads what is missing as the store does, in pages; returns how many that took. */
  const read = (seq: number): number => {
    for (let pages = 0; ; pages += 1) {
      const part = log.missing(seq);
      if (part === undefined) return pages;
      expect(pages).toBeLessThan(100);
      const from = part.lastSeq;
      for (const event of events.slice(from, from + 300)) part.append(event, evolve(part.state, event));
    }
  };

  it("has every state, also far from what it holds, after reading a part of the log", () => {
    for (const seq of [
      1, 2, 300, 301, 9_000, 9_001, 8_400, 17, 4_095, 4_096, 4_097, 8_000, 8_192, 8_193, 12_345, 19_399, 19_400, 19_457,
      20_000,
    ]) {
      const pages = read(seq);
      expect(json(log.at(seq)?.stateAt(seq))).toBe(json(states[seq - 1]));
      // Three checkpoints for 20,000 events are at most 16,384 apart, and it reads a page or two ahead.
      expect(pages).toBeLessThanOrEqual(16_384 / 300 + 2);
    }
    expect(log.missing(0)).toBeUndefined();
    expect(log.missing(20_001)).toBeUndefined();
    expect(log.at(20_001)).toBeUndefined();
  });

  it("reads ahead of what is played, and from a checkpoint, not from the beginning", () => {
    read(9_000);
    expect(log.at(9_300)).toBeDefined();
    for (let seq = 9_000; seq < 10_000; seq += 50) {
      expect(log.at(seq)).toBeDefined();
      expect(read(seq)).toBeLessThan(2);
    }
    read(500);
    expect(log.missing(19_000)?.firstSeq).toBeGreaterThan(4_096);
  });

  it("has no more states to fold on from than it may, evenly apart", () => {
    const from = new Set<number>();
    for (let seq = 1; seq < log.newest.firstSeq; seq += 256) {
      log.missing(undefined);
      from.add(log.missing(seq)?.lastSeq ?? -1);
    }
    expect(from.size).toBeLessThanOrEqual(SMALL.maxCheckpoints);
    const places = [...from, log.newest.firstSeq];
    expect(Math.max(...places.slice(1).map((seq, index) => seq - (places[index] ?? 0)))).toBeLessThanOrEqual(
      8_192 + 10,
    );
  });

  it("finds a place for every moment: in what it holds the very one, else one near it, in the order of time", () => {
    read(9_000);
    for (const seq of [19_800, 9_000]) expect(log.seqAt((states[seq - 1] as UpgradeProgress).clock.lastMs)).toBe(seq);
    expect([log.seqAt(-1), log.seqAt(log.fromMs), log.seqAt(1e12)]).toEqual([1, expect.any(Number), 20_000]);
    let last = 0;
    for (let seq = 1; seq <= 20_000; seq += 97) {
      const found = log.seqAt((states[seq - 1] as UpgradeProgress).clock.lastMs);
      expect(Math.abs(found - seq)).toBeLessThan(300);
      expect(found).toBeGreaterThanOrEqual(last);
      last = found;
    }
  });

  it("holds no more for a longer log, however many marks it has", () => {
    const marked = new WholeLog(events[0] as ProgressEvent, SMALL);
    const phase = { ...(events[0] as ProgressEvent), type: "upgrade.phase_changed", phase: "x" } as ProgressEvent;
    for (let seq = 2; seq < 5_000; seq += 1) marked.append({ ...phase, seq, cursor: `log.term.${seq}` });
    expect(marked.marks.length).toBeLessThanOrEqual(4);
    expect(marked.marks.at(-1)?.seq).toBe(4_999);
    expect(marked.newest.entries.length).toBeLessThanOrEqual(600);
  });
});
