import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BoundaryReport, checkBoundaries, ruleNames } from "../../scripts/check-boundaries.ts";

/** Per rule, an import that breaks it and no other: file -> what it imports. */
const PLANTED: Record<string, readonly [from: string, to: string]> = {
  "A1-no-cycles": ["src/tracker/one.ts", "src/tracker/two.ts"],
  "A2-model-is-pure": ["src/model/task.ts", "src/tracker/two.ts"],
  "A2-view-is-pure": ["src/view/rows.ts", "src/stream/hub.ts"],
  "A3-runs-in-a-browser": ["src/stream/client.ts", "node:net"],
  "A4-ports-know-only-the-model": ["src/storage/storage.ts", "src/storage/line.ts"],
  "A5-a-driver-knows-only-its-port": ["src/storage/sqlite.ts", "src/storage/memory.ts"],
  "A6-only-the-edges-pick-drivers": ["src/tracker/three.ts", "src/storage/sqlite.ts"],
  "A6-only-the-edges-start-the-server": ["src/models.ts", "src/server/server.ts"],
  "A7-core-does-not-know-its-shells": ["src/metrics/collector.ts", "src/progress-tracker.ts"],
  "A7-sources-only-make-commands": ["src/sources/eksctl.ts", "src/storage/storage.ts"],
  "A8-web-speaks-the-protocol-only": ["web/main.ts", "src/stream/hub.ts"],
  "A9-src-never-imports-tests": ["src/cli/main.ts", "test/help.ts"],
};

/** Imports that must pass: a driver's own folder, the helpers, the ports, errors from anywhere. */
const ALLOWED: readonly (readonly [from: string, to: string])[] = [
  ["src/tracker/two.ts", "src/tracker/one.ts"],
  ["src/storage/json-lines.ts", "src/storage/json-lines/journal.ts"],
  ["src/storage/json-lines/journal.ts", "src/storage/json-lines/seal.ts"],
  ["src/storage/json-lines/journal.ts", "src/storage/storage.ts"],
  ["src/storage/json-lines/journal.ts", "src/storage/files.ts"],
  ["src/storage/json-lines/journal.ts", "src/storage/line.ts"],
  ["src/storage/line.ts", "src/errors.ts"],
  ["src/notify/slack.ts", "src/notify/slack/blocks.ts"],
  ["src/notify/slack/blocks.ts", "src/notify/notifier.ts"],
  ["src/notify/notifier.ts", "src/model/task.ts"],
  ["src/model/task.ts", "src/errors.ts"],
  ["src/view/rows.ts", "src/model/task.ts"],
  ["src/tracker/three.ts", "src/storage/storage.ts"],
  ["src/server/server.ts", "src/server/routes.ts"],
  ["src/progress-tracker.ts", "src/storage/sqlite.ts"],
  ["src/progress-tracker.ts", "src/server/server.ts"],
  ["web/main.ts", "src/stream/protocol.ts"],
  ["web/main.ts", "src/view/rows.ts"],
];

const relative = (from: string, to: string): string =>
  to.startsWith("node:") ? to : `./${"../".repeat(dirname(from).split("/").length)}${to}`;

/** Writes a tree in which each file imports what `edges` says. */
const plant = (root: string, edges: readonly (readonly [string, string])[]): void => {
  const files = new Map<string, string[]>();
  for (const [from, to] of edges) {
    files.set(from, [...(files.get(from) ?? []), to]);
    if (!to.startsWith("node:") && !files.has(to)) files.set(to, []);
  }
  for (const [file, targets] of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    const imports = targets.map((to, n) => `import type * as t${n} from "${relative(file, to)}";`);
    writeFileSync(join(root, file), `${imports.join("\n")}\nexport const value = 1;\n`);
  }
};

describe("boundaries", () => {
  const clean = mkdtempSync(join(tmpdir(), "milepost-clean-"));
  const broken = mkdtempSync(join(tmpdir(), "milepost-broken-"));
  let report: BoundaryReport;

  beforeAll(async () => {
    plant(clean, ALLOWED);
    plant(broken, [...ALLOWED, ...Object.values(PLANTED)]);
    report = await checkBoundaries(broken);
  });

  afterAll(() => {
    for (const folder of [clean, broken]) rmSync(folder, { recursive: true });
  });

  it("has a planted violation for every rule of the config", () => {
    expect(Object.keys(PLANTED)).toEqual(ruleNames());
  });

  it.each(Object.entries(PLANTED))("%s is reported when %s breaks it", (rule, [from, to]) => {
    const reported = report.violations.filter((violation) => violation.rule === rule);
    const expected = expect.objectContaining({ from, to: to.replace("node:", "") });
    expect(reported).toContainEqual(expected);
    expect(reported).toHaveLength(1);
  });

  it("reports nothing in a tree that keeps the rules", async () => {
    expect(await checkBoundaries(clean)).toEqual({ modules: new Set(ALLOWED.flat()).size, violations: [] });
  });

  it("sees the modules of the real tree", async () => {
    const { modules } = await checkBoundaries(resolve(import.meta.dirname, "../.."));
    expect(modules).toBeGreaterThan(0);
  });
});
