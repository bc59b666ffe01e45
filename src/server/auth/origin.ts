/**
 * Which hosts and origins a request may name: pure. The host keeps out pages whose name was made to lead here (DNS rebinding);
 * the origin keeps out pages of other sites that connect with the visitor's cookie.
 */

import { isIP } from "node:net";

import { MilepostError, shown } from "../../errors.ts";
import { isLoopback } from "../../ip-addresses.ts";

export interface HostRules {
  /** What the server is bound to: an address or a name. */
  readonly boundTo: string;
  /** Names that requests may give, as `milepost.example.com` (at any port) or `milepost.example.com:8443` (at that one). */
  readonly allowedHosts: readonly string[];
}

export interface OriginRules {
  /** As `https://ops.example.com`: scheme, name and port, exactly as a browser sends it. */
  readonly allowedOrigins: readonly string[];
}

/** `name`, `name:port`, `1.2.3.4:port` or `[::1]:port`: nothing before, nothing behind. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?$/i;

/**
 * The Host header must name this server: a loopback name, what it is bound to, any address when it is bound to more than
 * loopback (an address needs no DNS, so nobody can rebind it), or a name that is listed.
 *
 * @throws FORBIDDEN.
 */
export function checkHost(host: string | undefined, { boundTo, allowedHosts }: HostRules): void {
  const [whole, name = ""] = HOST.exec(host?.toLowerCase() ?? "") ?? [];
  if (whole !== undefined) {
    if (isLoopbackHost(name)) return;
    if (name === boundTo.toLowerCase()) return;
    if (!isLoopbackHost(boundTo) && isIP(bare(name)) !== 0) return;
    if (allowedHosts.some((allowed) => [name, whole].includes(allowed.toLowerCase()))) return;
  }
  throw new MilepostError(
    "FORBIDDEN",
    `this server is not known as ${shown(host)}; list that name in allowedHosts if it is meant`,
  );
}

/**
 * The origin of a browser's request must be the server's own, or listed. No Origin is no browser, and passes; "null" is a
 * browser that will not say (a file, a sandboxed frame), and does not.
 *
 * @param own - the server's own origin as the browser sees it, by {@link ownOrigin}.
 * @throws FORBIDDEN.
 */
export function checkOrigin(
  origin: string | undefined,
  own: string | undefined,
  { allowedOrigins }: OriginRules,
): void {
  if (origin === undefined) return;
  // Compared as they are: a browser has one spelling for an origin.
  if (origin !== "null" && (origin === own || allowedOrigins.includes(origin))) return;
  throw new MilepostError(
    "FORBIDDEN",
    `pages of ${shown(origin)} may not use this server; list that origin in allowedOrigins if it is meant`,
  );
}

/** The origin of this server for a Host header that has been checked: `https://milepost.example.com`, without the scheme's own port. */
export function ownOrigin(host: string | undefined, isSecure: boolean): string | undefined {
  if (host === undefined || !HOST.test(host)) return undefined;
  const text = `${isSecure ? "https" : "http"}://${host}`;
  return URL.canParse(text) ? new URL(text).origin : undefined;
}

/** True for `localhost` and addresses that only this machine reaches. */
export function isLoopbackHost(host: string): boolean {
  return host.toLowerCase() === "localhost" || isLoopback(bare(host));
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
