import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { EventBridgeNotifier } from "../../src/notify/eventbridge.ts";
import { CUT_MARK, cutText, fittingJson, jsonBytes } from "../../src/notify/eventbridge/cut-detail.ts";
import { entryBytes, type Entry } from "../../src/notify/eventbridge/entry.ts";
import { add, begin, start, story } from "../view/story.ts";

const { state, events } = story([[0, start(), add("a"), begin("a")]]);
const logged = (text: string, n = 0): ProgressEvent =>
  ({ ...events.at(-1)!, type: "log.appended", id: `e${n}`, text }) as unknown as ProgressEvent;
const signal = new AbortController().signal;

/** What a notifier sends, request by request. */
async function sent(told: readonly ProgressEvent[], maxEntryBytes = 240_000): Promise<readonly (readonly Entry[])[]> {
  const requests: (readonly Entry[])[] = [];
  const client = {
    send: async (command: object) => {
      const { Entries } = (command as { input: { Entries: readonly Entry[] } }).input;
      requests.push(Entries);
      return { FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: "e" })) };
    },
  };
  const notifier = new EventBridgeNotifier({ busName: "b", client, maxEntryBytes, resources: ["arn:aws:x:é"] });
  const outcomes = await notifier.notify({ events: told, state }, { signal });
  expect(outcomes.map(({ status }) => status)).toEqual(told.map(() => "delivered"));
  return requests;
}

const detailOf = (entry: Entry | undefined) => JSON.parse(entry!.Detail) as Record<string, unknown>;

describe("the size of an entry", () => {
  it("is counted as EventBridge does: 14 bytes of time and the UTF-8 bytes of its texts", () => {
    const entry = { EventBusName: "not counted", Time: new Date(), Source: "é", DetailType: "a", Detail: '{"a":"👍"}' };
    expect(entryBytes(entry)).toBe(14 + 2 + 1 + 12);
    expect(entryBytes({ ...entry, Resources: ["é", "b"] })).toBe(14 + 2 + 1 + 12 + 3);
  });

  it("decides to the byte whether a detail is cut (N06)", async () => {
    const [[small] = []] = await sent([logged("x")]);
    for (const limit of [10_000, 240_000, 256_000]) {
      const room = limit - entryBytes(small!) + 1;
      const [fits, over] = [logged("é".repeat(room / 2) + "x".repeat(room % 2)), logged("x".repeat(room + 1))];
      const [[whole] = []] = await sent([fits], limit);
      expect(entryBytes(whole!)).toBe(limit);
      expect(whole!.Detail).not.toContain(CUT_MARK);
      const [[cut] = []] = await sent([over], limit);
      expect(entryBytes(cut!)).toBeLessThanOrEqual(limit);
      expect(entryBytes(cut!)).toBeGreaterThan(limit - 8);
      expect(detailOf(cut)["text"]).toMatch(/x… \[cut\]$/);
      expect(detailOf(cut)["metadata"]).toMatchObject({ cutFromBytes: Buffer.byteLength(whole!.Detail) + 1 });
    }
  });

  it("leaves names whole when much is cut, and drops what is many rather than long", async () => {
    const details = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`k${n}`, n]));
    const event = { ...logged("y".repeat(50_000)), message: "m".repeat(16_000), details } as ProgressEvent;
    const [[entry] = []] = await sent([event], 4_096);
    expect(entryBytes(entry!)).toBeLessThanOrEqual(4_096);
    const detail = detailOf(entry);
    expect(detail).toMatchObject({ id: event.id, seq: event.seq, upgradeId: "upgrade-123", clusterName: "my-cluster" });
    expect(detail["metadata"]).toMatchObject({ cursor: event.cursor, eventId: event.id });
    expect(detail["message"]).toMatch(/^m+… \[cut\]$/);
    expect(detail).not.toHaveProperty("details");
  });

  it("cuts texts however deep they lie, and keeps a key named __proto__ as data", async () => {
    let deep: object = { text: "z".repeat(9_000) };
    for (let n = 0; n < 31; n++) deep = { deep };
    const details = JSON.parse(`{"__proto__":{"polluted":true},"deep":${JSON.stringify(deep)}}`) as object;
    const [[entry] = []] = await sent([{ ...events.at(-1)!, details } as ProgressEvent], 4_096);
    expect(entry!.Detail).toContain('"__proto__":{"polluted":true}');
    expect(entry!.Detail).toContain(CUT_MARK);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("a request", () => {
  it("has at most ten entries, in order", async () => {
    const many = Array.from({ length: 25 }, (_, n) => logged("x", n));
    const requests = await sent(many);
    expect(requests.map(({ length }) => length)).toEqual([10, 10, 5]);
    expect(requests.flat().map((entry) => detailOf(entry)["id"])).toEqual(many.map(({ id }) => id));
  });

  it("has at most 900,000 bytes, to the byte (N06)", async () => {
    const [[small] = []] = await sent([logged("x")]);
    const room = 225_000 - entryBytes(small!) + 1;
    const four = Array.from({ length: 4 }, (_, n) => logged("x".repeat(room), n));
    expect((await sent(four)).map(({ length }) => length)).toEqual([4]);
    const over = four.with(0, logged("x".repeat(room + 1), 0));
    expect((await sent(over)).map(({ length }) => length)).toEqual([3, 1]);
  });
});

describe("a text that is cut", () => {
  it("takes at most the bytes it may, ends between characters, and is valid JSON", () => {
    const characters = ["a", '"', "\\", "\n", "\u0001", "é", "e\u0301", "日", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "\u2028"];
    const text = fc
      .array(fc.constantFrom(...characters), { maxLength: 80 })
      .map((parts) => ({ parts, text: parts.join("") }));
    fc.assert(
      fc.property(text, fc.integer({ min: 20, max: 200 }), ({ text: whole }, limit) => {
        const cut = cutText(whole, limit);
        expect(jsonBytes(cut)).toBeLessThanOrEqual(limit);
        if (cut === whole) return;
        expect(jsonBytes(whole)).toBeGreaterThan(limit);
        const kept = cut.slice(0, -CUT_MARK.length);
        const [...before] = new Intl.Segmenter().segment(whole);
        expect([0, ...before.map(({ index, segment }) => index + segment.length)]).toContain(kept.length);
      }),
    );
  });

  it("is as long as it may be", () => {
    expect(cutText("x".repeat(100), 30)).toBe(`${"x".repeat(19)}${CUT_MARK}`);
    expect(jsonBytes(cutText("x".repeat(100), 30))).toBe(30);
    expect(cutText("x".repeat(28), 30)).toBe("x".repeat(28));
  });

  it.each(["é", "日", "👍", "\u0001", "\n", '"', "\\", "\u2028", "\ud800"])(
    "takes all the room there is, in pieces of %j",
    (piece) => {
      const bytes = jsonBytes(cutText(piece.repeat(100), 60));
      expect(bytes).toBeLessThanOrEqual(60);
      expect(bytes).toBeGreaterThan(60 - (jsonBytes(piece) - 2));
    },
  );

  it("is not looked for where nothing fits", () => {
    expect(fittingJson({ id: "i".repeat(500), metadata: {} }, 100)).toBeUndefined();
  });
});
