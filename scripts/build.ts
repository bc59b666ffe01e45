/** Builds dist/ from src/: `npm run build`. */
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(import.meta.dirname, "..");

/**
 * Compiles src/ and puts the outcome in place of `target`, which stays as it is if src/ does not compile. It is compiled beside dist/,
 * wherever it goes, because the source maps hold paths relative to that place.
 */
export const build = (target: string): void => {
  const made = join(root, `dist.${process.pid}`);
  const tsc = fileURLToPath(import.meta.resolve("typescript/bin/tsc"));
  try {
    const args = [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", made];
    if (spawnSync(process.execPath, args, { stdio: "inherit" }).status !== 0) throw new Error("src/ does not compile");
    rmSync(target, { recursive: true, force: true });
    cpSync(made, target, { recursive: true });
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
};

if (import.meta.main) build(join(root, "dist"));
