import { createServer } from "node:net";

import { afterEach, expect, test } from "vitest";
import WebSocket from "ws";

import { memory, ProgressTracker, type ProgressTrackerOptions } from "../../src/index.ts";

interface Message {
  readonly type: string;
  readonly seq?: number;
  readonly cursor?: string;
  readonly recovered?: boolean;
  readonly code?: string;
  readonly upgrade?: { readonly seq: number; readonly run: number };
}

/** A client that keeps what it gets, and waits for what it is asked for. */
class Client {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  #wake: () => void = () => undefined;

  constructor(port: number, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers });
    this.socket.on("message", (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString("utf8")) as Message);
      this.#wake();
    });
    this.closed = new Promise((resolve) => this.socket.on("close", resolve));
    this.socket.on("error", () => undefined);
  }

  async until(isThere: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(isThere);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

const open: ProgressTracker[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((tracker) => tracker.close()));
});

async function served(
  options: Partial<ProgressTrackerOptions> = {},
): Promise<{ tracker: ProgressTracker; port: number }> {
  const tracker = new ProgressTracker({
    upgradeId: "upgrade-123",
    planId: "plan-456",
    clusterName: "my-cluster",
    storage: memory(),
    enableWebsocket: true,
    websocketPort: 0,
    ...options,
  });
  open.push(tracker);
  await tracker.startWebsocketServer();
  return { tracker, port: tracker.websocket.getServerInfo().port };
}

test("[W1] a client that only connects gets welcome, the state, and every event from there on, none missing, none twice", async () => {
  const { tracker, port } = await served();
  tracker.startUpgrade();
  const client = new Client(port);
  tracker.addTask("a", "A");
  await client.until(({ type }) => type === "subscribed");
  for (let percent = 1; percent <= 99; percent++) tracker.updateTaskProgress("a", percent);
  await client.until(({ seq }) => seq === tracker.progress.seq);
  expect(client.messages[0]?.type).toBe("welcome");
  const snapshot = client.messages.find(({ type }) => type === "snapshot");
  const events = client.messages.flatMap(({ seq }) => seq ?? []);
  const first = (snapshot?.upgrade?.seq ?? 0) + 1;
  expect(events).toEqual(Array.from({ length: tracker.progress.seq - first + 1 }, (_unused, index) => first + index));
});

test("[W2] a client that comes back with a cursor gets exactly what it missed; a cursor of another log is answered with the state", async () => {
  const { tracker, port } = await served();
  const { cursor = "" } = tracker.startUpgrade();
  tracker.addTask("a", "A");
  const client = new Client(port);
  await client.until(({ type }) => type === "subscribed");
  client.socket.send(JSON.stringify({ type: "subscribe", channel: "upgrade:upgrade-123", after: cursor }));
  await client.until(({ recovered, type }) => type === "subscribed" && recovered === true);
  await client.until(({ seq }) => seq === 3);
  client.socket.send(JSON.stringify({ type: "subscribe", channel: "upgrade:upgrade-123", after: "otherlog.term.2" }));
  await client.until((message) => client.messages.indexOf(message) > 4 && message.type === "snapshot");
  expect(client.messages.filter(({ seq }) => seq !== undefined).map(({ seq }) => seq)).toEqual([3]);
});

test("[W3] the next run of an upgrade is said aloud and followed", async () => {
  const { tracker, port } = await served();
  tracker.startUpgrade();
  const client = new Client(port);
  await client.until(({ type }) => type === "subscribed");
  tracker.completeUpgrade();
  tracker.startUpgrade("again");
  const anew = await client.until(({ type, upgrade }) => type === "snapshot" && upgrade?.run === 2);
  expect(anew.recovered).toBe(false);
  tracker.setCurrentPhase("and on");
  const next = await client.until(({ type, seq }) => type === "upgrade.phase_changed" && seq === tracker.progress.seq);
  expect(next.cursor).toBe(tracker.progress.cursor);
});

test("what is no message is answered with an error and hurts nobody", async () => {
  const { tracker, port } = await served();
  const client = new Client(port);
  await client.until(({ type }) => type === "subscribed");
  for (const text of [
    "garbage",
    "[]",
    "{}",
    '{"type":"subscribe"}',
    '{"type":"subscribe","channel":"upgrade:other"}',
    '{"type":1}',
  ])
    client.socket.send(text);
  client.socket.send(Buffer.from([1, 2, 3]));
  client.socket.send('{"type":"ping","requestId":"p"}');
  await client.until(({ type }) => type === "pong");
  const errors = (): string[] => client.messages.flatMap(({ code }) => code ?? []);
  await client.until(() => errors().length === 7);
  expect(errors().sort()).toEqual([...new Array<string>(6).fill("INVALID_ARGUMENT"), "UNKNOWN_UPGRADE"]);
  expect(tracker.websocket.getServerInfo()).toMatchObject({ running: true, clientCount: 1 });
});

test("[G1] a browser of another origin, and a foreign Host, are refused", async () => {
  const { port } = await served();
  for (const headers of [{ origin: "https://evil.example" }, { host: "evil.example" }, { origin: "null" }] as Record<
    string,
    string
  >[]) {
    const client = new Client(port, headers);
    await client.closed;
    expect(client.messages).toEqual([]);
  }
  const own = new Client(port, { origin: `http://127.0.0.1:${port}` });
  await own.until(({ type }) => type === "welcome");
});

test("a taken port, a disabled server and a public address resolve false, and tracking goes on", async () => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, "127.0.0.1", () => resolve((taken.address() as { port: number }).port)),
  );
  const { tracker } = await served({ websocketPort: port });
  expect(await tracker.startWebsocketServer()).toBe(false);
  expect(tracker.websocket.isRunning()).toBe(false);
  expect(tracker.startUpgrade().seq).toBe(2);
  taken.close();
  const { tracker: disabled } = await served({ enableWebsocket: false });
  expect(await disabled.startWebsocketServer()).toBe(false);
});

test("close() tells clients to come back, counts them out, and frees the port", async () => {
  const { tracker, port } = await served();
  const client = new Client(port);
  await client.until(({ type }) => type === "subscribed");
  await tracker.close();
  expect(await client.closed).toBe(1001);
  expect(tracker.websocket.getServerInfo()).toMatchObject({ running: false, clientCount: 0 });
  const again = await served({ websocketPort: port });
  expect(again.tracker.websocket.isRunning()).toBe(true);
});

test("[W8] whoever watches is told the end, also of a tracker that is closed in the same breath", async () => {
  const { tracker, port } = await served();
  tracker.startUpgrade();
  const client = new Client(port);
  await client.until(({ type }) => type === "subscribed");
  tracker.addTask("t", "T");
  tracker.startTask("t");
  tracker.completeTask("t");
  tracker.completeUpgrade();
  await tracker.close();
  expect(await client.closed).toBe(1001);
  const types = client.messages.filter(({ seq }) => seq !== undefined).map(({ type }) => type);
  expect(types.slice(-3)).toEqual(["task.completed", "upgrade.completed", "writer.closed"]);
});
