/** A server of every upgrade of a storage: puts upgrades, hub, fleet, access, WebSocket, event streams and the HTTP API together. */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { MilepostError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import { Fleet } from "../stream/fleet.ts";
import { Hub } from "../stream/hub.ts";
import { systemClock, type Clock } from "../tracker/clock.ts";
import { silentLogger, type Logger } from "../tracker/logger.ts";
import { createDoor, type DoorOptions } from "./door.ts";
import { httpOf } from "./http.ts";
import { LostWatch } from "./lost-watch.ts";
import { MilepostServer } from "./server.ts";
import { storageUpgrades, type StorageUpgrades } from "./storage-upgrades.ts";

export interface StorageServerOptions extends Omit<DoorOptions, "host" | "folder" | "clock" | "logger"> {
  readonly storage: Storage;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8765; 0 takes any free one. */
  readonly port?: number;
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
  const folder = storage.kind === "jsonl" ? storage.location : undefined;
  const { access, connections, credentials } = createDoor({ ...options, host, folder, clock, logger });
  const upgrades = storageUpgrades(storage, { clock, logger });
  const hub = new Hub({ upgrades, clock, logger });
  const fleet = new Fleet({ upgrades, hub, clock, logger });
  const lost = new LostWatch({ storage, hub, fleet, clock, logger, program: "milepost start" });
  const http = httpOf({
    hub,
    all: (filter) => Promise.resolve({ summaries: fleet.list(filter), unreadable: fleet.unreadable }),
    credentials,
    connections,
    checkReady: () => checkReady(storage),
    closing: closing.signal,
  });
  const server = new MilepostServer({ hub, access, summaries: fleet, host, port, http });
  let closed: Promise<void> | undefined;
  return {
    listen: async () => {
      // Made here and not later: a folder that has gone is trouble. One that cannot be made is, too, as /readyz says.
      if (folder !== undefined) await mkdir(folder, { recursive: true }).catch(() => undefined);
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

const PROBE_BYTES = 4096;

/** @throws STORAGE_UNUSABLE when a file cannot be made where the upgrades are. */
async function checkReady(storage: Storage): Promise<void> {
  if (storage.kind !== "jsonl") return void (await storage.list());
  const probe = join(storage.location, `.ready-${process.pid}`);
  try {
    // A file without content would fit on a full disk.
    await writeFile(probe, Buffer.alloc(PROBE_BYTES));
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new MilepostError("STORAGE_UNUSABLE", `the storage cannot be written (${code})`, { cause: error });
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}
