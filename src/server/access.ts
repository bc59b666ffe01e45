/** Who may connect to a server, and how much they may send: what it asks of every request before anything else. */

import type { IncomingMessage } from "node:http";

import { MilepostError, shown } from "../errors.ts";
import { SUBPROTOCOL } from "../stream/protocol.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import type { Grant } from "./auth/grant.ts";

export interface Admission {
  /** Undefined for a client that has not said yet who it is. */
  readonly grant: Grant | undefined;
  /** To be called when the connection has gone. */
  readonly leave: () => void;
  /** Who it is by a token that came in a message. @throws UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED. */
  readonly authenticate: (token: string) => Promise<Grant>;
}

export interface Access {
  readonly authenticator: Authenticator;
  /** @throws FORBIDDEN, UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED. */
  admit(request: IncomingMessage, clientCount: number): Promise<Admission>;
  /** True if this client may send another message now. */
  mayMessage(client: object): boolean;
  /** The subprotocol to answer with. */
  chooseProtocol(offered: ReadonlySet<string>): string | false;
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost", "[::1]"]);
const MAX_CLIENTS = 10_000;

const EVERYONE: Grant = {
  subject: "anonymous",
  permissions: [{ action: "admin", channel: "*" }],
  expiresAtMs: null,
};

const openToAll: Authenticator = {
  anonymous: EVERYONE,
  authenticate: () => Promise.resolve(EVERYONE),
  isCurrent: () => true,
};

/** The same for all: there is nothing to know of anybody. */
const ADMITTED: Admission = {
  grant: undefined,
  leave: () => undefined,
  authenticate: (token) => openToAll.authenticate(token),
};

/** A server on loopback: no credentials, but no other site's page and no other name either. */
export function loopbackAccess(allowedOrigins: readonly string[] = []): Access {
  return {
    authenticator: openToAll,
    admit: ({ headers: { host = "", origin } }, clientCount) => {
      if (clientCount >= MAX_CLIENTS)
        throw new MilepostError("RATE_LIMITED", `this server has its ${MAX_CLIENTS} clients; try again later`);
      if (!LOOPBACK.has(host.replace(/:\d+$/, "")))
        throw new MilepostError("FORBIDDEN", `this server is not ${shown(host)}; ask it by a name of this machine`);
      if (origin !== undefined && origin !== `http://${host}` && !allowedOrigins.includes(origin))
        throw new MilepostError("FORBIDDEN", `a page of ${shown(origin)} may not connect here; allow that origin`);
      return Promise.resolve(ADMITTED);
    },
    mayMessage: () => true,
    chooseProtocol: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  };
}
