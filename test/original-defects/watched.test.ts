/** Those of the 32 defects of the first implementation of this design that its live clients met. None of them is here. */

import { once } from "node:events";
import type { ProgressTracker, ProgressTrackerOptions } from "milepost";
import { describe, expect, it, onTestFinished } from "vitest";
import WebSocket, { type ClientOptions } from "ws";
import { running } from "./tracked.ts";

interface Message {
  readonly type: string;
  readonly seq?: number;
}

interface Client {
  readonly socket: WebSocket;
  readonly messages: readonly Message[];
  /** Resolves when a message of this kind has come, or the one with this seq. */
  until(wanted: string | number): Promise<Message>;
}

/** A tracker with a started upgrade, live on a port of its own. */
async function live(options: Partial<ProgressTrackerOptions> = {}): Promise<ProgressTracker> {
  const tracker = running({ enableWebsocket: true, websocketPort: 0, ...options });
  expect(await tracker.startWebsocketServer()).toBe(true);
  return tracker;
}

const urlOf = (tracker: ProgressTracker): string => `ws://127.0.0.1:${tracker.websocket.getServerInfo().port}`;

function connect(tracker: ProgressTracker, options: ClientOptions = {}): Client {
  const socket = new WebSocket(urlOf(tracker), options);
  onTestFinished(() => socket.terminate());
  const messages: Message[] = [];
  const waiting = new Set<() => void>();
  socket.on("error", () => undefined);
  socket.on("message", (data: Buffer) => {
    messages.push(JSON.parse(data.toString("utf8")) as Message);
    for (const wake of waiting) wake();
  });
  const until = (wanted: string | number): Promise<Message> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = messages.find(({ type, seq }) => type === wanted || seq === wanted);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { socket, messages, until };
}

/** How a connection that must not come about ended: the HTTP status that it was answered with. */
async function refusal(tracker: ProgressTracker, options: ClientOptions): Promise<number | undefined> {
  const socket = new WebSocket(urlOf(tracker), options);
  socket.on("error", () => undefined);
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode?: number }];
  socket.terminate();
  return response.statusCode;
}

describe("of the defects of the first implementation, those that clients met", () => {
  it("defect 3: a running server says that it runs, a stopped one that it does not, and cleanup() stops it", async () => {
    const tracker = running({ enableWebsocket: true, websocketPort: 0 });
    const says = () => [tracker.websocket.isRunning(), tracker.websocket.getServerInfo().running];
    expect(says()).toEqual([false, false]);
    expect(await tracker.startWebsocketServer()).toBe(true);
    expect(says()).toEqual([true, true]);
    await tracker.stopWebsocketServer();
    expect(says()).toEqual([false, false]);
    await tracker.stopWebsocketServer();
    await tracker.startWebsocketServer();
    const url = urlOf(tracker);
    await tracker.cleanup();
    expect(says()).toEqual([false, false]);
    const [error] = (await once(new WebSocket(url), "error")) as [{ code: string }];
    expect(error.code).toBe("ECONNREFUSED");
    await tracker.cleanup();
  });

  it("defect 7: one client that stops reading stalls nobody, and no command waits for it", async () => {
    const tracker = await live();
    const stalled = connect(tracker);
    await stalled.until("subscribed");
    stalled.socket.pause();
    const others = [connect(tracker), connect(tracker), connect(tracker)];
    await Promise.all(others.map((client) => client.until("subscribed")));
    const from = tracker.progress.seq;
    // In all more than a connection and its kernel buffers hold; at once no more than who reads takes in its stride.
    const text = `${"x".repeat(60_000)}\n`;
    for (let batch = 0; batch < 50; batch++) {
      for (let line = 0; line < 8; line++) tracker.appendLog("t", text);
      const { seq } = tracker.progress;
      await Promise.all(others.map((client) => client.until(seq)));
    }
    const last = tracker.completeTask("t").seq;
    await Promise.all(others.map((client) => client.until(last)));
    const wanted = Array.from({ length: last - from }, (_, n) => from + 1 + n);
    for (const { messages } of others) expect(messages.flatMap(({ seq }) => seq ?? [])).toEqual(wanted);
    expect(stalled.messages.some(({ seq }) => seq === last)).toBe(false);
    expect(tracker.progress.tasks.get("t")?.status).toBe("completed");
  });

  it("defect 22: foreign pages, foreign hosts and big messages are refused, and it listens on this machine only", async () => {
    const tracker = await live();
    expect(await refusal(tracker, { headers: { origin: "https://evil.example" } })).toBe(403);
    expect(await refusal(tracker, { headers: { host: "evil.example" } })).toBe(403);
    const client = connect(tracker);
    await client.until("subscribed");
    const closed = once(client.socket, "close");
    client.socket.send("x".repeat(1_000_000));
    expect((await closed)[0]).toBe(1009);
    await connect(tracker).until("subscribed");
    expect(tracker.websocket.getServerInfo().host).toBe("127.0.0.1");
  });

  it("defect 28: a client of the library that is installed, and Node's own, are served from the first message on", async () => {
    const tracker = await live();
    const client = connect(tracker);
    expect(await client.until("snapshot")).toMatchObject({ upgrade: { status: "in_progress" } });
    const own = new globalThis.WebSocket(urlOf(tracker));
    onTestFinished(() => own.close());
    const types: string[] = [];
    const heard = new Promise<void>((resolve) => {
      own.addEventListener("message", ({ data }) => {
        const { type } = JSON.parse(String(data)) as Message;
        types.push(type);
        if (type === "subscribed") tracker.updateTaskProgress("t", 40);
        if (type === "task.progressed") resolve();
      });
    });
    await heard;
    expect(types).toEqual(["welcome", "snapshot", "subscribed", "task.progressed"]);
    expect(await client.until("task.progressed")).toMatchObject({ percentage: 40 });
  });
});
