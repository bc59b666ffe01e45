/** Who calls: what the guard has found out about a request, kept until a route asks for it. */

import type { TLSSocket } from "node:tls";

import type { MiddlewareHandler } from "hono";

import { isMilepostError, MilepostError } from "../../errors.ts";
import type { AddressList } from "../../ip-addresses.ts";
import type { Authenticator } from "../auth/authenticator.ts";
import { clientAddress, isSecureRequest, type Hop } from "../auth/client-address.ts";
import type { Grant } from "../auth/grant.ts";
import { ownOrigin } from "../auth/origin.ts";
import type { RequestGuard } from "../auth/request-guard.ts";
import type { ApiContext, ApiEnv } from "./route.ts";

export interface CallerOptions {
  readonly guard: RequestGuard;
  readonly authenticator: Authenticator;
  /** The same as the guard's. */
  readonly trustedProxies: AddressList;
}

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Refuses foreign hosts and foreign pages. What is wrong with the credentials is said only where they are needed. */
export function callerCheck({ guard, trustedProxies }: CallerOptions): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    try {
      c.set("caller", await guard.check(c.env.incoming));
    } catch (error) {
      if (!isMilepostError(error, "UNAUTHENTICATED", "TOKEN_EXPIRED", "RATE_LIMITED")) throw error;
      c.set("refusal", error);
    }
    await next();
    for (const [name, value] of Object.entries(originHeaders(c, trustedProxies))) {
      if (name === "Vary") c.res.headers.append(name, value);
      else c.res.headers.set(name, value);
    }
  };
}

/** Tells a page of another origin, which was checked, that it may read the answer. */
export function originHeaders(c: ApiContext, trustedProxies: AddressList): Readonly<Record<string, string>> {
  const { host, origin } = c.env.incoming.headers;
  const vary = { Vary: "Origin" };
  if (origin === undefined || origin === ownOrigin(host, isSecure(c, trustedProxies))) return vary;
  return {
    ...vary,
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Expose-Headers": "Content-Disposition, ETag, Link, Location, Milepost-Next-Cursor, Retry-After",
    ...(c.req.method === "OPTIONS" && PREFLIGHT),
  };
}

const PREFLIGHT = {
  "Access-Control-Allow-Methods": "GET, HEAD, POST, DELETE",
  "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-None-Match",
  "Access-Control-Max-Age": "600",
} as const;

/**
 * What the caller may do; undefined for one without credentials where those may do nothing.
 *
 * @throws UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED; FORBIDDEN for a cookie alone that would change something: it comes along
 *   by itself, also when another site's page sends the request. With an Origin, which was checked, it may.
 */
export function grantOf(c: ApiContext, authenticator: Authenticator): Grant | undefined {
  const refusal = c.get("refusal");
  if (refusal !== undefined) throw refusal;
  const caller = c.get("caller");
  if (caller?.credentials === "cookie" && !SAFE_METHODS.has(c.req.method) && c.req.header("origin") === undefined) {
    throw new MilepostError(
      "FORBIDDEN",
      "with a cookie alone nothing can be changed: send the Origin header as browsers do, or the token in the Authorization header",
    );
  }
  return caller?.grant ?? authenticator.anonymous;
}

/** Checks a token that came in a body. @throws UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED. */
export function authenticateToken(
  c: ApiContext,
  { guard, trustedProxies }: CallerOptions,
  token: string,
): Promise<Grant> {
  return guard.authenticate(clientAddress(hopOf(c), trustedProxies), token);
}

/** Whether the browser speaks https. */
export function isSecure(c: ApiContext, trustedProxies: AddressList): boolean {
  return isSecureRequest(hopOf(c), trustedProxies);
}

function hopOf(c: ApiContext): Hop {
  const { socket, headers } = c.env.incoming;
  return {
    remoteAddress: socket.remoteAddress,
    headers,
    isEncrypted: (socket as Partial<TLSSocket>).encrypted === true,
  };
}
