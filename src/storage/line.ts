/**
 * The line: one event as it stands in every log and on every wire.
 *
 * Layout:   {"seq":7,"cursor":"<logId>.<term>.7", … ,"crc":"1a2b3c4d"}\n
 * Validity: the last 19 bytes are `,"crc":"`, eight hexadecimal digits, `"}` and a newline; the digits are the CRC-32 of all
 *           bytes before them; the line opens with its seq and its cursor, in that order.
 * Torn:     a line cut anywhere has no newline, or fails its checksum. It is never read as an event.
 */

import type { ProgressEvent } from "../model/event.ts";
import { crc32 } from "../node-modules.ts";

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const DOT = 0x2e;
const COMMA = 0x2c;
const SEAL_BYTES = 19;
const SEAL_OPEN = Buffer.from(',"crc":"', "latin1");
const SEQ_OPEN = Buffer.from('{"seq":', "latin1");
const CURSOR_OPEN = Buffer.from(',"cursor":"', "latin1");
const HEX = Buffer.from("0123456789abcdef", "latin1");
const SLAB_BYTES = 65_536;

/** The longest line there can be; what is longer is damage. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** Makes lines. Their bytes are never written to again, so they may be kept without a copy. */
export class LineEncoder {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #used = 0;

  /** The line of this JSON object text. */
  encode(json: string): Buffer {
    const worst = json.length * 3 + SEAL_BYTES;
    if (this.#slab.length - this.#used < worst) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, worst));
      this.#used = 0;
    }
    const slab = this.#slab;
    const start = this.#used;
    const brace = start + slab.write(json, start) - 1;
    const end = seal(slab, start, brace);
    this.#used = end;
    return slab.subarray(start, end);
  }
}

/** Writes the seal over the closing brace at `brace`; returns where the line ends. */
function seal(slab: Buffer, start: number, brace: number): number {
  const crc = crc32(slab.subarray(start, brace));
  slab.set(SEAL_OPEN, brace);
  let at = brace + SEAL_OPEN.length;
  for (let shift = 28; shift >= 0; shift -= 4) slab[at++] = HEX[(crc >>> shift) & 15] as number;
  slab[at++] = QUOTE;
  slab[at++] = 0x7d;
  slab[at++] = NEWLINE;
  return at;
}

/** True if the bytes from `start` to `end` (after the newline) are a line that passes its checksum. */
export function isSealed(bytes: Buffer, start: number, end: number): boolean {
  const body = end - SEAL_BYTES;
  if (body <= start || bytes[end - 1] !== NEWLINE || bytes[end - 2] !== 0x7d || bytes[end - 3] !== QUOTE) return false;
  for (let i = 0; i < SEAL_OPEN.length; i++) if (bytes[body + i] !== SEAL_OPEN[i]) return false;
  const crc = crc32(bytes.subarray(start, body));
  for (let i = 0; i < 8; i++) if (bytes[body + SEAL_OPEN.length + i] !== HEX[(crc >>> (28 - 4 * i)) & 15]) return false;
  return true;
}

/** What a line opens with. */
export interface LineHead {
  readonly seq: number;
  readonly logId: string;
  readonly term: string;
}

/** The seq at the beginning of a line; -1 if it does not open as a line does. */
export function seqAt(bytes: Buffer, start: number): number {
  for (let i = 0; i < SEQ_OPEN.length; i++) if (bytes[start + i] !== SEQ_OPEN[i]) return -1;
  return numberAt(bytes, start + SEQ_OPEN.length)?.value ?? -1;
}

function numberAt(bytes: Buffer, start: number): { value: number; end: number } | undefined {
  let value = 0;
  let at = start;
  for (let digit = bytes[at]; digit !== undefined && digit >= 0x30 && digit <= 0x39; digit = bytes[++at])
    value = value * 10 + digit - 0x30;
  return at === start || at - start > 15 ? undefined : { value, end: at };
}

/** The seq and cursor that a line opens with; undefined if it does not. */
export function headAt(bytes: Buffer, start: number): LineHead | undefined {
  const seq = seqAt(bytes, start);
  if (seq < 0) return undefined;
  let at = bytes.indexOf(COMMA, start + SEQ_OPEN.length);
  for (let i = 0; i < CURSOR_OPEN.length; i++) if (bytes[at + i] !== CURSOR_OPEN[i]) return undefined;
  at += CURSOR_OPEN.length;
  const end = bytes.indexOf(QUOTE, at);
  const dot = bytes.indexOf(DOT, at);
  const dot2 = bytes.indexOf(DOT, dot + 1);
  if (dot < 0 || dot2 < 0 || end < dot2) return undefined;
  return { seq, logId: bytes.toString("latin1", at, dot), term: bytes.toString("latin1", dot + 1, dot2) };
}

/**
 * True if a whole line lies somewhere from `start` on, also one that a lost newline has joined to what stands before it. What
 * stands before a whole line is damage; what stands before none may be a torn tail.
 */
export function holdsWholeLine(bytes: Buffer, start: number): boolean {
  for (let from = start; from < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, from) + 1;
    if (end === 0) return false;
    for (let at = bytes.indexOf(SEQ_OPEN, from); at >= 0 && at < end; at = bytes.indexOf(SEQ_OPEN, at + 1))
      if (headAt(bytes, at) !== undefined && isSealed(bytes, at, end)) return true;
    from = end;
  }
  return false;
}

/** The event in a line, without its checksum. */
export function parseLine(line: Uint8Array): ProgressEvent {
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength - SEAL_BYTES).toString("utf8");
  return JSON.parse(`${text}}`) as ProgressEvent;
}

/** The lines in whole lines' bytes, newline included. */
export function* splitLines(bytes: Uint8Array): Generator<Uint8Array, undefined> {
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start) + 1;
    yield bytes.subarray(start, end === 0 ? bytes.length : end);
    if (end === 0) return undefined;
    start = end;
  }
  return undefined;
}
