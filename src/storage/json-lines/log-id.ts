import { randomHex } from "../../node-modules.ts";

/** A random name for a new log, in the letters of a cursor. */
export function newLogId(): string {
  return BigInt(`0x${randomHex(8)}`)
    .toString(36)
    .padStart(13, "0")
    .slice(-12);
}
