/**
 * Looks through JSON text without parsing it: how deep it is, how many names it holds, and whether an object has one twice, of
 * which the parser would drop the first in silence, and readers differ on which counts. One pass over the bytes that keeps no more than the names of the objects
 * that are open, so that text made to be costly is refused before it costs anything. Whether it is JSON at all, the parser says.
 */

import { MilepostError } from "./errors.ts";

/** None by default. */
export interface JsonLimits {
  readonly maxDepth?: number;
  /** Names in all of it. */
  readonly maxNames?: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];

/** The first name that stands twice in an object; undefined when there is none. @throws INVALID_PAYLOAD naming the limit that is passed. */
export function scanJson(
  bytes: Buffer,
  { maxDepth = Infinity, maxNames = Infinity }: JsonLimits = {},
): string | undefined {
  /** Of each object and list that is open: the names so far. */
  const open: (Set<string> | undefined)[] = [];
  let names = 0;
  let [textStart, textEnd] = [0, 0];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      textStart = at + 1;
      at = textEnd = endOfText(bytes, at);
    } else if (byte === COLON) {
      names += 1;
      if (names > maxNames) throw refusal(`holds more than ${maxNames} names`, "send it as several requests");
      const name = nameOf(bytes, textStart, textEnd);
      if (open.length > 0 && !isAdded((open[open.length - 1] ??= new Set()), name)) return name;
    } else if (OPENING.includes(byte)) {
      open.push(undefined);
      if (open.length > maxDepth) throw refusal(`is nested deeper than ${maxDepth}`, "flatten it");
    } else if (CLOSING.includes(byte)) open.pop();
  }
  return undefined;
}

/** The place of the closing quote; the end when there is none. */
function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** What stands before a colon, as the parser reads it: `\u0061` is `a`. */
function nameOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString("utf8", start, end);
  if (!text.includes("\\")) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}

const isAdded = (names: Set<string>, name: string): boolean => names.size < names.add(name).size;

const refusal = (what: string, remedy: string) => new MilepostError("INVALID_PAYLOAD", `the body ${what}; ${remedy}`);
