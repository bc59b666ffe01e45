import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { sendCommands } from "../../src/tracker/hand-over.ts";
import { NODE_ARGUMENTS } from "./command-line.ts";
import {
  dataOf,
  eventsOf,
  eventsOfType,
  ID,
  linesOf,
  newFolder,
  runCommand,
  runScript,
  startRun,
  stateOf,
  taskOf,
  untilRecorded,
} from "./run-command.ts";

describe.concurrent("what milepost run records", () => {
  it("[P5] leaves the percentage of a command that tells none unknown", async () => {
    const folder = newFolder();
    await runScript(folder, "echo 'added 212 packages in 8s'; echo 'found 0 vulnerabilities'; exit 1");
    expect(await taskOf(folder)).toMatchObject({ status: "failed", percentage: 0, isMeasured: false });
    expect(await linesOf(folder)).toEqual(["added 212 packages in 8s", "found 0 vulnerabilities"]);
  });

  it("[P5] makes a task of each [n/m] stage, with the percentage told within it", async () => {
    const folder = newFolder();
    await runScript(
      folder,
      "echo '[1/3] Fetching'; printf '10%%\\r50%%\\r\\n'; sleep 0.4; echo '[2/3] Linking'; echo '[3/3] Building'; exit 0",
    );
    const { tasks, status, overallPercentage, insights } = await stateOf(folder);
    expect([...tasks.values()].map(({ taskName, status: of }) => `${taskName}: ${of}`).slice(1)).toEqual([
      "step 1 of 3: completed",
      "step 2 of 3: completed",
      "step 3 of 3: completed",
    ]);
    expect({ status, overallPercentage, insights }).toEqual({
      status: "completed",
      overallPercentage: 100,
      insights: [],
    });
    const told = await eventsOfType(folder, "task.progressed");
    expect(told.filter(({ taskId }) => taskId === "command/1/1").map(({ percentage }) => percentage)).toEqual([10, 50]);
  });

  it("[P5] reads OSC 9;4, and passes it on", async () => {
    const folder = newFolder();
    const ended = await runScript(
      folder,
      "printf '\\033]9;4;1;30\\007'; sleep 0.4; printf '\\033]9;4;1;60\\033\\\\'; sleep 0.4; exit 2",
    );
    expect(ended.stdout.toString()).toBe("\u001b]9;4;1;30\u0007\u001b]9;4;1;60\u001b\\");
    expect(await taskOf(folder)).toMatchObject({ percentage: 60, isMeasured: true });
  });

  it("[P5] lets the last report land, also when the command ends right after it", async () => {
    const folder = newFolder();
    await runScript(folder, 'for i in 10 20 30 40 50 60 70; do echo "progress: $i%"; done; exit 1');
    expect(await taskOf(folder)).toMatchObject({ percentage: 70, message: "Task failed: exit code 1" });
    expect((await eventsOfType(folder, "task.progressed")).length).toBeLessThan(5);
  });

  /** A program in PATH by the name of apt-get that reports as apt does, to the descriptor that it is told, and to no other. */
  const APT = `#!/bin/sh
    case "$1 $2" in "-o APT::Status-Fd="*) fd="\${2#*=}";; *) echo "no status fd: $*"; exit 9;; esac
    shift 2
    echo "Reading package lists... 45%"
    echo "args: $*"
    say() { eval "echo \\"\\$1\\" >&$fd"; sleep 0.3; }
    say "dlstatus:1:0.0000:Retrieving file 1 of 2"
    say "dlstatus:2:60.5000:Retrieving file 2 of 2"
    say "pmstatus:dpkg-exec:0.0000:Running dpkg"
    say "pmconffile:/etc/jq.conf:30.0000:'/etc/jq.conf' '/etc/jq.conf.dpkg-new' 1 1"
    say "pmstatus:jq:66.6667:Configuring jq (amd64)"
    test "$APT_FAILS" && { say "pmerror:jq:66.6667:installation script returned error 1"; exit 100; }
    exit 0
  `;

  function withApt(folder: string): Record<string, string> {
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/apt-get"), APT);
    chmodSync(join(folder, "bin/apt-get"), 0o755);
    return { PATH: `${join(folder, "bin")}:${process.env["PATH"]}` };
  }

  it("[P5] reads apt's status descriptor, and nothing else of what apt prints", async () => {
    const folder = newFolder();
    const ended = await runCommand(folder, ["apt-get", "install", "-y", "jq"], { env: withApt(folder) });
    expect(ended).toMatchObject({ code: 0, stderr: Buffer.alloc(0) });
    expect(ended.stdout.toString()).toBe("Reading package lists... 45%\nargs: install -y jq\n");
    const { tasks } = await stateOf(folder);
    expect([...tasks.values()].map(({ taskName, status }) => `${taskName}: ${status}`)).toEqual([
      "apt-get install -y jq: completed",
      "Download packages: completed",
      "Install packages: completed",
    ]);
    const told = (await eventsOfType(folder, "task.progressed")).filter(({ taskId }) => taskId !== "command");
    expect(told.map(({ taskId, percentage, message }) => `${taskId} ${percentage} ${message ?? ""}`)).toEqual([
      "command/1/1 0 Retrieving file 1 of 2",
      "command/1/1 60.5 Retrieving file 2 of 2",
      "command/1/2 0 Running dpkg",
      "command/1/2 30 dpkg asks whether to replace the configuration file /etc/jq.conf",
      "command/1/2 66.67 Configuring jq (amd64)",
    ]);
    const waiting = await eventsOfType(folder, "task.waiting");
    expect(waiting.map(({ waitingOn }) => waitingOn?.name ?? null)).toEqual(["/etc/jq.conf", null]);
  });

  it("[P5] records what apt reports as an error, on the stage where it happened", async () => {
    const folder = newFolder();
    const ended = await runCommand(folder, ["apt-get", "install", "-y", "jq"], {
      env: { ...withApt(folder), APT_FAILS: "1" },
    });
    expect(ended.code).toBe(100);
    const { insights } = await stateOf(folder);
    expect(insights).toMatchObject([{ level: "error", message: "jq: installation script returned error 1" }]);
    expect(await taskOf(folder, "command/1/2")).toMatchObject({
      status: "failed",
      percentage: 66.67,
      errorMessage: "exit code 100",
    });
  });

  it("keeps printed lines as text without control sequences, redraws left out", async () => {
    const folder = newFolder();
    const ended = await runScript(
      folder,
      "printf '\\033[32mgreen\\033[0m\\n'; printf '10%%\\r100%%\\r\\n'; printf 'bell\\a\\b\\n' >&2; printf 'no newline'",
    );
    expect(ended.stdout.toString()).toBe("\u001b[32mgreen\u001b[0m\n10%\r100%\r\nno newline");
    expect([...(await linesOf(folder))].sort()).toEqual(["100%", "bel", "green", "no newline"].sort());
    for (const event of await eventsOf(folder)) expect("message" in event ? event.message : "").not.toMatch(/\p{Cc}/u);
  });

  it("bounds the record of a flood, and holds the command up little", async () => {
    const folder = newFolder();
    const from = performance.now();
    const ended = await runScript(
      folder,
      "yes 'a line that says nothing of any interest' | head -c 200000000; echo; echo last",
    );
    expect(ended.stdout.length).toBe(200_000_006);
    expect(performance.now() - from).toBeLessThan(15_000);
    const events = await eventsOfType(folder, "log.appended");
    const size = events.reduce((sum, { text }) => sum + text.length, 0);
    expect(size).toBeLessThan(2_500_000);
    expect(events.length).toBeLessThan(160);
    const lines = await linesOf(folder);
    expect(lines.at(-1)).toBe("last");
    expect(lines.some((line) => line.startsWith("… ") && line.includes("left out"))).toBe(true);
  });

  it("[P6] takes reports of verbs inside the command into the same upgrade", async () => {
    const folder = newFolder();
    const verbs = `
      import { sendCommands } from ${JSON.stringify(new URL("../../src/tracker/hand-over.ts", import.meta.url).href)};
      import { jsonLines } from ${JSON.stringify(new URL("../../src/storage/json-lines.ts", import.meta.url).href)};
      const storage = jsonLines({ path: process.env.MILEPOST_STORAGE_PATH });
      const id = process.env.MILEPOST_UPGRADE_ID;
      const taskId = "inner";
      await sendCommands(storage, id, [{ type: "addTask", taskId, taskName: "Inner" }, { type: "startTask", taskId }, { type: "completeTask", taskId }]);
    `;
    writeFileSync(join(folder, "report.ts"), verbs);
    const ended = await runCommand(folder, [process.execPath, "report.ts"], { cwd: folder });
    expect(ended).toMatchObject({ code: 0 });
    const { tasks, insights, status } = await stateOf(folder);
    expect({ inner: tasks.get("inner")?.status, status, insights }).toEqual({
      inner: "completed",
      status: "completed",
      insights: [],
    });
  });

  it("[P6] is not displaced by verbs inside the command, although MILEPOST_TAKE_OVER is set", async () => {
    const folder = newFolder();
    const milepost = [process.execPath, ...NODE_ARGUMENTS].map((word) => `'${word}'`).join(" ");
    const script = `echo "[$MILEPOST_TAKE_OVER]"; ${milepost} task start inner --name Inner --quiet && ${milepost} task complete inner --quiet`;
    const ended = await runScript(folder, script, { env: { MILEPOST_TAKE_OVER: "1" } });
    expect(ended).toMatchObject({ code: 0, stdout: Buffer.from("[]\n"), stderr: Buffer.alloc(0) });
    const { status, tasks } = await stateOf(folder);
    const statuses = [...tasks.values()].map((task) => [task.taskId, task.status]);
    expect({ status, statuses }).toEqual({
      status: "completed",
      statuses: [
        ["command", "completed"],
        ["inner", "completed"],
      ],
    });
    expect(await eventsOfType(folder, "writer.opened")).toHaveLength(1);
  });

  it("goes on with the command, and keeps the end, when somebody else cancels the upgrade meanwhile", async () => {
    const folder = newFolder();
    const running = startRun(folder, ["sh", "-c", "echo begun; read line; echo ended; exit 3"], { stdin: "pipe" });
    await untilRecorded(folder, ({ tasks }) => tasks.get("command")?.status === "in_progress");
    await sendCommands(jsonLines({ path: dataOf(folder) }), ID, [{ type: "cancelUpgrade", message: "enough" }]);
    running.child.stdin?.end("go on\n");
    expect(await running.done).toMatchObject({ code: 3, stdout: Buffer.from("begun\nended\n") });
    expect(await stateOf(folder)).toMatchObject({ status: "cancelled", message: "enough" });
  });

  it("keeps the end that a verb inside the command has given to the upgrade", async () => {
    const folder = newFolder();
    const verbs = `
      import { sendCommands } from ${JSON.stringify(new URL("../../src/tracker/hand-over.ts", import.meta.url).href)};
      import { jsonLines } from ${JSON.stringify(new URL("../../src/storage/json-lines.ts", import.meta.url).href)};
      await sendCommands(jsonLines({ path: process.env.MILEPOST_STORAGE_PATH }), process.env.MILEPOST_UPGRADE_ID, [{ type: "failUpgrade", errorMessage: "said inside" }]);
    `;
    writeFileSync(join(folder, "report.ts"), verbs);
    const ended = await runCommand(folder, [process.execPath, "report.ts"], { cwd: folder });
    expect(ended).toMatchObject({ code: 0, stderr: Buffer.alloc(0) });
    expect(await stateOf(folder)).toMatchObject({ status: "failed", errorMessage: "said inside" });
  });

  it("goes on with the command, and says so at the end, when the upgrade is taken over meanwhile", async () => {
    const folder = newFolder();
    const thief = `
      import { ProgressTracker } from ${JSON.stringify(new URL("../../src/progress-tracker.ts", import.meta.url).href)};
      const { MILEPOST_UPGRADE_ID: upgradeId, MILEPOST_STORAGE_PATH: storagePath } = process.env;
      const tracker = new ProgressTracker({ upgradeId, storagePath, planId: "p", clusterName: "c", takeOver: true });
      tracker.addTask("stolen", "Stolen");
      await tracker.close();
      for (let part = 1; part <= 3; part++) {
        console.log(\`[\${part}/3] part\`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      process.exitCode = 3;
    `;
    writeFileSync(join(folder, "thief.ts"), thief);
    const options = ["--plan", "p", "--cluster", "c"];
    const ended = await runCommand(folder, [process.execPath, "thief.ts"], { cwd: folder, options });
    expect(ended.code).toBe(3);
    expect(ended.stdout.toString()).toBe("[1/3] part\n[2/3] part\n[3/3] part\n");
    expect(ended.stderr.toString()).toMatch(/^milepost: tracking has stopped: another writer has taken .*\n$/);
    expect((await stateOf(folder)).tasks.get("stolen")?.status).toBe("not_started");
  });
});
