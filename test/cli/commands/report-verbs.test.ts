import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/model/json.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { readUpgrade } from "../../../src/tracker/read.ts";
import { cleanEnv, NODE_ARGUMENTS, run, runProcess, temporaryFolder } from "../command-line.ts";
import { openTracker } from "../recorded.ts";

/** Runs verbs on one upgrade in order; they must all be accepted. */
const report = async (storagePath: string, ...verbs: readonly (readonly string[])[]) => {
  const env = { MILEPOST_STORAGE_PATH: storagePath, MILEPOST_UPGRADE_ID: "up" };
  let stdout = "";
  for (const verb of verbs) {
    const ran = await run(verb, { env });
    expect({ verb, ...ran }).toMatchObject({ exitCode: 0, stderr: "" });
    stdout += ran.stdout;
  }
  return stdout;
};

const stateOf = async (storagePath: string) => (await readUpgrade(jsonLines({ path: storagePath }), "up")).state;

describe("milepost upgrade, task, insight", () => {
  it("[P6] report a whole upgrade", async () => {
    const storagePath = temporaryFolder();
    await report(
      storagePath,
      ["upgrade", "start", "--phase", "One", "--plan", "p", "--cluster", "c"],
      ["task", "add", "g", "--name", "Group", "--unit", "nodes"],
      [
        "task",
        "start",
        "n1",
        "--name",
        "Node 1",
        "--parent",
        "g",
        "--weight",
        "2",
        "--total",
        "5",
        "--expected",
        "25m",
        "--type",
        "validation",
        "-m",
        "go",
      ],
      ["task", "progress", "n1", "3/5", "--unit", "pods", "-m", "evicting", "--details", '{"node":"a"}'],
      ["task", "wait-on", "n1", "PDB", "shop/x", "-m", "needs 2", "--remedy", "scale"],
      ["insight", "raise", "i", "found", "--level", "error", "--remedy", "mend", "--resource", "a", "b"],
      ["upgrade", "phase", "Two", "-m", "next"],
    );
    const state = await stateOf(storagePath);
    expect(state).toMatchObject({ status: "in_progress", planId: "p", clusterName: "c", currentPhase: "Two" });
    expect(state.insights).toMatchObject([
      { id: "i", level: "error", message: "found", remedy: "mend", resources: ["a", "b"] },
    ]);
    expect(state.tasks.get("n1")).toMatchObject({
      taskName: "Node 1",
      taskType: "validation",
      parentTaskId: "g",
      weight: 2,
      expectedMs: 1_500_000,
      completedSteps: 3,
      totalSteps: 5,
      unit: "pods",
      percentage: 60,
      reportDetails: { node: "a" },
      waitingOn: { kind: "PDB", name: "shop/x", message: "needs 2", remedy: "scale" },
    });
    await report(
      storagePath,
      ["task", "clear-wait", "n1"],
      ["insight", "clear", "i"],
      ["task", "progress", "n1", "80%"],
      ["task", "heartbeat", "n1"],
      ["task", "log", "n1", "a line"],
      ["task", "pause", "n1"],
      ["task", "resume", "n1"],
      ["task", "fail", "n1", "no capacity"],
      ["task", "retry", "n1"],
      ["task", "complete", "n1"],
      ["task", "add", "n2"],
      ["task", "skip", "n2"],
      ["task", "add", "n3"],
      ["task", "cancel", "n3"],
      ["upgrade", "pause"],
      ["upgrade", "resume"],
      ["upgrade", "complete", "-m", "done"],
    );
    const end = await stateOf(storagePath);
    expect(end).toMatchObject({ status: "completed", message: "done", insights: [] });
    expect([...end.tasks.values()].map(({ taskId, status, attempt }) => [taskId, status, attempt])).toEqual([
      ["g", "not_started", 1],
      ["n1", "completed", 2],
      ["n2", "skipped", 1],
      ["n3", "cancelled", 1],
    ]);
    await report(
      storagePath,
      ["upgrade", "start"],
      ["upgrade", "fail", "broken"],
      ["upgrade", "start"],
      ["upgrade", "cancel"],
    );
    expect(await stateOf(storagePath)).toMatchObject({ status: "cancelled", run: 3 });
  });

  it("[V1] begin nothing with an id that shows nothing, and leave nothing behind", async () => {
    const storagePath = temporaryFolder();
    for (const verb of [
      ["upgrade", "start", "--upgrade", " "],
      ["run", "--id", " ", "--", "true"],
    ]) {
      const { exitCode, stderr } = await run(verb, { env: { MILEPOST_STORAGE_PATH: storagePath } });
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('" " shows nothing; choose one')]);
    }
    expect((await jsonLines({ path: storagePath }).list()).length).toBe(0);
  });

  it("print where the event stands, all of it for programs, nothing when asked to be quiet", async () => {
    const storagePath = temporaryFolder();
    expect(await report(storagePath, ["upgrade", "start"])).toMatch(/^2 upgrade\.started [0-9a-f-]{36}\n$/);
    expect(await report(storagePath, ["task", "start", "a", "--name", "A"])).toMatch(
      /^\d+ task\.added \S+\n\d+ task\.started \S+\n$/,
    );
    expect(JSON.parse(await report(storagePath, ["task", "progress", "a", "50", "--json"]))).toMatchObject({
      type: "task.progressed",
      percentage: 50,
    });
    expect(await report(storagePath, ["task", "complete", "a", "--quiet"])).toBe("");
  });

  it("say anew what already holds, so that a script may run again from its top", async () => {
    const storagePath = temporaryFolder();
    const verbs = [
      ["upgrade", "start"],
      ["task", "start", "a", "--name", "A"],
      ["task", "complete", "a"],
    ];
    const first = await report(storagePath, ...verbs);
    expect(await report(storagePath, ...verbs)).toBe(first);
  });

  it.each([
    [["task", "progress", "a", "140"], 2, "percentage must be a number from 0 to 100, not 140"],
    [["task", "progress", "a", "half"], 2, '"half" is neither a percentage (50 or 50%) nor steps (3/5)'],
    [["task", "progress", "a", "6/5"], 2, "completedSteps 6 is more than totalSteps 5"],
    [["task", "progress", "a", "--details", "{"], 2, 'is no JSON; pass an object such as {"nodes":3}'],
    [["task", "progress", "a", "--details", "[1]"], 2, "details must be an object"],
    [["task", "add", "b", "--weight", "heavy"], 2, "weight must be a number"],
    [["task", "progress", "a"], 2, "nothing is reported; pass a position (50, 50% or 3/5) or --message"],
    [["task", "start", "b", "--weight", "heavy"], 2, "weight must be a number"],
    [["task", "start", "b", "--parent", "nope"], 3, '"nope"'],
    [["task", "start", "a", "--weight", "7"], 2, "(TASK_EXISTS)"],
    [["task", "start", "b"], 3, 'or add and start it in one: milepost task start "b" --name <text>'],
    [["task", "complete", "nope"], 3, 'has no task "nope"; add it first'],
    [["task", "complete", "a\u0007"], 2, "holds a control character"],
    [["task", "resume", "a"], 2, "resume"],
    [["upgrade", "start", "--phase", " "], 2, "phase must not be empty"],
    [["insight", "raise", "i", "m", "--level", "loud"], 2, "Allowed choices are info, warning, error"],
  ])("[P2] refuse %j with exit status %i and write nothing", async (verb, exitCode, message) => {
    const storagePath = temporaryFolder();
    await report(storagePath, ["upgrade", "start"], ["task", "add", "a"]);
    const before = canonicalJson(await stateOf(storagePath));
    const ran = await run(verb, { env: { MILEPOST_STORAGE_PATH: storagePath, MILEPOST_UPGRADE_ID: "up" } });
    expect(ran).toMatchObject({ exitCode, stdout: "" });
    expect(ran.stderr).toContain(message);
    expect(canonicalJson(await stateOf(storagePath))).toBe(before);
  });

  it.each([
    [
      ["task", "complete", "a"],
      3,
      'holds no upgrade "up"; name another with --upgrade, or begin it: milepost upgrade start --upgrade "up"',
    ],
    [["upgrade", "complete"], 3, 'holds no upgrade "up"'],
    [["upgrade", "phase", "One"], 3, 'begin it: milepost upgrade start --upgrade "up"'],
    [["task", "add", "a"], 3, 'begin it: milepost upgrade start --upgrade "up"'],
    [["task", "start", "a", "--name", "A"], 3, 'holds no upgrade "up"'],
    [["insight", "raise", "i", "m"], 3, 'holds no upgrade "up"'],
    [["task", "progress", "a", "140"], 2, "not 140"],
    [["upgrade", "start", "--upgrade", "a\u0007"], 2, "holds a control character"],
  ])(
    "[P2] refuse %j of an upgrade that is not there with exit status %i, and make nothing for it",
    async (verb, exitCode, message) => {
      const storagePath = join(temporaryFolder(), "storage");
      const ran = await run(verb, { env: { MILEPOST_STORAGE_PATH: storagePath, MILEPOST_UPGRADE_ID: "up" } });
      expect(ran).toMatchObject({ exitCode, stdout: "" });
      expect(ran.stderr).toContain(message);
      expect(existsSync(storagePath)).toBe(false);
    },
  );

  it("add the task that is started when an option says what it is, with its id for a name", async () => {
    const storagePath = temporaryFolder();
    await report(storagePath, ["upgrade", "start"], ["task", "start", "a", "--weight", "3"]);
    expect((await stateOf(storagePath)).tasks.get("a")).toMatchObject({
      taskName: "a",
      weight: 3,
      status: "in_progress",
    });
  });

  it.each([
    [["--take-over"], {}],
    [[], { MILEPOST_TAKE_OVER: "1" }],
  ])("displace who holds the upgrade when asked by %j or %j", async (more, env) => {
    const storagePath = temporaryFolder();
    const tracker = openTracker({ storagePath, upgradeId: "up" });
    tracker.startUpgrade();
    await tracker.flush();
    const verb = ["task", "add", "a", "--upgrade", "up", "--storage-path", storagePath, ...more];
    expect(await runProcess(verb, { env: env })).toMatchObject({ exitCode: 0, stderr: "" });
    expect(tracker.progress.tasks.size).toBe(0);
    expect((await stateOf(storagePath)).tasks.size).toBe(1);
    await tracker.close().catch(() => undefined);
  });

  it.each([{}, { MILEPOST_UPGRADE_ID: "" }])("say how to name the upgrade when none is named: %j", async (env) => {
    const { exitCode, stderr } = await runProcess(["task", "add", "a", "--storage-path", temporaryFolder()], {
      env: env,
    });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: "milepost: no upgrade is named; pass --upgrade <id>, or set MILEPOST_UPGRADE_ID (INVALID_ARGUMENT)\n",
    });
  });

  it("[P3] know the upgrade by either name, and the command line goes before the environment", async () => {
    const storagePath = temporaryFolder();
    const say = (env: Record<string, string>, ...more: string[]) =>
      run(["upgrade", "start", "--storage-path", storagePath, ...more], { env });
    const all = { MILEPOST_ID: "env-id", MILEPOST_UPGRADE_ID: "env-upgrade" };
    await say(all, "--upgrade", "one");
    await say(all, "--id", "two");
    await say({ MILEPOST_ID: "three" });
    const refs = (await jsonLines({ path: storagePath }).list()).map(({ ref }) => ref);
    expect(refs.sort()).toEqual(["one", "three", "two"]);
  });

  it("take log text from standard input", async () => {
    const storagePath = temporaryFolder();
    await report(storagePath, ["upgrade", "start"], ["task", "add", "a"]);
    const { stdout } = await run(["task", "log", "a", "--json", "--id", "up", "--storage-path", storagePath], {
      stdin: "two\nlines\n",
    });
    expect(JSON.parse(stdout)).toMatchObject({ type: "log.appended", text: "two\nlines" });
  });

  it("[P6] reach an upgrade that another process holds, through it", async () => {
    const storagePath = temporaryFolder();
    const tracker = openTracker({ storagePath, upgradeId: "up" });
    tracker.startUpgrade();
    tracker.addTask("a", "a");
    const { exitCode, stderr } = await runProcess([
      "task",
      "start",
      "a",
      "--upgrade",
      "up",
      "--storage-path",
      storagePath,
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(tracker.progress.tasks.get("a")?.status).toBe("in_progress");
    const refused = await runProcess(["task", "complete", "nope", "--upgrade", "up", "--storage-path", storagePath]);
    expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("no task") });
    await tracker.close();
  });

  it("refuse a storage that is gone when the verb ends", async () => {
    for (const words of [
      ["upgrade", "start"],
      ["task", "start", "a"],
      ["insight", "raise", "i", "x"],
    ]) {
      const { exitCode, stderr, stdout } = await run([...words, "--upgrade", "up", "--storage", "memory:"]);
      expect([exitCode, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/memory: is gone when this verb ends.*INVALID_ARGUMENT/);
    }
  });

  it("[P6] serve a shell script, each verb a process of its own, several at once", () => {
    const storagePath = temporaryFolder();
    const script = join(storagePath, "upgrade.sh");
    const milepost = [process.execPath, ...NODE_ARGUMENTS].map((word) => `'${word}'`).join(" ");
    writeFileSync(
      script,
      `set -e
milepost() { ${milepost} "$@"; }
milepost upgrade start --phase "Three tasks" --quiet
for task in one two three; do
  ( milepost task start $task --name "Task $task" --quiet; milepost task progress $task 1/2 --quiet; milepost task complete $task --quiet ) &
done
wait
milepost upgrade complete --quiet
milepost list --json`,
    );
    const env = cleanEnv({ MILEPOST_STORAGE_PATH: storagePath, MILEPOST_UPGRADE_ID: "up" });
    const listed = JSON.parse(execFileSync("bash", [script], { env, encoding: "utf8" }));
    expect(listed).toMatchObject([
      { ref: "up", status: "completed", totalTasks: 3, completedTasks: 3, overallPercentage: 100 },
    ]);
  });
});
