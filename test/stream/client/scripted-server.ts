/** A real WebSocket server on a free port whose part of the conversation is said by the test. */

import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

import { onTestFinished } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";

import type { ProgressEvent } from "../../../src/model/event.ts";
import type { UpgradeProgress } from "../../../src/model/upgrade.ts";
import type { ClientMessage, ServerMessage } from "../../../src/stream/protocol.ts";

export const CHANNEL = "upgrade:upgrade-123";

type Said = ServerMessage | ProgressEvent | object;

/** Waits for things that come one after the other. */
class Inbox<T> {
  readonly #items: T[] = [];
  #wake: () => void = () => undefined;

  put(item: T): void {
    this.#items.push(item);
    this.#wake();
  }

  async take(): Promise<T> {
    while (this.#items.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#items.shift() as T;
  }
}

/** The server's end of one connection. */
export class Peer {
  readonly url: URL;
  readonly protocols: readonly string[];
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #raw: Duplex;
  readonly #inbox = new Inbox<ClientMessage>();

  constructor(socket: WebSocket, { url = "/", headers, socket: raw }: IncomingMessage) {
    this.url = new URL(url, "ws://server");
    this.protocols = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    this.#socket = socket;
    this.#raw = raw;
    this.closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("error", () => undefined);
    socket.on("message", (data: Buffer) => this.#inbox.put(JSON.parse(data.toString("utf8")) as ClientMessage));
  }

  get after(): string | null {
    return this.url.searchParams.get("after");
  }

  say(...messages: readonly Said[]): this {
    for (const message of messages) this.#socket.send(JSON.stringify(message));
    return this;
  }

  welcome(pingIntervalMs = 25_000, channels: readonly string[] = [CHANNEL]): this {
    return this.say({ type: "welcome", protocol: 1, server: "milepost/test", pingIntervalMs, channels });
  }

  snapshot(upgrade: UpgradeProgress): this {
    const { cursor } = upgrade;
    return this.say({ type: "snapshot", channel: CHANNEL, cursor, recovered: false, upgrade });
  }

  subscribed(cursor: string | null, recovered: boolean): this {
    return this.say({ type: "subscribed", channel: CHANNEL, cursor, recovered });
  }

  /** Welcome and the present state. */
  begin(upgrade: UpgradeProgress): this {
    return this.welcome().snapshot(upgrade).subscribed(upgrade.cursor, false);
  }

  /** Welcome, going on from where the client was. */
  goOn(): this {
    return this.welcome().subscribed(this.after, true);
  }

  heard(): Promise<ClientMessage> {
    return this.#inbox.take();
  }

  close(code: number, reason = ""): void {
    this.#socket.close(code, reason);
  }

  /** Resets the connection. */
  destroy(): void {
    this.#socket.terminate();
  }

  /** Sends the beginning of this message's frame and resets the connection. */
  cutWithin(message: Said): Promise<void> {
    const payload = Buffer.from(JSON.stringify(message));
    const head = Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
    return new Promise((resolve) => {
      this.#raw.write(Buffer.concat([head, payload.subarray(0, payload.length >> 1)]), () => {
        this.destroy();
        resolve();
      });
    });
  }
}

export class ScriptedServer {
  readonly #server: WebSocketServer;
  readonly #peers = new Inbox<Peer>();
  /** Connections so far. */
  count = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket, request) => {
      this.count += 1;
      this.#peers.put(new Peer(socket, request));
    });
  }

  /** Listens until the present test has ended. `refuse` answers a handshake with 401. */
  static async start({ port = 0, refuse = () => false }: ServerPlan = {}): Promise<ScriptedServer> {
    const server = new WebSocketServer({
      host: "127.0.0.1",
      port,
      verifyClient: ({ req }: { req: IncomingMessage }) => !refuse(req),
    });
    await new Promise<void>((resolve) => server.once("listening", resolve));
    onTestFinished(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    return new ScriptedServer(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next connection. */
  peer(): Promise<Peer> {
    return this.#peers.take();
  }
}

export interface ServerPlan {
  readonly port?: number;
  readonly refuse?: (request: IncomingMessage) => boolean;
}
