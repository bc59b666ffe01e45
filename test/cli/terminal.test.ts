import { describe, expect, it } from "vitest";
import { canDraw, penFor } from "../../src/cli/terminal.ts";
import { keptOutput, start } from "./command-line.ts";

const terminal = keptOutput({ columns: 100, rows: 30 }).output;
const pipe = keptOutput().output;

describe("penFor", () => {
  it.each([
    [terminal, {}, {}, true],
    [pipe, {}, {}, false],
    [terminal, { NO_COLOR: "1" }, {}, false],
    [terminal, { NO_COLOR: "" }, {}, true],
    [terminal, { TERM: "dumb" }, {}, false],
    [terminal, {}, { color: false }, false],
    [pipe, { FORCE_COLOR: "1" }, {}, true],
    [pipe, { FORCE_COLOR: "1", NO_COLOR: "1" }, {}, false],
    [terminal, { FORCE_COLOR: "0" }, {}, false],
  ])("colours by what the terminal and the user want (%#)", (output, env, options, hasColor) => {
    expect(penFor(output, env, options).hasColor).toBe(hasColor);
  });

  it.each([
    [{}, {}, false],
    [{ LANG: "en_US.UTF-8" }, {}, false],
    [{ LANG: "C.utf8" }, {}, false],
    [{ LANG: "C" }, {}, true],
    [{ LANG: "en_US.ISO-8859-1" }, {}, true],
    [{ LC_ALL: "POSIX", LANG: "en_US.UTF-8" }, {}, true],
    [{ LC_ALL: "", LC_CTYPE: "de_DE.UTF-8", LANG: "C" }, {}, false],
    [{ LANG: "en_US.UTF-8" }, { ascii: true }, true],
  ])("uses ASCII where the locale %j and the options %j ask for it", (env, options, isAscii) => {
    expect(penFor(terminal, env as Record<string, string>, options).isAscii).toBe(isAscii);
  });

  it("is as wide as the window, at most 120 columns, 80 where there is none", () => {
    expect(penFor(terminal, {}, {}).width).toBe(100);
    expect(penFor(keptOutput({ columns: 300, rows: 9 }).output, {}, {}).width).toBe(120);
    expect(penFor(pipe, {}, {}).width).toBe(80);
    expect(penFor(keptOutput({ columns: 0, rows: 0 }).output, {}, {}).width).toBe(80);
  });
});

describe("canDraw", () => {
  it.each([
    [{ columns: 80, rows: 24 }, {}, true],
    [undefined, {}, false],
    [{ columns: 80, rows: 24 }, { TERM: "dumb" }, false],
  ])("draws only on a terminal that can move its cursor (%#)", (size, env, can) => {
    const { cli } = start([], { env, ...(size !== undefined && { terminal: size }) });
    expect(canDraw(cli)).toBe(can);
  });
});
