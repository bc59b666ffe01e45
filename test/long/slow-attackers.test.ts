/** Thousands of connections that are held and never used, and a process that has no file descriptor left (X08, X09). */

import { spawn } from "node:child_process";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import { expect, onTestFinished, test } from "vitest";

import { NODE_ARGUMENTS, until } from "../cli/command-line.ts";
import { serverProcess } from "../server/api/child-process.ts";
import { tempFolder } from "../temp-folder.ts";

const UPGRADES = "/api/v1/upgrades";

/** A caller that keeps one connection. */
class Caller {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number) {
    this.#port = port;
    onTestFinished(() => this.#agent.destroy());
  }

  /** The status; rejects when there is no answer within ten seconds. */
  ask(method: string, path: string, body?: object): Promise<number> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { port: this.#port, host: "127.0.0.1", method, path, agent: this.#agent, timeout: 10_000 },
        (answer) => answer.resume().on("end", () => resolve(answer.statusCode ?? 0)),
      );
      asked.on("error", reject).on("timeout", () => asked.destroy(new Error("no answer")));
      if (body !== undefined) asked.setHeader("Content-Type", "application/json");
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  begin(): Promise<number> {
    return this.ask("POST", UPGRADES, { upgradeId: "u", tasks: [{ taskId: "t", taskName: "T" }] });
  }

  report(text: string): Promise<number> {
    return this.ask("POST", `${UPGRADES}/u/commands`, { type: "appendLog", taskId: "t", text });
  }
}

/** How long each of some requests and reports takes, one after the other; the 99th of 100, in milliseconds. */
async function p99(caller: Caller, seconds: number): Promise<number> {
  const times: number[] = [];
  for (const end = performance.now() + seconds * 1_000; performance.now() < end; await wait(10)) {
    const begun = performance.now();
    expect(await caller.report("still at work")).toBe(200);
    expect(await caller.ask("GET", `${UPGRADES}/u/summary`)).toBe(200);
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Infinity;
}

/** What each kind of attacker says at once; then it says one byte a second. */
const ATTACKS: readonly string[] = [
  "GET /",
  "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
  "POST /api/v1/upgrades HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{",
  "POST /api/v1/upgrades/u/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n[",
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ",
];
const ATTACKERS = 1_000;

interface Attacker {
  readonly kind: number;
  readonly begunAt: number;
  cutAt: number | undefined;
}

function attack(port: number, kind: number): Attacker {
  const attacker: Attacker = { kind, begunAt: performance.now(), cutAt: undefined };
  const socket = connect(port, "127.0.0.1", () => socket.write(ATTACKS[kind] as string));
  const timer = setInterval(() => socket.write("a"), 1_000);
  const cut = (): void => {
    clearInterval(timer);
    attacker.cutAt ??= performance.now();
  };
  socket.on("error", cut).on("close", cut).on("end", cut).resume();
  onTestFinished(() => {
    clearInterval(timer);
    socket.destroy();
  });
  return attacker;
}

test("X08: 1,000 connections that send a byte a second are cut within 15 s, and one who works is served meanwhile", async () => {
  const { port } = await serverProcess(tempFolder());
  const caller = new Caller(port);
  expect(await caller.begin()).toBe(201);
  await p99(caller, 2);
  const alone = await p99(caller, 5);
  const attackers: Attacker[] = [];
  for (let count = 0; count < ATTACKERS; count++) {
    attackers.push(attack(port, count % ATTACKS.length));
    if (count % 100 === 99) await wait(20);
  }
  const amid = await p99(caller, 10);
  await until(() => attackers.every(({ cutAt }) => cutAt !== undefined), "all attackers are cut", 20_000);
  const slowest = ATTACKS.map((_, kind) =>
    Math.round(
      Math.max(...attackers.filter((one) => one.kind === kind).map(({ begunAt, cutAt = Infinity }) => cutAt - begunAt)),
    ),
  );
  console.log(
    `X08: p99 ${alone.toFixed(1)} ms alone, ${amid.toFixed(1)} ms amid ${ATTACKERS}; cut after ${slowest.join(", ")} ms`,
  );
  expect(Math.max(...slowest)).toBeLessThanOrEqual(15_000);
  // Beside what a busy machine does by itself.
  expect(amid).toBeLessThanOrEqual(2 * alone + 50);
});

const DESCRIPTORS = 256;

test("X09: a server without a descriptor left still stores what is reported, and takes connections again when there are some", async () => {
  const folder = tempFolder();
  const words = [process.execPath, ...NODE_ARGUMENTS, "start", "--port", "0", "--json", "--storage-path", folder];
  const child = spawn("bash", ["-c", `ulimit -n ${DESCRIPTORS}; exec "$@"`, "bash", ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  const port = Number(await until(() => /"port":(\d+)/.exec(stdout)?.[1], "it listens"));
  const caller = new Caller(port);
  expect(await caller.begin()).toBe(201);
  expect(await caller.report("before")).toBe(200);

  const sockets: Socket[] = [];
  let refused = 0;
  for (let count = 0; count < ATTACKERS; count++) {
    const socket = connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nX: "));
    socket
      .on("error", () => undefined)
      .on("close", () => (refused += 1))
      .resume();
    sockets.push(socket);
  }
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  await wait(1_000);
  // Its own connection is there, and so is the journal's file.
  const statuses: number[] = [];
  for (let count = 0; count < 200; count++) statuses.push(await caller.report(`during ${count}`));
  const refusedDuring = refused;
  for (const socket of sockets) socket.destroy();
  const back = performance.now();
  const fresh = new Caller(port);
  while ((await fresh.ask("GET", "/readyz").catch(() => 0)) !== 200) {
    if (performance.now() - back > 20_000) throw new Error(`it never recovers: ${stderr}`);
    await wait(50);
  }
  console.log(
    `X09: ${refusedDuring} of ${ATTACKERS} cut by then; ready again after ${Math.round(performance.now() - back)} ms; ${stderr.split("\n").length - 1} lines said`,
  );
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  const answer = await fetch(`http://127.0.0.1:${port}${UPGRADES}/u/events?limit=10000`);
  const { events } = (await answer.json()) as { readonly events: readonly { readonly text?: string }[] };
  expect(events.filter(({ text }) => text?.startsWith("during"))).toHaveLength(200);
  // It may say that it could not read, or could not tell others where to report; never that it could not write the journal.
  expect(stderr).not.toMatch(/journal\/\S* does not take writes|degraded/);
  const degraded = events.filter((event) => JSON.stringify(event).includes("degraded"));
  expect(degraded).toEqual([]);
});
