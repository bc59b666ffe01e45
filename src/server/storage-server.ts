/** A server of every upgrade of a storage: puts upgrades, hub, fleet, access, WebSocket, event streams and the HTTP API together. */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { getRequestListener } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";

import { MilepostError } from "../errors.ts";
import { addressList } from "../ip-addresses.ts";
import type { Storage } from "../storage/storage.ts";
import { Fleet } from "../stream/fleet.ts";
import { Hub } from "../stream/hub.ts";
import { LEVELS } from "../stream/protocol.ts";
import { systemClock, type Clock } from "../tracker/clock.ts";
import { silentLogger, type Logger } from "../tracker/logger.ts";
import { VERSION } from "../version.ts";
import { createApi } from "./api/api.ts";
import { originHeaders } from "./api/caller.ts";
import type { ApiContext } from "./api/route.ts";
import { SECURITY_HEADERS } from "./api/security-headers.ts";
import type { AuthSettings } from "./auth/auth-config.ts";
import { createAuthenticator, openAuthenticator } from "./auth/authenticator.ts";
import { checkBind } from "./auth/bind.ts";
import { guardedAccess } from "./auth/guarded-access.ts";
import { createConnectionLimit } from "./auth/limits.ts";
import { createRequestGuard } from "./auth/request-guard.ts";
import { createShareLinks } from "./auth/share-links.ts";
import { createTickets } from "./auth/tickets.ts";
import { LostWatch } from "./lost-watch.ts";
import { MilepostServer, type Answer } from "./server.ts";
import type { SseStreams } from "./sse.ts";
import { storageUpgrades, type StorageUpgrades } from "./storage-upgrades.ts";

export interface StorageServerOptions {
  readonly storage: Storage;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8765; 0 takes any free one. */
  readonly port?: number;
  /** Who may do what. Without it everybody may do everything, on this machine alone. */
  readonly auth?: AuthSettings | undefined;
  /** Names that requests may give this server, beside those of `auth`. */
  readonly allowedHosts?: readonly string[];
  /** Origins of pages that may use this server, beside its own and those of `auth`. */
  readonly allowedOrigins?: readonly string[];
  /** The operator's word that others may report here without saying who they are. */
  readonly allowUnauthenticated?: boolean;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface StorageServer {
  /** @throws the system's error when it cannot listen there; STORAGE_UNUSABLE. */
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  /** Takes no more, tells those who are connected to come back, stores what was accepted, and ends. May be called twice. */
  close(): Promise<void>;
}

/** @throws INVALID_ARGUMENT: also for a host that others reach, without `auth`. */
export function createStorageServer(options: StorageServerOptions): StorageServer {
  const { storage, host = "127.0.0.1", port = 8765, clock = systemClock, logger = silentLogger } = options;
  const closing = new AbortController();
  const door = doorOf(options, { host, clock, logger });
  const upgrades = storageUpgrades(storage, { clock, logger });
  const hub = new Hub({ upgrades, clock, logger });
  const fleet = new Fleet({ upgrades, hub, clock, logger });
  const lost = new LostWatch({ storage, hub, fleet, clock, logger, program: "milepost start" });
  const access = guardedAccess({ ...door, connections: createConnectionLimit(), clock });
  const http = (streams: SseStreams): Answer => {
    const api = createApi({
      upgrades,
      hub,
      all: (filter) => Promise.resolve({ summaries: fleet.list(filter), unreadable: fleet.unreadable }),
      credentials: door,
      clock,
      logger,
      version: VERSION,
      events: { stream: (c, ref) => stream(c, { hub, streams, ref, headers: originHeaders(c, door.trustedProxies) }) },
      checkReady: () => checkReady(storage),
      closing: closing.signal,
    });
    const answer = getRequestListener(api.fetch, { overrideGlobalObjects: false });
    return (request, response) => void answer(request, response);
  };
  const server = new MilepostServer({ hub, access, summaries: fleet, host, port, http });
  let closed: Promise<void> | undefined;
  return {
    listen: async () => {
      const listening = await server.listen();
      await fleet.start();
      return listening;
    },
    close: () => {
      closing.abort();
      closed ??= closeAll({ server, lost, fleet, upgrades, hub });
      return closed;
    },
  };
}

interface Parts {
  readonly server: MilepostServer;
  readonly lost: LostWatch;
  readonly fleet: Fleet;
  readonly upgrades: StorageUpgrades;
  readonly hub: Hub;
}

/** From the outside in: first nothing more is taken, then what was taken is stored. */
async function closeAll({ server, lost, fleet, upgrades, hub }: Parts): Promise<void> {
  await server.close();
  await lost.close();
  fleet.close();
  await upgrades.close();
  await hub.close();
}

interface Ground {
  readonly host: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who may come in. @throws INVALID_ARGUMENT. */
function doorOf({ storage, auth, ...options }: StorageServerOptions, { host, clock, logger }: Ground) {
  const tickets = createTickets({ clock });
  const folder = auth !== undefined && storage.kind === "jsonl" ? storage.location : undefined;
  const shareLinks = createShareLinks({ ...auth?.shareLinks, folder, clock });
  const authenticator =
    auth === undefined ? openAuthenticator : createAuthenticator({ ...auth.authenticator, shareLinks, clock, logger });
  checkBind({ host, authenticator, allowUnauthenticated: options.allowUnauthenticated ?? false });
  const trustedProxies = auth?.trustedProxies ?? [];
  const guard = createRequestGuard({
    authenticator,
    tickets,
    boundTo: host,
    allowedHosts: [...(auth?.allowedHosts ?? []), ...(options.allowedHosts ?? [])],
    allowedOrigins: [...(auth?.allowedOrigins ?? []), ...(options.allowedOrigins ?? [])],
    trustedProxies,
    allowTokenInUrl: auth?.allowTokenInUrl ?? false,
    clock,
  });
  return { authenticator, guard, tickets, shareLinks, trustedProxies: addressList(trustedProxies, "trustedProxies") };
}

interface StreamParts {
  readonly hub: Hub;
  readonly streams: SseStreams;
  readonly ref: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Server-sent events of a log; `Last-Event-ID`, which browsers send when they come back, goes before `after`. */
async function stream(c: ApiContext, { hub, streams, ref, headers }: StreamParts): Promise<Response> {
  const level = LEVELS.find((known) => known === (c.req.query("level") ?? "logs"));
  if (level === undefined) throw new MilepostError("INVALID_ARGUMENT", `level must be one of ${LEVELS.join(", ")}`);
  const after = c.req.header("last-event-id") ?? c.req.query("after");
  const log = await hub.open(ref);
  // What is written past Hono has none of the headers that it would set.
  void streams.serve({ log, response: c.env.outgoing, after, level, headers: { ...SECURITY_HEADERS, ...headers } });
  return RESPONSE_ALREADY_SENT;
}

/** @throws STORAGE_UNUSABLE when a file cannot be made where the upgrades are. */
async function checkReady(storage: Storage): Promise<void> {
  if (storage.kind !== "jsonl") return void (await storage.list());
  const probe = join(storage.location, `.ready-${process.pid}`);
  try {
    await mkdir(storage.location, { recursive: true });
    await writeFile(probe, "");
    await rm(probe, { force: true });
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new MilepostError("STORAGE_UNUSABLE", `the storage cannot be written (${code})`, { cause: error });
  }
}
