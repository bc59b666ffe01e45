/* eslint-disable no-control-regex -- control sequences are what is looked for */
/**
 * A terminal in memory: what a real one shows after the bytes it got. It knows what the display uses and refuses the rest,
 * so that a test sees at once when something else is sent.
 */

import { textWidth } from "../../../src/view/text/column-width.ts";

const CSI = /^\x1b\[(\?)?([\d;]*)([A-Za-z])/;

export class VirtualTerminal {
  columns: number;
  rows: number;
  /** Everything that scrolled out, and the window below it. */
  readonly lines: string[][] = [[]];
  isCursorShown = true;
  isWrapping = true;
  isUpdating = false;
  /** Every final byte of a control sequence that came, with its parameters. */
  readonly sequences: string[] = [];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  /** The lines, without spaces at their ends and empty ones below. */
  get text(): string[] {
    const lines = this.lines.map((cells) => cells.join("").trimEnd());
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  get cursor(): { readonly row: number; readonly column: number } {
    return { row: this.#row, column: this.#column };
  }

  write(bytes: string): void {
    for (let rest = bytes; rest !== "";) {
      const sequence = CSI.exec(rest);
      if (sequence !== null) {
        this.#control(sequence);
        rest = rest.slice(sequence[0].length);
        continue;
      }
      const char = String.fromCodePoint(rest.codePointAt(0) as number);
      this.#put(char);
      rest = rest.slice(char.length);
    }
  }

  /** The window gets another size: lines that are too long for it are broken, as most terminals do. */
  resize(columns: number, rows: number): void {
    const broken: string[][] = [];
    for (const [index, line] of this.lines.entries()) {
      if (index === this.#row) this.#row = broken.length;
      for (let start = 0; start === 0 || start < line.length; start += columns)
        broken.push(line.slice(start, start + columns));
    }
    this.lines.splice(0, this.lines.length, ...broken);
    this.columns = columns;
    this.rows = rows;
  }

  #control([, isPrivate, parameters = "", final = ""]: RegExpExecArray): void {
    this.sequences.push(`${isPrivate ?? ""}${parameters}${final}`);
    const count = Number(parameters || 1);
    if (isPrivate !== undefined) return this.#mode(Number(parameters), final === "h");
    if (final === "A") this.#row = Math.max(this.#top(), this.#row - count);
    else if (final === "B") this.#row = Math.min(this.#top() + this.rows - 1, this.#row + count);
    // A cursor behind a full line stands on its last character.
    else if (final === "K" && parameters === "") this.#line().length = Math.min(this.#column, this.columns - 1);
    else if (final === "J" && parameters === "") {
      this.#line().length = this.#column;
      this.lines.length = this.#row + 1;
    } else if (final !== "m") throw new Error(`the display may not send CSI ${parameters}${final}`);
  }

  #mode(mode: number, isSet: boolean): void {
    if (mode === 25) this.isCursorShown = isSet;
    else if (mode === 7) this.isWrapping = isSet;
    else if (mode === 2026) this.isUpdating = isSet;
    else throw new Error(`the display may not set mode ${mode}`);
  }

  #put(char: string): void {
    if (char === "\r") this.#column = 0;
    else if (char === "\n") {
      this.#row += 1;
      while (this.lines.length <= this.#row) this.lines.push([]);
    } else if (char < " " || char === "\x7f") throw new Error(`the display may not send ${JSON.stringify(char)}`);
    else this.#cell(char);
  }

  #cell(char: string): void {
    const width = textWidth(char);
    if (this.#column + width > this.columns) {
      // Without wrapping the last column is written again.
      if (this.isWrapping) {
        this.#put("\r");
        this.#put("\n");
      } else this.#column = this.columns - width;
    }
    const line = this.#line();
    while (line.length < this.#column) line.push(" ");
    line[this.#column] = char;
    if (width === 2) line[this.#column + 1] = "";
    this.#column = Math.min(this.columns, this.#column + width);
  }

  #line(): string[] {
    while (this.lines.length <= this.#row) this.lines.push([]);
    return this.lines[this.#row] as string[];
  }

  /** The first line of the window. */
  #top(): number {
    return Math.max(0, this.lines.length - this.rows);
  }
}
