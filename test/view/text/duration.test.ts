import { describe, expect, it } from "vitest";
import { clockText, dateText, durationText, percentText, shortDateText } from "../../../src/view/text/duration.ts";

describe("durationText", () => {
  it.each([
    [0, "0s"],
    [999, "0s"],
    [45_000, "45s"],
    [59_999, "59s"],
    [60_000, "1m 00s"],
    [125_000, "2m 05s"],
    [3_599_999, "59m 59s"],
    [3_840_000, "1h 04m"],
    [86_399_999, "23h 59m"],
    [266_400_000, "3d 02h"],
    [-5, "0s"],
    [Number.NaN, "0s"],
    [Number.POSITIVE_INFINITY, "0s"],
  ])("%d ms is %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe("times of day", () => {
  it("are local, in two digits each", () => {
    const local = new Date(2026, 10, 3, 4, 5, 6).toISOString();
    expect(clockText(local)).toBe("04:05:06");
    expect(dateText(local)).toBe("2026-11-03 04:05:06");
  });

  it("are enough for a time of today; another day needs its date", () => {
    const local = new Date(2026, 10, 3, 4, 5, 6);
    expect(shortDateText(local.toISOString(), new Date(2026, 10, 3, 23, 59).getTime())).toBe("04:05:06");
    expect(shortDateText(local.toISOString(), new Date(2026, 10, 4, 0, 1).getTime())).toBe("2026-11-03");
  });

  it("say so when a text is no time", () => {
    expect(clockText("soon")).toBe("--:--:--");
    expect(dateText("soon")).toBe("unknown");
  });
});

describe("percentText", () => {
  it.each([
    [0, "0%"],
    [99.99, "99%"],
    [100, "100%"],
    [null, "unknown"],
  ])("%s is %s", (percent, text) => {
    expect(percentText(percent)).toBe(text);
  });
});
