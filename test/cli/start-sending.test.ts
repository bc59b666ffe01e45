import { once } from "node:events";
import { join } from "node:path";
import type { ChildProcess } from "node:child_process";

import { describe, expect, onTestFinished, test } from "vitest";

import { prepareSending } from "../../src/cli/sending.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { memory } from "../../src/storage/memory.ts";
import { systemClock } from "../../src/tracker/clock.ts";
import { silentLogger } from "../../src/tracker/logger.ts";
import { eventsOnDisk } from "../faults/stored.ts";
import { isLong } from "../faults/child.ts";
import { tempFolder } from "../temp-folder.ts";
import { run, runProcess, startProcess, until } from "./command-line.ts";
import { ENV, ops } from "./notifying.ts";

/** `milepost start` as a process of its own, once it says whom it tells. */
async function sender(folder: string, storagePath: string): Promise<{ child: ChildProcess; stderr: () => string }> {
  const config = join(folder, "milepost.config.json");
  const child = startProcess(["start", "--port", "0", "--storage-path", storagePath, "--config", config], { env: ENV });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  let stderr = "";
  child.stderr?.on("data", (data) => (stderr += data));
  await until(() => stderr.includes("tells ops (webhook, http://127.0.0.1:"), "it tells");
  return { child, stderr: () => stderr };
}

const IDS = { upgradeId: "up", planId: "p", clusterName: "c" };

describe("milepost start with a config", () => {
  test("tells what scripts report into its storage, and says nothing of its secrets", async () => {
    const folder = tempFolder();
    const storagePath = join(folder, "data");
    const told = await ops(folder);
    const { child, stderr } = await sender(folder, storagePath);
    for (const verb of [["start"], ["phase", "Nodes"], ["complete"]])
      expect((await run(["upgrade", ...verb, "--upgrade", "up", "--storage-path", storagePath])).exitCode).toBe(0);
    await until(() => told.events().some(({ type }) => type === "upgrade.completed"), "it is told");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    const stored = eventsOnDisk(storagePath, "up").map(({ id }) => id);
    expect(told.ids()).toEqual(stored);
    expect(stderr()).toContain("ops is ready");
    expect(stderr()).not.toContain(ENV.WEBHOOK_SECRET);
  });

  test("killed while it sends, again and again: every event is told, and one that comes again has its id (N01)", async () => {
    const folder = tempFolder();
    const storagePath = join(folder, "data");
    const told = await ops(folder, [{ events: ["log.appended", "upgrade.*"] }]);
    // Slow enough that a kill finds something under way.
    told.answer = (_request, response) => setTimeout(() => response.writeHead(204).end(), 3);
    const tracker = new ProgressTracker({ ...IDS, storagePath });
    tracker.startUpgrade();
    tracker.addTask("a", "A");
    for (let line = 0; line < 300; line++) tracker.appendLog("a", `line ${line}`);
    for (let cycle = 0; cycle < (isLong ? 30 : 2); cycle++) {
      const { child } = await sender(folder, storagePath);
      const before = told.ids().length;
      await until(() => told.ids().length > before + 10, "it sends");
      child.kill("SIGKILL");
      await once(child, "exit");
      tracker.appendLog("a", `after ${cycle}`);
    }
    tracker.completeUpgrade();
    await tracker.close();
    const { child } = await sender(folder, storagePath);
    const wanted = eventsOnDisk(storagePath, "up").filter(({ type }) => /^(log|upgrade)\./.test(type));
    await until(() => new Set(told.ids()).size === wanted.length, "all is told", 30_000);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(new Set(told.ids())).toEqual(new Set(wanted.map(({ id }) => id)));
  }, 60_000);

  test("told to stop, it lets what is under way be told, and ends within its time (N16)", async () => {
    const folder = tempFolder();
    const storagePath = join(folder, "data");
    const told = await ops(folder, [{ events: ["log.appended"] }]);
    const tracker = new ProgressTracker({ ...IDS, storagePath });
    tracker.addTask("a", "A");
    const { child } = await sender(folder, storagePath);
    told.answer = (_request, response) => setTimeout(() => response.writeHead(204).end(), 10);
    for (let line = 0; line < 100; line++) tracker.appendLog("a", `line ${line}`);
    await until(() => told.ids().length > 0, "it sends");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(new Set(told.ids()).size).toBe(100);
    await tracker.close();
  });

  test("at its end it closes its notifiers, which keep connections open until then", async () => {
    const folder = tempFolder();
    const told = await ops(folder);
    const storage = memory();
    const tracker = new ProgressTracker({ ...IDS, storage });
    tracker.startUpgrade();
    const cli = { env: ENV, clock: systemClock } as unknown as Parameters<typeof prepareSending>[0];
    const begin = await prepareSending(cli, { config: told.config }, { storage, logger: silentLogger });
    const sending = begin?.();
    await until(() => told.ids().length > 0, "it tells");
    expect(told.open()).toBeGreaterThan(0);
    await sending?.close(1_000);
    // Well before either side would end an idle connection by itself.
    await until(() => told.open() === 0, "its connections are closed", 2_000);
    await tracker.close();
  });

  test("tells what an agent left behind when it was killed", async () => {
    const folder = tempFolder();
    const storagePath = join(folder, "data");
    const told = await ops(folder, [{ events: ["upgrade.*", "task.*"] }]);
    told.answer = (_request, response) => response.writeHead(503).end();
    const agent = startProcess(
      ["run", "--id", "up", "--storage-path", storagePath, "--config", told.config, "--", "sleep", "30"],
      { env: ENV },
    );
    await until(() => told.ids().length > 0, "it is told");
    agent.kill("SIGKILL");
    await once(agent, "exit");
    told.answer = (_request, response) => response.writeHead(204).end();
    const before = told.ids();
    await sender(folder, storagePath);
    const wanted = eventsOnDisk(storagePath, "up").filter(({ type }) => /^(upgrade|task)\./.test(type));
    await until(
      () => wanted.every(({ id }) => told.ids().slice(before.length).includes(id)),
      "the rest is told",
      15_000,
    );
  });

  test.each([
    ["start", ["--port", "0"]],
    ["run", ["--", "true"]],
  ])("%s refuses a config file that is wrong before it begins", async (verb, rest) => {
    const folder = tempFolder();
    const { config } = await ops(folder);
    const ran = await run([verb, "--config", config, "--storage-path", folder, ...rest]);
    expect([ran.exitCode, ran.stderr]).toEqual([2, expect.stringContaining('"WEBHOOK_SECRET"')]);
    const missing = await run([verb, "--config", join(folder, "no"), ...rest]);
    expect([missing.exitCode, missing.stderr]).toEqual([2, expect.stringContaining("cannot be read (ENOENT)")]);
  });
});

