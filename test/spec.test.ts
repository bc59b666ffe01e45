import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { citedRules, ruleIds, specFaults, specText, tableOf, testSources } from "./spec.ts";

const SPEC = `
- **Q1** First rule.
- **Q2** Second rule, on
  two lines, that speaks of Q1.

| command | open | shut |
| ------- | ---- | ---- |
| \`go\`    | =    | -    |

- **Q10** Third rule.
`;

describe("the specification", () => {
  it("is shown rule by rule by the tests, and no test cites a rule that is not there", () => {
    expect(specFaults(specText, testSources(resolve(import.meta.dirname, "..")))).toEqual([]);
  });

  it("has between 60 and 140 rules", () => {
    expect(ruleIds(specText).length).toBeGreaterThanOrEqual(60);
    expect(ruleIds(specText).length).toBeLessThanOrEqual(140);
  });
});

describe("the check of the specification", () => {
  it("finds a rule that no test cites", () => {
    expect(specFaults(SPEC, { "a.test.ts": `it("[Q1] holds", () => {}); it("[Q10] holds", () => {});` })).toEqual([
      "Q2 is cited by no test",
    ]);
  });

  it("finds a test that cites no rule of the specification", () => {
    const all = `it("[Q1, Q2] holds", () => {}); it("[Q10] holds", () => {});`;
    expect(specFaults(SPEC, { "a.test.ts": all })).toEqual([]);
    expect(specFaults(SPEC, { "a.test.ts": all, "b.test.ts": `it("[Q3] holds", () => {});` })).toEqual([
      "b.test.ts cites Q3, which is no rule",
    ]);
  });

  it("finds an id that stands twice", () => {
    const faults = specFaults(`${SPEC}- **Q1** Again.\n`, {
      "a.test.ts": `describe("[Q1] [Q2] [Q10] all", () => {});`,
    });
    expect(faults).toEqual(["Q1 stands twice in the specification"]);
  });

  it.each([
    ["a plain title", `it("[Q1] a", () => {})`, ["Q1"]],
    ["several rules", `test("[Q1, Q2] [Q10] a", () => {})`, ["Q1", "Q2", "Q10"]],
    ["a group", `describe("[Q1] a", () => { it("b", () => {}); })`, ["Q1"]],
    ["a table", `it.each(rows)("[Q1] %s", () => {})`, ["Q1"]],
    ["a template", "it(`[Q1] ${name}`, () => {})", ["Q1"]],
    ["a contract's own function", `rule(storage, "[Q1] a", () => {})`, ["Q1"]],
    ["an id in the middle", `it("a [Q1] b", () => {})`, []],
    ["a comment", `// it("[Q1] a", () => {})\n/* it("[Q2] b") */`, []],
    ["a skipped test", `it.skip("[Q1] a", () => {}); test.todo("[Q2] b")`, []],
    ["a skipped group", `describe.skip("a", () => { it("[Q1] b", () => {}); })`, []],
    ["text that is no title", `const text = "[Q1] a";`, []],
  ])("reads %s", (_name, source, expected) => {
    expect(citedRules(source)).toEqual(expected);
  });

  it("reads the ids and the table under a rule", () => {
    expect(ruleIds(SPEC)).toEqual(["Q1", "Q2", "Q10"]);
    expect(tableOf("Q2", SPEC)).toEqual({ go: { open: "=", shut: "-" } });
  });
});
