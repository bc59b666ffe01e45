import { describe, expect, it } from "vitest";
import { safeText } from "../../../src/view/text/safe-text.ts";

/** What must never reach a surface as it is, and how it is shown. */
const HOSTILE: readonly (readonly [what: string, text: string, shown: string])[] = [
  ["a screen clear", "\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"],
  ["the clipboard (OSC 52)", "\x1b]52;c;Y2F0\x07", "\\x1b]52;c;Y2F0\\x07"],
  ["a hyperlink (OSC 8)", "\x1b]8;;http://x\x1b\\y", "\\x1b]8;;http://x\\x1b\\y"],
  ["line breaks", "a\r\nb\tc", "a\\r\\nb\\tc"],
  ["NUL and DEL", "a\0b\x7f", "a\\x00b\\x7f"],
  ["a one-byte CSI (C1)", "\x9b2J", "\\x9b2J"],
  ["a right-to-left override", "abc\u202efdp.exe", "abc\\u202efdp.exe"],
  ["isolates", "\u2066a\u2067b\u2068c\u2069", "\\u2066a\\u2067b\\u2068c\\u2069"],
  [
    "embeddings and marks",
    "\u202a\u202b\u202c\u202d\u200e\u200f\u061c",
    "\\u202a\\u202b\\u202c\\u202d\\u200e\\u200f\\u061c",
  ],
  ["line and paragraph separators", "a\u2028b\u2029", "a\\u2028b\\u2029"],
  ["half a surrogate pair", "a\ud800b", "a\ufffdb"],
];

describe("safeText", () => {
  it.each(HOSTILE)("shows %s as visible escapes", (_what, text, shown) => {
    expect(safeText(text)).toBe(shown);
  });

  it("[X3] leaves no control character of any kind in any text", () => {
    const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join("");
    expect(safeText(all)).not.toMatch(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
  });

  it.each(["", "Node group → 3/5", "Größe 日本語 🚀 👩‍👩‍👧 é", "C:\\path\\n"])("leaves %j as it is", (text) => {
    expect(safeText(text)).toBe(text);
  });

  it("changes nothing that it has made safe", () => {
    for (const [, , shown] of HOSTILE) expect(safeText(shown)).toBe(shown);
  });
});
