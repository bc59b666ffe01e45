/**
 * Text for one short message. A message has 140 bytes: 160 characters of 7 bits from the GSM alphabet, else 70 UTF-16 units.
 * What is longer would be sent, and charged, as several.
 */

import { cutText } from "../wording.ts";

export const SHORT_LIMITS = { gsm: 160, unicode: 70 } as const;

/** GSM 03.38. The characters of the second line take two places. */
const BASIC =
  "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const ESCAPED = "^{}\\[~]|€";
const PLACES = new Map<string, number>([
  ...[...BASIC].map((char) => [char, 1] as const),
  ...[...ESCAPED].map((char) => [char, 2] as const),
]);

/** Typographic signs that have a plain form; one of them would halve the room. */
const PLAIN: Readonly<Record<string, string>> = {
  "…": "...",
  "–": "-",
  "—": "-",
  "‘": "'",
  "’": "'",
  "“": '"',
  "”": '"',
  "→": "->",
  "•": "-",
  "×": "x",
  "\u00a0": " ",
  "`": "'",
};
const CUT_MARK = "...";

/** `text` in one message, cut between characters where it must be. The text must be safe (`view/safe-text.ts`). */
export function shortText(text: string): string {
  const plain = [...text.normalize("NFC")].map((char) => PLAIN[char] ?? char);
  const chars = plain.flatMap((part) => [...part]);
  if (chars.some((char) => !PLACES.has(char))) return cutText(text.normalize("NFC"), SHORT_LIMITS.unicode);
  if (placesOf(chars) <= SHORT_LIMITS.gsm) return chars.join("");
  let places = CUT_MARK.length;
  let count = 0;
  for (const char of chars) {
    places += PLACES.get(char) as number;
    if (places > SHORT_LIMITS.gsm) break;
    count += 1;
  }
  return chars.slice(0, count).join("") + CUT_MARK;
}

const placesOf = (chars: readonly string[]): number =>
  chars.reduce((sum, char) => sum + (PLACES.get(char) as number), 0);
