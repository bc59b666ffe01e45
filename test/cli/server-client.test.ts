import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import { jsonLines } from "../../src/storage/json-lines.ts";
import { memory } from "../../src/storage/memory.ts";
import { readUpgrade } from "../../src/tracker/read.ts";
import { tempFolder } from "../temp-folder.ts";
import { serve } from "../server/api/serve.ts";
import { run } from "./command-line.ts";

/** A server that answers as it is told, and keeps what it was asked. */
async function answering(answer: RequestListener): Promise<{ url: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    request.resume().on("end", () => answer(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const SCRIPT: readonly (readonly string[])[] = [
  ["upgrade", "start", "--phase", "Pre-flight", "--plan", "p", "--cluster", "c"],
  ["task", "add", "t1", "--name", "Drain", "--total", "6"],
  ["task", "start", "t2", "--name", "Wait"],
  ["task", "progress", "t1", "3/6", "--message", "half"],
  ["task", "wait-on", "t2", "PodDisruptionBudget", "web"],
  ["task", "progress", "t1", "101"],
  ["task", "complete", "t9"],
  ["insight", "raise", "i1", "Something", "--level", "error"],
  ["task", "complete", "t1"],
  ["task", "complete", "t1"],
  ["upgrade", "complete", "--message", "done"],
];

/** Ids and times are each event's own. */
const comparable = (text: string): string =>
  text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "<id>").replaceAll(/^\d+ /gm, "");

describe("the reporting verbs with --server", () => {
  test("say and do what they say and do with a storage", { timeout: 60_000 }, async () => {
    const folder = tempFolder();
    const storage = memory();
    const { url } = await serve({ storage });
    for (const words of SCRIPT) {
      const here = await run([...words, "--upgrade", "u/1", "--storage-path", folder]);
      const there = await run([...words, "--upgrade", "u/1", "--server", url]);
      expect([words, there.exitCode, comparable(there.stdout)]).toEqual([
        words,
        here.exitCode,
        comparable(here.stdout),
      ]);
      expect([words, there.stderr]).toEqual([words, here.stderr]);
    }
    const [here, there] = [await readUpgrade(jsonLines({ path: folder }), "u/1"), await readUpgrade(storage, "u/1")];
    for (const field of ["planId", "clusterName", "status", "currentPhase", "overallPercentage"] as const)
      expect(there.state[field]).toBe(here.state[field]);
    expect([...there.state.tasks.values()].map(({ taskId, status, message }) => [taskId, status, message])).toEqual(
      [...here.state.tasks.values()].map(({ taskId, status, message }) => [taskId, status, message]),
    );
  });

  test("make no upgrade but with upgrade start", async () => {
    const storage = memory();
    const { url } = await serve({ storage });
    const { exitCode, stderr } = await run(["task", "start", "t1", "--upgrade", "u1", "--server", url]);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining("UNKNOWN_UPGRADE")]);
    expect(await storage.list()).toEqual([]);
  });

  test("take server and token from the environment", async () => {
    const { url, asked } = await answering((_request, response) => response.end('{"events":[]}'));
    const env = { MILEPOST_SERVER: `${url}/milepost`, MILEPOST_TOKEN: "t-1", MILEPOST_UPGRADE_ID: "u1" };
    expect((await run(["task", "complete", "t1"], { env })).exitCode).toBe(0);
    expect([asked[0]?.url, asked[0]?.headers.authorization]).toEqual([
      "/milepost/api/v1/upgrades/u1/commands",
      "Bearer t-1",
    ]);
  });

  test("try again, with the same key, while the server is busy or away", async () => {
    let tries = 0;
    const { url, asked } = await answering((request, response) => {
      tries += 1;
      if (tries === 1) request.socket.destroy();
      else if (tries < 4) response.writeHead(503, { "Content-Type": "application/problem+json" }).end("{}");
      else response.end('{"events":[{"seq":7,"type":"task.completed","id":"x"}]}');
    });
    const { exitCode, stdout } = await run(["task", "complete", "t1", "--upgrade", "u1", "--server", url]);
    expect([exitCode, stdout]).toEqual([0, "7 task.completed x\n"]);
    const keys = asked.map(({ headers }) => headers["idempotency-key"]);
    expect([keys.length, new Set(keys).size]).toEqual([4, 1]);
    const other = await run(["task", "complete", "t1", "--upgrade", "u1", "--server", url]);
    expect(other.exitCode).toBe(0);
    expect(new Set(asked.map(({ headers }) => headers["idempotency-key"])).size).toBe(2);
  });

  const LOCKED = JSON.stringify({ code: "LOCKED", detail: "held by a busy process", status: 423 });

  test("try again while the process that holds the upgrade is busy (423)", async () => {
    const { url, asked } = await answering((_request, response) => {
      if (asked.length < 3) response.writeHead(423, { "Content-Type": "application/problem+json" }).end(LOCKED);
      else response.end(JSON.stringify({ upgradeId: "u", events: [{ seq: 7, type: "task.started", id: "e" }] }));
    });
    const { exitCode, stdout } = await run(["task", "start", "t", "--upgrade", "u", "--server", url]);
    expect([exitCode, stdout, asked.length]).toEqual([0, "7 task.started e\n", 3]);
    expect(new Set(asked.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
  });

  test("say at the end of their time what the server said last, not that it fell silent", async () => {
    const { url, asked } = await answering((_request, response) => {
      // The second one is never answered.
      if (asked.length === 1) response.writeHead(423, { "Content-Type": "application/problem+json" }).end(LOCKED);
    });
    const words = ["task", "start", "t", "--upgrade", "u", "--server", url, "--timeout", "900ms"];
    const { exitCode, stderr } = await run(words);
    expect([exitCode, stderr, asked.length]).toEqual([5, "milepost: held by a busy process (LOCKED)\n", 2]);
  });

  test("say so when there is no answer in time", async () => {
    const { url } = await answering((request) => request.socket.destroy());
    const began = performance.now();
    const { exitCode, stderr } = await run([
      "task",
      "complete",
      "t1",
      "--upgrade",
      "u1",
      "--server",
      url,
      "--timeout",
      "300ms",
    ]);
    expect([exitCode, stderr]).toEqual([6, expect.stringMatching(/gave no answer within 0\.3 s .*\(TIMEOUT\)/)]);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("say so when something else answers", async () => {
    const { url } = await answering((_request, response) => response.writeHead(404).end("<html>not here</html>"));
    const { exitCode, stderr } = await run(["task", "complete", "t1", "--upgrade", "u1", "--server", url]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("answers 404, and not as a Milepost server does")]);
  });

  test("follow no redirection with a token", async () => {
    const elsewhere = await answering((_request, response) => response.end('{"events":[]}'));
    const { url } = await answering((_request, response) => response.writeHead(307, { Location: elsewhere.url }).end());
    const args = ["task", "complete", "t1", "--upgrade", "u1", "--server", url, "--token", "t-1", "--timeout", "200ms"];
    expect((await run(args)).exitCode).not.toBe(0);
    expect(elsewhere.asked).toEqual([]);
  });

  test.each([["ftp://127.0.0.1"], ["127.0.0.1:8765"], ["http://user:secret@127.0.0.1"]])(
    "refuse the address %s and show no password",
    async (server) => {
      const { exitCode, stderr } = await run(["task", "complete", "t1", "--upgrade", "u1", "--server", server]);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining("--server must be an address")]);
      expect(stderr).not.toContain("secret");
    },
  );

  test("refuse --take-over", async () => {
    const { exitCode } = await run([
      "task",
      "complete",
      "t1",
      "--upgrade",
      "u1",
      "--server",
      "http://127.0.0.1:1",
      "--take-over",
    ]);
    expect(exitCode).toBe(2);
  });
});
