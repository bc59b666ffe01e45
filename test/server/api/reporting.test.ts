import { describe, expect, test } from "vitest";

import type { ProgressEvent } from "../../../src/model/event.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { memory } from "../../../src/storage/memory.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { readEvents, readUpgrade } from "../../../src/tracker/read.ts";
import { HOSTILE_IDS, UNSEEN_IDS } from "../../hostile-ids.ts";
import { tempFolder } from "../../temp-folder.ts";
import { holder } from "./child-process.ts";
import { begun, serve, type Answered } from "./serve.ts";
import { recordUnseen } from "./unseen-log.ts";

const commands = "/api/v1/upgrades/u1/commands";
const types = ({ json }: Answered): readonly string[] => json.events.map(({ type }: ProgressEvent) => type);

async function typesIn(storage: Storage, upgradeId = "u1"): Promise<readonly string[]> {
  const found = [];
  for await (const { type } of readEvents(storage, upgradeId)) found.push(type);
  return found.filter((type) => !type.startsWith("writer."));
}

describe("beginning an upgrade", () => {
  test("makes it, with its tasks, and says where it is", async () => {
    const storage = memory();
    const server = await serve({ storage });
    const answer = await server.post("/api/v1/upgrades", {
      upgradeId: "u/1",
      planId: "p",
      clusterName: "prod",
      phase: "Pre-flight",
      tasks: [
        { taskId: "a", taskName: "A" },
        { taskId: "b", taskName: "B", parentTaskId: "a" },
      ],
    });
    expect([answer.status, answer.headers.get("location")]).toEqual([201, "/api/v1/upgrades/u%2F1"]);
    expect(types(answer)).toEqual(["upgrade.started", "task.added", "task.added"]);
    const { state } = await readUpgrade(storage, "u/1");
    expect(state).toMatchObject({
      planId: "p",
      clusterName: "prod",
      currentPhase: "Pre-flight",
      status: "in_progress",
    });
    expect((await server.get(answer.headers.get("location") ?? "")).json.cursor).toBe(answer.json.cursor);
  });

  test("is idle when it runs already, refused for another plan, and the next run when it has ended", async () => {
    const server = await serve();
    await begun(server);
    expect((await server.post("/api/v1/upgrades", { upgradeId: "u1" })).status).toBe(200);
    const other = await server.post("/api/v1/upgrades", { upgradeId: "u1", planId: "other" });
    expect([other.status, other.json.code]).toEqual([409, "UPGRADE_MISMATCH"]);
    await server.post(commands, { type: "completeUpgrade" });
    expect((await server.post("/api/v1/upgrades", { upgradeId: "u1", planId: "other" })).status).toBe(201);
    expect((await server.get("/api/v1/upgrades/u1")).json).toMatchObject({ run: 2, planId: "other" });
  });

  test("without an id makes one, the same for the same key", async () => {
    const server = await serve();
    const one = await server.post("/api/v1/upgrades", {});
    const two = await server.post("/api/v1/upgrades", {});
    expect(one.json.upgradeId).not.toBe(two.json.upgradeId);
    const key = { "Idempotency-Key": "nightly" };
    const three = await server.post("/api/v1/upgrades", {}, key);
    const again = await server.post("/api/v1/upgrades", {}, key);
    expect([three.status, again.status, again.text]).toEqual([201, 201, three.text]);
    expect(again.headers.get("location")).toBe(three.headers.get("location"));
  });
});

describe("commands", () => {
  test("happen in order, and what was reported can be read at once", async () => {
    const server = await serve();
    await begun(server);
    for (let percentage = 1; percentage <= 20; percentage++) {
      const { json } = await server.post(commands, [
        { type: "updateTaskProgress", taskId: "t1", percentage },
        { type: "appendLog", taskId: "t1", text: `at ${percentage}` },
      ]);
      const { json: state } = await server.get("/api/v1/upgrades/u1");
      expect([state.cursor, state.tasks[0].percentage]).toEqual([json.cursor, percentage]);
    }
  });

  test("are all checked before the first happens", async () => {
    const storage = memory();
    const server = await serve({ storage });
    await begun(server);
    const { status, json } = await server.post(commands, [{ type: "startTask", taskId: "t1" }, { type: "startTask" }]);
    expect([status, json.code, json.executed]).toEqual([400, "INVALID_ID", 0]);
    expect(json.detail).toContain("command 2 of 2");
    expect(await typesIn(storage)).toEqual(["upgrade.started", "task.added"]);
  });

  test("before one that the state refuses have happened, and those after it have not", async () => {
    const storage = memory();
    const server = await serve({ storage });
    await begun(server);
    const { status, json } = await server.post(commands, [
      { type: "startTask", taskId: "t1" },
      { type: "completeTask", taskId: "t1" },
      { type: "pauseTask", taskId: "t1" },
      { type: "completeUpgrade" },
    ]);
    expect([status, json.executed]).toEqual([409, 2]);
    expect(await typesIn(storage)).toEqual(["upgrade.started", "task.added", "task.started", "task.completed"]);
  });

  test("of an upgrade that is not there are refused: nothing is made", async () => {
    const storage = memory();
    const server = await serve({ storage });
    const { status, json } = await server.post(commands, { type: "startUpgrade" });
    expect([status, json.code]).toEqual([404, "UNKNOWN_UPGRADE"]);
    expect(await storage.list()).toEqual([]);
  });

  test.each([[[]], [Array.from({ length: 1001 }, () => ({ type: "heartbeat", taskId: "t1" }))], ["text"], [3], [null]])(
    "are 1 to 1,000: a body that is not is refused (%#)",
    async (body) => {
      const server = await serve();
      await begun(server);
      expect((await server.post(commands, JSON.stringify(body))).status).toBe(400);
    },
  );

  test("[D1] reach an upgrade that another process holds", async () => {
    const folder = tempFolder();
    const server = await serve({ storage: jsonLines({ path: folder }) });
    await begun(server);
    await holder(folder);
    const { status, json } = await server.post(commands, [{ type: "startTask", taskId: "t1" }]);
    expect([status, json.events[0].type]).toEqual([200, "task.started"]);
    const refused = await server.post(commands, [
      { type: "pauseTask", taskId: "t1" },
      { type: "startTask", taskId: "x" },
    ]);
    expect([refused.status, refused.json.executed]).toEqual([404, 1]);
  });
});

