/**
 * The light load generator: a process of its own that holds clients of every subject and counts the messages they get.
 *
 * It speaks as little of each protocol as it needs: a handshake, frames walked by their length, pings answered.
 */

import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

import { STAMP } from "./messages.ts";

export type Protocol = "raw" | "websocket" | "socket.io" | "sse";

interface Group {
  readonly clients: Client[];
  readonly protocol: Protocol;
}

/** What the parent asks for; answered with the same `id`. */
type LoadRequest =
  | {
      readonly id: number;
      readonly type: "connect";
      readonly port: number;
      readonly count: number;
      readonly protocol: Protocol;
      readonly path: string;
    }
  | { readonly id: number; readonly type: "until"; readonly port: number; readonly messages: number }
  | { readonly id: number; readonly type: "latencies"; readonly port: number }
  | { readonly id: number; readonly type: "close"; readonly port: number };

const groups = new Map<number, Group>();
const PING = 0x89;
const TEXT = 0x81;

class Client {
  readonly socket: Socket;
  readonly #protocol: Protocol;
  messages = 0;
  isReady = false;
  onReady: () => void = () => undefined;
  latencies: number[] = [];
  #head: Buffer = Buffer.alloc(0);
  /** Bytes of the present frame that are still to come. */
  #left = 0;

  constructor({ port, protocol, path }: { port: number; protocol: Protocol; path: string }) {
    this.#protocol = protocol;
    this.socket = connect(port, "127.0.0.1", () => this.#greet(path));
    this.socket.setNoDelay(true);
    this.socket.on("data", (bytes: Buffer) => this.#take(bytes));
    this.socket.on("error", () => undefined);
  }

  #greet(path: string): void {
    if (this.#protocol === "raw") return this.#ready();
    const upgrade =
      this.#protocol === "sse"
        ? "Accept: text/event-stream\r\n"
        : `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n`;
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${this.socket.remotePort ?? 0}\r\n${upgrade}\r\n`);
  }

  #ready(): void {
    this.isReady = true;
    this.onReady();
  }

  #take(bytes: Buffer): void {
    if (!this.isReady) {
      this.#head = Buffer.concat([this.#head, bytes]);
      const end = this.#head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const rest = this.#head.subarray(end + 4);
      this.#head = Buffer.alloc(0);
      if (this.#protocol === "socket.io") this.#send(TEXT, Buffer.from("40"));
      this.#ready();
      if (rest.length > 0) this.#take(rest);
      return;
    }
    this.#stamp(bytes);
    if (this.#protocol === "raw" || this.#protocol === "websocket" || this.#protocol === "socket.io") this.#walk(bytes);
    else this.#countLines(bytes);
  }

  /** Frames by their length; a header may be cut anywhere. */
  #walk(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#head.length > 0) {
      bytes = Buffer.concat([this.#head, chunk]);
      this.#head = Buffer.alloc(0);
    }
    let at = 0;
    if (this.#left > 0) {
      at = Math.min(this.#left, bytes.length);
      this.#left -= at;
      if (this.#left > 0) return;
    }
    while (at < bytes.length) {
      const short = (bytes[at + 1] ?? 0) & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      const isControl = (bytes[at] as number) !== TEXT;
      const length =
        at + header > bytes.length
          ? -1
          : short < 126
            ? short
            : short === 126
              ? bytes.readUInt16BE(at + 2)
              : bytes.readUInt32BE(at + 6);
      if (length < 0 || (isControl && at + header + length > bytes.length)) {
        this.#head = Buffer.from(bytes.subarray(at));
        return;
      }
      if (isControl) {
        if (bytes[at] === PING) this.#send(0x8a, bytes.subarray(at + header, at + header + length));
      } else {
        // The protocol's own ping of socket.io: "2".
        if (this.#protocol === "socket.io" && length === 1 && bytes[at + header] === 0x32)
          this.#send(TEXT, Buffer.from("3"));
        this.messages += 1;
      }
      at += header + length;
    }
    this.#left = at - bytes.length;
  }

  /** Each event of a stream ends with an empty line. */
  #countLines(bytes: Buffer): void {
    for (let at = bytes.indexOf("\n\n"); at >= 0; at = bytes.indexOf("\n\n", at + 2)) this.messages += 1;
  }

  /** How old the oldest event of this piece is. */
  #stamp(bytes: Buffer): void {
    const at = bytes.indexOf(STAMP);
    if (at < 0 || at + STAMP.length + 16 > bytes.length) return;
    const stamp = Number(bytes.toString("latin1", at + STAMP.length, at + STAMP.length + 16));
    this.latencies.push(Number(process.hrtime.bigint() / 1000n) - stamp);
  }

  #send(opcode: number, payload: Buffer): void {
    const frame = Buffer.alloc(6 + payload.length);
    frame[0] = opcode;
    frame[1] = 0x80 | payload.length;
    payload.copy(frame, 6);
    this.socket.write(frame);
  }
}

async function handle(request: LoadRequest): Promise<unknown> {
  if (request.type === "connect") {
    const clients: Client[] = [];
    groups.set(request.port, { clients, protocol: request.protocol });
    for (let index = 0; index < request.count; index++) {
      const client = new Client(request);
      clients.push(client);
      // Not all at once: the listen queue is short.
      if (index % 100 === 99) await Promise.all(clients.slice(-100).map(ready));
    }
    await Promise.all(clients.map(ready));
    return clients.length;
  }
  const { clients } = groups.get(request.port) as Group;
  if (request.type === "close") {
    groups.delete(request.port);
    for (const { socket } of clients) socket.destroy();
    return clients.length;
  }
  if (request.type === "latencies") {
    const all = clients.flatMap(({ latencies }) => latencies);
    for (const client of clients) client.latencies = [];
    all.sort((a, b) => a - b);
    return { count: all.length, p50: all[Math.floor(all.length * 0.5)], p99: all[Math.floor(all.length * 0.99)] };
  }
  while (clients.some(({ messages }) => messages < request.messages))
    await new Promise((resolve) => setTimeout(resolve, 2));
  const least = Math.min(...clients.map(({ messages }) => messages));
  for (const client of clients) client.messages = 0;
  return least;
}

const ready = (client: Client): Promise<void> =>
  client.isReady ? Promise.resolve() : new Promise((resolve) => (client.onReady = resolve));

process.on("message", (request: LoadRequest) => {
  void handle(request).then((answer) => process.send?.({ id: request.id, answer }));
});
process.on("disconnect", () => process.exit());
