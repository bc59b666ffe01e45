/** Checks who imports whom, by the rules in .dependency-cruiser.cjs: `node scripts/check-boundaries.ts [folder]`. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import extractOptions from "dependency-cruiser/config-utl/extract-depcruise-options";

const root = resolve(import.meta.dirname, "..");
const CRUISED = ["src", "web", "test", "examples", "bench", "scripts"];

export interface BoundaryReport {
  /** Modules of the project seen, packages and Node's own not counted. */
  readonly modules: number;
  readonly violations: readonly { readonly rule: string; readonly from: string; readonly to: string }[];
}

/** Reads every import under `folder` and reports those a rule forbids. */
export const checkBoundaries = async (folder: string): Promise<BoundaryReport> => {
  const options = await extractOptions(join(root, ".dependency-cruiser.cjs"));
  const present = CRUISED.filter((name) => existsSync(join(folder, name)));
  const { output } = await cruise(present, { ...options, baseDir: folder, validate: true });
  const { modules, summary } = output as ICruiseResult;
  return {
    modules: modules.filter(({ source }) => CRUISED.some((name) => source.startsWith(`${name}/`))).length,
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  };
};

/** The names of the rules, in the order of the file. */
export const ruleNames = (): string[] => {
  const config = createRequire(import.meta.url)("../.dependency-cruiser.cjs") as { forbidden: { name: string }[] };
  return config.forbidden.map(({ name }) => name);
};

if (import.meta.main) {
  const { modules, violations } = await checkBoundaries(resolve(process.argv[2] ?? root));
  for (const { rule, from, to } of violations) process.stdout.write(`${rule}: ${from} -> ${to}\n`);
  // A check that sees nothing passes everything: an unread tree is a fault, not a success.
  if (modules === 0) process.stdout.write("boundaries: no module was found to check\n");
  process.stdout.write(`boundaries: ${modules} modules, ${violations.length} violations\n`);
  process.exitCode = violations.length === 0 && modules > 0 ? 0 : 1;
}
