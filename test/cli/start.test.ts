import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ChildProcess } from "node:child_process";

import { describe, expect, onTestFinished, test } from "vitest";

import { jsonLines } from "../../src/storage/json-lines.ts";
import { readUpgrade } from "../../src/tracker/read.ts";
import { run, runProcess, start, startProcess, until, type Running } from "./command-line.ts";
import { tempFolder } from "../temp-folder.ts";

/** A server in this process, stopped when the test has ended. */
async function started(args: readonly string[], env: Record<string, string> = {}): Promise<Running & { url: string }> {
  const running = start(["start", "--port", "0", "--json", ...args], { env });
  onTestFinished(async () => {
    running.signals.emit("SIGTERM");
    await running.done;
  });
  const ended = running.done.then(() => true);
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  await until(() => running.stdout().includes("\n") || hasEnded, "it listens");
  return { ...running, url: (JSON.parse(running.stdout() || "{}") as { url: string }).url };
}

async function startedProcess(
  args: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = startProcess(["start", "--port", "0", "--json", ...args]);
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  let text = "";
  child.stdout?.on("data", (data) => (text += data));
  const url = await until(() => /"url":"([^"]+)"/.exec(text)?.[1], "it listens");
  return { child, url };
}

const report = ["upgrade", "start", "--upgrade", "u1"];

describe("milepost start", () => {
  test("serves the upgrades of a storage, and says where", async () => {
    const folder = tempFolder();
    await run([...report, "--storage-path", folder]);
    const running = start(["start", "--port", "0", "--storage-path", folder]);
    await until(() => running.stdout().includes("Ctrl-C"), "it listens");
    const url = /(http:\S+)/.exec(running.stdout())?.[1] ?? "";
    expect(running.stdout().indexOf(url)).toBe("Dashboard: ".length);
    expect(running.stdout()).toContain(`ws://127.0.0.1:${new URL(url).port}`);
    const page = await fetch(url, { headers: { Accept: "text/html" } });
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    const list = await fetch(`${url}/api/v1/upgrades`);
    expect((await list.json()) as object).toMatchObject({ upgrades: [{ upgradeId: "u1" }] });
    running.signals.emit("SIGINT");
    expect(await running.done).toBe(0);
    expect(running.stderr()).toBe("");
  });

  test("serves what another process writes, within moments", async () => {
    const folder = tempFolder();
    const { url } = await started(["--storage-path", folder]);
    expect((await runProcess([...report, "--storage-path", folder])).exitCode).toBe(0);
    const { status } = await fetch(`${url}/api/v1/upgrades/u1`);
    expect(status).toBe(200);
  });

  test("takes its options from the environment", async () => {
    const { url } = await started([], {
      MILEPOST_STORAGE: "memory:",
      MILEPOST_ALLOW_ORIGIN: "https://a.example, https://b.example",
    });
    for (const Origin of ["https://a.example", "https://b.example"])
      expect((await fetch(`${url}/api/v1/upgrades`, { headers: { Origin } })).status).toBe(200);
    expect((await fetch(`${url}/api/v1/upgrades`, { headers: { Origin: "https://c.example" } })).status).toBe(403);
  });

  test("does not listen for other machines without knowing who may report", async () => {
    const { exitCode, stderr } = await run(["start", "--host", "0.0.0.0", "--port", "0", "--storage", "memory:"]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/0\.0\.0\.0.*--auth-file.*\(INVALID_ARGUMENT\)/);
  });

  test("lets in whom the auth file names, and nobody else", async () => {
    const folder = tempFolder();
    const file = join(folder, "auth.json");
    const token = "a-token-that-is-long-enough-0123456789";
    writeFileSync(file, JSON.stringify({ tokens: [{ name: "ci", token, permissions: ["admin:*"] }] }), { mode: 0o600 });
    const { url, stderr } = await started(["--storage-path", folder, "--auth-file", file, "--host", "0.0.0.0"]);
    const local = url.replace("0.0.0.0", "127.0.0.1");
    expect((await fetch(`${local}/api/v1/upgrades`)).status).toBe(401);
    const headers = { Authorization: `Bearer ${token}` };
    expect((await fetch(`${local}/api/v1/upgrades`, { headers })).status).toBe(200);
    const reported = await run([...report, "--server", local], { env: { MILEPOST_TOKEN: token } });
    expect([reported.exitCode, reported.stderr]).toEqual([0, ""]);
    const refused = await run([...report, "--server", local]);
    expect([refused.exitCode, refused.stderr]).toEqual([7, expect.stringContaining("UNAUTHENTICATED")]);
    expect(stderr()).not.toContain(token);
  });

  test("says what to do when the port is taken", async () => {
    const taken: Server = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const { exitCode, stderr } = await run(["start", "--port", String(port), "--storage", "memory:"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(
      `port ${port} (EADDRINUSE): another program listens there: stop it, or pass another --port`,
    );
  });

  test.each([
    ["--port", "70000"],
    ["--port", "x"],
    ["--speed", "0"],
    ["--auth-file", "/nowhere/auth.json"],
  ])("refuses %s %s", async (...args) => {
    expect((await run(["start", "--storage", "memory:", ...args])).exitCode).toBe(2);
  });
});

describe("G16: when it is told to stop", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "by %s it stores what it took, tells its clients, and ends with 0",
    async (signal) => {
      const folder = tempFolder();
      const { child, url } = await startedProcess(["--storage-path", folder]);
      await run([...report, "--server", url]);
      const socket = new WebSocket(`${url.replace("http", "ws")}/?channel=upgrade:u1`);
      await once(socket, "open");
      const closed = once(socket, "close") as Promise<[{ readonly code: number }]>;
      const waiting = fetch(`${url}/api/v1/upgrades/u1/events?wait=30&after=${await cursorOf(url)}`).catch(
        () => undefined,
      );
      const began = performance.now();
      child.kill(signal);
      const [code] = (await once(child, "exit")) as [number | null];
      expect([code, performance.now() - began < 10_000]).toEqual([0, true]);
      expect((await closed)[0].code).toBe(1001);
      await waiting;
      expect((await readUpgrade(jsonLines({ path: folder }), "u1")).state.openTerm).toBeNull();
    },
  );

  test("a second signal ends it at once", async () => {
    const { child, url } = await startedProcess(["--storage-path", tempFolder()]);
    const socket = await fetch(`${url}/healthz`);
    await socket.text();
    child.kill("SIGSTOP");
    child.kill("SIGTERM");
    child.kill("SIGINT");
    child.kill("SIGCONT");
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    // Both came before either was looked at: an orderly stop, or the end by the second one.
    expect([0, "SIGINT", "SIGTERM"]).toContain(code ?? signal);
  });
});

