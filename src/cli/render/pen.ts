/** Lines of text with looks, and what a terminal understands of them. The only place that makes escape sequences for colour. */

import { cutToWidth, textWidth } from "../../view/text/column-width.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { StatusWords, Tone } from "../../view/text/status-words.ts";

/** How a piece of text looks: a tone, or stronger than the rest. */
export type Look = Tone | "strong";

/** A piece of a line. Made by {@link Pen.text} only, which makes it safe. */
export interface Span {
  readonly text: string;
  readonly look: Look | undefined;
}

export type Line = readonly Span[];

/** What the terminal can show. */
export interface Pen {
  readonly width: number;
  readonly isAscii: boolean;
  readonly hasColor: boolean;
  /** What stands where text was cut. */
  readonly mark: string;
}

/** Signs of ours and of common texts that have a likeness in ASCII. */
const LIKENESS: Readonly<Record<string, string>> = {
  "…": "...",
  "→": "->",
  "·": "-",
  "–": "-",
  "—": "-",
  "’": "'",
  "━": "#",
  "─": "-",
  "•": "-",
  "▸": ">",
  "❯": ">",
};

// eslint-disable-next-line no-control-regex -- everything beyond ASCII, by its range
const BEYOND_ASCII = /[^\x00-\x7f]/gu;

/** Lines that run over a very wide window are hard to follow from name to number. */
const MAX_WIDTH = 120;

/** A pen for a terminal of this width. */
export function pen(options: { readonly width: number; readonly isAscii: boolean; readonly hasColor: boolean }): Pen {
  return { ...options, width: Math.min(MAX_WIDTH, options.width), mark: options.isAscii ? "..." : "…" };
}

/** A piece of text, made safe; in ASCII mode what has no likeness becomes `?`. */
export function span({ isAscii }: Pen, text: string, look?: Look): Span {
  const safe = safeText(text);
  return { text: isAscii ? safe.replace(BEYOND_ASCII, (char) => LIKENESS[char] ?? "?") : safe, look };
}

/** The sign of a status. */
export function glyph({ isAscii }: Pen, words: StatusWords): string {
  return isAscii ? words.ascii : words.glyph;
}

/** The columns of a line. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + textWidth(text), 0);
}

/** A line in at most `width` columns. */
export function cutLine(line: Line, width: number, { mark }: Pen): Line {
  if (lineWidth(line) <= width) return line;
  const kept: Span[] = [];
  let room = width;
  for (const [index, part] of line.entries()) {
    const isLast = line.slice(index + 1).every(({ text }) => text === "");
    const columns = textWidth(part.text);
    // Whatever follows does not fit, so the mark has to: it takes the place of this span's end.
    if (!isLast && columns + Math.min(textWidth(mark), lineWidth(line.slice(index + 1))) <= room) {
      kept.push(part);
      room -= columns;
      continue;
    }
    kept.push({ ...part, text: cutToWidth(isLast ? part.text : `${part.text}${" ".repeat(room + 1)}`, room, mark) });
    break;
  }
  return kept;
}

/** `left` and `right` at the two ends of `width` columns; what does not fit of `left` is cut. */
export function spread(left: Line, right: Line, width: number, by: Pen): Line {
  const rightWidth = lineWidth(right);
  if (rightWidth === 0) return cutLine(left, width, by);
  const cut = cutLine(left, Math.max(0, width - rightWidth - 1), by);
  const gap = Math.max(1, width - rightWidth - lineWidth(cut));
  return cutLine([...cut, { text: " ".repeat(gap), look: undefined }, ...right], width, by);
}

const SGR: Readonly<Record<Look, string>> = {
  good: "32",
  active: "36",
  attention: "33",
  bad: "31",
  quiet: "2",
  strong: "1",
};

/** A line without the empty space at its end. */
export function trimLine(line: Line): Line {
  const kept = line.slice(0, line.findLastIndex(({ text }) => text.trim() !== "") + 1);
  const last = kept.at(-1);
  return last === undefined ? [] : [...kept.slice(0, -1), { ...last, text: last.text.trimEnd() }];
}

/** The line as it is written to the terminal, without an end of line. */
export function paint(line: Line, { hasColor }: Pen): string {
  let painted = "";
  for (const { text, look } of trimLine(line))
    painted += hasColor && look !== undefined && text !== "" ? `\x1b[${SGR[look]}m${text}\x1b[0m` : text;
  return painted;
}

/** Text in lines of at most `width` columns, broken between words where that is possible, at most `maxLines` of them. */
export function wrapText(text: string, width: number, maxLines: number, mark: string): string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (textWidth(rest) > width && lines.length < maxLines - 1) {
    const fitting = cutToWidth(rest, width + 1, "");
    const space = fitting.lastIndexOf(" ");
    // At least one character a line, whatever the width, so that it ends.
    const end = space > 0 ? space : Math.max(1, cutToWidth(rest, width, "").length);
    lines.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
  }
  lines.push(cutToWidth(rest, width, mark));
  return lines;
}
