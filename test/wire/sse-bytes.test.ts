/** What stands in an event stream byte by byte, whatever texts the events hold (HTML, 9.2.6). */

import { connect } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import { serve, type Served } from "../server/api/serve.ts";

/** Texts that would be lines, fields, comments or the end of an event, were they written as they are. */
const TEXTS: readonly string[] = [
  "a\rb",
  "a\nb",
  "a\r\nb",
  "\r",
  "\n",
  "\n\n",
  "\r\n\r\n",
  "x\ndata: injected",
  "x\n\ndata: injected\n\n",
  "x\r\revent: error\rdata: {}\r\r",
  "x\nevent: snapshot",
  "x\nid: 0.0.0",
  "x\nretry: 1",
  "x\n: a comment",
  "data: x",
  ": x",
  "\ufeffx",
  "a\u0000b",
  "a\u2028b\u2029c\u0085d",
  "\ud800",
  "a\udc00\ud800b",
  "\u001b[2J\u0007\u007f\u009b",
  '"}\n\ndata: {"a":1}',
  "🚀é\u202e\u000b\u000c",
];

interface Field {
  readonly name: string;
  readonly value: string;
}

/** As HTML says: one BOM may be first; a line ends with CR LF, LF or CR; a frame ends with an empty line. */
function framesIn(bytes: Buffer): readonly (readonly Field[])[] {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const frames: Field[][] = [[]];
  for (const line of text.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(":");
    if (line === "") frames.push([]);
    else if (colon < 0) frames.at(-1)?.push({ name: line, value: "" });
    else frames.at(-1)?.push({ name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, "") });
  }
  return frames.filter((frame) => frame.length > 0);
}

const named = (frame: readonly Field[]): string => frame.map(({ name }) => name).join();
const valueOf = (frame: readonly Field[], wanted: string): string | undefined =>
  frame.find(({ name }) => name === wanted)?.value;

interface Stream {
  /** The body so far, without HTTP's own chunks. */
  frames(): readonly (readonly Field[])[];
  until(holds: () => boolean): Promise<void>;
}

