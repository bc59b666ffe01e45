import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VERBS } from "../../src/cli/verbs.ts";
import { cleanEnv, NODE_ARGUMENTS, run, runProcess, startProcess, temporaryFolder } from "./command-line.ts";
import { ended } from "./recorded.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

describe("the program", () => {
  it("prints its version and its verbs", async () => {
    expect(await run(["--version"])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: "" });
    const { exitCode, stdout } = await run(["--help"]);
    expect(exitCode).toBe(0);
    for (const { name } of VERBS) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    expect((await run([])).stdout).toBe(stdout);
  });

  it("prints the help of a verb, asked for in either way", async () => {
    const { exitCode, stdout } = await run(["watch", "--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("--once");
    expect((await run(["help", "watch"])).stdout).toBe(stdout);
  });

  it.each([
    [["lst"], "unknown command 'lst' (Did you mean list?)"],
    [["list", "--jsn"], "unknown option '--jsn' (Did you mean --json?)"],
    [["wait"], "missing required argument 'id'"],
    [["show", "a", "b"], "too many arguments"],
    [["replay", "x", "--speed", "fast"], 'is invalid. It is a number above 0, or "max"; milepost --help lists'],
  ])("[P1] refuses %j in one line with exit status 2", async (argv, message) => {
    const { exitCode, stdout, stderr } = await run(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^milepost: .*\n$/);
    expect(stderr).toContain(message);
  });

  it("[P1] tells a typed error in one line with its code and exit status, and as JSON too when asked", async () => {
    const storagePath = temporaryFolder();
    const { exitCode, stdout, stderr } = await run(["show", "nope\u202e", "--storage-path", storagePath]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "" });
    expect(stderr).toMatch(/^milepost: .* holds no upgrade "nope\\u202e".* \(UNKNOWN_UPGRADE\)\n$/);
    const json = await run(["show", "nope", "--json", "--storage-path", storagePath]);
    const [line, object = ""] = json.stderr.split("\n");
    expect(line).toMatch(/^milepost: /);
    expect(JSON.parse(object)).toEqual({
      error: { code: "UNKNOWN_UPGRADE", message: expect.stringContaining("nope"), exitCode: 3 },
    });
  });

  it("[P3] takes common options before the verb, behind it, and from the environment", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    const behind = await run(["list", "--json", "--storage-path", storagePath]);
    expect(JSON.parse(behind.stdout)).toHaveLength(1);
    expect(JSON.parse((await run(["--storage-path", storagePath, "--json", "list"])).stdout)).toHaveLength(1);
    expect(
      JSON.parse((await run(["list"], { env: { MILEPOST_STORAGE_PATH: storagePath, MILEPOST_JSON: "1" } })).stdout),
    ).toHaveLength(1);
    expect((await run(["list"], { env: { MILEPOST_STORAGE: `jsonl:${storagePath}` } })).stdout).toContain(
      "upgrade-123",
    );
    expect(
      (await run(["list", "--storage", "memory:"], { env: { MILEPOST_STORAGE: `jsonl:${storagePath}` } })).stdout,
    ).toContain("no upgrades");
  });

  it.each([
    [["list"], { MILEPOST_STATUS: "odd" }, "MILEPOST_STATUS must be one of"],
    [["list", "--status", "odd"], {}, "--status must be one of"],
    [["wait", "x"], { MILEPOST_UNTIL: "odd" }, "MILEPOST_UNTIL must be one of"],
    [["export", "x"], { MILEPOST_FORMAT: "odd" }, "MILEPOST_FORMAT must be one of"],
  ])("[P3] refuses a value in %j with %j by the name that it was given under", async (argv, env, message) => {
    const ran = await run([...argv, "--storage", "memory:"], { env: env });
    expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`milepost: ${message}`) });
  });

  it("[X3] lets no control character of the storage's path through", async () => {
    const storagePath = join(temporaryFolder(), "a\x1b[2J\u202eb");
    const common = ["--storage-path", storagePath];
    const verbs = [["list"], ["show"], ["verify"], ["doctor"], ["replay", "x"], ["task", "add", "a", "--upgrade", "x"]];
    verbs.push(["demo", "--speed", "max", "--plain"]);
    for (const verb of verbs) {
      const { stdout, stderr } = await run([...verb, ...common]);
      expect((stdout + stderr).replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    }
  });

  it("says which storages there are when one is not known", async () => {
    const { exitCode, stderr } = await run(["list", "--storage", "mongodb://x"]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/unknown storage "mongodb:\/\/x".*jsonl:.*memory:/);
  });

  it("does not take an empty storage path, as of a variable that is not set, for the present folder", async () => {
    const { stderr, exitCode } = await run(["list", "--storage-path", ""]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("the storage path is empty; name a folder")]);
  });
});

describe("the program as a process", () => {
  it("exits with the status of the error, and is silent on standard output", async () => {
    const { exitCode, stdout, stderr } = await runProcess(["show", "nope", "--storage-path", temporaryFolder()]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "" });
    expect(stderr).toMatch(/^milepost: /);
  });

  it("loads no verb to print its help", async () => {
    const env = { NODE_DEBUG: "esm" };
    expect((await runProcess(["--help"], { env })).stderr).not.toContain("cli/commands/");
    const { stderr } = await runProcess(["list", "--storage", "memory:"], { env });
    expect(stderr).toContain("cli/commands/list.ts");
    expect(stderr).not.toContain("cli/commands/watch.ts");
  });

  it.each([
    [">/dev/full", /^milepost: standard output cannot be written \(ENOSPC: .*\)\n$/],
    ["1<main.txt", /^milepost: standard output cannot be written \(EBADF: .*\)\n$/],
  ])("tells once that standard output (%s) cannot be written, and exits with 1", async (redirection, message) => {
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    writeFileSync(join(storagePath, "main.txt"), "");
    const command = [process.execPath, ...NODE_ARGUMENTS, "show", "upgrade-123", "--storage-path", "."];
    const shell = `${command.map((word) => `'${word}'`).join(" ")} ${redirection}`;
    const { status, stderr } = spawnSync("sh", ["-c", shell], { cwd: storagePath, env: cleanEnv(), encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });

  it("tells it once, too, when many lines were to be written", () => {
    const command = [process.execPath, ...NODE_ARGUMENTS, "demo", "--speed", "max", "--plain", "--storage", "memory:"];
    const shell = `${command.map((word) => `'${word}'`).join(" ")} >/dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", shell], { env: cleanEnv(), encoding: "utf8" });
    expect([status, stderr.split("milepost: ").length - 1, stderr]).toEqual([1, 1, expect.stringContaining("ENOSPC")]);
  });

  it("ends quietly when its reader has read enough", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    const child = startProcess(["export", "upgrade-123", "--storage-path", storagePath]);
    child.stdout?.destroy();
    let stderr = "";
    child.stderr?.on("data", (data) => (stderr += data));
    const exitCode = await new Promise((done) => child.on("close", done));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });
});
