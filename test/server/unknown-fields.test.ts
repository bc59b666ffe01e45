/** Fields that nothing reads are refused at every door, naming them, and nothing is written (V7). */

import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";

import { isMilepostError } from "../../src/errors.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import type { ProgressTrackerOptions } from "../../src/progress-tracker-options.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { memory } from "../../src/storage/memory.ts";
import { CLIENT_MESSAGES } from "../../src/server/api/schemas/messages.ts";
import { parseClientMessage } from "../../src/stream/protocol.ts";
import { sendCommands } from "../../src/tracker/hand-over.ts";
import { tempFolder } from "../temp-folder.ts";
import { begun, exchange, serve } from "./api/serve.ts";

const IDS = { upgradeId: "u1", planId: "p", clusterName: "prod" };

function opened(options: Partial<ProgressTrackerOptions> = {}): ProgressTracker {
  const tracker = new ProgressTracker({ ...IDS, storage: memory(), ...options });
  onTestFinished(() => tracker.close());
  tracker.startUpgrade();
  tracker.addTask("t1", "Drain");
  return tracker;
}

const refusal = async (act: () => unknown): Promise<string> => {
  try {
    await act();
    return "nothing";
  } catch (error) {
    return isMilepostError(error) ? `${error.code}: ${error.message}` : String(error);
  }
};

describe("[V7] the library", () => {
  // As a caller without types writes it.
  type Loose = Record<string, (...args: unknown[]) => unknown>;
  const CALLS: readonly (readonly [string, (tracker: Loose) => unknown, string])[] = [
    ["a report", (t) => t["updateTaskProgress"]?.("t1", { percent: 5 }), "percentage"],
    ["a report's message", (t) => t["updateTaskProgress"]?.("t1", { percentage: 5, message: "x" }), "message"],
    ["a task", (t) => t["addTask"]?.("t2", "T", undefined, { wieght: 2 }), "weight"],
    ["a task's id", (t) => t["addTask"]?.("t2", "T", undefined, { taskId: "t3" }), "taskId"],
    ["tasks", (t) => t["addTasks"]?.([{ taskId: "t2", taskName: "T", total: 2 }]), "totalSteps"],
    ["a run", (t) => t["run"]?.("t2", "T", () => 1, { ifdone: "skip" }), "ifDone"],
    ["a run's report", (t) => runAndReport(t), "completedSteps"],
    ["events", (t) => (t["events"]?.({ afer: "x" }) as AsyncGenerator).next(), "after"],
    ["what is waited for", (t) => t["setWaitingOn"]?.("t1", { kind: "k", name: "n", remdy: "r" }), "remedy"],
    ["an insight", (t) => t["raiseInsight"]?.({ id: "i", level: "info", message: "m", ref: "x" }), "reference"],
    ["a command", (t) => t["execute"]?.({ type: "startTask", task: "t1" }), "taskId"],
  ];
  const runAndReport = (t: Loose): unknown =>
    t["run"]?.("t1", "Drain", (task: { progress: (report: object) => void }) => task.progress({ completed_steps: 1 }));

  test.each(CALLS)("refuses one of %s, and writes nothing", async (_name, call, nearest) => {
    const tracker = opened();
    const isRun = _name === "a run's report";
    const before = tracker.progress.seq;
    const said = await refusal(() => call(tracker as unknown as Loose));
    expect(said).toMatch(/^INVALID_ARGUMENT: .* has no field "\w+"/);
    expect(said).toContain(nearest);
    // The function of a run that throws fails its task.
    if (!isRun) expect(tracker.progress.seq).toBe(before);
    expect(tracker.progress.tasks.get("t1")?.percentage ?? 0).toBe(0);
  });

  test("refuses one of what a tracker is made from", async () => {
    expect(await refusal(() => opened({ storagPath: "/nowhere" } as object))).toBe(
      'INVALID_ARGUMENT: options has no field "storagPath"; did you mean storagePath?',
    );
  });

  test("[V2] takes no boxed value for a report that says nothing", async () => {
    const tracker = opened();
    const before = tracker.progress.seq;
    for (const boxed of [new Number(50), new String("50"), Object(true), Object(5n)] as unknown[]) {
      const report = (): unknown => tracker.updateTaskProgress("t1", boxed as number);
      expect(await refusal(report)).toMatch(
        /^INVALID_PERCENT: percentage must be a number from 0 to 100, not an object/,
      );
      expect(await refusal(() => tracker.run("t1", "Drain", (task) => task.progress(boxed as number)))).toMatch(
        /^(INVALID_PERCENT|ILLEGAL_TRANSITION)/,
      );
    }
    expect(tracker.progress.tasks.get("t1")?.percentage ?? 0).toBe(0);
    expect(tracker.progress.seq).toBeGreaterThanOrEqual(before);
  });
});

