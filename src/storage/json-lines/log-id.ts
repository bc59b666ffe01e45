import { randomBytes } from "node:crypto";

/** A random name for a new log, in the letters of a cursor. */
export function newLogId(): string {
  return BigInt(`0x${randomBytes(8).toString("hex")}`)
    .toString(36)
    .padStart(13, "0")
    .slice(-12);
}
