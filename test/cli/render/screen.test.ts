/* eslint-disable no-control-regex -- control sequences are what is looked for */
import { Writable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pen, span, type Line, type Pen } from "../../../src/cli/render/pen.ts";
import { screen, type Screen } from "../../../src/cli/render/screen.ts";
import type { Output } from "../../../src/cli/context.ts";
import { VirtualTerminal } from "./virtual-terminal.ts";

interface Setup {
  readonly terminal: VirtualTerminal;
  readonly block: Screen;
  readonly written: string[];
  readonly by: Pen;
  readonly output: Output;
}

const setUp = (columns: number, rows: number): Setup => {
  const terminal = new VirtualTerminal(columns, rows);
  const written: string[] = [];
  const output: Output = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString());
        terminal.write(chunk.toString());
        done();
      },
    }),
    { isTTY: true, columns, rows },
  );
  return {
    terminal,
    output,
    block: screen(output),
    written,
    by: pen({ width: columns, isAscii: false, hasColor: true }),
  };
};

const linesOf = (by: Pen, texts: readonly string[]): readonly Line[] => texts.map((text) => [span(by, text, "good")]);

describe("screen", () => {
  it("draws in place, and leaves what stood above alone", () => {
    const { terminal, block, by } = setUp(40, 10);
    terminal.write("$ milepost watch\r\n");
    block.draw(linesOf(by, ["one", "two"]), by);
    block.draw(linesOf(by, ["one", "2", "three"]), by);
    block.draw(linesOf(by, ["uno"]), by);
    expect(terminal.text).toEqual(["$ milepost watch", "uno"]);
    expect(terminal.cursor).toEqual({ row: 2, column: 0 });
  });

  it("shows, after any sequence of drawings, exactly the last one", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.constant(""),
    );
    const frames = fc.array(fc.array(text, { maxLength: 14 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(frames, (drawings) => {
        const { terminal, block, by } = setUp(60, 10);
        terminal.write("above\r\n");
        for (const texts of drawings) block.draw(linesOf(by, texts), by);
        const { terminal: fresh, block: once } = setUp(60, 10);
        fresh.write("above\r\n");
        once.draw(linesOf(by, drawings.at(-1) as string[]), by);
        expect(terminal.text.slice(-9)).toEqual(fresh.text.slice(-9));
      }),
    );
  });

  it("clears what a longer line left, also under a line that fills the window", () => {
    const { terminal, block, by } = setUp(10, 5);
    block.draw(linesOf(by, ["0123456789", "abcdefghij"]), by);
    expect(terminal.text).toEqual(["0123456789", "abcdefghij"]);
    block.draw(linesOf(by, ["9876543210", "abc"]), by);
    expect(terminal.text).toEqual(["9876543210", "abc"]);
  });

  it("leaves nothing behind a line that the terminal draws narrower than it was counted", () => {
    const { block, written, by } = setUp(10, 5);
    block.draw(linesOf(by, ["0123456789"]), by);
    block.draw(linesOf(by, ["WWabcdefgh"]), by);
    const terminal = new VirtualTerminal(10, 5);
    for (const chunk of written) terminal.write(chunk.replaceAll("W", ""));
    expect(terminal.text).toEqual(["abcdefgh"]);
  });

  it("writes nothing when nothing has changed, and only the lines that have", () => {
    const { block, written, by } = setUp(80, 24);
    const texts = Array.from({ length: 20 }, (_, index) => `line ${index} ${"x".repeat(60)}`);
    block.draw(linesOf(by, texts), by);
    block.draw(linesOf(by, texts), by);
    expect(written).toHaveLength(1);
    block.draw(linesOf(by, texts.with(7, "changed")), by);
    expect(written).toHaveLength(2);
    expect(written[1]?.length).toBeLessThan(80);
  });

  it("is one synchronized update per drawing, with wrapping off inside and on behind", () => {
    const { block, written, terminal, by } = setUp(20, 5);
    block.draw(linesOf(by, ["a", "b"]), by);
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^\x1b\[\?25l\x1b\[\?2026h\x1b\[\?7l[^]*\x1b\[\?7h\x1b\[\?2026l$/);
    expect(terminal).toMatchObject({ isWrapping: true, isUpdating: false, isCursorShown: false });
  });

  it("never clears the screen, and never draws more than the window holds", () => {
    const { block, terminal, by } = setUp(20, 5);
    for (const count of [30, 2, 30])
      block.draw(
        linesOf(
          by,
          Array.from({ length: count }, (_, index) => `${count} ${index}`),
        ),
        by,
      );
    expect(terminal.sequences).not.toContain("2J");
    expect(terminal.text).toHaveLength(4);
  });

  it("begins below what was written meanwhile after it was left", () => {
    const { block, terminal, by } = setUp(20, 8);
    block.draw(linesOf(by, ["a", "b"]), by);
    block.restore();
    terminal.write("[1]+  Stopped\r\n");
    block.leave();
    block.draw(linesOf(by, ["a", "c"]), by);
    expect(terminal.text).toEqual(["a", "b", "[1]+  Stopped", "a", "c"]);
    expect(terminal.isCursorShown).toBe(false);
  });

  it("draws all again where the block stands after the window was resized", () => {
    const { block, terminal, by } = setUp(20, 8);
    terminal.write("above\r\n");
    block.draw(linesOf(by, ["a", "b", "c"]), by);
    block.resized();
    block.draw(linesOf(by, ["a", "b", "d"]), by);
    expect(terminal.text).toEqual(["above", "a", "b", "d"]);
  });

  it("leaves nothing of lines that a narrower window has broken", () => {
    const { block, terminal, output } = setUp(60, 12);
    terminal.write("above\r\n");
    const wide = pen({ width: 60, isAscii: false, hasColor: false });
    block.draw(linesOf(wide, ["x".repeat(60), "y".repeat(45), "z"]), wide);
    terminal.resize(20, 12);
    Object.assign(output, { columns: 20 });
    block.resized();
    const narrow = pen({ width: 20, isAscii: false, hasColor: false });
    block.draw(linesOf(narrow, ["x".repeat(20), "y", "z"]), narrow);
    expect(terminal.text).toEqual(["above", "x".repeat(20), "y", "z"]);
  });

  it("gives the cursor back, once", () => {
    const { block, terminal, written, by } = setUp(20, 8);
    block.restore();
    expect(written).toEqual([]);
    block.draw(linesOf(by, ["a"]), by);
    block.restore();
    block.restore();
    expect(terminal.isCursorShown).toBe(true);
    expect(written).toHaveLength(2);
  });
});
