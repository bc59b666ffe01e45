/** Thousands who come back at once, and readers over plain HTTP whose connections are cut all the time (W02, W11, W12). */

import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { ProgressTracker } from "milepost";
import { expect, onTestFinished, test } from "vitest";

import { retryDelayMs } from "../../src/stream/client/backoff.ts";
import { startChild } from "../faults/child.ts";
import { serverProcess } from "../server/api/child-process.ts";
import { tempFolder } from "../temp-folder.ts";
import { CuttingProxy, randomNumbers } from "../wire/cutting-proxy.ts";
import { frame, handshake, PING, PONG, TEXT } from "../wire/raw-client.ts";

const UPGRADE_ID = "up";

/** The log as it is stored: one line for each event. */
function storedLines(folder: string): readonly string[] {
  const journal = join(folder, "upgrades", UPGRADE_ID, "journal");
  const files = readdirSync(journal).sort((a, b) => Number.parseInt(a) - Number.parseInt(b));
  const lines = files.flatMap((file) => readFileSync(join(journal, file), "utf8").split("\n"));
  return lines.filter((line) => line.startsWith('{"seq":'));
}

interface Place {
  readonly seq: number;
  readonly cursor: string;
}

const SEQ = Buffer.from('{"seq":');
const CURSOR = Buffer.from('"cursor":"');

/** A reader that keeps nothing but its place. It fails at a gap, a repetition, or a place that was not recovered. */
class LeanClient {
  place: Place = { seq: 0, cursor: "" };
  /** When the present connection was agreed to, and was told that it goes on; 0 before. */
  openedAt = 0;
  resumedAt = 0;
  trouble: string | undefined;
  connections = 0;
  #sentBefore = 0;
  #rest: Buffer = Buffer.alloc(0);
  #port: () => number;
  #isStopped = false;
  #socket: Socket | undefined;

  constructor(port: () => number) {
    this.#port = port;
  }

  /** Over all its connections. */
  get sentBytes(): number {
    return this.#sentBefore + (this.#socket?.bytesWritten ?? 0);
  }

  open(attempt = 1): void {
    if (this.#isStopped) return;
    this.openedAt = this.resumedAt = 0;
    this.#rest = Buffer.alloc(0);
    const socket = (this.#socket = connect({ port: this.#port(), host: "127.0.0.1", noDelay: true }));
    const { cursor } = this.place;
    socket.write(
      handshake({}, `GET /?channel=upgrade:${UPGRADE_ID}${cursor === "" ? "" : `&after=${cursor}`} HTTP/1.1`),
    );
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#sentBefore += socket.bytesWritten;
      this.#socket = undefined;
      // All lost the server at the same moment: the whole window from the first attempt on.
      const next = this.openedAt === 0 ? attempt + 1 : 1;
      setTimeout(() => this.open(next), retryDelayMs(next, Math.random, { minMs: 20_000, maxMs: 20_000 }));
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#socket?.destroy();
  }

  #take(bytes: Buffer): void {
    let all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (this.openedAt === 0) {
      const end = all.indexOf("\r\n\r\n");
      if (end < 0) return void (this.#rest = all);
      if (!all.subarray(0, 12).equals(Buffer.from("HTTP/1.1 101"))) return void this.#socket?.destroy();
      this.openedAt = performance.now();
      this.connections += 1;
      all = all.subarray(end + 4);
    }
    let at = 0;
    while (all.length - at >= 2) {
      const short = (all[at + 1] as number) & 127;
      const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
      if (all.length < start) break;
      const size = short < 126 ? short : short === 126 ? all.readUInt16BE(at + 2) : all.readUInt32BE(at + 6);
      if (all.length < start + size) break;
      this.#frame((all[at] as number) & 15, all.subarray(start, start + size));
      at = start + size;
    }
    this.#rest = Buffer.from(all.subarray(at));
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === PING) this.#socket?.write(frame(payload, { opcode: PONG }));
    if (opcode !== TEXT) return;
    if (!payload.subarray(0, SEQ.length).equals(SEQ)) return this.#message(payload.toString());
    const seq = Number.parseInt(payload.toString("latin1", SEQ.length, SEQ.length + 12), 10);
    if (seq !== this.place.seq + 1) this.trouble ??= `event ${seq} after ${this.place.seq}`;
    const from = payload.indexOf(CURSOR) + CURSOR.length;
    this.place = { seq, cursor: payload.toString("latin1", from, payload.indexOf('"', from)) };
  }

  #message(text: string): void {
    const message = JSON.parse(text) as {
      readonly type: string;
      readonly cursor?: string;
      readonly recovered?: boolean;
      readonly upgrade?: { readonly seq: number };
    };
    if (message.type === "snapshot") this.place = { seq: message.upgrade?.seq ?? 0, cursor: message.cursor ?? "" };
    if (message.type === "subscribed") this.resumedAt = performance.now();
    const isFirst = this.connections === 1;
    if (
      message.type === "error" ||
      message.type === "skipped" ||
      (message.type === "subscribed" && message.recovered === isFirst)
    )
      this.trouble ??= text;
  }
}

