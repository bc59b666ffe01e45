/** Rows of text in columns. */

import { cutToWidth, textWidth } from "../../view/text/column-width.ts";
import { cutLine, span, type Line, type Look, type Pen } from "./pen.ts";

export interface Cell {
  readonly text: string;
  readonly look?: Look | undefined;
}

const GAP = 2;
/** No column but the last takes more than this, so that one long name does not push everything else out of sight. */
const MAX_COLUMN = 40;

/** A table with a heading. On a terminal (`by.width` is its width) lines are cut; `isWhole` leaves them as long as they are. */
export function tableLines(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  by: Pen,
  { isWhole = false, maxColumn = MAX_COLUMN } = {},
): readonly Line[] {
  const all = [heading.map((text): Cell => ({ text, look: "quiet" })), ...rows].map((row) =>
    row.map(({ text, look }) => span(by, text, look)),
  );
  const most = isWhole ? Infinity : maxColumn;
  const widths = heading.map((_, column) =>
    Math.min(most, Math.max(...all.map((row) => textWidth(row[column]?.text ?? "")))),
  );
  return all.map((row) => {
    const cells = row.map(({ text, look }, column) => {
      const isLast = column === row.length - 1;
      const cut = isLast ? text : cutToWidth(text, widths[column] ?? 0, by.mark);
      const fill = isLast ? "" : " ".repeat((widths[column] ?? 0) - textWidth(cut) + GAP);
      return [
        { text: cut, look },
        { text: fill, look: undefined },
      ];
    });
    const line = cells.flat();
    return isWhole ? line : cutLine(line, by.width, by);
  });
}
