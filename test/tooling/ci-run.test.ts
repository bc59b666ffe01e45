import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";

import { tempFolder } from "../temp-folder.ts";

/** Stands in for a program: notes its arguments, then does what a shell script says. */
const stub = (script: string): string =>
  `#!/usr/bin/env bash\necho "$(basename "$0") $*" >> "$STUBS/calls"\n${script}\n`;

/** Prints what `<command>.output` has, and ends as `<command>.status` says. */
const NPM = stub(`
command=\${*: -1}
cat "$STUBS/$command.output" 2>/dev/null
exit "$(cat "$STUBS/$command.status" 2>/dev/null || echo 0)"`);

describe.skipIf(process.platform === "win32")(".ci/run", () => {
  let root: string;

  const set = (name: string, text: string, mode = 0o644): void =>
    writeFileSync(join(root, "stubs", name), text, { mode });
  const run = () => {
    const PATH = [join(root, "stubs"), process.env["PATH"]].join(delimiter);
    const env = { ...process.env, PATH, STUBS: join(root, "stubs") };
    const { status, stdout } = spawnSync(join(root, ".ci/run"), { env, encoding: "utf8", timeout: 15_000 });
    return { status, stdout, last: stdout.trimEnd().split("\n").at(-1) };
  };
  const calls = (): readonly string[] => {
    const file = join(root, "stubs/calls");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  };

  beforeEach(() => {
    root = tempFolder();
    for (const folder of [".ci", "stubs"]) mkdirSync(join(root, folder));
    copyFileSync(resolve(import.meta.dirname, "../../.ci/run"), join(root, ".ci/run"));
    set("npm", NPM, 0o755);
    set("python3", stub("exit 0"), 0o755);
    set("id", stub("echo 0"), 0o755);
    set("apt-get", stub("exit 0"), 0o755);
    set("test.output", "test files: 3\n120 passed, 0 failed\n");
    set("test:peers.output", "30 passed, 0 failed\n");
  });

  it("runs the tests, the checks and the peers, and adds the tests up in its last line", () => {
    expect(run()).toMatchObject({ status: 0, last: "150 passed, 0 failed" });
    expect(calls().filter((call) => call.startsWith("npm"))).toEqual([
      "npm test",
      "npm run check",
      "npm run test:peers",
    ]);
  });

  it("counts what was left out, of both", () => {
    set("test.output", "120 passed, 0 failed, 2 skipped\n");
    set("test:peers.output", "29 passed, 0 failed, 1 skipped\n");
    expect(run()).toMatchObject({ status: 0, last: "149 passed, 0 failed, 3 skipped" });
  });

  it.each([
    ["test", "test.output", "119 passed, 1 failed\n", "149 passed, 1 failed"],
    ["test:peers", "test:peers.output", "28 passed, 2 failed\n", "148 passed, 2 failed"],
  ])("runs everything and fails when %s fails", (command, file, output, last) => {
    set(file, output);
    set(`${command}.status`, "1");
    expect(run()).toMatchObject({ status: 1, last });
    expect(calls().filter((call) => call.startsWith("npm"))).toHaveLength(3);
  });

  it("fails when a check fails, with the tests as they are", () => {
    set("check.status", "1");
    expect(run()).toMatchObject({ status: 1, last: "150 passed, 0 failed" });
  });

  it.each([
    ["test", "30 passed, 1 failed"],
    ["test:peers", "120 passed, 1 failed"],
  ])("counts a failure when %s ended without a count", (command, last) => {
    set(`${command}.output`, "out of memory\n");
    expect(run()).toMatchObject({ status: 1, last });
  });

  it("does not take a failed count for a success because the command ended well", () => {
    set("test:peers.output", "29 passed, 1 failed\n");
    expect(run()).toMatchObject({ status: 1, last: "149 passed, 1 failed" });
  });

  it("installs what Python lacks when it may, and says so", () => {
    set("python3", stub("exit 1"), 0o755);
    const { status, stdout } = run();
    expect(status).toBe(0);
    expect(stdout).toContain("installing python3-venv");
    expect(
      calls()
        .filter((call) => call.startsWith("apt-get"))
        .at(-1),
    ).toMatch(/^apt-get install .*python3-venv$/);
  });

  it("says what is missing when it may not install it, and lets the peers' tests fail by themselves", () => {
    set("python3", stub("exit 1"), 0o755);
    set("id", stub("echo 1000"), 0o755);
    set("test:peers.output", "3 passed, 27 failed\n");
    set("test:peers.status", "1");
    const { status, stdout, last } = run();
    expect({ status, last }).toEqual({ status: 1, last: "123 passed, 27 failed" });
    expect(stdout).toContain("apt-get install python3-venv");
    expect(calls().some((call) => call.startsWith("apt-get"))).toBe(false);
  });
});
