/**
 * Makes the tarball to publish: `npm run pack:release [-- --into <folder>]`, then `npm publish <tarball>`.
 *
 * The lock of this project brings a Node for old machines; nobody who installs the package may get it. Stripping package.json in
 * `prepack` and restoring it in `postpack` is not enough: `npm publish` reads the manifest for the registry again after `postpack`
 * (seen with npm 11.19), and a pack that fails never restores. So a copy is packed, and the clone is never touched.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { formatMessage } from "publint/utils";
import { publint } from "publint";
import { build } from "./build.ts";

type Target = string | Record<string, string>;

interface Manifest {
  scripts?: object;
  devDependencies?: object;
  overrides?: object;
  files: string[];
  exports: Record<string, Target>;
  optionalDependencies: Record<string, string>;
}

const root = resolve(import.meta.dirname, "..");

/** The manifest that users get: no tools, no Node of its own, no way into sources that are not there. */
const publishedManifest = (manifest: Manifest): Omit<Manifest, "scripts" | "devDependencies" | "overrides"> => {
  const { scripts: _scripts, devDependencies: _devDependencies, overrides: _overrides, ...kept } = manifest;
  const optional = Object.entries(kept.optionalDependencies).filter(
    ([name]) => !/^node-(linux|win|darwin)-/.test(name),
  );
  const exports = Object.entries(kept.exports).map(([path, target]): [string, Target] => {
    if (typeof target === "string") return [path, target];
    const { "milepost-source": _source, ...conditions } = target;
    return [path, conditions];
  });
  return { ...kept, optionalDependencies: Object.fromEntries(optional), exports: Object.fromEntries<Target>(exports) };
};

/** Copies what is published into `folder`, with a fresh build. */
const stage = async (folder: string): Promise<void> => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
  const always = ["README.md", "LICENSE"].filter((file) => existsSync(join(root, file)));
  const listed = manifest.files.filter((pattern) => pattern !== "dist");
  for (const file of globSync([...always, ...listed], { cwd: root })) {
    cpSync(join(root, file), join(folder, file), { recursive: true });
  }
  await build(join(folder, "dist"));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
};

/** What publint has against the staged package, as lines. */
const faultsOf = async (folder: string): Promise<string[]> => {
  const { messages, pkg } = await publint({ pkgDir: folder, pack: false, strict: true });
  return messages
    .filter(({ type }) => type !== "suggestion")
    .map((message) => formatMessage(message, pkg) ?? message.code);
};

/** Packs a copy of the project into `into` and returns the path of the tarball. */
export const pack = async (into: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), "milepost-pack-"));
  try {
    await stage(folder);
    const faults = await faultsOf(folder);
    if (faults.length > 0) throw new Error(`the package would be broken:\n${faults.join("\n")}`);
    const args = ["pack", "--json", "--loglevel=error", "--pack-destination", resolve(into)];
    const npm = process.env["npm_execpath"];
    const [program, first] = npm === undefined ? ["npm", []] : [process.execPath, [npm]];
    const output = execFileSync(program, [...first, ...args], { cwd: folder, encoding: "utf8", stdio: "pipe" });
    const [packed] = JSON.parse(output) as { filename: string }[];
    if (packed === undefined) throw new Error("npm pack named no tarball");
    return join(resolve(into), packed.filename);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

if (import.meta.main) {
  const { values } = parseArgs({ options: { refuse: { type: "boolean" }, into: { type: "string", default: "." } } });
  if (values.refuse) {
    process.stderr.write(
      "milepost: run `npm run pack:release` and publish the tarball it makes; packed from here, users would get a Node of 190 MB\n",
    );
    process.exitCode = 1;
  } else {
    process.stdout.write(`${await pack(values.into)}\n`);
  }
}
