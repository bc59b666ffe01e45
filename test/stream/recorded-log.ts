/** Lines of a log that has no storage, as `LiveLog` takes them in. */

import { formatCursor } from "../../src/model/cursor.ts";
import { LineEncoder } from "../../src/storage/line.ts";
import type { LineBatch } from "../../src/storage/storage.ts";

const encoder = new LineEncoder();

/** The line of event `seq`, without its newline; `extra` bytes of text make it longer. */
export function eventText(seq: number, { type = "log.appended", extra = 0 } = {}): Buffer {
  const cursor = formatCursor({ logId: "log1", term: "t1", seq });
  return encoder.encode(JSON.stringify({ seq, cursor, ms: seq, type, text: "é".repeat(extra / 2) })).subarray(0, -1);
}

/** Lines `from` to `to` as they stand in a file. */
function lines(from: number, to: number, options?: { type?: string; extra?: number }): Buffer {
  const newline = Buffer.from("\n");
  const all: Buffer[] = [];
  for (let seq = from; seq <= to; seq++) all.push(eventText(seq, options), newline);
  return Buffer.concat(all);
}

/** The same, as a reader gives them. */
export function batch(firstSeq: number, lastSeq: number, options?: { type?: string; extra?: number }): LineBatch {
  const bytes = lines(firstSeq, lastSeq, options);
  const ends: number[] = [];
  for (let at = bytes.indexOf("\n"); at >= 0; at = bytes.indexOf("\n", at + 1)) ends.push(at + 1);
  return { bytes, ends, firstSeq, lastSeq };
}

/** The texts in unmasked text frames. */
export function framedTexts(bytes: Uint8Array): string[] {
  const frames = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  for (let at = 0; at < frames.length;) {
    const { start, end, opcode } = frameAt(frames, at);
    if (opcode === 1) texts.push(frames.toString("utf8", start, end));
    at = end;
  }
  return texts;
}

/** Where the payload of the whole frame at `at` lies. */
function frameAt(frames: Buffer, at: number): { start: number; end: number; opcode: number } {
  const opcode = (frames[at] as number) & 15;
  const short = frames[at + 1] as number;
  const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
  const length =
    short < 126 ? short : short === 126 ? frames.readUInt16BE(at + 2) : Number(frames.readBigUInt64BE(at + 2));
  if (start + length > frames.length) throw new Error("a frame is cut");
  return { start, end: start + length, opcode };
}

/** The seqs of the events in frames. */
export const seqsIn = (bytes: Uint8Array): number[] =>
  framedTexts(bytes).map((text) => (JSON.parse(text) as { seq: number }).seq);

/** The integers from `from` to `to`. */
export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_unused, index) => from + index);
