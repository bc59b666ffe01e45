import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { ERROR_MEANINGS } from "../src/error-meanings.ts";
import { ERRORS, isMilepostError, MilepostError, shown, type ErrorCode, type ErrorRow } from "../src/errors.ts";

test("[V6] docs/errors.md lists every error code, each with the figures of the table, and no other", () => {
  const page = readFileSync(new URL("../docs/errors.md", import.meta.url), "utf8");
  const listed = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d+) \| (\d+) \| (\d* ?)\| (yes|no) \| (.+) \|$/gm)].map(
    (row) => row.slice(1).map((cell) => cell.trim()),
  );
  const known = Object.entries<ErrorRow>(ERRORS).map(([code, { exitCode, httpStatus, closeCode, retryable }]) => [
    code,
    String(exitCode),
    String(httpStatus),
    closeCode === undefined ? "" : String(closeCode),
    retryable ? "yes" : "no",
    ERROR_MEANINGS[code as ErrorCode],
  ]);
  expect(listed.sort()).toEqual(known.sort());
});

test("[V6] an error is told by its code, also one of another copy of the package", () => {
  const foreign = Object.assign(new Error("no"), { name: "MilepostError", code: "LOCKED" });
  expect(isMilepostError(foreign, "LOCKED", "FENCED")).toBe(true);
  expect(isMilepostError(foreign, "CORRUPT")).toBe(false);
  expect(isMilepostError(new MilepostError("CORRUPT", "x"))).toBe(true);
  expect(isMilepostError({ code: "LOCKED" })).toBe(false);
});

test("[V6] a value in a message is short and holds no control character", () => {
  expect(shown("a\u001b[2J\u009b\u202e\n")).toBe('"a\\u001b[2J\\u009b\\u202e\\n"');
  expect(shown("x".repeat(1_000_000)).length).toBeLessThanOrEqual(120);
  expect([shown(undefined), shown(5n), shown(Number.NaN), shown([1]), shown({}), shown(() => 1)]).toEqual([
    "undefined",
    "5",
    "NaN",
    "an array",
    "an object",
    "a function",
  ]);
});
