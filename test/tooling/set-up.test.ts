import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** Stands in for npm: notes its arguments, takes its time, and brings the Node that `node-version` names. */
const NPM = `
const fs = require("node:fs");
fs.appendFileSync("calls", process.argv.slice(2).join(" ") + "\\n");
if (fs.existsSync("npm-fails")) process.exit(7);
fs.rmSync("node_modules", { recursive: true, force: true });
fs.mkdirSync("node_modules/.bin", { recursive: true });
fs.writeFileSync("node_modules/.bin/node", "#!/bin/sh\\necho " + fs.readFileSync("node-version", "utf8"), { mode: 0o755 });
if (fs.existsSync("npm-kills")) process.kill(process.ppid, "SIGKILL");
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
`;

describe.skipIf(process.platform === "win32")("set-up", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "milepost-set-up-test-"));
    mkdirSync(join(root, "scripts"));
    copyFileSync(resolve(import.meta.dirname, "../../scripts/set-up.mjs"), join(root, "scripts/set-up.mjs"));
    writeFileSync(join(root, "package-lock.json"), "{}");
    writeFileSync(join(root, "node-version"), "v24.21.0");
    writeFileSync(join(root, "npm.cjs"), NPM);
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const args = () => [join(root, "scripts/set-up.mjs")];
  const env = () => ({
    ...process.env,
    TMPDIR: root,
    npm_execpath: join(root, "npm.cjs"),
    npm_node_execpath: process.execPath,
  });
  const setUp = () => spawnSync(process.execPath, args(), { env: env(), encoding: "utf8", timeout: 15_000 });
  const calls = () => readFileSync(join(root, "calls"), "utf8").trim().split("\n");

  it("installs once, says so, and is silent from then on", () => {
    const first = setUp();
    expect(first.stdout).toContain("npm ci");
    expect(calls()).toEqual([expect.stringMatching(/^ci --include=dev --include=optional /)]);
    const { status, stdout, stderr } = setUp();
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(calls()).toHaveLength(1);
  });

  it("installs again when the lock has changed or node_modules is gone", () => {
    setUp();
    writeFileSync(join(root, "package-lock.json"), `{"lockfileVersion": 3}`);
    setUp();
    expect(calls()).toHaveLength(2);
    rmSync(join(root, "node_modules"), { recursive: true });
    setUp();
    expect(calls()).toHaveLength(3);
  });

  it("installs once when two run at the same time", async () => {
    const runs = [1, 2].map(() => {
      const child = spawn(process.execPath, args(), { env: env(), stdio: "ignore" });
      return new Promise((done) => child.once("exit", done));
    });
    expect(await Promise.all(runs)).toEqual([0, 0]);
    expect(calls()).toHaveLength(1);
  });

  it("goes on after a set-up that was killed", () => {
    writeFileSync(join(root, "npm-kills"), "");
    expect(setUp().signal).toBe("SIGKILL");
    rmSync(join(root, "npm-kills"));
    expect(setUp().status).toBe(0);
    expect(calls()).toHaveLength(2);
  });

  it.each(["v20.20.2", "v22.17.1", ""])("stops with one line when scripts would run on Node '%s'", (version) => {
    writeFileSync(join(root, "node-version"), version);
    const { status, stderr } = setUp();
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toEqual([expect.stringContaining("needs Node 22.18 or newer")]);
  });

  it("stops when npm fails, and tries again the next time", () => {
    writeFileSync(join(root, "npm-fails"), "");
    const { status, stderr } = setUp();
    expect(status).toBe(1);
    expect(stderr).toContain("npm ci failed (exit 7)");
    expect(existsSync(join(root, "node_modules/.milepost-set-up"))).toBe(false);
    rmSync(join(root, "npm-fails"));
    expect(setUp().status).toBe(0);
  });
});
