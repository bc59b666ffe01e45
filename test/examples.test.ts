import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { jsonLines, readUpgrade } from "../src/index.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const example = (name: string): string => join(root, "examples", name);
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "milepost-examples-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const node = (name: string, ...args: string[]) =>
  run(process.execPath, ["--conditions=milepost-source", example(name), ...args], { cwd: folder, timeout: 20_000 });

test("[U3] track.ts tracks an upgrade, and when it runs again from its top the finished one is kept", async () => {
  const first = await node("track.ts");
  expect(first.stdout).toContain("Task completed: Deploy infrastructure");
  await node("track.ts");
  expect((await readdir(join(folder, "data", "upgrades"))).sort()).toEqual(["upgrade-123", "upgrade-123@1"]);
  const { state } = await readUpgrade(jsonLines({ path: join(folder, "data") }), "upgrade-123@1");
  expect([state.status, state.overallPercentage, state.tasks.size]).toEqual(["completed", 100, 1]);
});

test("commands.ts reports parents, steps and what is waited for", async () => {
  await node("commands.ts");
  const { state } = await readUpgrade(jsonLines({ path: join(folder, "data") }), "upgrade-124");
  expect([state.status, state.overallPercentage, state.insights.length]).toEqual(["completed", 100, 0]);
  expect(state.tasks.get("workers/drain")).toMatchObject({
    completedSteps: 5,
    totalSteps: 5,
    waitingOn: null,
    status: "completed",
  });
});

test("watch.ts shows an upgrade that another process wrote", async () => {
  await node("track.ts");
  const { stdout } = await node("watch.ts", "upgrade-123");
  expect(stdout).toBe("100 % completed as it stands\n");
});

test("watch-live.ts follows an upgrade over its WebSocket to the end, and ends", async () => {
  const { stdout } = await node("watch-live.ts");
  expect(stdout.trim().split("\n").at(-1)).toBe("100 % Upgrade completed");
});

test("report.sh reports three tasks, each command a process of its own", { timeout: 60_000 }, async () => {
  const milepost = `${process.execPath} --conditions=milepost-source ${join(root, "src", "cli", "main.ts")}`;
  await run("bash", [example("report.sh")], {
    cwd: folder,
    env: { ...process.env, MILEPOST: milepost },
    timeout: 50_000,
  });
  const [upgradeId = ""] = await readdir(join(folder, "data", "upgrades"));
  const { state } = await readUpgrade(jsonLines({ path: join(folder, "data") }), upgradeId);
  expect([state.status, state.clusterName, state.tasks.counts.completed]).toEqual(["completed", "my-cluster", 3]);
});
