import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutToWidth, fitToWidth, textWidth } from "../../../src/view/text/column-width.ts";

const WIDTHS: readonly (readonly [text: string, columns: number])[] = [
  ["", 0],
  ["node-1", 6],
  ["Größe", 5],
  ["e\u0301", 1],
  ["日本語", 6],
  ["한국어", 6],
  ["ｆｕｌｌ", 8],
  ["ﾊﾝｶｸ", 4],
  ["あア", 4],
  ["\u1112\u1161\u11ab", 2],
  ["🚀", 2],
  ["✓ ✗ ● ◌ ‖ ⊘ ○", 13],
  ["⚡", 2],
  ["❤", 1],
  ["❤\ufe0f", 2],
  ["🇩🇪", 2],
  ["👍🏽", 4],
  ["👩\u200d👩\u200d👧", 6],
  ["a\u200bb", 2],
  ["ก็", 1],
  ["नि", 2],
  ["𠀀", 2],
  ["→…━╌", 4],
];

describe("textWidth", () => {
  it.each(WIDTHS)("%j takes %i columns", (text, columns) => {
    expect(textWidth(text)).toBe(columns);
  });
});

describe("cutToWidth", () => {
  it.each([
    ["node-group", 10, "node-group"],
    ["node-group", 9, "node-gro…"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    ["日本語", 6, "日本語"],
    ["e\u0301e\u0301e\u0301", 2, "e\u0301…"],
    ["👩\u200d👩\u200d👧!", 4, "…"],
    ["abc", 1, "…"],
    ["abc", 0, ""],
  ])("%j in %i columns is %j", (text, width, cut) => {
    expect(cutToWidth(text, width)).toBe(cut);
  });

  it("takes another mark, and as much of it as there is room for", () => {
    expect(cutToWidth("node-group", 6, "...")).toBe("nod...");
    expect(cutToWidth("node-group", 2, "...")).toBe("..");
  });

  it("never takes more columns than it is given, and is never cut inside a character", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 40 });
    fc.assert(
      fc.property(text, fc.nat(30), (whole, width) => {
        const cut = cutToWidth(whole, width);
        expect(textWidth(cut)).toBeLessThanOrEqual(width);
        expect(cut.isWellFormed()).toBe(true);
        if (textWidth(whole) <= width) expect(cut).toBe(whole);
      }),
    );
  });
});

describe("fitToWidth", () => {
  it.each([
    ["abc", 5, "left", "abc  "],
    ["abc", 5, "right", "  abc"],
    ["日本語", 5, "right", "日本…"],
    ["日本語", 4, "left", "日… "],
  ] as const)("%j in %i columns to the %s is %j", (text, width, align, fitted) => {
    expect(fitToWidth(text, width, { align })).toBe(fitted);
  });
});
