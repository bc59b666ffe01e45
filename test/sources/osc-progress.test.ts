import { describe, expect, it } from "vitest";
import { readProgressSequence } from "../../src/sources/osc-progress.ts";

describe("OSC 9;4", () => {
  it("[P5] reads each state", () => {
    expect(readProgressSequence("9;4;1;45")).toEqual({ percentage: 45, problem: null });
    expect(readProgressSequence("9;4;1;0")).toEqual({ percentage: 0, problem: null });
    expect(readProgressSequence("9;4;2;80")).toMatchObject({ percentage: 80, problem: { level: "error" } });
    expect(readProgressSequence("9;4;4;30")).toMatchObject({ percentage: 30, problem: { level: "warning" } });
  });

  it("[P5] takes no number from a bar that is cleared, has no known end, or names none", () => {
    expect(readProgressSequence("9;4;0;0")).toEqual({ problem: null });
    expect(readProgressSequence("9;4;0")).toEqual({ problem: null });
    expect(readProgressSequence("9;4;3;50")).toEqual({ problem: null });
    expect(readProgressSequence("9;4;1;")).toEqual({ problem: null });
    expect(readProgressSequence("9;4;2")).not.toHaveProperty("percentage");
  });

  it("[P5] takes no number beyond 100", () => {
    expect(readProgressSequence("9;4;1;101")).toEqual({ problem: null });
  });

  it.each(["9;A notification", "9;4", "9;4;7;10", "9;4;1;-5", "9;4;1;5x", "9;1;500", "0;9;4;1;5", "9;4;1;1000"])(
    "reads nothing in %s",
    (body) => {
      expect(readProgressSequence(body)).toBeUndefined();
    },
  );
});
