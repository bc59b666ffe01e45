import { describe, expect, it } from "vitest";
import { reportError } from "../../src/cli/report-error.ts";
import { MilepostError } from "../../src/errors.ts";
import { start } from "./command-line.ts";

const told = (error: unknown, env: Record<string, string> = {}, json = false) => {
  const { cli, stderr } = start([], { env });
  reportError(cli, error, { json });
  return { exitCode: cli.exitCode, stderr: stderr() };
};

describe("reportError", () => {
  it("[P1] tells a typed error with its code, and has its exit status", () => {
    expect(told(new MilepostError("LOCKED", "held by another"))).toEqual({
      exitCode: 5,
      stderr: "milepost: held by another (LOCKED)\n",
    });
  });

  it.each(["UNAUTHENTICATED", "TOKEN_EXPIRED"] as const)("says how one says who asks, for %s of a server", (code) => {
    const { exitCode, stderr } = told(new MilepostError(code, "not known"));
    expect([exitCode, stderr]).toEqual([
      7,
      `milepost: not known; MILEPOST_TOKEN, or --token, says who asks (${code})\n`,
    ]);
  });

  it("tells any other error with how to see where, and exits with 1", () => {
    expect(told(new TypeError("x is not a function"))).toEqual({
      exitCode: 1,
      stderr: "milepost: x is not a function (MILEPOST_DEBUG=1 shows where)\n",
    });
    expect(told("a text").stderr).toBe("milepost: a text (MILEPOST_DEBUG=1 shows where)\n");
  });

  it("tells where, and what led to it, when asked", () => {
    const cause = new Error("the disk");
    const { stderr } = told(new MilepostError("STORAGE_UNUSABLE", "cannot", { cause }), { MILEPOST_DEBUG: "1" });
    expect(stderr).toMatch(/^milepost: cannot \(STORAGE_UNUSABLE\)\nMilepostError: cannot\n +at /);
    expect(stderr).toMatch(/\ncaused by Error: the disk\n +at /);
  });

  it("[X3] lets no control character through", () => {
    const { stderr } = told(new Error("a\x1b[2J\r\nb\u202e"), { MILEPOST_DEBUG: "1" }, true);
    expect(stderr.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});
