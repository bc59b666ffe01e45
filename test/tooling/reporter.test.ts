import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const reporter = resolve(import.meta.dirname, "../reporter.ts");
const vitest = fileURLToPath(new URL("./vitest.mjs", import.meta.resolve("vitest/package.json")));

describe("reporter", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "milepost-reporter-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const run = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const args = [vitest, "run", "--root", folder, "--globals", "--no-cache", "--reporter", reporter];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    return { status, lastLine: stdout.trimEnd().split("\n").at(-1), all: stdout + stderr };
  };

  it("ends with the counts alone and shows the failure", () => {
    const { status, lastLine, all } = run({
      "one.test.ts": `
        it("holds", () => { console.log("said by " + "what holds"); });
        it("breaks", () => { console.log("said by what breaks"); expect({ a: 1 }).toEqual({ a: 2 }); });`,
    });
    expect(lastLine).toBe("1 passed, 1 failed");
    expect(status).toBe(1);
    expect(all).toContain("FAILED one.test.ts > breaks");
    expect(all).toMatch(/- +"a": 2/);
    expect(all).toContain("said by what breaks");
    expect(all).not.toContain("said by what holds");
  });

  it("counts a file that does not load, a failed hook and an error outside any test as failed", () => {
    const { status, lastLine, all } = run({
      "load.test.ts": `import "./missing.ts"; it("never runs", () => {});`,
      "hook.test.ts": `describe("group", () => { beforeAll(() => { throw new Error("hook broke"); }); it("waits", () => {}); });`,
      "stray.test.ts": `it("holds", () => new Promise((done) => { setTimeout(() => { throw new Error("stray"); }); setTimeout(done, 50); }));`,
    });
    expect(lastLine).toBe("1 passed, 3 failed, 1 skipped");
    expect(status).toBe(1);
    expect(all).toContain("missing.ts");
    expect(all).toContain("hook broke");
    expect(all).toContain("stray");
  });

  it("counts a test process that dies as failed", () => {
    const { status, lastLine } = run({
      "dies.test.ts": `it("is killed", () => { process.kill(process.pid, "SIGKILL"); });`,
    });
    expect(lastLine).toMatch(/^0 passed, [1-9] failed$/);
    expect(status).toBe(1);
  });

  it("says little when all is green", () => {
    const { status, all } = run({ "one.test.ts": `it("holds", () => {}); it.skip("waits", () => {});` });
    expect(all).toBe("test files: 1\n1 passed, 0 failed, 1 skipped\n");
    expect(status).toBe(0);
  });

  it("says why a test was left out, when the test says so", () => {
    const { status, all } = run({ "one.test.ts": `it("waits", ({ skip }) => skip("no right to mount"));` });
    expect(all).toBe("SKIPPED one.test.ts > waits: no right to mount\ntest files: 1\n0 passed, 0 failed, 1 skipped\n");
    expect(status).toBe(0);
  });

  it("shows what tests print in the long run", () => {
    const { all } = run({
      "one.test.ts": `it("holds", () => { console.log("D01: 500 kills"); });`,
      "vitest.config.mjs": `export default { test: { env: { MILEPOST_LONG: "1" } } };`,
    });
    expect(all).toContain("D01: 500 kills\n");
    expect(all).toContain("1 passed, 0 failed\n");
  });

  it("counts a run without tests as failed", () => {
    const { status, lastLine } = run({});
    expect(lastLine).toBe("0 passed, 1 failed");
    expect(status).toBe(1);
  });
});
