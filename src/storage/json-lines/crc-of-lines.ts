/**
 * The CRC-32 of many lines from the checksums that they state. A CRC is linear: that of two texts, one behind the other, is that
 * of the first, moved by the length of the second, xor that of the second; and moving is some look-ups in a table.
 *
 * A checksum is a polynomial over the integers modulo 2, modulo that of CRC-32; its highest bit is that of x^0. To have n bytes
 * behind it is to be multiplied by x^8n.
 */

import { crc32 } from "../../node-modules.ts";

const POLYNOMIAL = 0xedb88320 | 0;
const X_0 = 1 << 31;
const X_8 = 1 << 23;
const DIGITS = "0123456789abcdef";
/** For each of 8 digits, each of 16 values. */
const TABLE_SIZE = 8 * 16;
/** The tables of lines up to so long are kept, of 512 bytes each. */
const MAX_KEPT_LENGTH = 2048;

const timesX = (a: number): number => (a >>> 1) ^ (-(a & 1) & POLYNOMIAL);

function product(a: number, b: number): number {
  let sum = 0;
  for (let rest = a, term = b; rest !== 0; rest <<= 1, term = timesX(term)) if (rest < 0) sum ^= term;
  return sum;
}

/** What each digit of a checksum, the highest first, adds (xor) to it once `length` bytes stand behind it. */
function moveBy(length: number): Int32Array {
  let factor = X_0;
  for (let rest = length, power = X_8; rest > 0; rest >>>= 1, power = product(power, power))
    if ((rest & 1) === 1) factor = product(factor, power);
  const table = new Int32Array(TABLE_SIZE);
  for (let digit = 0; digit < TABLE_SIZE; digit += 16) {
    for (let bit = 8; bit > 0; bit >>= 1, factor = timesX(factor))
      for (let value = bit; value < 16; value++)
        if ((value & bit) !== 0) table[digit + value] = (table[digit + value] as number) ^ factor;
  }
  return table;
}

const kept = new Array<Int32Array | undefined>(MAX_KEPT_LENGTH + 1);

const moveOf = (length: number): Int32Array =>
  length > MAX_KEPT_LENGTH ? moveBy(length) : (kept[length] ??= moveBy(length));

/** How a line ends whose checksum is 0. */
const SEAL = Buffer.from(',"crc":"00000000"}\n', "latin1");
const FIRST_DIGIT = SEAL.indexOf("0");
const SEAL_CRC = crc32(SEAL) | 0;

/** What each digit of a line's checksum adds to the CRC of the whole line, its seal included. */
const SEALED = moveBy(SEAL.length).map((moved, index) => {
  const seal = Buffer.from(SEAL);
  seal.write(DIGITS.charAt(index & 15), FIRST_DIGIT + (index >> 4), "latin1");
  return moved ^ crc32(seal) ^ SEAL_CRC;
});

/** The values of four hexadecimal digits, a byte each. */
const fourDigits = (chars: number): number => (chars & 0x0f0f0f0f) + ((chars >>> 6) & 0x01010101) * 9;

/**
 * The CRC of some lines and one more behind them, if that one's seal is right; if it is not, the result is not the CRC of these
 * bytes. A seal without digits in it may give anything else.
 */
export function crcWithLine(crc: number, view: DataView, start: number, end: number): number {
  const high = fourDigits(view.getInt32(end - SEAL.length + FIRST_DIGIT));
  const low = fourDigits(view.getInt32(end - SEAL.length + FIRST_DIGIT + 4));
  const move = moveOf(end - start);
  return (
    SEAL_CRC ^
    at(SEALED, 0, high >>> 24) ^
    at(SEALED, 1, high >>> 16) ^
    at(SEALED, 2, high >>> 8) ^
    at(SEALED, 3, high) ^
    at(SEALED, 4, low >>> 24) ^
    at(SEALED, 5, low >>> 16) ^
    at(SEALED, 6, low >>> 8) ^
    at(SEALED, 7, low) ^
    at(move, 0, crc >>> 28) ^
    at(move, 1, crc >>> 24) ^
    at(move, 2, crc >>> 20) ^
    at(move, 3, crc >>> 16) ^
    at(move, 4, crc >>> 12) ^
    at(move, 5, crc >>> 8) ^
    at(move, 6, crc >>> 4) ^
    at(move, 7, crc)
  );
}

const at = (table: Int32Array, digit: number, value: number): number => table[digit * 16 + (value & 15)] as number;
