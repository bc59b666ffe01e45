import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkDocs } from "../../scripts/check-docs.ts";

const EXAMPLE = `import { x } from "milepost";

function main() {
  // #region first
  if (x) {
    say("$& is kept");
  }
  // #endregion
}
`;
const REGION = `if (x) {\n  say("$& is kept");\n}\n`;
const page = (body: string) =>
  `# Page\n\n<!-- example: examples/quick.ts#first -->\n\n\`\`\`ts\n${body}\`\`\`\n\nEnd.\n`;

describe("check-docs", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "milepost-docs-"));
    mkdirSync(join(root, "examples"));
    mkdirSync(join(root, "docs"));
    writeFileSync(join(root, "examples/quick.ts"), EXAMPLE);
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("passes a block that equals its region", () => {
    writeFileSync(join(root, "README.md"), page(REGION));
    expect(checkDocs(root, false)).toEqual({ pages: 1, faults: [] });
  });

  it("reports a block that differs, and mends it when asked", () => {
    writeFileSync(join(root, "docs/use.md"), page("old();\n"));
    expect(checkDocs(root, false).faults).toEqual([expect.stringContaining("docs/use.md: an example differs")]);
    expect(checkDocs(root, true).faults).toEqual([]);
    expect(readFileSync(join(root, "docs/use.md"), "utf8")).toBe(page(REGION));
  });

  it("takes a whole file where no region is named", () => {
    const whole = EXAMPLE.replace(/^ *\/\/ #.*\n/gm, "");
    writeFileSync(join(root, "README.md"), page(whole).replace("#first", ""));
    expect(checkDocs(root, false).faults).toEqual([]);
  });

  it("reports a missing file, a missing region and a mark without a block", () => {
    const text = `${page("").replace("quick.ts", "gone.ts")}${page("").replace("first", "gone")}<!-- example: examples/quick.ts -->\n`;
    writeFileSync(join(root, "README.md"), text);
    expect(checkDocs(root, false).faults).toEqual([
      "README.md: no example examples/gone.ts#first",
      "README.md: no example examples/quick.ts#gone",
      expect.stringContaining("1 of 3 example marks"),
    ]);
  });

  it("reports relative links that lead nowhere, and only those", () => {
    const links = [
      "[a](gone.md)",
      "[b](../examples/quick.ts#L3)",
      "[c](https://example.com/x)",
      "[d](#here)",
      "`[e](code.md)`",
    ];
    writeFileSync(join(root, "docs/use.md"), `${links.join("\n")}\n\n\`\`\`\n[f](fenced.md)\n\`\`\`\n\n[g]: lost.md\n`);
    expect(checkDocs(root, false).faults).toEqual([
      "docs/use.md: the link gone.md leads nowhere",
      "docs/use.md: the link lost.md leads nowhere",
    ]);
  });
});
