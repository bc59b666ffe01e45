/** Builds the dashboard into dist/dashboard, unless it is there as its sources are now: `node scripts/build-dashboard.ts`. */

import { createHash } from "node:crypto";
import { cpSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { gzipAsync } from "@gfx/zopfli";
import { build } from "vite";

const root = resolve(import.meta.dirname, "..");
const DASHBOARD = join(root, "dist/dashboard");

/** All that the outcome depends on. */
const SOURCES = [
  "web/**/*.{html,ts,tsx,css,json,svg}",
  "src/{model,view,stream}/**/*.ts",
  "src/errors.ts",
  "scripts/build-dashboard.ts",
  "package-lock.json",
];

const STAMP = ".sources";

/** What is worth compressing. */
const TEXTS = "**/*.{html,js,css,svg}";

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const file of globSync(SOURCES, { cwd: root }).sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

function stampOf(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, STAMP), "utf8");
  } catch {
    return undefined;
  }
}

/** Puts `made` in the place of dist/dashboard. Of two that do so at once either may win: both are built from the same sources. */
function moveIntoPlace(made: string): void {
  for (let tries = 0; ; tries += 1) {
    rmSync(DASHBOARD, { recursive: true, force: true });
    try {
      return renameSync(made, DASHBOARD);
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

/** What tests have in NODE_ENV would give a dashboard for developers, with paths of this machine in it. */
async function buildForProduction(outDir: string): Promise<void> {
  const before = process.env["NODE_ENV"];
  process.env["NODE_ENV"] = "production";
  try {
    await build({ root: join(root, "web"), mode: "production", logLevel: "warn", build: { outDir } });
  } finally {
    if (before === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = before;
  }
}

/** Puts a `.gz` beside each text: smaller than what the server could make while someone waits. */
async function compressTexts(folder: string): Promise<void> {
  for (const file of globSync(TEXTS, { cwd: folder })) {
    const path = join(folder, file);
    writeFileSync(`${path}.gz`, await gzipAsync(readFileSync(path), { numiterations: 30 }));
  }
}

/** Makes dist/dashboard what its sources say. Returns false when it was so already. */
export async function buildDashboard(): Promise<boolean> {
  const stamp = fingerprint();
  if (stampOf(DASHBOARD) === stamp) return false;
  const made = `${DASHBOARD}.${process.pid}`;
  mkdirSync(dirname(made), { recursive: true });
  try {
    await buildForProduction(made);
    await compressTexts(made);
    writeFileSync(join(made, STAMP), stamp);
    moveIntoPlace(made);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return true;
}

/** Builds the dashboard and copies it into another folder. */
export async function buildDashboardInto(folder: string): Promise<void> {
  await buildDashboard();
  cpSync(DASHBOARD, folder, { recursive: true, filter: (path) => !path.endsWith(STAMP) });
}

if (import.meta.main && (await buildDashboard())) process.stdout.write("milepost: the dashboard is built\n");
