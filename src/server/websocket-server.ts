/**
 * One tracker, live over WebSocket: a client gets `welcome`, the present state and then every event, and may come back with
 * a cursor. Each client is a reader of the log with a place of its own, so a slow one costs nobody anything.
 */

import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import type { WebSocket, WebSocketServer as Server } from "ws";

import {
  errorMessage,
  parseClientMessage,
  PROTOCOL_VERSION,
  upgradeChannel,
  type ServerMessage,
} from "../stream/protocol.ts";
import { report, silentLogger, type Logger } from "../tracker/logger.ts";
import { Subscriber, type StreamSource } from "./subscriber.ts";

export interface WebSocketServerOptions {
  /** 0 takes any free one. Default 8765. */
  readonly port?: number;
  /** Default 127.0.0.1. Another than a loopback address is refused: there is no authentication yet. */
  readonly host?: string;
  readonly enabled?: boolean;
  readonly logger?: Logger;
  /** Default 25,000. A client that has not answered a ping by the next one is gone. */
  readonly pingIntervalMs?: number;
  /** Browser origins, such as `https://ops.example.com`, that may connect beside the server's own. */
  readonly allowedOrigins?: readonly string[];
  /** What is served; a tracker gives itself. */
  readonly source?: StreamSource;
}

/** What `getServerInfo` tells. */
export interface ServerInfo {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  readonly running: boolean;
  readonly clientCount: number;
}

const MAX_MESSAGE_BYTES = 65_536;
const MAX_CLIENTS = 10_000;
const CLOSE_TIMEOUT_MS = 1_000;
const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost", "[::1]"]);

export class WebSocketServer {
  readonly #options: Required<Omit<WebSocketServerOptions, "source">> & { readonly source: StreamSource | undefined };
  readonly #clients = new Map<WebSocket, Subscriber>();
  #server: Server | undefined;

  constructor(options: WebSocketServerOptions = {}) {
    const { port = 8765, host = "127.0.0.1", enabled = true, logger = silentLogger } = options;
    const { pingIntervalMs = 25_000, allowedOrigins = [], source } = options;
    this.#options = { port, host, enabled, logger, pingIntervalMs, allowedOrigins, source };
  }

  /** Resolves true once it listens; false, with the reason in the log, when it is disabled or cannot. */
  async start(): Promise<boolean> {
    const { enabled, host, port, logger, source } = this.#options;
    if (this.#server !== undefined) return true;
    if (!enabled || source === undefined) return false;
    if (!LOOPBACK.has(host)) {
      report(
        logger,
        "error",
        `the WebSocket server does not bind to ${host}: only loopback addresses, as there is no authentication`,
      );
      return false;
    }
    try {
      this.#server = await this.#listen(host, port, source);
      return true;
    } catch (error) {
      report(logger, "error", `the WebSocket server cannot listen on ${host}:${port}; tracking goes on`, error);
      return false;
    }
  }

  /** Tells clients to come back later (1001), and stops. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    for (const [socket, subscriber] of this.#clients) {
      subscriber.stop();
      socket.close(1001, "the server stops");
    }
    const late = setTimeout(() => this.#clients.forEach((_subscriber, socket) => socket.terminate()), CLOSE_TIMEOUT_MS);
    await new Promise<void>((resolve) => server.close(() => resolve()));
    clearTimeout(late);
    this.#clients.clear();
  }

  isRunning(): boolean {
    return this.#server !== undefined;
  }

  getClientCount(): number {
    return this.#clients.size;
  }

  /** `port` is the one that it listens on, also when 0 was asked for. */
  getServerInfo(): ServerInfo {
    const { enabled, host, port } = this.#options;
    const address = this.#server?.address() as AddressInfo | string | null | undefined;
    const bound = typeof address === "object" && address !== null ? address.port : port;
    return { enabled, host, port: bound, running: this.isRunning(), clientCount: this.getClientCount() };
  }

  async #listen(host: string, port: number, source: StreamSource): Promise<Server> {
    const { WebSocketServer: WsServer } = await import("ws");
    const server = new WsServer({
      host,
      port,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      clientTracking: false,
      verifyClient: ({ req }: { req: IncomingMessage }, done: (ok: boolean, status?: number) => void) => {
        if (this.#clients.size >= MAX_CLIENTS) done(false, 503);
        else done(this.#mayConnect(req), 403);
      },
    });
    await new Promise<void>((resolve, reject) => server.once("listening", resolve).once("error", reject));
    server.on("connection", (socket) => this.#connect(socket, source));
    server.on("error", (error) => report(this.#options.logger, "error", "WebSocket server", error));
    return server;
  }

  /** The Host must be this machine (DNS rebinding), and a browser's Origin this server's own or a listed one. */
  #mayConnect({ headers: { host = "", origin } }: IncomingMessage): boolean {
    if (!LOOPBACK.has(host.replace(/:\d+$/, ""))) return false;
    return origin === undefined || origin === `http://${host}` || this.#options.allowedOrigins.includes(origin);
  }

  #connect(socket: WebSocket, source: StreamSource): void {
    const { pingIntervalMs, logger } = this.#options;
    const subscriber = new Subscriber(socket, source, logger);
    this.#clients.set(socket, subscriber);
    let isAlive = true;
    const ping = setInterval(() => {
      if (!isAlive) socket.terminate();
      isAlive = false;
      socket.ping();
    }, pingIntervalMs).unref();
    socket.on("pong", () => (isAlive = true));
    socket.on("error", () => socket.terminate());
    socket.on("close", () => {
      clearInterval(ping);
      subscriber.stop();
      this.#clients.delete(socket);
    });
    socket.on("message", (data: Buffer, isBinary: boolean) =>
      answer(subscriber, isBinary ? "" : data.toString("utf8")),
    );
    const channel = upgradeChannel(source.upgradeId);
    subscriber.send(welcome(pingIntervalMs, channel));
    subscriber.subscribe({ channel });
  }
}

function welcome(pingIntervalMs: number, channel: string): ServerMessage {
  return { type: "welcome", protocol: PROTOCOL_VERSION, server: "milepost/0.1.0", pingIntervalMs, channels: [channel] };
}

function answer(subscriber: Subscriber, text: string): void {
  let requestId: string | undefined;
  try {
    const message = parseClientMessage(text);
    ({ requestId } = message);
    subscriber.handle(message);
  } catch (error) {
    subscriber.send(errorMessage(error, requestId));
  }
}