const cursorOf = async (url: string): Promise<string> =>
  ((await (await fetch(`${url}/api/v1/upgrades/u1`)).json()) as { cursor: string }).cursor;

describe("milepost start --demo", () => {
  test("rehearses, says that it is made up, and leaves no rehearsal behind that seems to run", async () => {
    const folder = tempFolder();
    const running = start(["start", "--demo", "--speed", "600", "--port", "0", "--storage-path", folder]);
    await until(() => running.stdout().includes("Ctrl-C"), "it listens");
    expect(running.stdout()).toContain("made up");
    const url = /(http:\S+)/.exec(running.stdout())?.[1] ?? "";
    await expect
      .poll(
        async () => ((await (await fetch(`${url}/api/v1/upgrades/rehearsal`)).json()) as { seq?: number }).seq ?? 0,
        {
          timeout: 10_000,
        },
      )
      .toBeGreaterThan(30);
    running.signals.emit("SIGINT");
    expect(await running.done).toBe(0);
    const { state } = await readUpgrade(jsonLines({ path: folder }), "rehearsal");
    expect([state.status, state.planId, state.openTerm]).toEqual(["cancelled", "rehearsal", null]);
    expect(state.currentPhase).toMatch(/^Rehearsal: /);
  });

  test("begins its next run where the one before has ended or was killed", async () => {
    const folder = tempFolder();
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      const { child, url } = await startedProcess(["--demo", "--speed", "600", "--storage-path", folder]);
      await expect
        .poll(async () => (await fetch(`${url}/api/v1/upgrades/rehearsal/summary`)).status, { timeout: 10_000 })
        .toBe(200);
      await expect
        .poll(
          async () => ((await (await fetch(`${url}/api/v1/upgrades/rehearsal`)).json()) as { status: string }).status,
        )
        .toBe("in_progress");
      child.kill(signal);
      await once(child, "exit");
    }
    expect((await readUpgrade(jsonLines({ path: folder }), "rehearsal")).state.run).toBe(2);
  });

  test("touches no upgrade of that name that is none of its own", async () => {
    const folder = tempFolder();
    await run(["upgrade", "start", "--upgrade", "rehearsal", "--plan", "mine", "--storage-path", folder]);
    const { exitCode, stderr } = await run(["start", "--demo", "--port", "0", "--storage-path", folder]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("UPGRADE_MISMATCH")]);
    expect((await readUpgrade(jsonLines({ path: folder }), "rehearsal")).state.planId).toBe("mine");
  });
});
