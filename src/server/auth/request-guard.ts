/**
 * What is asked of every request before anything else, in this order: does it name this server, does its page belong here, and
 * who is it? The first that is not so ends it.
 */

import type { IncomingMessage } from "node:http";

import { addressList } from "../../ip-addresses.ts";
import type { Clock } from "../../tracker/clock.ts";
import type { Authenticator } from "./authenticator.ts";
import { clientAddress, isSecureRequest, type Hop } from "./client-address.ts";
import { credentialsOf, type Credentials } from "./credentials.ts";
import type { Grant } from "./grant.ts";
import { createFailureLimit } from "./limits.ts";
import { checkHost, checkOrigin, ownOrigin } from "./origin.ts";
import type { Tickets } from "./tickets.ts";

export interface RequestGuardOptions {
  readonly authenticator: Authenticator;
  readonly tickets: Tickets;
  /** What the server listens on. */
  readonly boundTo: string;
  readonly allowedHosts?: readonly string[];
  readonly allowedOrigins?: readonly string[];
  /** Addresses and subnets of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. */
  readonly trustedProxies?: readonly string[];
  readonly allowTokenInUrl?: boolean;
  readonly clock?: Clock;
}

/** Who a request comes from. */
export interface Caller {
  /** For limits and logs; behind listed proxies the one in front of them. */
  readonly address: string;
  /** Whether the browser speaks https. */
  readonly isSecure: boolean;
  /** Where the credentials stood; `cookie` means that the browser sent them by itself. */
  readonly credentials: Credentials["kind"];
  /** Undefined without credentials: what those may do is the authenticator's `anonymous`. */
  readonly grant: Grant | undefined;
}

export interface RequestGuard {
  /** @throws FORBIDDEN, UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED. */
  check(request: IncomingMessage): Promise<Caller>;
  /** A token that came otherwise (in a message), counted against the same address. @throws as {@link Authenticator.authenticate}, and RATE_LIMITED. */
  authenticate(address: string, token: string): Promise<Grant>;
}

/** @throws INVALID_ARGUMENT. */
export function createRequestGuard(options: RequestGuardOptions): RequestGuard {
  const { authenticator, tickets, boundTo, allowedHosts = [], allowedOrigins = [], allowTokenInUrl = false } = options;
  const { trustedProxies = [], clock } = options;
  const proxies = addressList(trustedProxies, "trustedProxies");
  const failures = createFailureLimit(clock === undefined ? {} : { clock });

  const grantOf = async (credentials: Credentials): Promise<Grant | undefined> => {
    if (credentials.kind === "none") return undefined;
    if (credentials.kind === "ticket") return tickets.redeem(credentials.ticket);
    return authenticator.authenticate(credentials.token);
  };

  return {
    check: async (request) => {
      const { headers, url = "/", socket } = request;
      const isEncrypted = "encrypted" in socket && socket.encrypted === true;
      const hop: Hop = { remoteAddress: socket.remoteAddress, headers, isEncrypted };
      const address = clientAddress(hop, proxies);
      const isSecure = isSecureRequest(hop, proxies);
      checkHost(headers.host, { boundTo, allowedHosts });
      checkOrigin(headers.origin, ownOrigin(headers.host, isSecure), { allowedOrigins });
      let cookie: string | undefined;
      const identify = async (): Promise<Caller> => {
        const credentials = credentialsOf({ headers, url, isSecure, allowTokenInUrl });
        if (credentials.kind === "cookie") cookie = credentials.token;
        return { address, isSecure, credentials: credentials.kind, grant: await grantOf(credentials) };
      };
      return failures.guard(address, identify, () => cookie);
    },
    authenticate: (address, token) => failures.guard(address, () => authenticator.authenticate(token)),
  };
}