async function until(what: string, holds: () => boolean, ms: number): Promise<void> {
  for (const late = performance.now() + ms; !holds(); await wait(20))
    if (performance.now() > late) throw new Error(`waited in vain: ${what}`);
}

/** Bytes that a process has read, from files and sockets alike (proc(5)). */
const readBytes = (pid: number | undefined): number =>
  Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid ?? 0}/io`, "utf8"))?.[1]);

const sentBy = (clients: readonly LeanClient[]): number => clients.reduce((sum, { sentBytes }) => sum + sentBytes, 0);

const CLIENTS = 5_000;
const BEHIND = 1_000;

test("W11, W12: 5,000 readers who lost their server come back within their window, 1,000 events behind, and the log is not read once for each", async () => {
  const folder = tempFolder();
  const tracker = new ProgressTracker({ upgradeId: UPGRADE_ID, planId: "p", clusterName: "c", storagePath: folder });
  onTestFinished(() => tracker.close());
  tracker.startUpgrade();
  tracker.addTask("t", "Drain");
  tracker.startTask("t");
  const write = (events: number): void => {
    for (let done = 0; done < events; done++) tracker.updateTaskProgress("t", (done % 100) + 0.5, `step ${done}`);
  };
  write(50);
  await tracker.flush();
  let server = await serverProcess(folder);
  const clients = Array.from({ length: CLIENTS }, () => new LeanClient(() => server.port));
  onTestFinished(() => clients.forEach((client) => client.stop()));
  for (const [index, client] of clients.entries()) {
    client.open();
    if (index % 100 === 99)
      await until("they are subscribed", () => clients.slice(0, index).every(({ resumedAt }) => resumedAt > 0), 60_000);
  }
  const logBytes = (): number => storedLines(folder).reduce((sum, line) => sum + line.length + 1, 0);

  server.child.kill("SIGKILL");
  await once(server.child, "exit");
  const lostAt = performance.now();
  write(BEHIND);
  await tracker.flush();
  const head = tracker.progress.seq;
  server = await serverProcess(folder);
  const before = readBytes(server.child.pid);
  const sentBefore = sentBy(clients);
  await until("all are back", () => clients.every(({ resumedAt }) => resumedAt > lostAt), 120_000);
  const backMs = Math.max(...clients.map(({ resumedAt }) => resumedAt)) - lostAt;
  await until("all have everything", () => clients.every(({ place }) => place.seq >= head), 120_000);
  const caughtUpMs = performance.now() - lostAt;
  const openings = clients.map(({ openedAt }) => openedAt).sort((a, b) => a - b);
  // The most that came within any one second.
  const peak = Math.max(...openings.map((from) => openings.filter((at) => at >= from && at < from + 1_000).length));
  const read = readBytes(server.child.pid) - before;
  const heard = sentBy(clients) - sentBefore;
  write(1);
  const liveFrom = performance.now();
  await until("all are live", () => clients.every(({ place }) => place.seq > head), 60_000);
  console.log(
    `W11: ${CLIENTS} back after ${Math.round(backMs)} ms, whole after ${Math.round(caughtUpMs)} ms, peak ${peak}/s, ` +
      `then one event to all in ${Math.round(performance.now() - liveFrom)} ms; ` +
      `W12: ${read} bytes read, ${heard} of them from clients, of a log of ${logBytes()}`,
  );
  expect(clients.flatMap(({ trouble }) => trouble ?? [])).toEqual([]);
  expect(peak).toBeLessThanOrEqual(600);
  expect(backMs).toBeLessThanOrEqual(30_000);
  // What the clients themselves send is read as well: a handshake each, and some pongs.
  expect(read).toBeLessThanOrEqual(10 * logBytes() + heard);
});

const SECONDS = 120;

interface PlainReader {
  readonly lines: string[];
  connections: number;
  trouble: string | undefined;
}

const cursorIn = (line: string): string => (JSON.parse(line) as { readonly cursor: string }).cursor;

interface Tail {
  readonly port: number;
  readonly accept: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Gets each line that came whole. */
  readonly onLine: (line: string) => void;
}

/** One request; ends when its answer does, in whatever way. */
function tail({ port, accept, path, headers = {}, onLine }: Tail): Promise<void> {
  return new Promise((resolve) => {
    const asked = request(
      { port, host: "127.0.0.1", path, agent: false, headers: { accept, ...headers } },
      (answer) => {
        let rest = "";
        const decoder = new TextDecoder();
        answer.on("data", (bytes: Buffer) => {
          if (answer.statusCode !== 200) return;
          const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
          rest = lines.pop() ?? "";
          lines.forEach(onLine);
        });
        answer.on("error", () => undefined).on("close", resolve);
      },
    );
    asked.on("error", () => resolve());
    asked.setTimeout(40_000, () => asked.destroy());
    asked.end();
  });
}

test("W02: readers by event stream and by long poll, cut and left by a killed server for two minutes, see every event once, in order", async () => {
  const folder = tempFolder();
  const random = randomNumbers(Date.now());
  const writer = startChild(join("..", "wire", "chaos-writer.ts"), [folder, 100, SECONDS]);
  onTestFinished(() => void writer.process.kill("SIGKILL"));
  await writer.until("begun");
  let server = await serverProcess(folder);
  const proxy = new CuttingProxy({ port: () => server.port, random });
  const port = await proxy.listen();
  onTestFinished(() => proxy.close());
  const events = `/api/v1/upgrades/${UPGRADE_ID}/events`;
  const [first = ""] = storedLines(folder);
  let isOver = false;

  const eventStream = async (reader: PlainReader): Promise<void> => {
    while (!isOver) {
      const last = reader.lines.at(-1);
      reader.connections += 1;
      const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": cursorIn(last) };
      let event = "message";
      const onLine = (line: string): void => {
        if (line.startsWith("event: ")) event = line.slice(7);
        if (line.startsWith("data: ") && event === "message") reader.lines.push(line.slice(6));
        if (line.startsWith("data: ") && (event === "skipped" || event === "snapshot")) reader.trouble ??= line;
        if (line === "") event = "message";
      };
      await tail({ port, accept: "text/event-stream", path: `${events}?after=${cursorIn(first)}`, headers, onLine });
      await wait(random() * 100);
    }
  };
  const longPoll = async (reader: PlainReader): Promise<void> => {
    while (!isOver) {
      reader.connections += 1;
      const path = `${events}?wait=20&limit=50&after=${cursorIn(reader.lines.at(-1) ?? first)}`;
      const onLine = (line: string): void => void (line !== "" && reader.lines.push(line));
      await tail({ port, accept: "application/x-ndjson", path, onLine });
      await wait(random() * 20);
    }
  };
  const readers = Array.from({ length: 20 }, (): PlainReader => ({ lines: [], connections: 0, trouble: undefined }));
  const reading = readers.map((reader, index) => (index % 2 === 0 ? eventStream(reader) : longPoll(reader)));

  let isWriting = true;
  const ended = writer.until("end ").then(() => (isWriting = false));
  let kills = 0;
  while (isWriting) {
    await Promise.race([ended, wait(15_000)]);
    if (!isWriting) break;
    server.child.kill("SIGKILL");
    await once(server.child, "exit");
    kills += 1;
    server = await serverProcess(folder);
  }
  const all = storedLines(folder).slice(1);
  await until("all have everything", () => readers.every(({ lines }) => lines.at(-1) === all.at(-1)), 60_000);
  isOver = true;
  proxy.isCutting = false;
  server.child.kill("SIGKILL");
  await Promise.all(reading);
  console.log(
    `W02: ${all.length} events to ${readers.length} readers, ${readers.reduce((sum, { connections }) => sum + connections, 0)} connections, ${kills} kills, cuts ${JSON.stringify(proxy.counts)}`,
  );
  for (const { lines, trouble } of readers) {
    expect(trouble).toBeUndefined();
    expect(lines.findIndex((line, index) => line !== all[index])).toBe(-1);
    expect(lines.length).toBe(all.length);
  }
});
