import { describe, expect, it } from "vitest";
import { countOption, durationOption, speedOption } from "../../src/cli/option-values.ts";

describe("durationOption", () => {
  it.each([
    ["90s", 90_000],
    ["90", 90_000],
    ["2h", 7_200_000],
    ["1h30m", 5_400_000],
    ["500ms", 500],
    ["1.5m", 90_000],
    ["1d", 86_400_000],
    [" 5s ", 5000],
  ])("%j is %d ms", (text, ms) => {
    expect(durationOption(text)).toBe(ms);
  });

  it.each(["", "soon", "5x", "-5s", "1h 30m", "h", "0x10"])("refuses %j", (text) => {
    expect(() => durationOption(text)).toThrow("a duration such as 90s");
  });
});

describe("speedOption", () => {
  it.each([
    ["10", 10],
    ["60x", 60],
    ["0.5X", 0.5],
    ["max", Infinity],
    ["MAX", Infinity],
  ])("%j is %d times", (text, times) => {
    expect(speedOption(text)).toBe(times);
  });

  it.each(["", "0", "-1", "fast", "Infinity", "x", "1e999"])("refuses %j", (text) => {
    expect(() => speedOption(text)).toThrow('a number above 0, or "max"');
  });
});

describe("countOption", () => {
  it.each([
    ["0", 0],
    ["12", 12],
  ])("%j is %d", (text, count) => {
    expect(countOption(0)(text)).toBe(count);
  });

  it.each(["", "-1", "1.5", "x", "9007199254740993"])("refuses %j", (text) => {
    expect(() => countOption(0)(text)).toThrow("a whole number of at least 0");
  });
});
