import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { ERRORS, type ErrorCode, type ErrorRow } from "../../../src/errors.ts";
import { AUTH_CONFIG, readAuthConfig } from "../../../src/server/auth/auth-config.ts";
import { createAuthenticator } from "../../../src/server/auth/authenticator.ts";
import { tempFolder } from "../../temp-folder.ts";

const PAGE = readFileSync(new URL("../../../docs/auth.md", import.meta.url), "utf8");

/** The first cells of the table under a heading. */
function firstCells(heading: string): readonly string[] {
  const section = PAGE.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| `(\w+)` +\|/gm)].map(([, cell]) => cell as string);
}

test("every auth file in docs/auth.md is one that a server takes", () => {
  const files = [...PAGE.matchAll(/<!-- auth file -->\n+```json\n([\s\S]*?)```/g)].map(([, text]) => text as string);
  expect(files.length).toBe(PAGE.match(/```json/g)?.length);
  for (const text of files) {
    const folder = tempFolder();
    writeFileSync(join(folder, "wall.token"), "0123456789abcdefghijk\n", { mode: 0o600 });
    writeFileSync(join(folder, "auth.json"), text, { mode: 0o644 });
    const settings = readAuthConfig(join(folder, "auth.json"), { AGENT_TOKEN: "agent-0123456789abcdefghijk" });
    expect(() => createAuthenticator(settings.authenticator)).not.toThrow();
  }
});

test("docs/auth.md lists every field of an auth file, and no other", () => {
  expect(firstCells("All fields")).toEqual(Object.keys(AUTH_CONFIG.shape));
});

test("refusals are listed in docs/auth.md with the numbers of the table of errors", () => {
  const rows = [...PAGE.matchAll(/\| `([A-Z_]+)` +\| (\d+) +\| (\d*) +\|$/gm)];
  expect(rows.length).toBe(7);
  for (const [, code, httpStatus, closeCode] of rows) {
    const row: ErrorRow = ERRORS[code as ErrorCode];
    expect([code, httpStatus, closeCode]).toEqual([code, String(row.httpStatus), String(row.closeCode ?? "")]);
  }
});
