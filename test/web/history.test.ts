import { beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { formatCursor } from "../../src/model/cursor.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { canonicalJson } from "../../src/model/json.ts";
import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import type { Watched } from "../../src/stream/client.ts";
import { HeldLog } from "../../web/src/history/held-log.ts";
import { createHistoryStore, type HistoryStore } from "../../web/src/history-store.ts";
import { add, begin, report, start, story, type Step } from "../view/story.ts";
import { statesOf } from "./recorded.ts";

/** A frame is what a browser has. */
beforeAll(() => {
  globalThis.requestAnimationFrame ??= (run) => Number(setTimeout(run));
  globalThis.cancelAnimationFrame ??= (frame) => clearTimeout(frame);
});

/** A log of so many events, with the cursors that a storage gives. */
function logOf(events: number, logId = "log"): readonly ProgressEvent[] {
  const steps: Step[] = [[0, start(), ...Array.from({ length: 8 }, (_, task) => add(`t${task}`))]];
  for (let task = 0; task < 8; task += 1) steps.push([1, begin(`t${task}`)]);
  for (let second = 2; steps.length < events; second += 1)
    steps.push([second, report(`t${second % 8}`, { percentage: second % 100 })]);
  return story(steps)
    .events.slice(0, events)
    .map((event) => ({ ...event, cursor: formatCursor({ logId, term: "term", seq: event.seq }) }));
}

const json = (state: UpgradeProgress | undefined) => state && canonicalJson(state);

describe("HeldLog", () => {
  const events = logOf(1_100);
  const states = statesOf(events);
  const held = (bounds?: { maxEvents: number; maxLogBytes: number }) => {
    const log = new HeldLog(events[0] as ProgressEvent, bounds);
    for (const event of events.slice(1)) log.append(event);
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
    const log = held({ maxEvents: 600, maxLogBytes: 1e9 });
    expect(log.firstSeq).toBe(513);
    expect(log.lastSeq).toBe(1_100);
    expect(log.stateAt(512)).toBeUndefined();
    for (const seq of [513, 600, 768, 769, 1_100]) expect(json(log.stateAt(seq))).toBe(json(states[seq - 1]));
    expect(log.entries[0]?.seq).toBeGreaterThanOrEqual(513);
    expect(log.stretches.isWhole).toBe(false);
  });

  it("drops by the bytes of the text of logs, too", () => {
    const text = "x".repeat(1_000);
    const log = new HeldLog(events[0] as ProgressEvent, { maxEvents: 1e9, maxLogBytes: 1e6 });
    for (let seq = 2; seq <= 3_000; seq += 1)
      log.append({
        ...(events[20] as ProgressEvent),
        type: "log.appended",
        taskId: "t1",
        text,
        seq,
        cursor: `log.term.${seq}`,
      });
    expect(log.logText.lines.length).toBeLessThan(800);
    expect(log.firstSeq).toBeGreaterThan(2_000);
  });

  it("finds the event of a moment, and the events beside one", () => {
    const log = held();
    for (const seq of [1, 30, 256, 257, 700, 1_100]) {
      const { lastMs } = (states[seq - 1] as UpgradeProgress).clock;
      const found = log.seqAt(lastMs);
      expect((states[found - 1] as UpgradeProgress).clock.lastMs).toBe(lastMs);
      expect(states[found]?.clock.lastMs).not.toBe(lastMs);
    }
    expect(log.seqAt(-1)).toBe(1);
    expect(log.seqAt(1e12)).toBe(1_100);
    expect([log.seqBeside(5, 1), log.seqBeside(5, -10), log.seqBeside(1_095, 10)]).toEqual([6, 1, 1_100]);
  });
});

