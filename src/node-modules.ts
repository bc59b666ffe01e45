/**
 * Modules of Node that the core needs, without the price of an import statement: that runs every getter of such a module to
 * make its namespace, some milliseconds each, which every program that imports Milepost would pay at its start.
 */

import type * as NodeFs from "node:fs";

/** `node:fs`. */
export const nodeFs: typeof NodeFs = process.getBuiltinModule("node:fs");

/** `node:zlib`'s CRC-32. */
export const crc32: (data: Uint8Array, value?: number) => number = process.getBuiltinModule("node:zlib").crc32;

/** Random bytes as hexadecimal digits, two for each. */
export function randomHex(bytes: number): string {
  return process.getBuiltinModule("node:crypto").randomBytes(bytes).toString("hex");
}

/** The SHA-256 of text or bytes, as hexadecimal digits. */
export function sha256Hex(data: string | Uint8Array): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(data).digest("hex");
}
