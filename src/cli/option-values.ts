/** Values of options, from their text. */

import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `90s`, `2h`, `1h30m`, `500ms`; a number alone is seconds. In milliseconds. */
export function durationOption(text: string): number {
  const word = text.trim();
  if (/^\d+(\.\d+)?$/.test(word)) return Number(word) * 1000;
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(word))
    throw new InvalidArgumentError("It is a duration such as 90s, 30m, 2h or 1h30m.");
  return [...word.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (UNITS[unit as string] as number),
    0,
  );
}

/** A whole number from `least` up. */
export function countOption(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It is a whole number of at least ${least}.`);
  };
}

/** How many times as fast: a number above nought, `60x` too; `max` is as fast as it goes (Infinity). */
export function speedOption(text: string): number {
  const word = text
    .trim()
    .toLowerCase()
    .replace(/^([\d.]+)x$/, "$1");
  if (word === "max") return Infinity;
  const value = Number(word);
  if (word !== "" && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It is a number above 0, or "max".');
}

/** A port number; 0 is any free one. */
export function portOption(text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text.trim()) && value <= 65_535) return value;
  throw new InvalidArgumentError("It is a number from 0 to 65535.");
}

/** One more of a list; several at once with commas between them, as the environment has them. */
export function listOption(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",").map((part) => part.trim())].filter((part) => part !== "");
}
