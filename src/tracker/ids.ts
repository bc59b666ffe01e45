/** Names that nobody else makes: event ids and terms. */

import { randomBytes } from "node:crypto";

const HEX = Array.from({ length: 256 }, (_unused, byte) => byte.toString(16).padStart(2, "0"));
const POOL_IDS = 256;
const RANDOM_BYTES = 10;

/** A maker of UUIDs of version 7 (RFC 9562): 48 bits of wall time, then random bits, drawn from the system in larger pieces. */
export function uuidV7Maker(now: () => number): () => string {
  let pool = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at + RANDOM_BYTES > pool.length) {
      pool = randomBytes(POOL_IDS * RANDOM_BYTES);
      at = 0;
    }
    const time = Math.max(0, now()).toString(16).padStart(12, "0");
    const byte = (index: number): string => HEX[pool[at + index] as number] as string;
    const version = HEX[0x70 | ((pool[at] as number) & 0x0f)] as string;
    const variant = HEX[0x80 | ((pool[at + 2] as number) & 0x3f)] as string;
    const id =
      `${time.slice(0, 8)}-${time.slice(8, 12)}-${version}${byte(1)}-${variant}${byte(3)}-` +
      byte(4) +
      byte(5) +
      byte(6) +
      byte(7) +
      byte(8) +
      byte(9);
    at += RANDOM_BYTES;
    return id;
  };
}

/** A random name of 10 characters for a term. */
export function newTerm(): string {
  return BigInt(`0x${randomBytes(8).toString("hex")}`)
    .toString(36)
    .padStart(13, "0")
    .slice(-10);
}
