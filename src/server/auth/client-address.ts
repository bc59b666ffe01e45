/**
 * Who is at the other end of a request that may have come through proxies. What a proxy says is believed only of one that the
 * operator lists: anybody can write a header.
 */

import { plainAddress, type AddressList } from "../../ip-addresses.ts";

export interface Hop {
  /** Address of the other end of the connection. */
  readonly remoteAddress: string | undefined;
  /** As Node gives them: names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Whether the connection itself is TLS. */
  readonly isEncrypted: boolean;
}

/**
 * The nearest address that is not one of our proxies': the rightmost of `X-Forwarded-For` that is not listed. An entry that is
 * no address ends the search, for what stands to the left of it nobody vouches for.
 */
export function clientAddress({ remoteAddress, headers }: Hop, trustedProxies: AddressList): string {
  let nearest = plainAddress(remoteAddress ?? "") ?? "unknown";
  const hops = [headers["x-forwarded-for"] ?? []].flat().join(",").split(",").reverse();
  for (const hop of hops) {
    if (!trustedProxies.has(nearest)) return nearest;
    const address = plainAddress(withoutPort(hop.trim()));
    if (address === undefined) return nearest;
    nearest = address;
  }
  return nearest;
}

/** Whether the browser speaks https: to us, or to a listed proxy that says so (the last word of `X-Forwarded-Proto`). */
export function isSecureRequest({ remoteAddress, headers, isEncrypted }: Hop, trustedProxies: AddressList): boolean {
  if (!trustedProxies.has(remoteAddress ?? "")) return isEncrypted;
  const said = [headers["x-forwarded-proto"] ?? []].flat().join(",").split(",").at(-1)?.trim().toLowerCase();
  return said === undefined || said === "" ? isEncrypted : said === "https";
}

/** Some proxies write `1.2.3.4:567` or `[::1]:567`. */
function withoutPort(hop: string): string {
  const [, bracketed, plain] = /^\[([^\]]+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(hop) ?? [];
  return bracketed ?? plain ?? hop;
}
