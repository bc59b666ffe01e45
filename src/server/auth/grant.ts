/**
 * Who may do what. A grant is what credentials turn into: a name and the permissions that go with it.
 *
 * A permission is an action on a channel, written `<action>:<channel>`. `admin` includes `report`, `report` includes `watch`.
 *
 * | permission on    | fleet          | a cluster     | an upgrade             |
 * |------------------|----------------|---------------|------------------------|
 * | `*`              | the action     | the action    | the action             |
 * | `fleet`          | the action     | watch         | nothing                |
 * | `cluster:<name>` | nothing        | that one only | those of that cluster  |
 * | `upgrade:<id>`   | nothing        | nothing       | that one only          |
 *
 * `fleet` is the list of all upgrades, and a cluster's list is a part of it: summaries, never the events of an upgrade.
 */

import { MilepostError, shown } from "../../errors.ts";
import { parseChannel } from "../../stream/protocol.ts";

/** What is done: see it; report into it; decide about it (share links, corrections). */
export const ACTIONS = ["watch", "report", "admin"] as const;
export type Action = (typeof ACTIONS)[number];

export interface Permission {
  readonly action: Action;
  /** `*`, `fleet`, `cluster:<name>` or `upgrade:<id>`. */
  readonly channel: string;
}

/** What a caller may do, and until when. */
export interface Grant {
  /** Who it is, for logs: `anonymous`, `token:<name>`, `share:<id>` or `jwt:<issuer>#<sub>`. Never a secret. */
  readonly subject: string;
  readonly permissions: readonly Permission[];
  /** Wall time in milliseconds since 1970; null when it does not expire. */
  readonly expiresAtMs: number | null;
}

/** What something is done to. `clusterName` is undefined where it is not known, as for an upgrade that does not exist. */
export type Target =
  | { readonly kind: "fleet" }
  | { readonly kind: "cluster"; readonly clusterName: string }
  | { readonly kind: "upgrade"; readonly upgradeId: string; readonly clusterName: string | undefined };

/** True if the grant covers this. Its expiry is not looked at: `Authenticator.isCurrent` does. */
export function may(grant: Grant, action: Action, target: Target): boolean {
  return grant.permissions.some((permission) => covers(permission, action, target));
}

function covers({ action: granted, channel }: Permission, action: Action, target: Target): boolean {
  if (ACTIONS.indexOf(granted) < ACTIONS.indexOf(action)) return false;
  if (channel === "*") return true;
  if (target.kind === "fleet") return channel === "fleet";
  if (target.kind === "cluster") {
    return channel === `cluster:${target.clusterName}` || (channel === "fleet" && action === "watch");
  }
  const isInCluster = target.clusterName !== undefined && channel === `cluster:${target.clusterName}`;
  return isInCluster || channel === `upgrade:${target.upgradeId}`;
}

/** Reads `watch:upgrade:<id>`, `report:*` and the like. @throws INVALID_ARGUMENT, INVALID_ID. */
export function parsePermission(text: string): Permission {
  const colon = text.indexOf(":");
  const action = ACTIONS.find((known) => known === text.slice(0, colon));
  const channel = text.slice(colon + 1);
  if (colon === -1 || action === undefined) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `a permission is written <action>:<channel>, as "watch:fleet" or "report:cluster:prod", with one of ${ACTIONS.join(", ")}, not ${shown(text)}`,
    );
  }
  if (channel !== "*") parseChannel(channel);
  return { action, channel };
}
