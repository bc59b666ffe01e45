/** Builds dist/ from src/ and web/: `npm run build`. The JavaScript in few files, since each costs import time; the declarations one by one. */
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { rolldown } from "rolldown";

import { buildDashboardInto } from "./build-dashboard.ts";

const root = resolve(import.meta.dirname, "..");

const ENTRIES = {
  index: "src/index.ts",
  models: "src/models.ts",
  notifiers: "src/notifiers.ts",
  "cli/main": "src/cli/main.ts",
};

const PACKAGES = /^[^./\\]/;

/** The modules that `import "milepost"` takes at once: all that is reached without an `import()`. */
const coreModules = async (): Promise<ReadonlySet<string>> => {
  const outcome = await rolldown({
    cwd: root,
    input: ENTRIES.index,
    platform: "node",
    external: PACKAGES,
    plugins: [{ name: "leave-lazy-imports", resolveDynamicImport: () => false }],
  });
  const { output } = await outcome.generate();
  await outcome.close();
  return new Set(output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : [])));
};

/** Bundles src/ into `folder`; packages and Node's own modules stay outside. */
const bundle = async (folder: string): Promise<void> => {
  const core = await coreModules();
  const outcome = await rolldown({ cwd: root, input: ENTRIES, platform: "node", external: PACKAGES });
  await outcome.write({
    dir: folder,
    format: "esm",
    sourcemap: true,
    chunkFileNames: "chunks/[name]-[hash].js",
    // In one file: a file costs more import time than the code in it.
    codeSplitting: { groups: [{ name: "core", test: (id) => core.has(id) }] },
  });
  await outcome.close();
};

/** Bundles what runs in a browser into one file, which imports nothing. */
const bundleClient = async (folder: string): Promise<void> => {
  const outcome = await rolldown({ cwd: root, input: { client: "src/stream/client.ts" }, platform: "browser" });
  await outcome.write({ dir: folder, format: "esm", sourcemap: true });
  await outcome.close();
};

/**
 * Compiles src/ and puts the outcome in place of `target`, which stays as it is if src/ does not compile. It is made beside dist/,
 * wherever it goes, because the source maps hold paths relative to that place.
 */
export const build = async (target: string): Promise<void> => {
  const made = join(root, `dist.${process.pid}`);
  const tsc = fileURLToPath(import.meta.resolve("typescript/bin/tsc"));
  try {
    const args = [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", made];
    if (spawnSync(process.execPath, args, { stdio: "inherit" }).status !== 0) throw new Error("src/ does not compile");
    await bundle(made);
    await bundleClient(made);
    await buildDashboardInto(join(made, "dashboard"));
    rmSync(target, { recursive: true, force: true });
    cpSync(made, target, { recursive: true });
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
};

if (import.meta.main) await build(join(root, "dist"));
