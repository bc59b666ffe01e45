/**
 * What credentials a request carries: pure, over its headers and its URL.
 *
 * What was sent on purpose goes before what a browser sends by itself: the Authorization header, the subprotocol
 * `bearer.<token>`, `?ticket=`, then the session cookie. Something sent on purpose that is not well formed is refused, and does
 * not let what comes after it speak. A token goes into the subprotocol as it is: all that are taken here are made of letters,
 * digits and `-._~`, which a subprotocol may hold.
 */

import { unauthenticated } from "./refusal.ts";
import { sessionCookieName } from "./session-cookie.ts";

export type Credentials =
  | { readonly kind: "none" }
  /** Sent on purpose. */
  | { readonly kind: "token"; readonly token: string }
  /** A token that the browser sent by itself: a request that changes something needs an Origin of ours beside it. */
  | { readonly kind: "cookie"; readonly token: string }
  | { readonly kind: "ticket"; readonly ticket: string };

export interface CarriedBy {
  /** As Node gives them: names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Path and query, or all of it. */
  readonly url: string;
  /** Whether the browser speaks https, which decides the name of the cookie. */
  readonly isSecure: boolean;
  /** True takes `?token=` and `?access_token=`, too. Default false. */
  readonly allowTokenInUrl?: boolean;
}

const TOKEN_PARAMETERS = ["token", "access_token"] as const;
/** What a query may hold of credentials, whether they are taken there or not. */
export const SECRET_PARAMETERS: readonly string[] = [...TOKEN_PARAMETERS, "ticket"];
const BEARER = "bearer.";

/** @throws UNAUTHENTICATED for credentials that are not well formed, and for a token in the URL where that is not allowed. */
export function credentialsOf({ headers, url, isSecure, allowTokenInUrl = false }: CarriedBy): Credentials {
  const query = queryOf(url);
  const inUrl = TOKEN_PARAMETERS.flatMap((name) => query.getAll(name));
  // Refused also beside a good header: it is in a log by now, and whoever sent it should know.
  if (inUrl.length > 0 && !allowTokenInUrl) throw unauthenticated("in-url");
  const onPurpose = [
    ...inHeader(headers["authorization"]),
    ...inSubprotocol(headers["sec-websocket-protocol"]),
    ...inUrl,
  ];
  const tickets = query.getAll("ticket");
  if (onPurpose.length + tickets.length > 1) throw unauthenticated("several");
  const [token] = onPurpose;
  if (token !== undefined) return { kind: "token", token: notEmpty(token) };
  const [ticket] = tickets;
  if (ticket !== undefined) return { kind: "ticket", ticket: notEmpty(ticket) };
  return inCookie(headers["cookie"], sessionCookieName(isSecure));
}

/** The URL as it may stand in a log: values that are or may be secrets are left out. */
export function withoutSecrets(url: string): string {
  const start = url.indexOf("?");
  if (start === -1) return url.replace(/#.*$/s, "");
  const query = url.slice(start + 1).replace(/#.*$/s, "");
  const parts = query.split("&").map((part) => {
    const [name = ""] = part.split("=", 1);
    return isSecretName(name) ? `${name}=(secret)` : part;
  });
  return `${url.slice(0, start)}?${parts.join("&")}`;
}

/** Read as a query is: `%74icket` is `ticket`. */
function isSecretName(name: string): boolean {
  const [read = ""] = new URLSearchParams(name).keys();
  return SECRET_PARAMETERS.includes(read.toLowerCase());
}

/** Other schemes are other people's: a proxy in front may ask for a password of its own. */
function inHeader(value: string | readonly string[] | undefined): readonly string[] {
  if (typeof value !== "string" || !/^bearer\b/i.test(value)) return [];
  const [, token] = /^bearer +([\w.~+/-]+=*) *$/i.exec(value) ?? [];
  if (token === undefined) throw unauthenticated("malformed");
  return [token];
}

function inSubprotocol(value: string | readonly string[] | undefined): readonly string[] {
  const offered = [value ?? []].flat().join(",").split(",");
  return offered
    .map((name) => name.trim())
    .filter((name) => name.startsWith(BEARER))
    .map((name) => name.slice(BEARER.length));
}

function inCookie(value: string | readonly string[] | undefined, name: string): Credentials {
  const pairs = [value ?? []].flat().join(";").split(";");
  const tokens = pairs
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [token, ...others] = tokens;
  if (token === undefined || token === "") return { kind: "none" };
  // Of two, one was planted: by a page of a neighbouring host, for instance.
  if (others.length > 0) throw unauthenticated("several");
  return { kind: "cookie", token };
}

function notEmpty(value: string): string {
  if (value === "") throw unauthenticated("malformed");
  return value;
}

function queryOf(url: string): URLSearchParams {
  const start = url.indexOf("?");
  return new URLSearchParams(start === -1 ? "" : url.slice(start + 1).replace(/#.*$/s, ""));
}
