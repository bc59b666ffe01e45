/** The lines of one term that follow one another, checked all together: what nearly every reading of a log consists of. */

import { crc32 } from "../../node-modules.ts";
import type { LineHead } from "../line.ts";
import { crcWithLine } from "./crc-of-lines.ts";

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const SEQ_OPEN = Buffer.from('{"seq":', "latin1");
const SEQ_OPEN_4 = SEQ_OPEN.readInt32BE(0);
const SEQ_OPEN_LAST_4 = SEQ_OPEN.readInt32BE(SEQ_OPEN.length - 4);
/** What is behind the cursor of any line: a quote and the seal. */
const MIN_REST_BYTES = 20;

interface Stretch {
  readonly bytes: Buffer;
  readonly start: number;
  readonly seq: number;
  readonly ends: number[];
}

export class TermLines {
  /** What stands between the two places where a line says its seq: `,"cursor":"<logId>.<term>.` */
  readonly #stemBytes: number;
  /** That text, four bytes each; the last ones may be some of the ones before again. */
  readonly #stem: Int32Array;

  constructor({ logId, term }: Pick<LineHead, "logId" | "term">) {
    const stem = Buffer.from(`,"cursor":"${logId}.${term}.`, "latin1");
    this.#stemBytes = stem.length;
    this.#stem = Int32Array.from({ length: Math.ceil(stem.length / 4) }, (_, index) =>
      stem.readInt32BE(Math.min(index * 4, stem.length - 4)),
    );
  }

  /**
   * How far the whole lines from `start` on are the events after `seq` of this term: their ends are added to `ends`. False,
   * with nothing added, when a checksum among them is wrong.
   */
  measure(bytes: Buffer, start: number, seq: number, ends: number[]): boolean {
    // Most lines are as long as the one before. Two that are so together look like one, with a checksum that is wrong.
    return this.#measure({ bytes, start, seq, ends }, true) || this.#measure({ bytes, start, seq, ends }, false);
  }

  #measure({ bytes, start, seq, ends }: Stretch, guesses: boolean): boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let crc = 0;
    let at = start;
    let guess = -1;
    const before = ends.length;
    for (;;) {
      const end = guesses && bytes[guess - 1] === NEWLINE ? guess : bytes.indexOf(NEWLINE, at) + 1;
      if (end === 0 || !this.#opens(view, at, end, seq + 1 + ends.length - before)) break;
      crc = crcWithLine(crc, view, at, end);
      ends.push(end);
      guess = end + end - at;
      at = end;
    }
    if (at === start || (crc32(bytes.subarray(start, at)) | 0) === crc) return true;
    ends.length = before;
    return false;
  }

  /** True if the line is event `seq` of this term, and long enough for a seal. Makes nothing: it is asked of every line. */
  #opens(view: DataView, start: number, end: number, seq: number): boolean {
    const digits = start + SEQ_OPEN.length;
    if (end <= digits || view.getInt32(start) !== SEQ_OPEN_4 || view.getInt32(digits - 4) !== SEQ_OPEN_LAST_4)
      return false;
    let value = 0;
    let at = digits;
    for (let digit = view.getUint8(at); digit >= 0x30 && digit <= 0x39; digit = view.getUint8(++at))
      value = value * 10 + digit - 0x30;
    const stemEnd = at + this.#stemBytes;
    const seqEnd = stemEnd + at - digits;
    if (value !== seq || seqEnd + MIN_REST_BYTES > end) return false;
    const stem = this.#stem;
    const lastWord = stem.length - 1;
    for (let index = 0; index < lastWord; index++) if (view.getInt32(at + index * 4) !== stem[index]) return false;
    if (view.getInt32(stemEnd - 4) !== stem[lastWord]) return false;
    for (let from = digits, to = stemEnd; to < seqEnd; from++, to++)
      if (view.getUint8(from) !== view.getUint8(to)) return false;
    return view.getUint8(seqEnd) === QUOTE;
  }
}
