import { crc32 } from "node:zlib";

import fc from "fast-check";
import { expect, test } from "vitest";

import { headAt, isSealed, LineEncoder, type LineHead } from "../../../src/storage/line.ts";
import { crcWithLine } from "../../../src/storage/json-lines/crc-of-lines.ts";
import { TermLines } from "../../../src/storage/json-lines/term-lines.ts";
import { makeLines } from "../../contracts/log-lines.ts";

const HEADER = { logId: "log1", upgradeId: "up", run: 1 };
const TERM: LineHead = { seq: 0, logId: "log1", term: "t1" };
const isLong = process.env["MILEPOST_LONG"] === "1";

/** The same by looking at every line by itself: how far they go, and whether one of them is damaged. */
function oneByOne(bytes: Buffer, seq: number): { readonly ends: number[]; readonly isSound: boolean } {
  const ends: number[] = [];
  for (let at = 0, end = bytes.indexOf("\n") + 1; end > 0; at = end, end = bytes.indexOf("\n", at) + 1) {
    const head = headAt(bytes.subarray(at, end), 0);
    const isNext = head?.seq === seq + 1 + ends.length && head.logId === TERM.logId && head.term === TERM.term;
    if (!isNext || !bytes.subarray(at).includes(`.${head.seq}"`)) break;
    ends.push(end);
  }
  const isSound = ends.every((end, index) => isSealed(bytes, ends[index - 1] ?? 0, end));
  return { ends, isSound };
}

function together(bytes: Buffer, seq: number): { readonly ends: number[]; readonly isSound: boolean } {
  const ends: number[] = [];
  return { isSound: new TermLines(TERM).measure(bytes, 0, seq, ends), ends };
}

const textLengths = fc.array(fc.oneof(fc.nat(200), fc.integer({ min: 1_700, max: 2_500 }), fc.nat(70_000)), {
  minLength: 1,
  maxLength: 12,
});

test("the CRC that follows from what the lines say is that of their bytes, however long they are", () => {
  fc.assert(
    fc.property(textLengths, fc.string({ unit: "binary" }), (lengths, text) => {
      const encoder = new LineEncoder();
      const lines = lengths.map((length) =>
        Buffer.from(encoder.encode(JSON.stringify({ text: text + "x".repeat(length) }))),
      );
      const all = Buffer.concat(lines);
      const view = new DataView(all.buffer, all.byteOffset, all.length);
      let crc = 0;
      let start = 0;
      for (const { length } of lines) {
        crc = crcWithLine(crc, view, start, start + length);
        start += length;
        expect(crc >>> 0).toBe(crc32(all.subarray(0, start)));
      }
    }),
    { numRuns: isLong ? 5_000 : 200 },
  );
});

const firstSeqs = fc.constantFrom(2, 9, 98, 99_997);

test("[L5, L6] any byte changed in a run of lines is found exactly when it is by looking at each line (D07)", () => {
  const lines = makeLines(HEADER, [98, 103], { opens: false });
  const all = Buffer.concat(lines);
  expect(together(all, 97)).toEqual({ ...oneByOne(all, 97), isSound: true });
  let changes = 0;
  for (let at = 0; at < all.length; at++) {
    for (const change of isLong ? Array.from({ length: 255 }, (_, index) => index + 1) : [1, 2, 32, 128, 255]) {
      const damaged = Buffer.from(all);
      damaged.writeUInt8((all[at] as number) ^ change, at);
      const expected = oneByOne(damaged, 97);
      const seen = together(damaged, 97);
      // Nothing is given out of a run that holds damage.
      expect(seen, `byte ${at} ^ ${change}`).toEqual(expected.isSound ? expected : { isSound: false, ends: [] });
      changes += 1;
    }
  }
  console.log(`D07: ${changes} changes of ${all.length} bytes`);
});