/** HTTP/1.0, so that the body comes as it is. */
function streamOf(port: number, path: string): Stream {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let bytes = Buffer.alloc(0);
  let wake = (): void => undefined;
  socket.on("data", (piece: Buffer) => {
    bytes = Buffer.concat([bytes, piece]);
    wake();
  });
  socket.on("close", () => wake());
  socket.write(`GET ${path} HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
  const body = (): Buffer => {
    const start = bytes.indexOf("\r\n\r\n");
    const end = bytes.lastIndexOf("\n\n") + 2;
    return start < 0 || end <= start + 4 ? Buffer.alloc(0) : bytes.subarray(start + 4, end);
  };
  return {
    frames: () => framesIn(body()),
    until: async (holds) => {
      while (!holds()) {
        if (socket.closed) throw new Error(`the stream ended: ${bytes.toString()}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

const EVENTS = "/api/v1/upgrades";

/** An upgrade and the cursor of its first event. */
async function begun(server: Served, upgradeId: string, phase = "Begin"): Promise<string> {
  const made = await server.post(EVENTS, { upgradeId, phase, tasks: [{ taskId: "t", taskName: "T" }] });
  expect(made.status, made.text).toBe(201);
  const page = await server.get(`${EVENTS}/${encodeURIComponent(upgradeId)}/events?limit=1`);
  return (page.json as { readonly cursor: string }).cursor;
}

async function tell(server: Served, ...commands: readonly object[]): Promise<void> {
  const { status, text } = await server.post(`${EVENTS}/u/commands`, commands);
  expect(status, text).toBe(200);
}

/** Every event frame is `id` and one line of `data`, whose JSON has that id as its cursor; every other `event`, maybe `id`, and `data`. */
function expectWhole(frames: readonly (readonly Field[])[]): void {
  for (const frame of frames) {
    const names = named(frame);
    expect(["id,data", "event,data", "event,id,data", "retry"]).toContain(names);
    if (names === "retry") continue;
    const json = JSON.parse(valueOf(frame, "data") ?? "") as { readonly type: string; readonly cursor?: string };
    if (names === "id,data") expect(json.cursor).toBe(valueOf(frame, "id"));
    else expect(json.type).toBe(valueOf(frame, "event"));
  }
}

interface Told {
  readonly seq: number;
  readonly type: string;
  readonly taskId?: string;
  readonly errorMessage?: string;
  readonly message?: string;
  readonly taskName?: string;
  readonly text?: string;
}

const eventsIn = (frames: readonly (readonly Field[])[]): readonly Told[] =>
  frames.filter((frame) => named(frame) === "id,data").map((frame) => JSON.parse(valueOf(frame, "data") ?? "") as Told);

describe("W35: an event stream as bytes", () => {
  test("W35: each event is one frame, whatever its message, name and log line hold, and comes back as it was", async () => {
    const server = await serve();
    const after = await begun(server, "u");
    const live = streamOf(server.port, `${EVENTS}/u/events?after=${after}`);
    await live.until(() => eventsIn(live.frames()).length > 0);
    for (const [index, text] of TEXTS.entries()) {
      await tell(
        server,
        { type: "addTask", taskId: `t${index}`, taskName: `n${text}` },
        { type: "startTask", taskId: `t${index}` },
        {
          type: "updateTaskProgress",
          taskId: `t${index}`,
          percentage: 5,
          message: text,
          details: { [`k${text.toWellFormed()}`]: text },
        },
        { type: "appendLog", taskId: `t${index}`, text },
        { type: "failTask", taskId: `t${index}`, errorMessage: text },
      );
    }
    const isThere = (stream: Stream): boolean =>
      eventsIn(stream.frames()).some(({ type, taskId }) => type === "task.failed" && taskId === `t${TEXTS.length - 1}`);
    await live.until(() => isThere(live));
    const replayed = streamOf(server.port, `${EVENTS}/u/events?after=${after}`);
    await replayed.until(() => isThere(replayed));
    for (const stream of [live, replayed]) {
      expectWhole(stream.frames());
      const events = eventsIn(stream.frames());
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 2));
      const wanted = TEXTS.map((text) => text.toWellFormed());
      const all = (wantedType: string, read: (event: Told) => string | undefined): readonly (string | undefined)[] =>
        events.filter(({ type }) => type === wantedType).map(read);
      expect(all("task.progressed", ({ message }) => message)).toEqual(wanted);
      expect(all("task.failed", ({ errorMessage }) => errorMessage)).toEqual(wanted);
      expect(all("log.appended", ({ text }) => text)).toEqual(wanted);
      expect(all("task.added", ({ taskName }) => taskName).slice(1)).toEqual(wanted.map((text) => `n${text}`));
    }
    // The state, which holds them all, is one frame too.
    const fresh = streamOf(server.port, `${EVENTS}/u/events`);
    await fresh.until(() => fresh.frames().some((frame) => valueOf(frame, "event") === "subscribed"));
    expectWhole(fresh.frames());
    expect(fresh.frames().map((frame) => valueOf(frame, "event"))).toEqual(["snapshot", "subscribed"]);
  });

  test("W35: an id is kept as it is, or refused when it could break a line", async () => {
    const server = await serve();
    for (const text of TEXTS) {
      const upgradeId = `u${text}`;
      // eslint-disable-next-line no-control-regex -- what no id may hold
      const isId = upgradeId.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f]/.test(upgradeId);
      const made = await server.post(EVENTS, { upgradeId, tasks: [{ taskId: upgradeId, taskName: "T" }] });
      expect([text, made.status]).toEqual([text, isId ? 201 : 400]);
      if (!isId) continue;
      const stream = streamOf(server.port, `${EVENTS}/${encodeURIComponent(upgradeId)}/events`);
      await stream.until(() => stream.frames().length > 1);
      expectWhole(stream.frames());
      const snapshot = JSON.parse(valueOf(stream.frames()[0] ?? [], "data") ?? "") as {
        readonly upgrade: { readonly upgradeId: string };
      };
      expect(snapshot.upgrade.upgradeId).toBe(upgradeId);
    }
  });

  test("W35: a cursor that is asked for is never put into the stream", async () => {
    const server = await serve();
    await begun(server, "u");
    for (const text of TEXTS) {
      const after = encodeURIComponent(`0.0.0${text.toWellFormed()}`);
      const stream = streamOf(server.port, `${EVENTS}/u/events?after=${after}`);
      await stream.until(() => stream.frames().length > 0);
      expectWhole(stream.frames());
      expect(stream.frames().map((frame) => valueOf(frame, "event") ?? "")).not.toContain("");
    }
  });
});
