/** A server with upgrades for the pages to show: on port 0, over a folder of the test's own. */

import { onTestFinished } from "vitest";

import { ProgressTracker, type ProgressTrackerOptions } from "milepost";

import type { AuthSettings } from "../../src/server/auth/auth-config.ts";
import { createStorageServer, type StorageServerOptions } from "../../src/server/storage-server.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { tempFolder } from "../temp-folder.ts";

/** Settings of a server that knows one token, which may do everything. */
export function authOf(token: string): AuthSettings {
  return {
    authenticator: { tokens: [{ name: "operator", token, permissions: ["admin:*"] }] },
    shareLinks: {},
    allowedHosts: [],
    allowedOrigins: [],
    trustedProxies: [],
    allowTokenInUrl: false,
  };
}

export interface Served {
  /** As `http://127.0.0.1:8765`. */
  readonly url: string;
  readonly storagePath: string;
  /** Opens an upgrade for writing; it is closed when the test has ended. */
  track(upgradeId: string, options?: Partial<ProgressTrackerOptions>): ProgressTracker;
  /** Stops the server. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  startAgain(): Promise<void>;
}

/** A server that is closed when the present test has ended. */
export async function startServer(options: Partial<StorageServerOptions> = {}): Promise<Served> {
  const storagePath = tempFolder();
  const storage = jsonLines({ path: storagePath });
  const start = async (port: number) => {
    const server = createStorageServer({ storage, ...options, port });
    const place = await server.listen();
    return { server, port: place.port };
  };
  let running = await start(0);
  onTestFinished(() => running.server.close());
  const { port } = running;
  return {
    url: `http://127.0.0.1:${port}`,
    storagePath,
    track: (upgradeId, { clusterName = "prod-eu", planId = "1.31", ...rest } = {}) => {
      const where = rest.storage === undefined ? { storagePath } : {};
      const tracker = new ProgressTracker({ upgradeId, clusterName, planId, ...where, ...rest });
      onTestFinished(() => tracker.close());
      return tracker;
    },
    stop: () => running.server.close(),
    startAgain: async () => void (running = await start(port)),
  };
}