/** Damage that touches several places of lines. */
const damages: Readonly<Record<string, (lines: Buffer[], a: number, b: number) => void>> = {
  "two lines swapped": (lines, a, b) => ([lines[a], lines[b]] = [lines[b] as Buffer, lines[a] as Buffer]),
  "a line twice": (lines, a, b) => void lines.splice(b, 0, lines[a] as Buffer),
  "a line lost": (lines, a) => void lines.splice(a, 1),
  "checksums swapped": (lines, a, b) => {
    const [one, two] = [lines[a] as Buffer, lines[b] as Buffer];
    const digits = Buffer.from(one.subarray(-11, -3));
    two.copy(one, one.length - 11, two.length - 11, two.length - 3);
    digits.copy(two, two.length - 11);
  },
  "the same bit in two lines": (lines, a, b) => {
    for (const line of new Set([lines[a] as Buffer, lines[b] as Buffer]))
      line.writeUInt8((line[line.length - 25] as number) ^ 1, line.length - 25);
  },
  "digits in upper case": (lines, a) => {
    const line = lines[a] as Buffer;
    line.write(line.toString("latin1", line.length - 11, line.length - 3).toUpperCase(), line.length - 11);
  },
  "an end without its newline": (lines, a) => void (lines[a] = (lines[a] as Buffer).subarray(0, -1)),
  "a seal that lacks": (lines, a) => {
    const line = lines[a] as Buffer;
    lines[a] = Buffer.concat([line.subarray(0, -19), Buffer.from("}\n")]);
  },
  "a line of another term": (lines, a) => {
    const line = (lines[a] as Buffer).toString("utf8").replace(".t1.", ".t2.");
    lines[a] = Buffer.from(new LineEncoder().encode(`${line.slice(0, -20)}}`));
  },
};

test.each(Object.entries(damages))("[L5] %s: found exactly when it is by looking at each line", (_name, damage) => {
  fc.assert(
    fc.property(firstSeqs, fc.nat(7), fc.nat(7), fc.string(), (first, a, b, text) => {
      const lines = makeLines(HEADER, [first, first + 7], { opens: false, text });
      damage(lines, a, b);
      const all = Buffer.concat(lines);
      const expected = oneByOne(all, first - 1);
      expect(together(all, first - 1)).toEqual(expected.isSound ? expected : { isSound: false, ends: [] });
    }),
    { numRuns: isLong ? 10_000 : 200 },
  );
});

/** The line of event `seq`, of so many bytes. */
function lineOf(seq: number, length: number): Buffer {
  const [line] = makeLines(HEADER, [seq, seq], { opens: false, text: "" }) as [Buffer];
  const [longer] = makeLines(HEADER, [seq, seq], { opens: false, text: "x".repeat(length - line.length) }) as [Buffer];
  expect(longer.length).toBe(length);
  return longer;
}

test("[L5] lines as long as the one before, and two that are so together, are each taken for what they are", () => {
  const [least] = makeLines(HEADER, [7, 7], { opens: false, text: "" }) as [Buffer];
  const n = least.length + 10;
  const runs = [
    [1, 1, 1],
    [2, 1, 1],
    [2, 1, 1, 2, 2],
    [3, 1, 2, 1],
    [3, 1, 1, 1],
  ];
  for (const lengths of runs) {
    const all = Buffer.concat(lengths.map((times, index) => lineOf(index + 3, times * n)));
    expect(together(all, 2)).toEqual({ ...oneByOne(all, 2), isSound: true });
    expect(together(all, 2).ends).toHaveLength(lengths.length);
  }
});

test("bytes of any kind are read without going beyond them", () => {
  const [line] = makeLines(HEADER, [7, 7], { opens: false }) as [Buffer];
  const pieces = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.nat(line.length).map((cut) => line.subarray(0, cut)),
    fc.constantFrom(line, Buffer.from("\n"), Buffer.from('{"seq":7\n'), Buffer.from(`{"seq":${"0".repeat(40)}7,"\n`)),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 4 }), (some) => {
      const all = Buffer.concat(some);
      const expected = oneByOne(all, 6);
      const seen = together(all, 6);
      if (seen.isSound) expect(expected.ends.slice(0, seen.ends.length)).toEqual(seen.ends);
    }),
    { numRuns: isLong ? 100_000 : 2_000 },
  );
});
