/** Who may come in: everything that a server asks of a request, put together from its settings. */

import { MilepostError, shown } from "../errors.ts";
import { addressList } from "../ip-addresses.ts";
import type { Clock } from "../tracker/clock.ts";
import type { Logger } from "../tracker/logger.ts";
import type { Access } from "./access.ts";
import type { AuthSettings } from "./auth/auth-config.ts";
import { createAuthenticator, openAuthenticator } from "./auth/authenticator.ts";
import { checkBind } from "./auth/bind.ts";
import { guardedAccess } from "./auth/guarded-access.ts";
import { createConnectionLimit } from "./auth/limits.ts";
import { createRequestGuard } from "./auth/request-guard.ts";
import { createShareLinks } from "./auth/share-links.ts";
import { createTickets } from "./auth/tickets.ts";

export interface DoorOptions {
  /** What the server listens on. */
  readonly host: string;
  /** Who may do what. Without it everybody may do everything, on this machine alone. */
  readonly auth?: AuthSettings | undefined;
  /** Names that requests may give this server, beside those of `auth`. */
  readonly allowedHosts?: readonly string[];
  /** Origins of pages that may use this server, beside its own and those of `auth`. */
  readonly allowedOrigins?: readonly string[];
  /** The operator's word that others may report here without saying who they are. */
  readonly allowUnauthenticated?: boolean;
  /** Where the key and the revocations of share links are kept; in memory when absent. */
  readonly folder?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** @throws INVALID_ARGUMENT: also for a host that others reach, without `auth`. */
export function createDoor({ host, auth, folder, clock, logger, ...options }: DoorOptions) {
  const tickets = createTickets({ clock });
  const shareLinks = createShareLinks({ ...auth?.shareLinks, folder: auth === undefined ? undefined : folder, clock });
  const authenticator =
    auth === undefined ? openAuthenticator : createAuthenticator({ ...auth.authenticator, shareLinks, clock, logger });
  const { allowUnauthenticated = false } = options;
  checkBind({ host, authenticator, allowUnauthenticated });
  if (auth === undefined && !allowUnauthenticated) refuseOtherNames(options.allowedHosts ?? []);
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
  const connections = createConnectionLimit();
  const access: Access = guardedAccess({ authenticator, guard, connections, clock });
  return {
    access,
    connections,
    credentials: {
      authenticator,
      guard,
      tickets,
      shareLinks,
      trustedProxies: addressList(trustedProxies, "trustedProxies"),
    },
  };
}

/** Whoever asks for this server by a name of the network comes through a proxy, and everybody would. @throws INVALID_ARGUMENT. */
function refuseOtherNames([name]: readonly string[]): void {
  if (name === undefined) return;
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `the name ${shown(name)} would let others in who need not say who they are; give an auth file (--auth-file), or --allow-unauthenticated if that is meant`,
  );
}