test("[V7] the socket of a holder refuses them", async () => {
  const path = tempFolder();
  const tracker = opened({ storage: jsonLines({ path }) });
  const before = tracker.progress.seq;
  const send = (command: object) => sendCommands(jsonLines({ path }), "u1", [command], { timeoutMs: 5_000 });
  expect(await refusal(() => send({ type: "updateTaskProgress", taskId: "t1", percent: 5 }))).toBe(
    'INVALID_ARGUMENT: updateTaskProgress has no field "percent"; did you mean percentage?',
  );
  expect(await refusal(() => send({ type: "startTask", taskId: "t1", request: "NO HEX" }))).toMatch(
    /^INVALID_ARGUMENT: request/,
  );
  expect(tracker.progress.seq).toBe(before);
});

describe("[V7] HTTP", () => {
  test("refuses them in commands, upgrades, tasks, sessions and shares, before anything happens", async () => {
    const server = await serve();
    await begun(server);
    const U = "/api/v1/upgrades";
    const state = async (): Promise<string> => (await server.get(`${U}/u1`)).json.cursor as string;
    const before = await state();
    const right = { type: "startTask", taskId: "t1" };
    const wrong: readonly (readonly [string, unknown, string])[] = [
      [`${U}/u1/commands`, { type: "updateTaskProgress", taskId: "t1", percent: 5 }, "percentage"],
      [`${U}/u1/commands`, [right, { type: "completeTask", taskId: "t1", msg: "x" }], "message"],
      [`${U}/u1/commands`, { ...right, request: "ab.cd.0" }, "request"],
      [U, { upgradeId: "new", cluster: "prod" }, "clusterName"],
      [U, { upgradeId: "new", tasks: [{ taskId: "a", name: "A" }] }, "taskName"],
      [U, { upgradeId: "new", tasks: [{ taskId: "a", taskName: "A", type: "addTask" }] }, "taskType"],
      ["/api/v1/session", { token: "x".repeat(30), remember: true }, "token"],
      [`${U}/u1/share`, { lifetime: 60_000 }, "lifetimeMs"],
    ];
    for (const [path, body, nearest] of wrong) {
      const { status, json } = await server.post(path, body);
      expect([path, status, json.code]).toEqual([path, 400, "INVALID_ARGUMENT"]);
      expect(json.detail).toMatch(/has no field/);
      expect(json.detail).toContain(nearest);
    }
    expect(await state()).toBe(before);
    expect((await server.get(`${U}/new`)).status).toBe(404);
  });
});

