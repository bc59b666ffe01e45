/* eslint-disable no-control-regex -- control sequences are what is looked for */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cutLine,
  lineWidth,
  paint,
  pen,
  span,
  spread,
  trimLine,
  wrapText,
  type Look,
  type Pen,
} from "../../../src/cli/render/pen.ts";
import { textWidth } from "../../../src/view/text/column-width.ts";

const wide = pen({ width: 80, isAscii: false, hasColor: true });
const plain: Pen = { ...wide, hasColor: false };
const ascii = pen({ width: 80, isAscii: true, hasColor: false });

const anyLine = fc.array(
  fc.string({ unit: "grapheme", maxLength: 15 }).map((text) => span(plain, text)),
  { maxLength: 6 },
);

describe("span", () => {
  it("[X3] lets no control sequence of a text reach the terminal", () => {
    const evil = "\x1b[2J\x1b]52;c;x\x07\r\n\x9b\u202e";
    for (const by of [wide, plain, ascii]) {
      const painted = paint([span(by, evil, "bad")], by).replaceAll(/\x1b\[(0|31)m/g, "");
      expect(painted).not.toMatch(/[\p{Cc}\u202e]/u);
    }
  });

  it("uses ASCII only in ASCII mode, with a likeness where there is one", () => {
    expect(span(ascii, "1.33 → 1.34 · Größe…").text).toBe("1.33 -> 1.34 - Gr??e...");
  });
});

describe("paint", () => {
  it("colours by SGR and ends each colour", () => {
    expect(paint([span(wide, "a", "good"), span(wide, " b"), span(wide, "c", "strong")], wide)).toBe(
      "\x1b[32ma\x1b[0m b\x1b[1mc\x1b[0m",
    );
  });

  it("writes no escape at all without colours", () => {
    const looks: readonly Look[] = ["good", "active", "attention", "bad", "quiet", "strong"];
    expect(
      paint(
        looks.map((look) => span(plain, look, look)),
        plain,
      ),
    ).not.toContain("\x1b");
  });

  it("leaves the empty end of a line out", () => {
    expect(paint([span(wide, "a "), span(wide, "   ", "quiet")], wide)).toBe("a");
    expect(trimLine([span(wide, " ")])).toEqual([]);
  });
});

describe("cutLine and spread", () => {
  it("never make a line wider than they are told", () => {
    fc.assert(
      fc.property(anyLine, anyLine, fc.integer({ min: 1, max: 60 }), (left, right, width) => {
        expect(lineWidth(cutLine(left, width, plain))).toBeLessThanOrEqual(width);
        expect(lineWidth(spread(left, right, width, plain))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it("mark where something was cut, across spans too", () => {
    const line = [span(plain, "node-"), span(plain, "group"), span(plain, "-system")];
    expect(paint(cutLine(line, 17, plain), plain)).toBe("node-group-system");
    expect(paint(cutLine(line, 16, plain), plain)).toBe("node-group-syst…");
    expect(paint(cutLine(line, 10, plain), plain)).toBe("node-grou…");
    expect(paint(cutLine(line, 5, plain), plain)).toBe("node…");
  });

  it("put the right part at the right end", () => {
    expect(paint(spread([span(plain, "name")], [span(plain, "40%")], 12, plain), plain)).toBe("name     40%");
    expect(paint(spread([span(plain, "long-name")], [span(plain, "40%")], 10, plain), plain)).toBe("long-… 40%");
  });
});

describe("wrapText", () => {
  it("breaks between words, and cuts what is left over", () => {
    expect(wrapText("the budget needs 2 healthy pods", 12, 3, "…")).toEqual(["the budget", "needs 2", "healthy pods"]);
    expect(wrapText("the budget needs 2 healthy pods", 12, 2, "…")).toEqual(["the budget", "needs 2 hea…"]);
  });

  it("never makes a line too wide, or loses a word, also of wide characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.integer({ min: 2, max: 20 }), (text, width) => {
        const lines = wrapText(text, width, 200, "…");
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
