import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { cleanEnv, NODE_ARGUMENTS, runProcess, until } from "./command-line.ts";
import { dataOf, ID, runCommand, runScript, startRun, stateOf, taskOf, newFolder } from "./run-command.ts";

/** `milepost run … --` as it is typed. */
const milepostIn = (folder: string): string =>
  [process.execPath, ...NODE_ARGUMENTS, "run", "--id", ID, "--storage-path", dataOf(folder), "--"].join(" ");

const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe.concurrent("milepost run without a terminal", () => {
  it("[P4] passes megabytes of binary output on byte for byte, stdout and stderr apart", async () => {
    const folder = newFolder();
    const [out, err] = [randomBytes(6_000_000), randomBytes(3_000_000)];
    writeFileSync(join(folder, "out"), out);
    writeFileSync(join(folder, "err"), err);
    const ended = await runScript(folder, "cat out & cat err >&2; wait");
    expect(ended.code).toBe(0);
    expect(hash(ended.stdout)).toBe(hash(out));
    expect(hash(ended.stderr)).toBe(hash(err));
  });

  it("[P4] passes all that was printed on to a reader that takes its time, though the command has ended", () => {
    const folder = newFolder();
    // More than the pipe to the reader and Milepost's own buffer take, less than with the pipe from the command.
    const bytes = randomBytes(150_000);
    writeFileSync(join(folder, "out"), bytes);
    const script = `${milepostIn(folder)} sh -c 'cat out; kill -TERM $$' | (sleep 1.5; cat > copy); exit \${PIPESTATUS[0]}`;
    const { status } = spawnSync("bash", ["-c", script], { env: cleanEnv(), cwd: folder });
    expect(status).toBe(143);
    expect(hash(readFileSync(join(folder, "copy")))).toBe(hash(bytes));
  });

  it("[P4] passes megabytes of input on byte for byte, and its end", async () => {
    const input = randomBytes(5_000_000);
    const ended = await runCommand(newFolder(), ["cat"], { stdin: input });
    expect(hash(ended.stdout)).toBe(hash(input));
    expect(ended).toMatchObject({ code: 0, stderr: Buffer.alloc(0) });
  });

  it("[P4] takes nothing of the input that the command leaves", () => {
    const folder = newFolder();
    const milepost = milepostIn(folder);
    const script = `${milepost} sh -c 'read line; echo "first $line"'; cat`;
    const { stdout } = spawnSync("sh", ["-c", script], {
      env: cleanEnv(),
      input: "one\ntwo\nthree\n",
      encoding: "utf8",
    });
    expect(stdout).toBe("first one\ntwo\nthree\n");
  });

  const codes = process.env["MILEPOST_LONG"]
    ? Array.from({ length: 256 }, (_, code) => code)
    : [0, 1, 2, 3, 42, 126, 127, 128, 130, 143, 255];
  it.each(codes)("[P4] has exit code %i when the command has", async (code) => {
    const folder = newFolder();
    expect(await runScript(folder, `exit ${code}`)).toMatchObject({
      code,
      signal: null,
      stdout: Buffer.alloc(0),
      stderr: Buffer.alloc(0),
    });
    const { status, errorMessage } = await stateOf(folder);
    const custom = { 0: { status: "completed", errorMessage: null }, 130: { status: "cancelled", errorMessage: null } };
    expect({ status, errorMessage }).toEqual(
      Object.hasOwn(custom, code) ? custom[code as 0] : { status: "failed", errorMessage: `exit code ${code}` },
    );
  });

  it("[P4] gives the command pipes that it can open again, as a shell would", async () => {
    const ended = await runScript(
      newFolder(),
      "echo out > /dev/stdout; echo err > /dev/stderr; test -p /dev/stdout && echo pipe",
    );
    expect(ended.stdout.toString()).toBe("out\npipe\n");
    expect(ended.stderr.toString()).toBe("err\n");
  });

  it("[P4] gives the command no descriptors but the standard ones", async () => {
    const script = "ls /proc/self/fd | wc -l";
    const alone = Number(spawnSync("sh", ["-c", script], { env: cleanEnv(), encoding: "utf8" }).stdout);
    expect(Number((await runScript(newFolder(), script)).stdout)).toBe(alone);
  });

  it("[P4] ends with the command, and lets what it left running go on printing", async () => {
    const folder = newFolder();
    const go = join(folder, "go");
    const left = `(until [ -e '${go}' ]; do sleep 0.05; done; echo late; echo later >&2) & echo now`;
    const running = startRun(folder, ["sh", "-c", left]);
    await new Promise((resolve) => running.child.once("exit", resolve));
    expect(running.stdout().toString()).toBe("now\n");
    writeFileSync(go, "");
    const ended = await running.done;
    expect(ended.stdout.toString()).toBe("now\nlate\n");
    expect(ended.stderr.toString()).toBe("later\n");
  });

  it("[P4] keeps and passes on what a filter of the command's own output prints after its end", async () => {
    const folder = newFolder();
    const ended = await runScript(
      folder,
      'mkfifo f; (while read l; do sleep 0.1; echo "log $l"; done < f) & exec > f; echo one; echo two',
    );
    expect(ended.stdout.toString()).toBe("log one\nlog two\n");
  });

  it("[P4] lets the command end of SIGPIPE when nobody reads any more", () => {
    const folder = newFolder();
    const milepost = milepostIn(folder);
    const { stdout } = spawnSync("bash", ["-c", `${milepost} yes | head -2; echo \${PIPESTATUS[0]}`], {
      env: cleanEnv(),
      encoding: "utf8",
    });
    expect(stdout).toBe("y\ny\n141\n");
  });

  it("[P4] runs a command that is given with its path, with arguments of any form", async () => {
    const words = ["", " ", "a b", "--", "-x", "--id", "'", '"', "$HOME", "*", "é\n", "\\"];
    const ended = await runCommand(newFolder(), ["/usr/bin/printf", "[%s]", ...words]);
    expect(ended.stdout.toString()).toBe(words.map((word) => `[${word}]`).join(""));
  });

  it("ends with 127 when there is no such command, and records it", async () => {
    const folder = newFolder();
    const ended = await runCommand(folder, ["no-such-command-here", "x"]);
    expect(ended).toMatchObject({ code: 127, stdout: Buffer.alloc(0) });
    expect(ended.stderr.toString()).toBe(
      'milepost: command "no-such-command-here" not found: it is in no folder of PATH\n',
    );
    expect(await stateOf(folder)).toMatchObject({
      status: "failed",
      errorMessage: 'command "no-such-command-here" not found: it is in no folder of PATH',
    });
  });

  it.each([
    ["a file that is not executable", "plain", 'milepost: "./plain" is not executable; chmod +x makes it so\n'],
    ["a folder", "folder", 'milepost: "./folder" is a folder; name a program\n'],
    [
      "a script whose interpreter is not there",
      "lost",
      'milepost: "./lost" cannot be run: its interpreter (the first line, after #!) is not there\n',
    ],
  ])("ends with 126 for %s", async (_what, name, message) => {
    const folder = newFolder();
    writeFileSync(join(folder, "plain"), "echo hi\n");
    mkdirSync(join(folder, "folder"));
    writeFileSync(join(folder, "lost"), "#!/no/such/interpreter\n");
    chmodSync(join(folder, "lost"), 0o755);
    const ended = await runCommand(folder, [`./${name}`]);
    expect({ code: ended.code, stderr: ended.stderr.toString() }).toEqual({ code: 126, stderr: message });
    expect((await stateOf(folder)).status).toBe("failed");
  });

  it("runs the command all the same when the storage cannot be used, and says so in one line", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "data"), "a file where the folder should be");
    const ended = await runScript(folder, "echo out; echo err >&2; exit 5");
    expect(ended).toMatchObject({ code: 5 });
    expect(ended.stdout.toString()).toBe("out\n");
    expect(ended.stderr.toString()).toMatch(/^milepost: not tracked: .*data.*\nerr\n$/);
  });

  it("runs the command all the same when another process holds the upgrade, and says who", async () => {
    const folder = newFolder();
    const tracker = new ProgressTracker({ upgradeId: ID, planId: "p", clusterName: "c", storagePath: dataOf(folder) });
    tracker.startUpgrade();
    const ended = await runScript(folder, "echo out; exit 6");
    await tracker.close();
    expect(ended).toMatchObject({ code: 6 });
    expect(ended.stderr.toString()).toMatch(new RegExp(`^milepost: not tracked: .*${process.pid}.*\n$`));
    expect((await stateOf(folder)).tasks.size).toBe(0);
  });

  it("[P6] tells the command the upgrade and the storage", async () => {
    const folder = newFolder();
    const script = 'echo "$MILEPOST_UPGRADE_ID $MILEPOST_STORAGE_PATH [$MILEPOST_STORAGE] [$MILEPOST_ID] $OWN"';
    const ended = await runScript(folder, script, { env: { OWN: "x", MILEPOST_ID: "other" } });
    expect(ended.stdout.toString()).toBe(`${ID} ${dataOf(folder)} [] [] x\n`);
  });

  it("[P6] tells the command a storage URL with its path made absolute", async () => {
    const folder = newFolder();
    const ended = await runScript(folder, 'echo "$MILEPOST_STORAGE [$MILEPOST_STORAGE_PATH]"', {
      options: ["--storage", "jsonl:./elsewhere"],
    });
    expect(ended.stdout.toString()).toBe(`jsonl:${join(folder, "elsewhere")} []\n`);
    expect(existsSync(join(folder, "elsewhere"))).toBe(true);
  });

  it("makes an id of the command and the time when none is given", async () => {
    const folder = newFolder();
    const ended = await runScript(folder, 'echo "$MILEPOST_UPGRADE_ID"', { options: ["--id", ""] });
    expect(ended.code).toBe(2);
    const child = spawnSync(
      process.execPath,
      [
        ...NODE_ARGUMENTS,
        "run",
        "--storage-path",
        dataOf(folder),
        "--",
        "/bin/sh",
        "-c",
        'echo "$MILEPOST_UPGRADE_ID"',
      ],
      { env: cleanEnv(), encoding: "utf8" },
    );
    expect(child.stdout).toMatch(/^sh-\d{8}-\d{6}-[0-9a-f]{4}\n$/);
    expect((await stateOf(folder, child.stdout.trim())).status).toBe("completed");
  });

  it("[P2] refuses wrong options with code 2, and neither runs the command nor writes anything", async () => {
    for (const options of [
      ["--id", "a\nb"],
      ["--id", "x".repeat(300)],
      ["--plan", ""],
      ["--cluster", "\u0001"],
      ["--name", " "],
      ["--storage", "nothing:x"],
      ["--no-such-option"],
    ]) {
      const folder = newFolder();
      const ended = await runScript(folder, "touch ran", { options });
      expect(ended.code).toBe(2);
      expect(ended.stderr.toString()).toMatch(/^milepost: .+\n$/);
      expect(existsSync(join(folder, "ran"))).toBe(false);
      expect(existsSync(dataOf(folder))).toBe(false);
    }
  });

  it("says where the command's own options go", async () => {
    const ended = await runProcess(["run", "npm", "ci", "--omit=dev"], { cwd: newFolder() });
    expect(ended).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        'milepost: run has no option "--omit=dev"; the command with its options comes after --, as in: milepost run -- npm ci (INVALID_ARGUMENT)\n',
    });
  });

  it("refuses to run nothing", async () => {
    const ended = await runCommand(newFolder(), []);
    expect(ended).toMatchObject({ code: 2 });
  });

  it("records names and ids as they are given", async () => {
    const folder = newFolder();
    await runScript(folder, "true", { options: ["--name", "Deploy all", "--cluster", "prod", "--plan", "p-1"] });
    expect(await stateOf(folder)).toMatchObject({ clusterName: "prod", planId: "p-1" });
    expect((await taskOf(folder)).taskName).toBe("Deploy all");
  });

  it("prints a summary as JSON when asked to, and nothing of its own otherwise", async () => {
    const folder = newFolder();
    const ended = await runScript(folder, "exit 4", { options: ["--json"] });
    expect(JSON.parse(ended.stderr.toString())).toMatchObject({
      upgradeId: ID,
      status: "failed",
      exitCode: 4,
      signal: null,
      exitStatus: 4,
    });
    expect((await runScript(folder, "exit 4")).stderr.toString()).toBe("");
  });

  it("leaves nothing in the folder for temporary files", async () => {
    const folder = newFolder();
    const temporary = join(folder, "tmp");
    mkdirSync(temporary);
    await runScript(folder, "true", { env: { TMPDIR: temporary } });
    const { stdout } = spawnSync("find", [temporary, "-name", "milepost-*"], { encoding: "utf8" });
    expect(stdout).toBe("");
  });

  it("[P4] works where there can be no temporary files", async () => {
    const ended = await runScript(newFolder(), "cat; echo err >&2; exit 3", {
      env: { TMPDIR: "/no/such/folder" },
      stdin: Buffer.from("in\n"),
    });
    expect(ended).toMatchObject({ code: 3, stdout: Buffer.from("in\n"), stderr: Buffer.from("err\n") });
  });

  it("[P4] does not wait for a reader that stands still, once the command has been asked to stop", async () => {
    const folder = newFolder();
    const running = startRun(folder, ["sh", "-c", "echo $$ > pid; exec cat /dev/zero"]);
    running.child.stdout?.pause();
    await until(() => existsSync(join(folder, "pid")), "the command runs");
    running.child.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 500));
    running.child.stdout?.resume();
    expect(await running.done).toMatchObject({ signal: "SIGTERM" });
    expect((await stateOf(folder)).status).toBe("cancelled");
  });

  it("[P4] inherits an input that is a file, with its place in it", () => {
    const folder = newFolder();
    writeFileSync(join(folder, "input"), "one\ntwo\n");
    const milepost = milepostIn(folder);
    const { stdout } = spawnSync("sh", ["-c", `read a; ${milepost} cat`], {
      env: cleanEnv(),
      stdio: [openSync(join(folder, "input"), "r"), "pipe", "inherit"],
      encoding: "utf8",
    });
    expect(stdout).toBe("two\n");
  });
});
