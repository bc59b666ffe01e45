/** What the routes work with, and how a route comes to an upgrade: by its address, if the caller may. */

import { isMilepostError, MilepostError } from "../../errors.ts";
import { checkId } from "../../model/check.ts";
import type { Hub } from "../../stream/hub.ts";
import type { LiveLog } from "../../stream/live-log.ts";
import type { Upgrades } from "../../stream/upgrades.ts";
import type { Clock } from "../../tracker/clock.ts";
import type { Logger } from "../../tracker/logger.ts";
import { may, type Action, type Grant } from "../auth/grant.ts";
import { authorise, noSuchUpgrade } from "../auth/refusal.ts";
import type { ApiContext } from "./route.ts";

export interface Service {
  readonly upgrades: Upgrades;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted when the server stops: what waits then answers at once. */
  readonly closing: AbortSignal;
  /** See `grantOf`. */
  identify(c: ApiContext): Grant | undefined;
}

/** The id in the address. @throws INVALID_ID. */
export function idOf(c: ApiContext, name = "id"): string {
  return checkId(c.req.param(name), "the id in the address");
}

/**
 * Does something with an upgrade that the caller may do `action` to.
 *
 * @throws INVALID_ID, UNAUTHENTICATED, FORBIDDEN, UNKNOWN_UPGRADE (also for one that the caller may not see), CORRUPT.
 */
export async function withUpgrade<T>(
  service: Service,
  c: ApiContext,
  { action, ref = idOf(c) }: { readonly action: Action; readonly ref?: string },
  use: (log: LiveLog, grant: Grant) => T | Promise<T>,
): Promise<T> {
  const grant = service.identify(c);
  // Without a look into the storage for whoever may see none of what this could name: no upgrade and a foreign one take the same time.
  if (!mayNeedLook(grant, ref)) authorise(grant, action, { kind: "upgrade", upgradeId: ref, clusterName: undefined });
  const log = await openLog(service, ref).catch((error: unknown) => {
    // First what would be said if it were there.
    authorise(grant, action, { kind: "upgrade", upgradeId: ref, clusterName: undefined });
    throw error;
  });
  try {
    const { upgradeId, clusterName } = log.state;
    authorise(grant, action, { kind: "upgrade", upgradeId, clusterName });
    if (log.trouble !== undefined) throw log.trouble;
    return await use(log, grant as Grant);
  } catch (error) {
    // In the words of the address, as for one that is not there.
    throw isMilepostError(error, "UNKNOWN_UPGRADE") ? noSuchUpgrade(ref) : error;
  } finally {
    log.release();
  }
}

/** `<id>@<n>`: a finished run of `<id>`, unless an upgrade has just this name. */
export const RUN = /^(.+)@[1-9]\d{0,14}$/s;

function mayNeedLook(grant: Grant | undefined, ref: string): boolean {
  if (grant === undefined) return false;
  if (grant.permissions.some(({ channel }) => channel.startsWith("cluster:"))) return true;
  return [ref, RUN.exec(ref)?.[1] ?? ref].some((upgradeId) =>
    may(grant, "watch", { kind: "upgrade", upgradeId, clusterName: undefined }),
  );
}

async function openLog({ hub }: Service, ref: string): Promise<LiveLog> {
  try {
    return await hub.open(ref);
  } catch (error) {
    throw isMilepostError(error, "UNKNOWN_UPGRADE") ? noSuchUpgrade(ref) : error;
  }
}

/** Whoever may see nothing is not told what there is. @throws UNAUTHENTICATED, FORBIDDEN. */
export function requireSome(grant: Grant | undefined): Grant {
  if (grant === undefined) authorise(grant, "watch", { kind: "fleet" });
  if (grant === undefined || grant.permissions.length === 0)
    throw new MilepostError("FORBIDDEN", "these credentials allow nothing here; ask whoever runs this server");
  return grant;
}
