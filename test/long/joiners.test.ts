/** A thousand who open a page on a very large upgrade at the same moment (issue 3, "Hub and subscribers"). */

import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { crc32 } from "node:zlib";

import { ProgressTracker } from "milepost";
import { expect, onTestFinished, test } from "vitest";

import { canonicalJson } from "../../src/model/json.ts";
import { watch } from "../../src/stream/client.ts";
import { until } from "../cli/command-line.ts";
import { tempFolder } from "../temp-folder.ts";
import { CLOSE, frame, handshake, PING, PONG, TEXT } from "../wire/raw-client.ts";
import { measuredServer } from "./measured-server.ts";
import type { Fare } from "./measured.ts";

const UPGRADE_ID = "up";
const CHANNEL = `upgrade:${UPGRADE_ID}`;
const TASKS = 100_000;
const JOINERS = 1_000;
/** Those that keep the state, beside those that only count. */
const VIEWS = 3;
/** Larger messages are parts of a snapshot, which nobody here keeps. */
const KEPT_BYTES = 8 * 1024;

/** What has come is taken at once, so all may have it put into the same place. */
const SHARED = Buffer.alloc(1024 * 1024);

/** Counts what comes and keeps a checksum of it. */
class Joiner {
  bytes = 0;
  parts = 0;
  snapshotCrc = 0;
  /** Where its snapshot stands. */
  cursor = "";
  seq = 0;
  /** Of all events since. */
  eventsCrc = 0;
  trouble: string | undefined;
  readonly #socket: Socket;
  #head: Buffer = Buffer.alloc(0);
  #isAgreed = false;
  #opcode = 0;
  #left = 0;
  #size = 0;
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(port: number) {
    const onread = { buffer: SHARED, callback: (count: number) => (this.#take(SHARED.subarray(0, count)), true) };
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true, onread });
    this.#socket.write(handshake({}, `GET /?channel=${CHANNEL} HTTP/1.1`));
    this.#socket.on("error", () => undefined).on("close", () => (this.trouble ??= "its connection was closed"));
  }

  end(): void {
    this.#socket.removeAllListeners("close").destroy();
  }

  #take(bytes: Buffer): void {
    this.bytes += bytes.length;
    for (let rest = bytes; rest.length > 0;) {
      if (this.#left > 0) rest = this.#takePayload(rest);
      else rest = this.#takeHead(this.#head.length === 0 ? rest : Buffer.concat([this.#head, rest]));
    }
  }

