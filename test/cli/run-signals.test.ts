import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { cleanEnv, NODE_ARGUMENTS, until } from "./command-line.ts";
import {
  dataOf,
  eventsOf,
  ID,
  runScript,
  startRun,
  stateOf,
  taskOf,
  type Started,
  newFolder,
  untilRecorded,
} from "./run-command.ts";

/** Counts the signals that it gets, ends with code 7 a little after the last of them, so that a second one would be counted. */
const COUNTER = `
  const got = [];
  let timer;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT"]) {
    process.on(name, () => {
      got.push(name);
      clearTimeout(timer);
      timer = setTimeout(() => { console.log(got.join(" ")); process.exit(7); }, 600);
    });
  }
  setInterval(() => {}, 1000);
  console.log("ready");
`;

async function startCounter(folder: string): Promise<Started> {
  const running = startRun(folder, [process.execPath, "-e", COUNTER], { detached: true });
  await until(() => running.stdout().includes("ready"), "the command is ready");
  return running;
}

function isGone(group: number): boolean {
  try {
    process.kill(-group, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

describe("milepost run and signals", () => {
  const deadly = [
    "SIGTERM",
    "SIGINT",
    "SIGHUP",
    "SIGQUIT",
    "SIGKILL",
    "SIGSEGV",
    "SIGABRT",
    "SIGPIPE",
    "SIGUSR1",
    "SIGALRM",
  ] as const;
  it.each(deadly)("[P4] dies of %s when the command does", async (signal) => {
    const folder = newFolder();
    const ended = await runScript(folder, `ulimit -c 0; kill -${signal.slice(3)} $$`);
    expect({ code: ended.code, signal: ended.signal }).toEqual({ code: null, signal });
    const { status, errorMessage } = await stateOf(folder);
    // Nobody has asked Milepost to stop, so but for what is typed (Ctrl-C, Ctrl-\\) it is a failure.
    const isTyped = signal === "SIGINT" || signal === "SIGQUIT";
    expect({ status, errorMessage }).toEqual(
      isTyped ? { status: "cancelled", errorMessage: null } : { status: "failed", errorMessage: `killed by ${signal}` },
    );
  });

  it("[P4] writes no core file of its own", async () => {
    const folder = newFolder();
    const started = startRun(folder, ["sh", "-c", "ulimit -c 0; kill -SEGV $$"]);
    await started.done;
    expect(readdirSync(folder).filter((name) => name.startsWith("core"))).toEqual([]);
  });

  const passed = process.env["MILEPOST_LONG"]
    ? (["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT"] as const)
    : (["SIGINT", "SIGHUP", "SIGUSR1"] as const);
  it.each(passed)("[P4] passes a %s to Milepost alone on to the command, once", async (signal) => {
    const folder = newFolder();
    const running = await startCounter(folder);
    running.child.kill(signal);
    const ended = await running.done;
    expect(ended.stdout.toString()).toBe(`ready\n${signal}\n`);
    expect(ended.code).toBe(7);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "[P4] does not pass on a %s that has gone to the whole group, as Ctrl-C does",
    async (signal) => {
      const folder = newFolder();
      const running = await startCounter(folder);
      process.kill(-(running.child.pid as number), signal);
      expect((await running.done).stdout.toString()).toBe(`ready\n${signal}\n`);
    },
  );

  it("[P4] lets a second signal through, whichever way each of them came", async () => {
    const folder = newFolder();
    const running = await startCounter(folder);
    const group = -(running.child.pid as number);
    process.kill(group, "SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(group, "SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 300));
    running.child.kill("SIGTERM");
    expect((await running.done).stdout.toString()).toBe("ready\nSIGINT SIGINT SIGTERM\n");
  });

  it("records a command that is stopped as cancelled, whether it dies of it or tidies up, with everything flushed", async () => {
    const dies = newFolder();
    const running = startRun(dies, ["sh", "-c", "echo '[1/3] begun'; exec sleep 60"]);
    await until(() => running.stdout().includes("begun"), "the command runs");
    running.child.kill("SIGTERM");
    expect(await running.done).toMatchObject({ code: null, signal: "SIGTERM" });
    expect(await stateOf(dies)).toMatchObject({ status: "cancelled", message: "stopped by SIGTERM", openTerm: null });
    expect((await taskOf(dies, "command/1/1")).status).toBe("cancelled");
    expect((await eventsOf(dies)).at(-1)?.type).toBe("writer.closed");

    const tidies = newFolder();
    const other = startRun(tidies, [
      "sh",
      "-c",
      "trap 'echo tidy; exit 3' INT; echo begun; while :; do sleep 0.05; done",
    ]);
    await until(() => other.stdout().includes("begun"), "the command runs");
    other.child.kill("SIGINT");
    expect(await other.done).toMatchObject({ code: 3, signal: null });
    expect(await stateOf(tidies)).toMatchObject({ status: "cancelled", message: "stopped by SIGINT: exit code 3" });
  });

  it("records a command that is asked to stop and ends well as completed", async () => {
    const folder = newFolder();
    const running = startRun(folder, ["sh", "-c", "trap 'exit 0' TERM; echo begun; while :; do sleep 0.05; done"]);
    await until(() => running.stdout().includes("begun"), "the command runs");
    running.child.kill("SIGTERM");
    expect(await running.done).toMatchObject({ code: 0 });
    expect((await stateOf(folder)).status).toBe("completed");
  });

  it("goes on with a command that ignores the signal", async () => {
    const folder = newFolder();
    const running = startRun(folder, ["sh", "-c", "trap '' INT; echo begun; sleep 1; echo done; exit 2"]);
    await until(() => running.stdout().includes("begun"), "the command runs");
    running.child.kill("SIGINT");
    const ended = await running.done;
    expect(ended).toMatchObject({ code: 2 });
    expect(ended.stdout.toString()).toBe("begun\ndone\n");
  });

  it("[P4] keeps SIGHUP from the command under nohup", async () => {
    const folder = newFolder();
    const script = `nohup ${[process.execPath, ...NODE_ARGUMENTS].join(" ")} run --id ${ID} --storage-path ${dataOf(folder)} -- sh -c 'echo $$ > pid; sleep 1.5; echo done > out' > /dev/null 2>&1 & echo $!`;
    const { stdout } = spawnSync("bash", ["-c", script], { env: cleanEnv(), cwd: folder, encoding: "utf8" });
    const pid = await until(
      () => existsSync(join(folder, "pid")) && readFileSync(join(folder, "pid"), "utf8").trim(),
      "the command runs",
    );
    process.kill(Number(stdout), "SIGHUP");
    process.kill(Number(pid), "SIGHUP");
    await until(() => existsSync(join(folder, "out")), "the command has gone on");
    await until(() => jsonLines({ path: dataOf(folder) }).holder(ID) === undefined, "the record is closed");
    expect((await stateOf(folder)).status).toBe("completed");
  });

  it("leaves no process behind", async () => {
    const folder = newFolder();
    const running = startRun(folder, ["sh", "-c", "echo $$; exec sleep 60"], { detached: true });
    await until(() => running.stdout().length > 0, "the command runs");
    const group = running.child.pid as number;
    running.child.kill("SIGTERM");
    await running.done;
    // A process that has ended counts until its new parent, init, has looked: that is the system's time, not ours.
    await until(() => isGone(group), "no process of the group is left");
  });

  it("goes on with a run that was killed, as another attempt", async () => {
    const folder = newFolder();
    writeFileSync(
      join(folder, "script"),
      "echo '[1/2] one'; echo '[2/2] two'; test -e again && exit 0; touch again; sleep 60",
    );
    const first = startRun(folder, ["sh", "script"], { detached: true });
    await until(() => first.stdout().includes("two"), "the command runs");
    await untilRecorded(folder, ({ tasks }) => tasks.get("command/1/2")?.status === "in_progress");
    process.kill(-(first.child.pid as number), "SIGKILL");
    await first.done;
    expect((await stateOf(folder)).status).toBe("in_progress");

    expect(await startRun(folder, ["sh", "script"]).done).toMatchObject({ code: 0 });
    const { status, tasks } = await stateOf(folder);
    expect(status).toBe("completed");
    expect(tasks.get("command")).toMatchObject({
      status: "completed",
      attempt: 2,
      attempts: [{ errorMessage: "The milepost that ran it ended without a word" }],
    });
    expect(tasks.get("command/1/2")?.status).toBe("cancelled");
    expect(tasks.get("command@2/1/2")?.status).toBe("completed");
  });

  it("begins the next run when the last one has ended", async () => {
    const folder = newFolder();
    await runScript(folder, "exit 1");
    await runScript(folder, "exit 0");
    expect(await stateOf(folder)).toMatchObject({ status: "completed", run: 2 });
    expect(await stateOf(folder, `${ID}@1`)).toMatchObject({ status: "failed", run: 1 });
  });
});