describe("the history store", () => {
  /** A server with a log that can be changed, and a live stream that is spoken by hand. */
  const served = (first: readonly ProgressEvent[]) => {
    const server = { events: first, isAway: false, asked: 0, onEnd: (): void => undefined };
    const listeners = new Set<(item: Watched) => void>();
    let otherLogs = 0;
    const get = async (path: string): Promise<Response> => {
      server.asked += 1;
      if (server.isAway) throw new TypeError("fetch failed");
      const query = new URL(path, "http://x").searchParams;
      const after = query.get("after");
      const from = after === null ? 0 : server.events.findIndex(({ cursor }) => cursor === after) + 1;
      if (after !== null && from === 0) return new Response("{}", { status: 410 });
      const lines = server.events.slice(from, from + 300).map((event) => `${JSON.stringify({ ...event, crc: "0" })}\n`);
      // What happens now is in no answer any more.
      if (lines.length === 0) server.onEnd();
      return new Response(lines.join(""));
    };
    const history = createHistoryStore({
      upgradeId: "upgrade-123",
      get,
      onEvent: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      onOtherLog: () => (otherLogs += 1),
    });
    onTestFinished(() => history.close());
    const tell = (item: Partial<Watched>): void => {
      for (const listener of listeners)
        listener({ connection: { status: "live" }, state: undefined, cursor: undefined, ...item });
    };
    const happen = (events: readonly ProgressEvent[]): void => {
      for (const event of events) {
        server.events = [...server.events, event];
        tell({ event, cursor: event.cursor });
      }
    };
    return { server, history, tell, happen, otherLogs: () => otherLogs };
  };
  const level = (history: HistoryStore, seq: number) =>
    expect.poll(() => history.grown.value.log?.lastSeq, { timeout: 5_000 }).toBe(seq);
  const exact = (history: HistoryStore, events: readonly ProgressEvent[]) => {
    const states = statesOf(events);
    for (const seq of [1, 2, 300, 301, events.length])
      if (seq <= events.length) expect(json(history.stateAt(seq))).toBe(json(states[seq - 1]));
  };

  it("asks for nothing until it is asked, then reads page by page, and takes what is live without asking again", async () => {
    const all = logOf(1_010);
    const { server, history, happen } = served(all.slice(0, 1_000));
    expect(server.asked).toBe(0);
    history.load();
    await level(history, 1_000);
    const { asked } = server;
    happen(all.slice(1_000));
    await level(history, 1_010);
    expect(server.asked).toBe(asked);
    expect(history.status.value).toEqual({ kind: "ready" });
    exact(history, all);
  });

  it("misses nothing of what happens while it reads", async () => {
    const all = logOf(900);
    const { history, happen } = served(all.slice(0, 600));
    history.load();
    for (let seq = 600; seq < 900; seq += 50) {
      happen(all.slice(seq, seq + 50));
      await new Promise((resolve) => setTimeout(resolve));
    }
    await level(history, 900);
    exact(history, all);
  });

  it("misses nothing of what happens after the last answer was made and before it has come", async () => {
    const all = logOf(610);
    const { server, history, happen } = served(all.slice(0, 600));
    server.onEnd = () => {
      server.onEnd = () => undefined;
      happen(all.slice(600));
    };
    const said: string[] = [];
    onTestFinished(history.status.subscribe(({ kind }) => void said.push(kind)));
    history.load();
    await level(history, 610);
    exact(history, all);
    expect(said).not.toContain("failed");
  });

  it("reads what was told in short, which events alone would not show", async () => {
    const all = logOf(700);
    const { server, history, tell } = served(all.slice(0, 400));
    history.load();
    await level(history, 400);
    server.events = all;
    const last = all.at(-1) as ProgressEvent;
    tell({ event: last, conflated: [last], cursor: last.cursor });
    await level(history, 700);
    exact(history, all);
  });

  it("begins anew with another log, and says so; within one log it reads again what was lost and written anew", async () => {
    const { server, history, tell, otherLogs } = served(logOf(400));
    history.load();
    await level(history, 400);
    const lost = logOf(350).map((event) => ({
      ...event,
      cursor: event.cursor.replace("term", event.seq > 300 ? "t2" : "term"),
    }));
    server.events = lost;
    tell({ cursor: lost.at(-1)?.cursor, reset: true });
    await level(history, 350);
    expect(otherLogs()).toBe(0);
    const next = logOf(20, "next");
    server.events = next;
    tell({ cursor: next.at(-1)?.cursor, reset: true });
    await level(history, 20);
    expect(otherLogs()).toBe(1);
    expect(history.grown.value.log?.logId).toBe("next");
    exact(history, next);
  });

  it("tries again while the server is away, says why, and goes on where it was", async () => {
    const all = logOf(500);
    const { server, history, happen } = served(all.slice(0, 400));
    server.isAway = true;
    history.load();
    await expect.poll(() => history.status.value).toEqual({ kind: "failed", reason: "fetch failed" });
    server.isAway = false;
    happen(all.slice(400));
    await level(history, 500);
    exact(history, all);
  });
});
