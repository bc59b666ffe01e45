import { resolve } from "node:path";
import { ESLint } from "eslint";
import { beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

const PLANTED = `
import { describe } from "node:test";
export * from "./models.ts";
const later = async (): Promise<void> => {};
export default function main(a: any, b: number, c: number, d: number, e: number) {
  later();
  [1].forEach(async () => later());
  switch (b as 1 | 2) {
    case 1:
      return a;
  }
  let describeType: describe.Context;
}
${"\n".repeat(350)}
`;

describe("lint", () => {
  let found: string[];

  beforeAll(async () => {
    // The type-aware rules need a file of the project: errors.ts stands in, with a text that breaks the rules.
    const [result] = await new ESLint({ cwd: root }).lintText(PLANTED, { filePath: "src/errors.ts" });
    found = result?.messages.map(({ ruleId, message }) => ruleId ?? message) ?? [];
  }, 60_000);

  it.each([
    "@typescript-eslint/no-floating-promises",
    "@typescript-eslint/no-misused-promises",
    "@typescript-eslint/switch-exhaustiveness-check",
    "@typescript-eslint/consistent-type-imports",
    "@typescript-eslint/no-explicit-any",
    "max-lines",
    "max-params",
  ])("%s catches a planted fault", (rule) => {
    expect(found).toContain(rule);
  });

  it("refuses `export *` and default exports", () => {
    expect(found.filter((rule) => rule === "no-restricted-syntax")).toHaveLength(2);
  });
});
