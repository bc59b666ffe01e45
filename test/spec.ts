/** `docs/spec.md` as data: its rules, its tables, and which rules the titles of the tests cite. */

import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import ts from "typescript";

const RULE = /^- \*\*([A-Z]\d+)\*\* /gm;
/** `[T3]` or `[T3, E1]` at the start of a title; `[T3] [E1]` is read too. Rule ids have no leading nought, so matrix ids like D05 are told apart. */
const CITED = /^(?:\[[A-Z]\d+(?:, ?[A-Z]\d+)*\] ?)+/;
const SKIPPED = /\.(?:skip|todo|skipIf|runIf)\b/;

export const specText = readFileSync(resolve(import.meta.dirname, "../docs/spec.md"), "utf8");

/** The ids of all rules, in order. A rule that stands twice is listed twice. */
export function ruleIds(text: string): string[] {
  return [...text.matchAll(RULE)].map((match) => match[1] as string);
}

/** The rules that the titles of tests in a source text cite. A test that is skipped, or stands in a comment, shows nothing. */
export function citedRules(source: string): string[] {
  const cited: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && !SKIPPED.test(node.expression.getText())) {
      const title = node.arguments.find(
        (argument) => ts.isStringLiteralLike(argument) || ts.isTemplateExpression(argument),
      );
      const text = title && (ts.isStringLiteralLike(title) ? title.text : title.head.text);
      cited.push(...(CITED.exec(text ?? "")?.[0].match(/[A-Z]\d+/g) ?? []));
    }
    if (!(ts.isCallExpression(node) && SKIPPED.test(node.expression.getText()))) ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("test.ts", source, ts.ScriptTarget.Latest, true));
  return cited;
}

/** What is wrong between rules and citations: rules that no test shows, citations of no rule, ids given twice. */
export function specFaults(spec: string, tests: Readonly<Record<string, string>>): string[] {
  const rules = ruleIds(spec);
  const known = new Set(rules);
  const shown = new Set<string>();
  const faults = rules
    .filter((id, index) => rules.indexOf(id) !== index)
    .map((id) => `${id} stands twice in the specification`);
  for (const [file, source] of Object.entries(tests)) {
    for (const id of citedRules(source)) {
      shown.add(id);
      if (!known.has(id)) faults.push(`${file} cites ${id}, which is no rule`);
    }
  }
  return [...faults, ...[...known].filter((id) => !shown.has(id)).map((id) => `${id} is cited by no test`)];
}

/** The sources under `test/`, by path. */
export function testSources(root: string): Record<string, string> {
  const files = globSync("test/**/*.ts", { cwd: root })
    .filter((file) => file !== "test/spec.test.ts")
    .sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(resolve(root, file), "utf8")]));
}

/** The table that stands under a rule: row name -> column name -> cell. */
export function tableOf(rule: string, text: string = specText): Record<string, Record<string, string>> {
  const after = text.slice(text.indexOf(`- **${rule}**`));
  const table = /^\|.*\n\|[ -|]*\n((?:\|.*\n)+)/m.exec(after)?.[0].trim().split("\n") ?? [];
  const [head = [], , ...rows] = table.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
  return Object.fromEntries(
    rows.map(([name = "", ...cells]) => [
      name,
      Object.fromEntries(head.slice(1).map((column, i) => [column, cells[i] ?? ""])),
    ]),
  );
}
