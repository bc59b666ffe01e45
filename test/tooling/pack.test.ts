import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pack } from "../../scripts/pack.ts";
import { isLong } from "../faults/child.ts";

const root = resolve(import.meta.dirname, "../..");
const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

describe("the packed package", () => {
  const folder = mkdtempSync(join(tmpdir(), "milepost-packed-"));
  const installed = join(folder, "node_modules/milepost");
  const before = readFileSync(join(root, "package.json"), "utf8");
  let files: string[];

  beforeAll(async () => {
    const tarball = await pack(folder);
    mkdirSync(installed, { recursive: true });
    execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
    for (const name of Object.keys(manifestOf(root).dependencies)) {
      mkdirSync(dirname(join(folder, "node_modules", name)), { recursive: true });
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
    }
    files = readdirSync(installed, { recursive: true, encoding: "utf8" });
  }, 240_000);

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const node = (...args: string[]) =>
    spawnSync(process.execPath, args, { cwd: folder, env: { ...process.env, NODE_OPTIONS: "" }, encoding: "utf8" });

  it("brings no Node and no tools", () => {
    const manifest = manifestOf(installed);
    expect(Object.keys(manifest.optionalDependencies)).toEqual(["@lydell/node-pty"]);
    expect(manifest).not.toHaveProperty("devDependencies");
    expect(manifest).not.toHaveProperty("scripts");
    expect(manifest).not.toHaveProperty("overrides");
    expect(JSON.stringify(manifest.exports)).not.toContain("src");
    expect(manifest.dependencies).toEqual(manifestOf(root).dependencies);
  });

  it("holds what its exports and its command name, and neither sources nor tests", () => {
    const { exports, bin } = manifestOf(installed);
    const targets = Object.values(exports).flatMap((target) =>
      typeof target === "string" ? target : Object.values(target as object),
    );
    for (const target of [...targets, bin.milepost, "LICENSE"])
      expect(existsSync(join(installed, target)), target).toBe(true);
    expect(files.filter((file) => /^(src|test|scripts|bench|examples)/.test(file))).toEqual([]);
  });

  it("holds no path of the machine it was built on", () => {
    const sources = files
      .filter((file) => file.endsWith(".map"))
      .flatMap((file) => JSON.parse(readFileSync(join(installed, file), "utf8")).sources as string[]);
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(source).toMatch(/^(\.\.\/)+src\//);
  });

  it("is imported by each of its paths and runs its command", () => {
    const paths = Object.keys(manifestOf(installed).exports).filter((path) => !path.endsWith(".json"));
    const imports = paths.map((path) => `await import("milepost${path.slice(1)}");`).join("");
    expect(node("--input-type=module", "--eval", imports)).toMatchObject({ status: 0, stderr: "" });
    expect(node(join(installed, "bin/milepost.js"), "--help")).toMatchObject({ status: 0, stderr: "" });
  });

  it("leaves the clone's package.json alone, also when packing fails", async () => {
    expect(readFileSync(join(root, "package.json"), "utf8")).toBe(before);
    // Another whole build: for the long run.
    if (!isLong) return;
    await expect(pack(join(folder, "no-such-folder"))).rejects.toThrow();
    expect(readFileSync(join(root, "package.json"), "utf8")).toBe(before);
  });

  it.skipIf(process.platform === "win32")("cannot be packed from the clone itself, with its Node", () => {
    const { status, stderr } = spawnSync("npm", ["pack", "--pack-destination", folder], {
      cwd: root,
      encoding: "utf8",
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain("npm run pack:release");
    expect(readFileSync(join(root, "package.json"), "utf8")).toBe(before);
  });
});

describe("the command", () => {
  const run = (version: string) => {
    const fake = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`;
    return spawnSync(
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(fake)}`, join(root, "bin/milepost.js"), "--help"],
      { encoding: "utf8" },
    );
  };

  it.each(["20.20.2", "22.12.0"])("refuses Node %s in one line", (version) => {
    const { status, stdout, stderr } = run(version);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringContaining(`needs Node 22.13 or newer; this is ${version}`),
    ]);
  });

  it.each(["22.13.0", "24.0.0"])("runs on Node %s", (version) => {
    expect(run(version)).toMatchObject({ status: 0, stderr: "" });
  });
});
