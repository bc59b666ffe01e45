/** A real server on a port of its own, with one upgrade in real files, and what a test wants to see of it. */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, Server } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { jsonLines } from "../../src/storage/json-lines.ts";
import { openAccess } from "./open-access.ts";
import { MilepostServer, type ServerOptions } from "../../src/server/server.ts";
import { storageUpgrades } from "../../src/server/storage-upgrades.ts";
import { Hub } from "../../src/stream/hub.ts";
import type { Upgrades } from "../../src/stream/upgrades.ts";
import type { Logger } from "../../src/tracker/logger.ts";
import { manualClock, type ManualClock } from "../manual-clock.ts";
import { KeptLog } from "../stream/kept-log.ts";

export interface Served {
  readonly kept: KeptLog;
  readonly clock: ManualClock;
  readonly hub: Hub;
  readonly server: MilepostServer;
  readonly port: number;
  /** What was logged at level error. */
  readonly errors: readonly string[];
  /** How many logs are being watched. */
  readonly counts: { watchers: number };
  /** Sockets that the system still holds open for the server, WebSocket or not. */
  connections(): Promise<number>;
  /** The most bytes that wait in this process for any one client. */
  queuedBytes(): number;
  close(): Promise<void>;
}

export type ServedOptions = Partial<ServerOptions> & { readonly idleMs?: number };

/** Closed when the present test ends. */
export async function served(options: ServedOptions = {}): Promise<Served> {
  const started = await startServed(options);
  onTestFinished(() => started.close());
  return started;
}

/** For several tests: whoever starts it closes it. */
export async function startServed({ idleMs = 30_000, ...rest }: ServedOptions = {}): Promise<Served> {
  const clock = manualClock();
  const folder = mkdtempSync(join(tmpdir(), "milepost-test-"));
  const kept = new KeptLog(folder, clock);
  const storage = jsonLines({ path: kept.dataFolder });
  const stored = storageUpgrades(storage, { clock });
  const counts = { watchers: 0 };
  const errors: string[] = [];
  const note = (...said: readonly unknown[]): void => void errors.push(said.map(String).join(" "));
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: note } as Logger;
  const hub = new Hub({ upgrades: counted(stored, kept, counts), clock, logger, idleMs, lookIntervalMs: 1e6 });
  const sockets = socketsOfServers();
  const server = new MilepostServer({
    hub,
    access: openAccess(),
    port: 0,
    http: () => (_request, response) => void response.writeHead(426).end(),
    ...rest,
  });
  const { port } = await server.listen();
  sockets.stop();
  const close = async (): Promise<void> => {
    await server.close();
    await hub.close();
    await stored.close();
    await kept.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    kept,
    clock,
    hub,
    server,
    port,
    errors,
    counts,
    connections: () => sockets.count(),
    queuedBytes: () => sockets.queuedBytes(),
    close,
  };
}

/** Told by the test itself: no waiting for the system's notices. */
function counted(upgrades: Upgrades, kept: KeptLog, counts: { watchers: number }): Upgrades {
  return {
    ...upgrades,
    only: kept.source.ref,
    log: (ref) => {
      const source = upgrades.log(ref);
      const watched = ref === kept.source.ref ? kept.source : source;
      return {
        ref,
        openReader: () => source.openReader(),
        waitingLines: (seq) => source.waitingLines(seq),
        holder: () => source.holder(),
        watch: (onChange) => {
          counts.watchers += 1;
          const stop = watched.watch(onChange);
          return () => {
            counts.watchers -= 1;
            stop();
          };
        },
      };
    },
  };
}

/** Finds the HTTP server that is made next, to see the sockets that it holds. */
function socketsOfServers(): { stop(): void; count(): Promise<number>; queuedBytes(): number } {
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf(createServer())) as {
    listen: (this: Server, ...args: unknown[]) => unknown;
  };
  const listen = Reflect.get(prototype, "listen");
  const sockets = new Set<Socket>();
  let found: Server | undefined;
  const note = (server: unknown): void => {
    // Trackers listen too, for commands that are handed over.
    if (!(server instanceof Server)) return;
    found = server;
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
  };
  prototype.listen = function (this: Server, ...args) {
    note(this);
    return listen.apply(this, args);
  };
  return {
    stop: () => void (prototype.listen = listen),
    count: () =>
      new Promise((resolve, reject) =>
        found?.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
    queuedBytes: () => Math.max(0, ...[...sockets].map(({ writableLength }) => writableLength)),
  };
}

/** Resolves when it holds; fails after `ms`. For what another party's sockets do. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  for (const end = performance.now() + ms; !(await holds());) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
