/** One port for everything: WebSocket, event streams, and whatever else answers HTTP. Puts hub, access and connections together. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { Summaries } from "../stream/fleet-subscriber.ts";
import type { Hub } from "../stream/hub.ts";
import { upgradeChannel } from "../stream/protocol.ts";
import { BUDGET, type Budget } from "../stream/subscriber.ts";
import { report } from "../tracker/logger.ts";
import { VERSION } from "../version.ts";
import type { Access } from "./access.ts";
import { answerBarely } from "./bare-answer.ts";
import { Pulse } from "./pulse.ts";
import { SseStreams } from "./sse.ts";
import { WebSocketConnection, type ConnectionOptions } from "./websocket-connection.ts";
import { LINK_TIMES, type LinkTimes } from "./websocket-link.ts";
import { WebSockets } from "./websockets.ts";

/** Answers requests that are no WebSocket. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface ServerOptions {
  readonly hub: Hub;
  readonly access: Access;
  /** The channels of summaries; a server of one tracker has none. */
  readonly summaries?: Summaries | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8765; 0 takes any free one. */
  readonly port?: number;
  /** Makes what answers plain HTTP; it gets the event streams to hand requests on to. */
  readonly http: (streams: SseStreams) => Answer;
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
  // Longer than a load balancer keeps idle connections (60 s is usual): else it sends a request into one that just ended here.
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16_384,
  // A request without Host is refused here, with a document that says so.
  requireHostHeader: false,
} as const;
const MAX_HEADERS = 100;
/** How long a server that stops may still tell its readers what has happened. */
const TELL_REST_MS = 1_000;

export class MilepostServer {
  readonly #options: ServerOptions;
  readonly #http: Server;
  readonly #sockets: WebSockets;
  readonly #streams: SseStreams;
  #closed: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    const { hub, access, closeTimeoutMs } = options;
    this.#options = options;
    const shared = sharedOptions(options);
    const pulse = new Pulse(hub.clock);
    this.#streams = new SseStreams({ pulse, link: shared.link, subscriber: shared.subscriber, logger: hub.logger });
    this.#sockets = new WebSockets({
      access,
      pulse,
      logger: hub.logger,
      connect: (socket, raw) => new WebSocketConnection(socket, raw, shared),
      ...(closeTimeoutMs !== undefined && { closeTimeoutMs }),
    });
    this.#http = createServer(HTTP_LIMITS, options.http(this.#streams));
    this.#http.maxHeadersCount = MAX_HEADERS;
    this.#http.on("upgrade", (request, socket, head) => void this.#sockets.upgrade(request, socket, head));
    answerBarely(this.#http);
  }

  /** @throws the system's error when it cannot listen there. */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    const { host = "127.0.0.1", port = 8765, hub } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#http.once("error", reject);
      this.#http.listen({ host, port, backlog: 4096 }, () => {
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

  /** Clients that are connected by WebSocket or read an event stream. */
  get clientCount(): number {
    return this.#sockets.count + this.#streams.count;
  }

  /** Takes no more connections, tells those that there are to come back (1001), and ends. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    // What has happened is told before the goodbye.
    await Promise.race([this.#options.hub.readToEnd(), sleep(TELL_REST_MS, undefined, { ref: false })]);
    this.#sockets.closeAll("SHUTTING_DOWN");
    this.#streams.close();
    this.#http.closeIdleConnections();
    const late = setTimeout(() => {
      this.#sockets.terminateAll();
      this.#http.closeAllConnections();
    }, this.#options.closeTimeoutMs ?? 2_000);
    await closed;
    clearTimeout(late);
  }
}

function sharedOptions({ hub, access, summaries, authTimeoutMs, ...options }: ServerOptions): ConnectionOptions {
  return {
    hub,
    summaries,
    auth: access.authenticator,
    link: { times: { ...LINK_TIMES, ...options.times }, counters: hub.counters, clock: hub.clock },
    subscriber: { budget: { ...BUDGET, ...options.budget }, counters: hub.counters, clock: hub.clock },
    authTimeoutMs: authTimeoutMs ?? 10_000,
    mayMessage: (connection) => access.mayMessage(connection),
    defaultChannel: () => defaultChannel(hub, summaries),
    serverName: `milepost/${VERSION}`,
  };
}

/** The upgrade of a tracker; of a storage the only unfinished one, else the list of all. */
function defaultChannel({ upgrades }: Hub, summaries: Summaries | undefined): string {
  if (upgrades.only !== undefined) return upgradeChannel(upgrades.only);
  const unfinished = summaries?.list({}).filter(({ completedAt }) => completedAt === null) ?? [];
  const [only] = unfinished;
  return unfinished.length === 1 && only !== undefined ? upgradeChannel(only.upgradeId) : "fleet";
}
