/** IP addresses: one spelling for each, lists of them, and which of them the public internet has. */

import { BlockList, isIP } from "node:net";

import { MilepostError, shown } from "./errors.ts";

/** A set of addresses, made by {@link addressList}. */
export interface AddressList {
  has(address: string): boolean;
}

/** The one spelling of an address: lower case, shortened, without zone, IPv4 as such also inside IPv6. Undefined if it is none. */
export function plainAddress(text: string): string | undefined {
  const bare = text.replace(/%[\w.-]+$/, "");
  const family = isIP(bare);
  if (family === 4) return bare;
  if (family === 0) return undefined;
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return canonical;
  const bits = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return bits.flatMap((pair) => [pair >> 8, pair & 0xff]).join(".");
}

/**
 * The addresses of `entries`: single ones and subnets, as `10.0.0.0/8` or `::1`.
 *
 * @param field - what the list is called, for the error.
 * @throws INVALID_ARGUMENT.
 */
export function addressList(entries: readonly string[], field: string): AddressList {
  const list = new BlockList();
  for (const entry of entries) {
    try {
      add(list, entry);
    } catch (cause) {
      throw new MilepostError(
        "INVALID_ARGUMENT",
        `${field} must hold addresses or subnets, as "10.0.0.0/8" or "::1", not ${shown(entry)}`,
        { cause },
      );
    }
  }
  return { has: (address) => inList(list, address) };
}

function add(list: BlockList, entry: string): void {
  const [network = "", prefix, ...rest] = entry.split("/");
  const plain = plainAddress(network);
  if (plain === undefined || rest.length > 0) throw new TypeError("no address");
  if (prefix === undefined) list.addAddress(plain, family(plain));
  else if (/^\d{1,3}$/.test(prefix)) list.addSubnet(plain, Number(prefix), family(plain));
  else throw new TypeError("no prefix length");
}

function inList(list: BlockList, address: string): boolean {
  const plain = plainAddress(address);
  return plain !== undefined && list.check(plain, family(plain));
}

function family(plain: string): "ipv4" | "ipv6" {
  return plain.includes(":") ? "ipv6" : "ipv4";
}

const LOOPBACK = addressList(["127.0.0.0/8", "::1"], "loopback");

/** What of IPv4 is not public, and the parts of IPv6's global unicast space that lead elsewhere (RFC 6890 and its registries). */
const SPECIAL = addressList(
  [
    ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
    ...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
    ...["224.0.0.0/4", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"],
  ],
  "special",
);
const GLOBAL_UNICAST = addressList(["2000::/3"], "global unicast");

/** True for an address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.has(address);
}

/** True for an address of the public internet: not loopback, private, link-local (metadata services), special or multicast. */
export function isPublicAddress(address: string): boolean {
  const plain = plainAddress(address);
  if (plain === undefined || SPECIAL.has(plain)) return false;
  return family(plain) === "ipv4" || GLOBAL_UNICAST.has(plain);
}

/** What one caller can have many of counts as one: an IPv6 address by its /64 network. Text that is no address is kept. */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (plain === undefined || family(plain) === "ipv4") return plain ?? address;
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const whole = [...groups, ...Array<string>(Math.max(0, 8 - groups.length - after.length)).fill("0"), ...after];
  return `${whole.slice(0, 4).join(":")}::/64`;
}
