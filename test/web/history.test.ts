import { beforeAll, describe, expect, it, onTestFinished } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import type { Watched } from "../../src/stream/client.ts";
import type { LogBounds } from "../../web/src/history/whole-log.ts";
import { createHistoryStore, type HistoryStore } from "../../web/src/history-store.ts";
import { json, logOf, SMALL } from "./long-log.ts";
import { statesOf } from "./recorded.ts";

/** A frame is what a browser has. */
beforeAll(() => {
  globalThis.requestAnimationFrame ??= (run) => Number(setTimeout(run));
  globalThis.cancelAnimationFrame ??= (frame) => clearTimeout(frame);
});

describe("the history store", () => {
  /** A server with a log that can be changed, and a live stream that is spoken by hand. */
  const served = (first: readonly ProgressEvent[], bounds?: LogBounds) => {
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
      ...(bounds && { bounds }),
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
      if (seq <= events.length) expect(json(history.at(seq)?.stateAt(seq))).toBe(json(states[seq - 1]));
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

  it("reads at once when the server is there again", async () => {
    const all = logOf(400);
    const { server, history, tell } = served(all);
    server.isAway = true;
    tell({ connection: { status: "waiting", retryInMs: 1_000, attempt: 1, reason: "away" } });
    history.load();
    await expect.poll(() => history.status.value.kind).toBe("failed");
    server.isAway = false;
    tell({});
    // The next try of its own would come a second after the first.
    await expect.poll(() => history.grown.value.log?.lastSeq, { timeout: 700 }).toBe(400);
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
    expect(history.at(undefined)?.logId).toBe("next");
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

  /** The place that is wanted, once it is there: exactly. */
  const isThere = async (history: HistoryStore, seq: number, states: readonly UpgradeProgress[]) => {
    await expect.poll(() => history.at(seq), { timeout: 3_000 }).toBeDefined();
    expect(json(history.at(seq)?.stateAt(seq))).toBe(json(states[seq - 1]));
  };

  it("reads again what it no longer holds, wherever somebody goes, while events go on to come", async () => {
    const all = logOf(9_000);
    const states = statesOf(all);
    const { history, happen } = served(all.slice(0, 8_000), SMALL);
    history.seek(5);
    await isThere(history, 5, states);
    await level(history, 8_000);
    for (const [turn, seq] of [3_000, 17, 7_999, 4_200, 1].entries()) {
      history.seek(seq);
      happen(all.slice(8_000 + turn * 200, 8_200 + turn * 200));
      await isThere(history, seq, states);
    }
    await level(history, 9_000);
    expect(json(history.at(9_000)?.stateAt(9_000))).toBe(json(states[8_999]));
    expect(history.lacks(9_001)).toBe(true);
    expect(history.at(9_001)).toBe(history.at(undefined));
  });

  it("keeps a place that is looked at while what was newest is dropped behind it", async () => {
    const all = logOf(3_000);
    const states = statesOf(all);
    const { history, happen } = served(all.slice(0, 1_000), SMALL);
    history.seek(900);
    await isThere(history, 900, states);
    happen(all.slice(1_000));
    await level(history, 3_000);
    await isThere(history, 900, states);
  });

  it("says so when the server is gone and a place would have to be read, and what it holds is still there", async () => {
    const all = logOf(3_000);
    const states = statesOf(all);
    const { server, history } = served(all, SMALL);
    history.load();
    await level(history, 3_000);
    await expect.poll(() => history.status.value.kind).toBe("ready");
    server.isAway = true;
    history.seek(100);
    await expect.poll(() => history.status.value).toEqual({ kind: "failed", reason: "fetch failed" });
    expect(history.at(100)).toBeUndefined();
    expect(history.lacks(100)).toBe(false);
    expect(json(history.at(2_900)?.stateAt(2_900))).toBe(json(states[2_899]));
    server.isAway = false;
    await isThere(history, 100, states);
    await expect.poll(() => history.status.value.kind).toBe("ready");
  });

  it("folds nothing again that the live stream has folded", async () => {
    const all = logOf(310);
    const { history, tell } = served(all.slice(0, 300));
    history.load();
    await level(history, 300);
    const state = statesOf(all)[300] as UpgradeProgress;
    const event = all[300] as ProgressEvent;
    tell({ event, cursor: event.cursor, state });
    await level(history, 301);
    expect(history.at(301)?.state).toBe(state);
  });
});
