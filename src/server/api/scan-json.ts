/**
 * Looks through JSON text before it is parsed: how deep it is, and how many names it holds. One pass over the bytes, no
 * memory, so that text made to be costly is refused before it costs anything. Whether it is JSON at all, the parser says.
 */

import { MilepostError } from "../../errors.ts";

export interface JsonLimits {
  readonly maxDepth: number;
  /** Names in all of it. */
  readonly maxNames: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];

/** @throws INVALID_PAYLOAD naming the limit that is passed. */
export function scanJson(bytes: Uint8Array, { maxDepth, maxNames }: JsonLimits): void {
  let depth = 0;
  let names = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) at = endOfText(bytes, at);
    else if (byte === COLON) names += 1;
    else if (OPENING.includes(byte)) depth += 1;
    else if (CLOSING.includes(byte)) depth -= 1;
    if (depth > maxDepth) throw refusal(`is nested deeper than ${maxDepth}`, "flatten it");
    if (names > maxNames) throw refusal(`holds more than ${maxNames} names`, "send it as several requests");
  }
}

/** The place of the closing quote; the end when there is none. */
function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

const refusal = (what: string, remedy: string) => new MilepostError("INVALID_PAYLOAD", `the body ${what}; ${remedy}`);
