/** How a server says no: in words that are the same whatever the reason, so that nobody learns from a refusal. */

import { MilepostError, shown } from "../../errors.ts";
import { may, type Action, type Grant, type Target } from "./grant.ts";

/** Why credentials were refused: `context.reason` of the error, for a log, never for the caller. */
export type RefusalReason =
  | "algorithm"
  | "audience"
  | "header"
  | "issuer"
  | "lifetime"
  | "malformed"
  | "missing"
  | "not-yet-valid"
  | "revoked"
  | "several"
  | "signature"
  | "subject"
  | "too-long"
  | "unknown"
  | "used-or-expired-ticket"
  | "in-url";

/** No credentials, or such as are not valid here. */
export function unauthenticated(reason: RefusalReason): MilepostError {
  const message =
    reason === "missing"
      ? "credentials are needed here: send a token, as in `Authorization: Bearer <token>`"
      : reason === "in-url"
        ? "a token in a URL is not taken, because URLs are kept in logs: send it in the Authorization header, or get a ticket with it"
        : "these credentials are not valid here; get new ones from whoever runs this server";
  return new MilepostError("UNAUTHENTICATED", message, { context: { reason } });
}

/** Credentials that were valid once. */
export function tokenExpired(): MilepostError {
  return new MilepostError("TOKEN_EXPIRED", "these credentials have expired; come back with new ones", {
    context: { reason: "expired" },
  });
}

/** The one answer for an upgrade that there is not and for one that the caller may not see. */
export function noSuchUpgrade(upgradeId: string): MilepostError {
  return new MilepostError("UNKNOWN_UPGRADE", `there is no upgrade ${shown(upgradeId)} here; check its id`);
}

/**
 * Whether this may be done. One who may see a thing is told that they may not change it; for one who may not see it, an
 * upgrade is not there. Without credentials the answer is to send some, whether the upgrade exists or not.
 *
 * @param grant - undefined for a caller without credentials where those may do nothing.
 * @throws UNAUTHENTICATED, FORBIDDEN, UNKNOWN_UPGRADE.
 */
export function authorise(grant: Grant | undefined, action: Action, target: Target): void {
  if (grant !== undefined && may(grant, action, target)) return;
  if (grant === undefined || grant.subject === "anonymous") throw unauthenticated("missing");
  if (target.kind === "upgrade" && !may(grant, "watch", target)) throw noSuchUpgrade(target.upgradeId);
  throw new MilepostError(
    "FORBIDDEN",
    `these credentials do not give the right to ${action} ${channelOf(target)}; ask whoever runs this server`,
  );
}

/** What {@link authoriseUpgrade} asks. */
export interface UpgradeAccess {
  readonly action: Action;
  readonly upgradeId: string;
  /** The cluster of the upgrade; undefined when there is no such upgrade. Not called where it cannot matter. */
  readonly clusterNameOf: () => Promise<string | undefined>;
}

/**
 * {@link authorise} for an upgrade whose cluster has yet to be found. Storage is asked only for a caller whose permissions
 * name a cluster and do not suffice otherwise: for all others a refusal takes the same time, upgrade or no upgrade.
 *
 * @throws UNAUTHENTICATED, FORBIDDEN, UNKNOWN_UPGRADE.
 */
export async function authoriseUpgrade(grant: Grant | undefined, access: UpgradeAccess): Promise<void> {
  const { action, upgradeId, clusterNameOf } = access;
  const target = { kind: "upgrade", upgradeId, clusterName: undefined } as const;
  const isByCluster = grant?.permissions.some(({ channel }) => channel.startsWith("cluster:")) ?? false;
  const isDecided = !isByCluster || (grant !== undefined && may(grant, action, target));
  authorise(grant, action, isDecided ? target : { ...target, clusterName: await clusterNameOf() });
}

function channelOf(target: Target): string {
  if (target.kind === "fleet") return "fleet";
  return target.kind === "cluster" ? shown(`cluster:${target.clusterName}`) : shown(`upgrade:${target.upgradeId}`);
}
