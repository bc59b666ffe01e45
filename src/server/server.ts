/** One port for everything: WebSocket, and whatever answers HTTP. Puts hub, access and connections together. */

import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

import { WebSocketServer, type WebSocket } from "ws";

import { ERRORS, isMilepostError, MilepostError } from "../errors.ts";
import type { Summaries } from "../stream/fleet-subscriber.ts";
import type { Hub } from "../stream/hub.ts";
import { MAX_MESSAGE_BYTES, upgradeChannel } from "../stream/protocol.ts";
import { BUDGET, type Budget } from "../stream/subscriber.ts";
import { report } from "../tracker/logger.ts";
import { VERSION } from "../version.ts";
import type { Access } from "./access.ts";
import { Pulse } from "./pulse.ts";
import { WebSocketConnection, type Arrival, type ConnectionOptions } from "./websocket-connection.ts";
import { LINK_TIMES, type LinkTimes } from "./websocket-link.ts";

export interface ServerOptions {
  readonly hub: Hub;
  readonly access: Access;
  /** The channels of summaries; a server of one tracker has none. */
  readonly summaries?: Summaries | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8765; 0 takes any free one. */
  readonly port?: number;
  /** Answers what is no WebSocket. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  readonly times?: Partial<LinkTimes>;
  readonly budget?: Partial<Budget>;
  /** How long a client without credentials may stay where they are needed. Default 10,000. */
  readonly authTimeoutMs?: number;
  /** How long clients get to go when the server stops. Default 2,000. */
  readonly closeTimeoutMs?: number;
}

/** Slow or endless requests are not waited for. */
const HTTP_LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
} as const;
const MAX_HEADERS = 100;
/** Parts that one message, or one moment, may come in. */
const MAX_FRAGMENTS = 1_024;
const MAX_CHUNKS = 65_536;

export class MilepostServer {
  readonly #options: ServerOptions;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #connections = new Map<WebSocket, WebSocketConnection>();
  readonly #shared: ConnectionOptions;
  /** Looks at the time for all connections, also those of others (`sse.ts`). */
  readonly pulse: Pulse;

  constructor(options: ServerOptions) {
    const { hub, access, summaries, authTimeoutMs = 10_000, closeTimeoutMs = 2_000 } = options;
    this.#options = options;
    this.pulse = new Pulse(hub.clock);
    this.#shared = {
      hub,
      summaries,
      auth: access.authenticator,
      times: { ...LINK_TIMES, ...options.times },
      budget: { ...BUDGET, ...options.budget },
      authTimeoutMs,
      mayMessage: (connection) => access.mayMessage(connection),
      defaultChannel: () => defaultChannel(hub, summaries),
      serverName: `milepost/${VERSION}`,
    };
    this.#http = createServer(HTTP_LIMITS, options.answer);
    this.#http.maxHeadersCount = MAX_HEADERS;
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_CHUNKS,
      handleProtocols: (offered) => access.chooseProtocol(offered),
      // Known to `ws`, and not yet to its types.
      ...({ closeTimeout: closeTimeoutMs } as object),
    });
    this.#http.on("upgrade", (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#http.on("clientError", (_error, socket) => refuseBadRequest(socket));
  }

  /** @throws the system's error when it cannot listen there. */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    const { host = "127.0.0.1", port = 8765, hub } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#http.once("error", reject);
      this.#http.listen({ host, port }, () => {
        this.#http.off("error", reject);
        resolve();
      });
    });
    this.#http.on("error", (error) => report(hub.logger, "error", "the server", error));
    return { host, port: this.port };
  }

  /** The port that it listens on; 0 before it does. */
  get port(): number {
    return (this.#http.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Connected WebSocket clients. */
  get clientCount(): number {
    return this.#connections.size;
  }

  /** Takes no more connections, tells those that there are to come back (1001), and ends. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeIdleConnections();
    for (const connection of this.#connections.values()) connection.close("SHUTTING_DOWN");
    const late = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.terminate();
      this.#http.closeAllConnections();
    }, this.#options.closeTimeoutMs ?? 2_000);
    await closed;
    clearTimeout(late);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { access, hub } = this.#options;
    const gone = (): void => void socket.destroy();
    socket.on("error", gone);
    try {
      const url = new URL(request.url ?? "/", "http://localhost");
      if (url.pathname !== "/" && url.pathname !== "/ws")
        throw new MilepostError("NOT_FOUND", "there is no WebSocket at this address; use / or /ws");
      const { grant, leave } = await access.admit(request, this.#connections.size);
      socket.once("close", leave);
      const { searchParams } = url;
      const arrival: Arrival = {
        grant,
        channel: searchParams.get("channel") ?? undefined,
        after: searchParams.get("after") ?? undefined,
      };
      this.#sockets.handleUpgrade(request, socket, head, (client) => {
        socket.off("error", gone);
        this.#connect(client, socket, arrival);
      });
    } catch (error) {
      if (!isMilepostError(error)) report(hub.logger, "error", "a WebSocket handshake", error);
      refuseHandshake(socket, error);
    }
  }

  #connect(client: WebSocket, raw: Duplex, arrival: Arrival): void {
    const connection = new WebSocketConnection(client, raw, this.#shared);
    this.#connections.set(client, connection);
    this.pulse.add(connection);
    client.on("message", (data: Buffer, isBinary: boolean) => connection.receive(data, isBinary));
    client.on("pong", (data: Buffer) => connection.pong(data));
    // `ws` closes by itself what breaks the rules of RFC 6455; its error event only says so.
    client.on("error", () => connection.ended());
    client.on("close", () => {
      connection.ended();
      this.pulse.delete(connection);
      this.#connections.delete(client);
    });
    connection.begin(arrival).catch((error: unknown) => {
      report(this.#options.hub.logger, "error", "a WebSocket connection", error);
      connection.close("STREAM_BROKEN");
    });
  }
}

/** The upgrade of a tracker; of a storage the only unfinished one, else the list of all. */
function defaultChannel({ upgrades }: Hub, summaries: Summaries | undefined): Promise<string> {
  if (upgrades.only !== undefined) return Promise.resolve(upgradeChannel(upgrades.only));
  const unfinished = summaries?.list({}).filter(({ completedAt }) => completedAt === null) ?? [];
  const [only] = unfinished;
  return Promise.resolve(unfinished.length === 1 && only !== undefined ? upgradeChannel(only.upgradeId) : "fleet");
}

function refuseHandshake(socket: Duplex, error: unknown): void {
  const { code, message } = isMilepostError(error) ? error : new MilepostError("INTERNAL", "the server has failed");
  const { httpStatus } = ERRORS[code];
  const body = `${code}: ${message}\n`;
  socket.end(
    `HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus] ?? ""}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** What is no HTTP at all. */
function refuseBadRequest(socket: Duplex): void {
  if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  else socket.destroy();
}
