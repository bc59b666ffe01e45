/**
 * A block of lines at the end of the terminal's output that is drawn again in place.
 *
 * Between drawings the cursor stands at the start of the line below the block. A drawing is one write: the changed lines
 * only, reached by moving the cursor, each cleared behind its end; nothing above the block is ever touched, and the screen is
 * never cleared. The write is a synchronized update (DEC mode 2026), so a terminal that knows it shows no half-drawn block,
 * and it is made with automatic wrapping off (DEC mode 7), so a character that the terminal draws wider than we count
 * cannot break the block.
 */

import type { Output } from "../context.ts";
import { lineWidth, paint, trimLine, type Line, type Pen } from "./pen.ts";

const BEGIN = "\x1b[?2026h\x1b[?7l";
const END = "\x1b[?7h\x1b[?2026l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_BELOW = "\r\x1b[J";

interface Drawn {
  readonly text: string;
  readonly columns: number;
}

/**
 * A line as it is written. What was there before is cleared behind its end; but before a line that fills the window: the cursor
 * then stands on its last character, which would go too. It is cleared all the same, since a terminal may draw a character
 * narrower than we count, and the end of what was there would stay.
 */
function written({ text, columns }: Drawn, windowColumns: number): string {
  return columns < windowColumns ? `${text}\x1b[K` : `\x1b[K${text}`;
}

export interface Screen {
  /** Shows these lines in place of the last ones; what does not fit into the window is left out at the end. */
  draw(lines: readonly Line[], by: Pen): void;
  /** To be called when the window has another size: the next drawing is made from scratch, where the block now stands. */
  resized(): void;
  /** Leaves the block where it is; what is written next comes below it. */
  leave(): void;
  /** Gives the terminal back: shows the cursor. May be called at any time, also twice. */
  restore(): void;
}

export function screen(output: Output): Screen {
  let drawn: readonly Drawn[] = [];
  let isHidden = false;
  let isResized = false;

  const windowRows = () => Math.max(2, output.rows ?? 24);

  return {
    draw(lines, by) {
      const next = lines
        .slice(0, windowRows() - 1)
        .map((line) => ({ text: paint(line, by), columns: lineWidth(trimLine(line)) }));
      const columns = output.columns ?? 80;
      const moves = isResized
        ? fromScratch(drawn, next, { columns, rows: windowRows() })
        : changes(drawn, next, columns);
      isResized = false;
      drawn = next;
      if (moves === "" && isHidden) return;
      output.write(`${isHidden ? "" : HIDE_CURSOR}${BEGIN}${moves}${END}`);
      isHidden = true;
    },
    resized() {
      isResized = true;
    },
    leave() {
      drawn = [];
    },
    restore() {
      if (isHidden) output.write(`${END}${SHOW_CURSOR}`);
      isHidden = false;
    },
  };
}

/** What turns the block `before` into `after`, from below the one to below the other. */
function changes(before: readonly Drawn[], after: readonly Drawn[], columns: number): string {
  let text = "";
  let row = before.length;
  const goTo = (target: number) => {
    if (target < row) text += `\x1b[${row - target}A`;
    else if (target > row) text += `\x1b[${target - row}B`;
    row = target;
  };
  const common = Math.min(before.length, after.length);
  for (let index = 0; index < common; index++) {
    const line = after[index] as Drawn;
    if (before[index]?.text === line.text) continue;
    goTo(index);
    text += `${written(line, columns)}\r`;
  }
  goTo(common);
  if (before.length > common) text += CLEAR_BELOW;
  for (const line of after.slice(common)) text += `${written(line, columns)}\r\n`;
  return text;
}

/** The same after the window has changed: the terminal may have broken the old lines anew, so all are drawn again. */
function fromScratch(
  before: readonly Drawn[],
  after: readonly Drawn[],
  window: { readonly columns: number; readonly rows: number },
): string {
  const taken = before.reduce((sum, { columns }) => sum + Math.max(1, Math.ceil(columns / window.columns)), 0);
  const up = Math.min(taken, window.rows - 1);
  return `${up > 0 ? `\x1b[${up}A` : ""}${CLEAR_BELOW}${changes([], after, window.columns)}`;
}
