/** `milepost upgrade delete`: an upgrade with its finished runs, for good, from a storage or on a server. */

import { setTimeout as sleep } from "node:timers/promises";

import { isMilepostError, MilepostError, shown } from "../errors.ts";
import { checkUpgradeId } from "../model/check.ts";
import type { Storage } from "../storage/storage.ts";
import type { CommonOptions } from "./context.ts";
import { storageOf } from "./storage.ts";

export interface DeleteOptions extends CommonOptions {
  readonly yes?: boolean;
  /** How long to wait while a process holds the upgrade. */
  readonly timeout: number;
  readonly server?: string;
  readonly token?: string;
}

const RETRY_MS = 100;

/** @throws INVALID_ARGUMENT without `yes`; INVALID_ID for a finished run; UNKNOWN_UPGRADE; LOCKED; what a server says. */
export async function deleteUpgrade(upgradeId: string, options: DeleteOptions): Promise<void> {
  // A finished run goes with its upgrade, and not alone.
  checkUpgradeId(upgradeId, "id");
  if (options.yes !== true) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `this deletes ${shown(upgradeId)} with its finished runs, for good; pass --yes if that is meant`,
    );
  }
  const { server, token, timeout } = options;
  if (server === undefined) return deleteStored(storageOf(options), upgradeId, timeout);
  const { askServer } = await import("./server-requests.ts");
  const path = `api/v1/upgrades/${encodeURIComponent(upgradeId)}`;
  const headers = { Accept: "application/json, application/problem+json" };
  await askServer({ server, token }, { method: "DELETE", path, headers, timeoutMs: timeout });
}

async function deleteStored(storage: Storage, upgradeId: string, timeoutMs: number): Promise<void> {
  const logs = await storage.list();
  if (!logs.some(({ ref }) => ref === upgradeId)) {
    throw new MilepostError("UNKNOWN_UPGRADE", `${storage.location} holds no upgrade ${shown(upgradeId)}`);
  }
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await storage.delete(upgradeId);
    } catch (error) {
      // A server keeps an upgrade open for a second after a report, and a verb while it reports.
      if (!isMilepostError(error, "LOCKED") || performance.now() > until) throw error;
    }
    await sleep(RETRY_MS);
  }
}