describe("[V7] HTTP, in the query", () => {
  const QUERIES: readonly (readonly [string, string])[] = [
    ["/api/v1/upgrades?cluste=prod", "did you mean cluster?"],
    ["/api/v1/upgrades?status=failed&zzz=1", "it has status, cluster, limit, page"],
    ["/api/v1/upgrades?limit=1&limit=2", '"limit" more than once'],
    ["/api/v1/upgrades/u1?at=3", "it has none"],
    ["/api/v1/upgrades/u1/summary?zzz=1", "it has none"],
    ["/api/v1/upgrades/u1/usual?zzz=1", "it has none"],
    ["/api/v1/upgrades/u1/comparison?wih=u2", "did you mean with?"],
    ["/api/v1/upgrades/u1/events?afer=x", "did you mean after?"],
    ["/api/v1/upgrades/u1/events?since=x", "it has after, limit, wait, level"],
    ["/api/v1/upgrades/u1/export?forma=csv", "did you mean format?"],
    ["/api/v1/session?chanel=fleet", "did you mean channel?"],
    ["/api/v1/share-links?upgradeId=u1", "did you mean upgrade?"],
    ["/api/v1/upgrades/u1/events?__proto__=1", "it has after, limit, wait, level"],
  ];

  test.each(QUERIES)("refuses %s, and says what there is", async (path, hint) => {
    const server = await serve();
    await begun(server);
    for (const accept of ["*/*", "text/event-stream"]) {
      if (accept !== "*/*" && !path.includes("/events")) continue;
      const { status, headers, text } = await server.get(path, { Accept: accept });
      expect([status, headers.get("content-type")]).toEqual([400, "application/problem+json"]);
      expect(JSON.parse(text)).toMatchObject({ code: "INVALID_ARGUMENT", detail: expect.stringContaining(hint) });
    }
  });

  test("refuses what would change something, before it does", async () => {
    const server = await serve();
    await begun(server);
    const { status } = await server.post("/api/v1/upgrades/u1/commands?dryRun=true", {
      type: "startTask",
      taskId: "t1",
    });
    expect([status, (await server.delete("/api/v1/upgrades/u1?force=1")).status]).toEqual([400, 400]);
    expect((await server.get("/api/v1/upgrades/u1")).json.tasks[0].status).toBe("not_started");
  });

  test("takes what there is, tickets, and anything at probes, documents and the badge", async () => {
    const server = await serve();
    await begun(server);
    const { ticket } = (await server.post("/api/v1/tickets", {})).json as { ticket: string };
    const paths = [
      `/api/v1/upgrades?status=not_started&cluster=prod&limit=5&ticket=${ticket}`,
      "/api/v1/upgrades/u1/events?limit=1&wait=0&level=logs&after=",
      ...["/healthz?from=lb", "/openapi.json?v=2", "/badge/u1.svg?t=123"],
    ];
    const answers = await Promise.all(paths.map(async (path) => `${path} ${(await server.get(path)).status}`));
    expect(answers).toEqual(paths.map((path) => `${path} ${path.endsWith("after=") ? 410 : 200}`));
  });

  test("refuses them when a WebSocket is asked for", async () => {
    const server = await serve();
    await begun(server);
    const answer = await exchange(
      server.port,
      `GET /ws?chanel=fleet HTTP/1.1\r\nHost: localhost:${server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('has no field \\"chanel\\"; did you mean channel?');
  });
});

describe("[V7] a name that stands twice in an object of a body", () => {
  const WRONG: readonly (readonly [string, string])[] = [
    ["a field", '{"type":"startTask","taskId":"t1","taskId":"t2"}'],
    ["a field, once escaped", '{"type":"startTask","taskId":"t1","task\\u0049d":"t2"}'],
    ["a detail", '{"type":"startTask","taskId":"t1","details":{"a":{"b":1,"b":2}}}'],
    ["a field behind a detail", '{"type":"startTask","details":{"type":"}{"},"taskId":"t1", "type" : "completeTask"}'],
    ["a field of the second command", '[{"type":"startTask","taskId":"t1"},{"type":"startTask","type":"x"}]'],
    ["a dangerous one", '{"type":"startTask","taskId":"t1","details":{"__proto__":1,"__proto__":2}}'],
  ];

  test.each(WRONG)("is refused: %s", async (_what, body) => {
    const server = await serve();
    await begun(server);
    const { status, json } = await server.post("/api/v1/upgrades/u1/commands", body);
    expect([status, json.code]).toEqual([400, "INVALID_ARGUMENT"]);
    expect(json.detail).toMatch(/has "\w+" twice in one object/);
    expect((await server.get("/api/v1/upgrades/u1")).json.tasks[0].status).toBe("not_started");
  });

  test("is taken in two objects, and as a value", async () => {
    const server = await serve();
    await begun(server);
    const body =
      '[{"type":"startTask","taskId":"t1","details":{"type":"a: \\"b\\": {","x":[{"y":1},{"y":2}]}},{"type":"heartbeat","taskId":"t1"}]';
    expect((await server.post("/api/v1/upgrades/u1/commands", body)).status).toBe(200);
  });
});

describe("[V7] the WebSocket", () => {
  const FIELDS: Readonly<Record<string, object>> = {
    subscribe: { channel: "fleet", after: "a", level: "tasks" },
    unsubscribe: { channel: "fleet" },
    ping: {},
    get_summary: { channel: "upgrade:u1" },
    authenticate: { token: "x" },
  };

  test.each(Object.entries(FIELDS))("refuses them in %s, in the same way as its schema", (type, fields) => {
    const whole = { type, ...fields, requestId: "1" };
    expect(parseClientMessage(JSON.stringify(whole))).toEqual(whole);
    const strange = { ...whole, afer: 1 };
    expect(() => parseClientMessage(JSON.stringify(strange))).toThrow(/has no field "afer"/);
    const schema = CLIENT_MESSAGES.find(({ name }) => name.toLowerCase() === type.replace("_", ""))?.schema;
    expect([schema?.safeParse(whole).success, schema?.safeParse(strange).success]).toEqual([true, false]);
  });

  test("goes on after a refusal", async () => {
    const server = await serve();
    await begun(server);
    const socket = new WebSocket(server.url.replace("http", "ws"));
    onTestFinished(() => socket.terminate());
    const answers: Record<string, unknown>[] = [];
    socket.on("message", (data) =>
      answers.push(JSON.parse((data as Buffer).toString("utf8")) as Record<string, unknown>),
    );
    await new Promise((resolve) => socket.once("open", resolve));
    socket.send(JSON.stringify({ type: "subscribe", channel: "upgrade:u1", afer: "x" }));
    socket.send(JSON.stringify({ type: "ping", requestId: "still here" }));
    await expect.poll(() => answers.map(({ type }) => type)).toContain("pong");
    expect(answers.find(({ type }) => type === "error")).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: 'subscribe has no field "afer"; did you mean after?',
    });
  });
});
