/**
 * How many terminal columns text takes, and cutting text to a number of them.
 *
 * Widths are per code point, as most terminals count: 0 for marks and invisible characters, 2 for East Asian wide characters
 * and emoji, else 1. Where terminals differ (joined emoji, emoji by variation selector) the greater width is taken, so that
 * what is cut to a width never takes more. The text must be safe (`safe-text.ts`): control characters have no width.
 */

/** East Asian Wide and Fullwidth code points beside the emoji, from Unicode's EastAsianWidth; what is unassigned between two joins them. */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x3247],
  [0x3250, 0xa4c6],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x1b2fb],
  [0x1d300, 0x1d376],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

const NARROW_ONLY = /^[\x20-\x7e]*$/;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}]$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;
const CAN_BE_EMOJI = /^\p{Emoji}$/u;
const EMOJI_SELECTOR = 0xfe0f;
const SOFT_HYPHEN = 0xad;
/** Middle and final letters of old Hangul syllables: they combine with the first letter, which is wide. */
const isJamo = (code: number): boolean => (code >= 0x1160 && code <= 0x11ff) || (code >= 0xd7b0 && code <= 0xd7fb);
/** A pair of these is one flag of two columns. */
const isFlagHalf = (code: number): boolean => code >= 0x1f1e6 && code <= 0x1f1ff;

function charWidth(char: string): number {
  const code = char.codePointAt(0) as number;
  if (code < 0x300) return code === SOFT_HYPHEN || code >= 0x20 ? 1 : 0;
  if (INVISIBLE.test(char) || isJamo(code)) return 0;
  if (isFlagHalf(code)) return 1;
  return isWide(code) || EMOJI.test(char) ? 2 : 1;
}

function isWide(code: number): boolean {
  return WIDE.some(([first, last]) => code >= first && code <= last);
}

/** The columns that safe text takes on one line. */
export function textWidth(text: string): number {
  if (NARROW_ONLY.test(text)) return text.length;
  let width = 0;
  for (const { columns } of measured(text)) width += columns;
  return width;
}

/** The code points of a text, each with the columns it adds. */
function* measured(text: string): Generator<{ readonly char: string; readonly columns: number }> {
  let before = "";
  for (const char of text) {
    const isWidening = char.codePointAt(0) === EMOJI_SELECTOR && CAN_BE_EMOJI.test(before) && charWidth(before) === 1;
    yield { char, columns: isWidening ? 1 : charWidth(char) };
    before = char;
  }
}

/**
 * `text` in at most `width` columns: as it is when it fits, else cut between characters (never inside one that a reader
 * sees as one) with `mark` at its end.
 */
export function cutToWidth(text: string, width: number, mark = "…"): string {
  if (NARROW_ONLY.test(text) ? text.length <= width : textWidth(text) <= width) return text;
  const room = width - textWidth(mark);
  if (room < 0) return mark.slice(0, Math.max(0, width));
  if (NARROW_ONLY.test(text)) return text.slice(0, room) + mark;
  let kept = "";
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += textWidth(segment);
    if (used > room) break;
    kept += segment;
  }
  return kept + mark;
}

/** `text` cut and filled with spaces to exactly `width` columns. */
export function fitToWidth(
  text: string,
  width: number,
  { mark = "…", align = "left" }: { readonly mark?: string; readonly align?: "left" | "right" } = {},
): string {
  const cut = cutToWidth(text, width, mark);
  const fill = " ".repeat(Math.max(0, width - textWidth(cut)));
  return align === "left" ? cut + fill : fill + cut;
}