  /** Takes what is before a payload, and gives what is behind it; keeps what is not whole. */
  #takeHead(bytes: Buffer): Buffer {
    const short = bytes.length < 2 ? 0 : (bytes[1] as number);
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    const end = this.#isAgreed ? start : bytes.indexOf("\r\n\r\n") + 4;
    // Not found is -1.
    if (end === 3 || bytes.length < end) {
      this.#head = Buffer.from(bytes);
      return Buffer.alloc(0);
    }
    this.#head = Buffer.alloc(0);
    if (!this.#isAgreed) {
      this.#isAgreed = true;
      if (!bytes.subarray(0, 12).equals(Buffer.from("HTTP/1.1 101"))) this.trouble ??= bytes.toString("latin1");
      return bytes.subarray(end);
    }
    this.#opcode = (bytes[0] as number) & 15;
    this.#size = this.#left =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (this.#size === 0) this.#whole();
    return bytes.subarray(end);
  }

  #takePayload(bytes: Buffer): Buffer {
    const piece = bytes.subarray(0, this.#left);
    const isPart = this.#size > KEPT_BYTES;
    if (isPart) this.snapshotCrc = crc32(piece, this.snapshotCrc);
    // Of a part what stands before its tasks: which one it is.
    if (!isPart || this.#keptBytes < 400) {
      this.#kept.push(Buffer.from(isPart ? piece.subarray(0, 400) : piece));
      this.#keptBytes += piece.length;
    }
    this.#left -= piece.length;
    if (this.#left === 0) this.#whole();
    return bytes.subarray(piece.length);
  }

  #whole(): void {
    const payload = Buffer.concat(this.#kept);
    this.#kept = [];
    this.#keptBytes = 0;
    if (this.#opcode === PING) this.#socket.write(frame(payload, { opcode: PONG }));
    if (this.#opcode === CLOSE) this.trouble ??= `it was closed with ${payload.readUInt16BE(0)}`;
    if (this.#opcode !== TEXT) return;
    const text = payload.toString("utf8");
    const part = /^\{"type":"snapshot",.*?"cursor":"([^"]+)",.*?"part":(\d+),"parts":(\d+)/.exec(text);
    if (part !== null) {
      if (Number(part[2]) !== this.parts + 1 || (this.parts > 0 && part[1] !== this.cursor))
        this.trouble ??= `part ${part[2]} of ${part[1]} after ${this.parts} of ${this.cursor}`;
      this.cursor = part[1] ?? "";
      if (this.#size <= KEPT_BYTES) this.snapshotCrc = crc32(payload, this.snapshotCrc);
      this.parts += 1;
      this.seq = this.parts === Number(part[3]) ? Number(this.cursor.split(".")[2]) : 0;
      return;
    }
    const seq = /^\{"seq":(\d+),/.exec(text)?.[1];
    if (seq === undefined) {
      if (!/^\{"type":"(welcome|subscribed)"/.test(text)) this.trouble ??= text.slice(0, 200);
      return;
    }
    if (Number(seq) !== this.seq + 1) this.trouble ??= `event ${seq} after ${this.seq}`;
    this.seq = Number(seq);
    this.eventsCrc = crc32(payload, this.eventsCrc);
  }
}

/** Keeps the state, until the upgrade is paused. */
class View {
  hasState = false;
  /** Of its state at the end, as canonical JSON. */
  readonly crc: Promise<number>;

  constructor(port: number) {
    this.crc = this.#watch(port);
  }

  async #watch(port: number): Promise<number> {
    for await (const { state } of watch(`ws://127.0.0.1:${port}/ws`, { channel: CHANNEL })) {
      this.hasState ||= state !== undefined;
      if (state?.status === "paused") return crc32(canonicalJson(state));
    }
    throw new Error("the upgrade was never paused");
  }
}

const mb = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;

test(`${JOINERS} join an upgrade of ${TASKS} tasks at once while events go on: all end in its state, the server stays prompt and makes no copies`, async () => {
  const folder = tempFolder();
  const tracker = new ProgressTracker({
    upgradeId: UPGRADE_ID,
    planId: "p",
    clusterName: "c",
    storagePath: folder,
  });
  onTestFinished(() => tracker.close());
  tracker.startUpgrade();
  for (let n = 0; n < TASKS; n++) tracker.addTask(`task-${n}`, `Replace node group ${n} of the cluster`);
  await tracker.flush();
  const server = await measuredServer(folder);
  onTestFinished(() => server.kill());

  const views = Array.from({ length: VIEWS }, () => new View(server.port));
  const first = new Joiner(server.port);
  onTestFinished(() => first.end());
  await until(() => first.seq > 0, "one has joined", 60_000);
  await until(() => views.every(({ hasState }) => hasState), "the views show a state", 60_000);
  const alone = await server.fare();

  let written = 0;
  const writing = setInterval(() => {
    tracker.updateTaskProgress(`task-${(written * 977) % TASKS}`, (written % 100) + 0.5, `step ${written}`);
    written += 1;
  }, 50);
  onTestFinished(() => clearInterval(writing));
  const begun = performance.now();
  const joiners: Joiner[] = [];
  onTestFinished(() => joiners.forEach((joiner) => joiner.end()));
  let highest = 0;
  const fares: Fare[] = [];
  const asked = setInterval(() => {
    void server.fare().then((fare) => {
      fares.push(fare);
      highest = Math.max(highest, fare.rssBytes);
    });
  }, 250);
  onTestFinished(() => clearInterval(asked));
  // Within a moment, but not within one turn of the server's: a thousand handshakes in one are another matter.
  for (; joiners.length < JOINERS; await wait(10)) for (let n = 0; n < 50; n++) joiners.push(new Joiner(server.port));
  await until(() => joiners.every(({ seq, trouble }) => seq > 0 || trouble !== undefined), "all have joined", 500_000);
  const joinedMs = performance.now() - begun;
  clearInterval(writing);
  tracker.pauseUpgrade("all have come");
  const stateCrc = crc32(canonicalJson(tracker.progress));
  // So that nothing comes behind what is counted: a closed writer records no health either.
  await tracker.close();
  const head = tracker.progress.seq;
  const all = [first, ...joiners];
  await until(() => all.every(({ seq, trouble }) => seq === head || trouble !== undefined), "all have all", 60_000);
  clearInterval(asked);

  const bytes = joiners.reduce((sum, joiner) => sum + joiner.bytes, 0);
  const longestTurnMs = Math.max(...fares.map((fare) => fare.longestTurnMs));
  const latestMs = Math.max(...fares.map((fare) => fare.latestMs));
  const workedMs = (fares.at(-1)?.workedMs ?? 0) - alone.workedMs;
  console.log(
    `${JOINERS} joined within ${Math.round(joinedMs)} ms: ${first.parts} parts, ${mb(bytes / JOINERS)} each, ${mb(bytes)} in all, ` +
      `${written} events meanwhile; server: ${Math.round(workedMs)} ms of work, at most ${Math.round(longestTurnMs)} ms of it in one turn ` +
      `(a timer ${Math.round(latestMs)} ms late on this machine), memory ${mb(alone.rssBytes)} with one joiner, ${mb(highest)} with all`,
  );
  expect(all.flatMap(({ trouble }) => trouble ?? [])).toEqual([]);
  // Nothing was left out for anybody, and those who came at one place got the same bytes.
  const texts = readFileSync(join(folder, "upgrades", UPGRADE_ID, "journal", "1.jsonl"), "utf8")
    .split("\n")
    .slice(1);
  const places = Map.groupBy(all, ({ cursor }) => cursor);
  for (const [cursor, joined] of places) {
    const from = Number(cursor.split(".")[2]);
    const eventsCrc = texts.slice(from, head).reduce((crc, text) => crc32(text, crc), 0);
    expect(new Set(joined.map((joiner) => `${joiner.parts} ${joiner.snapshotCrc} ${joiner.eventsCrc}`))).toEqual(
      new Set([`${first.parts} ${joined[0]?.snapshotCrc} ${eventsCrc}`]),
    );
  }
  expect(await Promise.all(views.map(({ crc }) => crc))).toEqual(views.map(() => stateCrc));

  expect(longestTurnMs).toBeLessThan(100);
  // A copy for each would be gigabytes.
  expect(highest - alone.rssBytes).toBeLessThan(JOINERS * 256 * 1024);
});
