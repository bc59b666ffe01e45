/** One tracker, live on a port of this machine: the class that the tracker's owner starts, stops and asks. */

import type { Hub } from "../stream/hub.ts";
import type { Upgrades } from "../stream/upgrades.ts";
import { report, silentLogger, type Logger } from "../tracker/logger.ts";
import type { MilepostServer } from "./server.ts";

export interface WebSocketServerOptions {
  /** 0 takes any free one. Default 8765. */
  readonly port?: number;
  /** Default 127.0.0.1. Another than a loopback address is refused: here is no authentication; `milepost start` has it. */
  readonly host?: string;
  readonly enabled?: boolean;
  readonly logger?: Logger;
  /** Default 25,000. A client that does not answer a ping in time is gone. */
  readonly pingIntervalMs?: number;
  /** Browser origins, such as `https://ops.example.com`, that may connect beside the server's own. */
  readonly allowedOrigins?: readonly string[];
  /** What is served; a tracker gives itself. */
  readonly upgrades?: Upgrades;
}

/** What `getServerInfo` tells. */
export interface ServerInfo {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  readonly running: boolean;
  readonly clientCount: number;
}

interface Running {
  readonly server: MilepostServer;
  readonly hub: Hub;
  readonly closing: AbortController;
}

export class WebSocketServer {
  readonly #options: Required<Omit<WebSocketServerOptions, "upgrades">> & { readonly upgrades: Upgrades | undefined };
  #running: Running | undefined;

  constructor(options: WebSocketServerOptions = {}) {
    const { port = 8765, host = "127.0.0.1", enabled = true, logger = silentLogger } = options;
    const { pingIntervalMs = 25_000, allowedOrigins = [], upgrades } = options;
    this.#options = { port, host, enabled, logger, pingIntervalMs, allowedOrigins, upgrades };
  }

  /** Resolves true once it listens; false, with the reason in the log, when it is disabled or cannot. */
  async start(): Promise<boolean> {
    const { enabled, host, port, logger, upgrades } = this.#options;
    if (this.#running !== undefined) return true;
    if (!enabled || upgrades === undefined) return false;
    try {
      this.#running = await this.#listen(upgrades);
      return true;
    } catch (error) {
      report(logger, "error", `the WebSocket server cannot listen on ${host}:${port}; tracking goes on`, error);
      return false;
    }
  }

  /** Tells clients to come back later (1001), and stops. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.closing.abort();
    await running?.server.close();
    await running?.hub.close();
  }

  isRunning(): boolean {
    return this.#running !== undefined;
  }

  getClientCount(): number {
    return this.#running?.server.clientCount ?? 0;
  }

  /** `port` is the one that it listens on, also when 0 was asked for. */
  getServerInfo(): ServerInfo {
    const { enabled, host, port } = this.#options;
    const bound = this.#running?.server.port ?? port;
    return { enabled, host, port: bound, running: this.isRunning(), clientCount: this.getClientCount() };
  }

  async #listen(upgrades: Upgrades): Promise<Running> {
    const { host, port, logger, pingIntervalMs, allowedOrigins } = this.#options;
    const [{ MilepostServer }, { Hub }, { createDoor }, { httpOf }] = await Promise.all([
      import("./server.ts"),
      import("../stream/hub.ts"),
      import("./door.ts"),
      import("./http.ts"),
    ]);
    const hub = new Hub({ upgrades, logger });
    const { access, connections, credentials } = createDoor({ host, allowedOrigins, clock: hub.clock, logger });
    const closing = new AbortController();
    const http = httpOf({
      hub,
      credentials,
      connections,
      checkReady: () => Promise.resolve(),
      closing: closing.signal,
    });
    const server = new MilepostServer({ hub, access, host, port, times: { pingIntervalMs }, http });
    try {
      await server.listen();
    } catch (error) {
      await hub.close();
      throw error;
    }
    return { server, hub, closing };
  }
}
