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
import { begun, serve } from "./api/serve.ts";

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
