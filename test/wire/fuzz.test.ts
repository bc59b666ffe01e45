import { monitorEventLoopDelay } from "node:perf_hooks";

import { expect, onTestFinished, test } from "vitest";

import { randomNumbers } from "./cutting-proxy.ts";
import { closeFrame, CONTINUATION, frame, handshake, PING, PONG, RawClient } from "./raw-client.ts";
import { served, until, type Served } from "./served.ts";

const isLong = process.env["MILEPOST_LONG"] === "1";
const INPUTS = isLong ? 2_000_000 : 20_000;
const CLIENTS = 25;
const MIB = 1024 * 1024;

const MESSAGES: readonly object[] = [
  { type: "ping", requestId: "r1" },
  { type: "subscribe", channel: "upgrade:up", after: "log1.t1.5", level: "logs", requestId: "r2" },
  { type: "subscribe", channel: "upgrade:up", level: "summary" },
  { type: "subscribe", channel: "fleet" },
  { type: "subscribe", channel: "cluster:my-cluster" },
  { type: "unsubscribe", channel: "upgrade:up", requestId: "r3" },
  { type: "get_summary", channel: "upgrade:up" },
  { type: "get_summary" },
  { type: "authenticate", token: "secret", requestId: "r4" },
];
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  2 ** 53,
  1e308,
  "",
  "\0",
  "x".repeat(300),
  "upgrade:",
  "upgrade:..",
  "upgrade:../../etc",
  "cluster:",
  "__proto__",
  "constructor",
  "upgrade:up@1",
  "upgrade:up@99999999999999999",
  "é🚀\u202e",
  "log1.t1.9007199254740993",
  [],
  [[]],
  {},
  { toString: 1 },
  "tasks",
  "logs",
  "upgrade:nowhere",
];
const FRAMES: readonly Buffer[] = [
  ...MESSAGES.map((message) => frame(JSON.stringify(message))),
  frame("x".repeat(125), { opcode: PING }),
  frame("12", { opcode: PONG }),
  frame('{"type":', { isFinal: false }),
  frame('"ping"}', { opcode: CONTINUATION }),
  frame("x".repeat(300)),
  frame("x".repeat(70_000)),
  closeFrame(1000, "done"),
];

class Mutator {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
  }

  /** One input: a message with wrong values in a right frame, or right frames with wrong bytes. */
  next(): Buffer {
    if (this.#below(3) > 0) return frame(this.#message());
    let bytes: Buffer = Buffer.from(this.#one(FRAMES));
    for (let n = this.#below(4); n >= 0; n--) bytes = this.#bent(bytes);
    return bytes;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  #message(): string {
    const message: Record<string, unknown> = { ...this.#one(MESSAGES) };
    for (let n = this.#below(3); n > 0; n--)
      message[this.#one([...Object.keys(message), "channel", "after", "level"])] = this.#one(VALUES);
    const text = JSON.stringify(message);
    if (this.#below(4) > 0) return text;
    const at = this.#below(text.length);
    return this.#one([
      text.slice(0, at),
      text.slice(0, at) + this.#one(['"', "{", "}", "\\", ",", "[", "\\u0000", '"__proto__":{},']) + text.slice(at),
      text + text,
      `[${text}]`,
      text.replace(/"/g, "'"),
    ]);
  }

  #bent(bytes: Buffer): Buffer {
    const at = this.#below(bytes.length);
    switch (this.#below(6)) {
      case 0:
        bytes[at] = (bytes[at] as number) ^ (1 << this.#below(8));
        return bytes;
      case 1:
        return bytes.subarray(0, at);
      case 2:
        return Buffer.concat([bytes.subarray(0, at), Buffer.from([this.#below(256)]), bytes.subarray(at)]);
      case 3:
        return Buffer.concat([bytes, this.#one(FRAMES)]);
      case 4:
        bytes[this.#below(Math.min(12, bytes.length))] = this.#one([0, 0x7e, 0x7f, 0x80, 0xfe, 0xff]);
        return bytes;
      default:
        return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
    }
  }
}

/** Sends inputs one after the other, on a new connection whenever the server has had enough of the last one. */
async function attack({ port }: Served, mutator: Mutator, inputs: number): Promise<number> {
  let client: RawClient | undefined;
  let connections = 0;
  for (let n = 0; n < inputs; n++) {
    if (
      client === undefined ||
      client.isOver ||
      client.closeCode !== undefined ||
      client.socket.destroyed ||
      n % 200 === 0
    ) {
      client?.destroy();
      connections += 1;
      client = new RawClient(port);
      // Its answers are its own affair.
      client.take = () => undefined;
      client.send(handshake());
    }
    client.send(mutator.next());
    // So that it is seen when the server has had enough.
    await new Promise(setImmediate);
  }
  client?.destroy();
  return connections;
}

test(
  `X25: ${INPUTS} bent frames and messages: no exit, no rejection that nobody handles, nothing grows, and others are served`,
  { timeout: isLong ? 3_600_000 : 60_000 },
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const at = await served({ closeTimeoutMs: 100 });
    at.kept.report(50);
    const witness = await RawClient.open(at.port);
    const troubles: unknown[] = [];
    const note = (error: unknown): void => void troubles.push(error);
    process.on("unhandledRejection", note).on("uncaughtException", note);
    onTestFinished(() => void process.off("unhandledRejection", note).off("uncaughtException", note));
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    const attacks = Array.from({ length: CLIENTS }, (_unused, n) =>
      attack(at, new Mutator(seed + n), INPUTS / CLIENTS),
    );
    const connections = (await Promise.all(attacks)).reduce((sum, count) => sum + count, 0);
    delay.disable();
    const grown = process.memoryUsage().rss - before;
    console.log(
      `X25: ${INPUTS} inputs, seed ${seed}, ${connections} connections, longest turn ${delay.max / 1e6} ms, ${grown / MIB} MiB`,
    );
    expect(troubles).toEqual([]);
    expect(at.errors).toEqual([]);
    expect(({} as { type?: unknown }).type).toBeUndefined();
    const seen = witness.frames.length;
    at.kept.report();
    await witness.until(() => witness.frames.length > seen);
    await until("all attackers are gone", async () => at.server.clientCount === 1 && (await at.connections()) === 1);
    expect(connections).toBeGreaterThan(INPUTS / 50);
    expect(grown).toBeLessThan(256 * MIB);
    witness.destroy();
  },
);
