import { describe, expect, it } from "vitest";

import type { FeedEntry } from "../../../src/view/log/feed.ts";
import { labelPlace } from "../../../src/view/timeline/lane-label.ts";
import { entriesUntil, entryAt, markBeside, marksOf, placeText, playSpeed } from "../../../src/view/log/playing.ts";
import type { Bar, Lane } from "../../../src/view/timeline/timeline.ts";
import { at, start, story } from "../story.ts";

const entry = (seq: number, tone: FeedEntry["tone"], isMark = true): FeedEntry => ({
  seq,
  time: new Date(at(seq)).toISOString(),
  logMs: seq * 1000,
  kind: "status",
  isMark,
  text: `event ${seq}`,
  tone,
  taskId: null,
});
const ENTRIES = [
  entry(1, "active"),
  entry(5, "quiet", false),
  entry(50, "active"),
  entry(51, "bad"),
  entry(100, "good"),
];

describe("marks on the scrubber", () => {
  it("keep apart; of those near each other the one that asks most to be seen stands for all", () => {
    const marks = marksOf(ENTRIES, { fromMs: 0, toMs: 100_000, apart: 0.02 });
    expect(marks.map(({ left, entry: { seq } }) => [left, seq])).toEqual([
      [0.01, 1],
      [0.5, 51],
      [1, 100],
    ]);
    expect(marksOf(ENTRIES, { fromMs: 5, toMs: 5, apart: 0.02 })).toEqual([]);
  });

  it("are gone through one after the other, both ways", () => {
    expect(markBeside(ENTRIES, 1, false)?.seq).toBe(50);
    expect(markBeside(ENTRIES, 50, true)?.seq).toBe(1);
    expect(markBeside(ENTRIES, 100, false)).toBeUndefined();
    expect(markBeside(ENTRIES, 1, true)).toBeUndefined();
  });
});

describe("a place in the log", () => {
  it("has the newest entry up to it", () => {
    expect([0, 1, 4, 5, 99, 1000].map((seq) => entriesUntil(ENTRIES, seq))).toEqual([0, 1, 1, 2, 4, 5]);
    expect(entryAt(ENTRIES, 49)?.seq).toBe(5);
    expect(entryAt(ENTRIES, 0)).toBeUndefined();
  });

  it("is said with its time, its date when that is another day, and how long ago", () => {
    const { state } = story([[5, start()]]);
    const options = { nowMs: at(65), lastSeq: 9, zone: "utc" } as const;
    expect(placeText(state, options)).toEqual({ time: "12:00:05", ago: "1m 00s ago", position: "event 2 of 9" });
    expect(placeText(state, { ...options, nowMs: at(86_405) }).time).toBe("2026-11-23 12:00:05");
    expect(placeText(state, { ...options, nowMs: at(5) }).ago).toBeNull();
  });
});

describe("playSpeed", () => {
  it("lets a short record take some seconds, and a long one no longer than it must", () => {
    const speeds = [0, 400, 2_000, 6_000, 30_000, 60_000, 299_000, 300_000, 3_600_000].map(playSpeed);
    expect(speeds).toEqual([0.1, 0.1, 0.1, 1, 5, 10, 30, 60, 60]);
  });
});

describe("labelPlace", () => {
  const bar = (left: number, width: number) => ({ kind: "attempt", left, width }) as Bar;
  const lane = (bars: readonly Bar[], more: Partial<Lane> = {}): Lane => ({ bars, stretches: [], plan: null, ...more });
  const room = { widthPx: 1000, labelPx: 50 };

  it("puts it behind all that is in the lane, the plan too", () => {
    expect(labelPlace(lane([bar(0, 0.1), bar(0.2, 0.1)]), room)).toEqual({ place: "after", at: expect.closeTo(0.3) });
    const plan = { left: 0.2, width: 0.2, late: { left: 0.4, width: 0.3 } } as Lane["plan"];
    expect(labelPlace(lane([bar(0.2, 0.1)], { plan }), room)).toEqual({ place: "after", at: expect.closeTo(0.7) });
  });

  it("puts it into the bar when there is no room behind, before it when the bar is short or striped, else nowhere", () => {
    expect(labelPlace(lane([bar(0.5, 0.5)]), room)).toEqual({ place: "inside", at: 0.5 });
    expect(labelPlace(lane([bar(0.98, 0.02)]), room)).toEqual({ place: "before", at: 0.98 });
    const wait = { kind: "waiting", left: 0.5, width: 0.5, lengthMs: 1, on: null } as const;
    expect(labelPlace(lane([bar(0.5, 0.5)], { stretches: [wait] }), room)).toEqual({ place: "before", at: 0.5 });
    expect(labelPlace(lane([bar(0, 0.01), bar(0.99, 0.01)]), room)).toBeNull();
    expect(labelPlace(lane([]), room)).toBeNull();
  });
});
