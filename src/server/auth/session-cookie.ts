/**
 * The cookie that a page gets for a token: it holds the token itself, so it ends when the token does, and scripts cannot read
 * it. The exchange is the HTTP route's; this is the cookie's text.
 */

import { MilepostError } from "../../errors.ts";
import type { Grant } from "./grant.ts";

/** What browsers take of one cookie, less its name and attributes. In characters. */
const MAX_VALUE = 3_800;

/** `__Host-`: a browser takes it over https only, and from this host alone. */
export function sessionCookieName(isSecure: boolean): string {
  return isSecure ? "__Host-milepost" : "milepost";
}

export interface SessionCookie {
  readonly token: string;
  /** What the token turned out to be. */
  readonly grant: Grant;
  /** Whether the browser speaks https, also when a proxy ends it. */
  readonly isSecure: boolean;
  /** Wall time in milliseconds since 1970. */
  readonly nowMs: number;
}

/** The value of `Set-Cookie`. Without an expiry of the token, the cookie lives as long as the browser's session. @throws TOO_LARGE. */
export function sessionCookie({ token, grant, isSecure, nowMs }: SessionCookie): string {
  if (token.length > MAX_VALUE || !/^[\w.~-]+$/.test(token)) {
    throw new MilepostError(
      "TOO_LARGE",
      `a token fits a cookie with at most ${MAX_VALUE} characters, letters, digits and -._~ alone; send it in the Authorization header instead`,
    );
  }
  const left = grant.expiresAtMs === null ? undefined : Math.max(0, Math.floor((grant.expiresAtMs - nowMs) / 1000));
  return cookie(token, isSecure, left);
}

/** The value of `Set-Cookie` that ends the session. */
export function endedSessionCookie(isSecure: boolean): string {
  return cookie("", isSecure, 0);
}

function cookie(value: string, isSecure: boolean, maxAgeSeconds: number | undefined): string {
  const parts = [`${sessionCookieName(isSecure)}=${value}`, "Path=/", "HttpOnly", "SameSite=Strict"];
  if (isSecure) parts.push("Secure");
  if (maxAgeSeconds !== undefined) parts.push(`Max-Age=${maxAgeSeconds}`);
  return parts.join("; ");
}
