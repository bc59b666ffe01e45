/** The last line of the live display: whether it is the truth, when it was last told something, and what keys there are. */

import type { ConnectionView } from "../../view/text/connection-words.ts";
import { cutLine, span, type Line, type Pen } from "../render/pen.ts";

export interface Foot {
  readonly connection: ConnectionView | undefined;
  readonly facts: readonly string[];
  readonly hints: readonly string[];
}

/** Urgent while what is shown may not be the truth any more. */
export function footLine(
  { connection, facts, hints }: Foot,
  by: Pen,
): { readonly line: Line; readonly isUrgent: boolean } {
  const isUrgent = connection !== undefined && !connection.isCurrent;
  const word =
    connection === undefined ? "" : `${connection.word}${connection.detail === null ? "" : ` ${connection.detail}`}`;
  const rest = [...facts, ...(isUrgent && connection.reason !== null ? [connection.reason] : []), ...hints].join(" · ");
  const line = [
    ...(word === "" ? [] : [span(by, word, connection?.tone), span(by, rest === "" ? "" : " · ", "quiet")]),
    span(by, rest, "quiet"),
  ];
  return { line: cutLine(line, by.width, by), isUrgent };
}

/** The line in which a text to look for is typed. */
export function typingLine(text: string, by: Pen): Line {
  const line = [
    span(by, "look for: ", "active"),
    span(by, text),
    span(by, "_", "active"),
    span(by, "  enter keeps it, esc drops it", "quiet"),
  ];
  return cutLine(line, by.width, by);
}