describe("milepost run with a config", () => {
  test("tells of its command, and keeps out of the command's output", async () => {
    const folder = tempFolder();
    const told = await ops(folder);
    const argv = ["run", "--id", "up", "--storage-path", join(folder, "data"), "--", "sh", "-c", "echo out; exit 3"];
    // Found in the folder where it is run.
    const ran = await runProcess(argv, { env: ENV, cwd: folder });
    expect(ran).toEqual({ exitCode: 3, stdout: "out\n", stderr: "" });
    expect(told.events().map(({ type }) => type)).toContain("upgrade.failed");
    expect(told.ids()).toEqual(eventsOnDisk(join(folder, "data"), "up").map(({ id }) => id));
  });

  test("says at its end what it could not tell, and `notify drain` tells it", async () => {
    const folder = tempFolder();
    const told = await ops(folder, [{ events: ["upgrade.*"] }]);
    const env = { ...ENV, MILEPOST_CONFIG: told.config, MILEPOST_STORAGE_PATH: join(folder, "data") };
    const works = told.answer;
    told.answer = (_request, response) => response.writeHead(503).end();
    const ran = await runProcess(["run", "--id", "up", "--", "true"], { env });
    expect(ran.exitCode).toBe(0);
    told.answer = works;
    const before = told.ids().length;
    const drained = await runProcess(["notify", "drain"], { env });
    expect([drained.exitCode, drained.stdout]).toEqual([0, "up  ops: 2 sent\n"]);
    expect(told.ids()).toHaveLength(before + 2);
  }, 20_000);
});
