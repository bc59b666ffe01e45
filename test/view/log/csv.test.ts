import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvCell } from "../../../src/view/log/csv.ts";

describe("csvCell", () => {
  it.each([
    ["plain", "plain"],
    ["", ""],
    [null, ""],
    [undefined, ""],
    [-5, "-5"],
    [true, "true"],
    ['say "hi"', '"say ""hi"""'],
    ["a,b", '"a,b"'],
    ["a\nb", '"a\nb"'],
    ["a\r", '"a\r"'],
    [{ a: [1, "x"] }, '"{""a"":[1,""x""]}"'],
  ])("%j is %j", (value, cell) => {
    expect(csvCell(value)).toBe(cell);
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])("defuses %j", (text) => {
    expect(csvCell(text).replaceAll('"', "")).toBe(`'${text}`);
  });

  it("can be read back by the rules of RFC 4180", () => {
    const safe = fc.string({ unit: "binary", maxLength: 30 }).filter((text) => !/^[=+\-@\t\r\n＝＋－＠]/.test(text));
    fc.assert(
      fc.property(safe, (text) => {
        const cell = csvCell(text);
        const read = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
        expect(read).toBe(text);
        if (!cell.startsWith('"')) expect(cell).not.toMatch(/[",\r\n]/);
      }),
    );
  });
});
