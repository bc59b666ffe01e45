/** Names that nobody else makes: event ids and terms. */

import { randomHex } from "../node-modules.ts";

const POOL_IDS = 256;
const RANDOM_DIGITS = 20;
const VARIANT = "89ab";

/** A maker of UUIDs of version 7 (RFC 9562): 48 bits of wall time, then random bits, drawn from the system in larger pieces. */
export function uuidV7Maker(): (epochMs: number) => string {
  let digits = "";
  let at = 0;
  let lastMs = -1;
  let head = "";
  return (epochMs) => {
    if (at >= digits.length) {
      digits = randomHex((POOL_IDS * RANDOM_DIGITS) / 2);
      at = 0;
    }
    const ms = Math.max(0, epochMs);
    if (ms !== lastMs) {
      const time = ms.toString(16).padStart(12, "0");
      head = `${time.slice(0, 8)}-${time.slice(8)}-7`;
      lastMs = ms;
    }
    const from = at;
    at += RANDOM_DIGITS;
    const variant = VARIANT[digits.charCodeAt(from) & 3] as string;
    return `${head}${digits.slice(from + 1, from + 4)}-${variant}${digits.slice(from + 5, from + 8)}-${digits.slice(from + 8, at)}`;
  };
}

/** A random name of 10 characters for a term. */
export function newTerm(): string {
  return BigInt(`0x${randomHex(8)}`)
    .toString(36)
    .padStart(13, "0")
    .slice(-10);
}
