/** Where the client connects, and with what: the address carries what is asked for, and never a token. */

import { MilepostError, shown } from "../../errors.ts";
import { SUBPROTOCOL, type Subscribe } from "../protocol.ts";

/** What is asked of a channel. */
export type Asked = Pick<Subscribe, "channel" | "after" | "level">;

/** The address of a server, http or ws; in a browser it may be relative to the page. @throws INVALID_ARGUMENT. */
export function serverAddress(address: string | URL): URL {
  const url = parse(address);
  const isSocket = url !== undefined && /^(ws|http)s?:$/.test(url.protocol);
  if (!isSocket || url.username !== "" || url.password !== "") {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `url must be an address as "ws://localhost:8765", without user and password, not ${isSocket ? "one that holds them" : shown(String(address))}`,
    );
  }
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  return url;
}

function parse(address: string | URL): URL | undefined {
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  try {
    return new URL(address, location?.href);
  } catch {
    return undefined;
  }
}

/** The address that subscribes as it connects. */
export function addressOf(server: URL, asked: Asked): string {
  const url = new URL(server);
  for (const [name, value] of Object.entries(asked)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

/** The characters of which a subprotocol may be made (RFC 9110, token). A JWT is. */
const SUBPROTOCOL_TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** Beyond this a header is refused by many servers and proxies. */
const MAX_HEADER_TOKEN = 4096;

/** The subprotocols to offer, and whether the token is among them; otherwise it is said in a message. */
export function protocolsOf(token: string | undefined): { readonly protocols: string[]; readonly hasToken: boolean } {
  const hasToken = token !== undefined && token.length <= MAX_HEADER_TOKEN && SUBPROTOCOL_TOKEN.test(token);
  return { protocols: hasToken ? [SUBPROTOCOL, `bearer.${token}`] : [SUBPROTOCOL], hasToken };
}