// M03, M06, X16
describe("[D1] what the library refuses, HTTP refuses, and what it takes comes back byte for byte", () => {
  const NUMBERS = ["NaN", "-1", "100.0001", "1e400", '"50"', "null", "true", "[50]", "{}", "-1e-320"];

  test.each(NUMBERS)("a percentage of %s", async (number) => {
    const server = await serve();
    await begun(server);
    const { status } = await server.post(
      commands,
      `{"type":"updateTaskProgress","taskId":"t1","percentage":${number}}`,
    );
    expect(status).toBe(400);
    expect((await server.get("/api/v1/upgrades/u1")).json.tasks[0].percentage).toBe(0);
  });

  test.each(["-0", "1e-320", "99.9999999", "1e2"])("a percentage of %s is taken", async (number) => {
    const server = await serve();
    await begun(server);
    const { status } = await server.post(
      commands,
      `{"type":"updateTaskProgress","taskId":"t1","percentage":${number}}`,
    );
    expect(status).toBe(200);
  });

  test("every hostile id", { timeout: 60_000 }, async () => {
    const folder = tempFolder();
    const storage = jsonLines({ path: folder });
    const server = await serve({ storage });
    for (const upgradeId of HOSTILE_IDS) {
      const made = await server.post("/api/v1/upgrades", { upgradeId });
      if (upgradeId === "." || upgradeId === "..") expect([upgradeId, made.status]).toEqual([upgradeId, 400]);
      else {
        expect([upgradeId, made.status]).toEqual([upgradeId, 201]);
        const { json } = await server.get(made.headers.get("location") ?? "");
        expect(json.upgradeId).toBe(upgradeId);
        const task = await server.post(`${made.headers.get("location")}/commands`, {
          type: "addTask",
          taskId: upgradeId,
          taskName: "T",
        });
        expect(task.json.events[0].taskId).toBe(upgradeId);
      }
    }
    const made = (await storage.list()).map(({ upgradeId }) => upgradeId).sort();
    expect(made).toEqual(HOSTILE_IDS.filter((id) => id !== "." && id !== "..").sort());
  });

  test("[V1] no upgrade, plan, cluster or task begins with an id that shows nothing", async () => {
    const server = await serve();
    for (const id of UNSEEN_IDS) {
      const bodies = [
        { upgradeId: id },
        { planId: id },
        { clusterName: id },
        { tasks: [{ taskId: id, taskName: "T" }] },
      ];
      for (const body of bodies) {
        const { status, json } = await server.post("/api/v1/upgrades", { upgradeId: "new", ...body });
        expect([status, json.code]).toEqual([400, "INVALID_ID"]);
      }
    }
    expect((await server.get("/api/v1/upgrades")).json.upgrades).toEqual([]);
  });

  test("[V1] a log that holds such ids is read, reported into and deleted", async () => {
    const storage = memory();
    await recordUnseen(storage);
    const server = await serve({ storage });
    const path = "/api/v1/upgrades/%20";
    expect((await server.get("/api/v1/upgrades")).json.upgrades).toMatchObject([{ upgradeId: " ", clusterName: " " }]);
    const started = await server.post(`${path}/commands`, { type: "completeTask", taskId: " " });
    expect(started.json.events).toMatchObject([{ type: "task.completed", taskId: " " }]);
    expect((await server.get(path)).json.tasks).toMatchObject([{ taskId: " ", status: "completed" }]);
    await expect.poll(async () => (await server.delete(path)).status, { timeout: 10_000 }).toBe(204);
  });

  test.each(['""', '"\\ud800"', '"a\\u0000b"', '"a\\nb"', JSON.stringify("é".repeat(128)), "7", "null"])(
    "an id of %s is refused",
    async (id) => {
      const server = await serve();
      const { status, json } = await server.post("/api/v1/upgrades", `{"upgradeId":${id}}`);
      expect([status, json.code]).toEqual([400, "INVALID_ID"]);
    },
  );
});
