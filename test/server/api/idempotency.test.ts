/** A request with an Idempotency-Key takes effect once, however often it comes, over restarts and kills of the server. */

import { describe, expect, test } from "vitest";

import type { ProgressEvent } from "../../../src/model/event.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { memory } from "../../../src/storage/memory.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { readEvents, readUpgrade } from "../../../src/tracker/read.ts";
import { tempFolder } from "../../temp-folder.ts";
import { holder, serverProcess } from "./child-process.ts";
import { begun, serve, type Answered } from "./serve.ts";

const commands = "/api/v1/upgrades/u1/commands";
const types = ({ json }: Answered): readonly string[] => json.events.map(({ type }: ProgressEvent) => type);

async function typesIn(storage: Storage, upgradeId = "u1"): Promise<readonly string[]> {
  const found = [];
  for await (const { type } of readEvents(storage, upgradeId)) found.push(type);
  return found.filter((type) => !type.startsWith("writer."));
}

describe("a request with an Idempotency-Key", () => {
  const list = [
    { type: "startTask", taskId: "t1" },
    { type: "appendLog", taskId: "t1", text: "once" },
  ];
  const key = { "Idempotency-Key": "k-1" };

  test("[D2] takes effect once, however often it comes and however many come at once", async () => {
    const storage = memory();
    const server = await serve({ storage });
    await begun(server);
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.post(commands, list, key)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await typesIn(storage)).toEqual(["upgrade.started", "task.added", "task.started", "log.appended"]);
    // The order of names and the space between them say nothing.
    const spaced = JSON.stringify(
      list.map((each) => Object.fromEntries(Object.entries(each).reverse())),
      null,
      2,
    );
    expect((await server.post(commands, spaced, { "Idempotency-Key": '"k-1"' })).text).toBe(answers[0]?.text);
  });

  test("[D2] is refused with another body, and another caller's key is another key", async () => {
    const server = await serve();
    await begun(server);
    await server.post(commands, list, key);
    const { status, json } = await server.post(commands, list.slice(0, 1), key);
    expect([status, json.code]).toEqual([422, "KEY_REUSED"]);
  });

  test("[D2] takes effect once over a restart of the server, and over the end of the upgrade's run", async () => {
    const storage = memory();
    const first = await serve({ storage });
    await begun(first);
    const answer = await first.post(commands, list, key);
    const end = await first.post(commands, { type: "completeUpgrade" }, { "Idempotency-Key": "k-2" });
    await first.post("/api/v1/upgrades", { upgradeId: "u1" }, { "Idempotency-Key": "k-3" });
    await first.close();

    const second = await serve({ storage });
    expect((await second.post(commands, list, key)).text).toBe(answer.text);
    expect((await second.post(commands, { type: "completeUpgrade" }, { "Idempotency-Key": "k-2" })).text).toBe(
      end.text,
    );
    const again = await second.post("/api/v1/upgrades", { upgradeId: "u1" }, { "Idempotency-Key": "k-3" });
    expect(again.status).toBe(201);
    expect((await readUpgrade(storage, "u1")).state).toMatchObject({ run: 2, status: "in_progress" });
  });

  test("that stopped in its middle goes on where it stopped", async () => {
    const storage = memory();
    const server = await serve({ storage });
    await begun(server);
    const more = [...list, { type: "completeTask", taskId: "t2" }];
    const refused = await server.post(commands, more, key);
    expect([refused.status, refused.json.executed]).toEqual([404, 2]);
    await server.post(commands, [
      { type: "addTask", taskId: "t2", taskName: "B" },
      { type: "startTask", taskId: "t2" },
    ]);
    const answer = await server.post(commands, more, key);
    expect(types(answer)).toEqual(["task.started", "log.appended", "task.completed"]);
    expect((await typesIn(storage)).filter((type) => type === "log.appended")).toHaveLength(1);
  });

  test("that was idle stays idle when a copy of it comes later", async () => {
    const server = await serve();
    await begun(server);
    const pause = { type: "pauseUpgrade" };
    await server.post(commands, pause);
    const idle = await server.post(commands, pause, key);
    await server.post(commands, { type: "resumeUpgrade" });
    expect((await server.post(commands, pause, key)).text).toBe(idle.text);
    expect((await server.get("/api/v1/upgrades/u1")).json.status).toBe("in_progress");
  });

  test("is known when another process wrote what it asked for", async () => {
    const folder = tempFolder();
    const storage = jsonLines({ path: folder });
    const server = await serve({ storage });
    await begun(server);
    await holder(folder);
    const answers = await Promise.all(Array.from({ length: 4 }, () => server.post(commands, list, key)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await typesIn(storage)).filter((type) => type === "log.appended")).toHaveLength(1);
  });

  test.each(["", " ", "a b", "é", "x".repeat(256)])("must be visible ASCII (%j)", async (text) => {
    const server = await serve();
    await begun(server);
    const answer = await server.post(commands, list, { "Idempotency-Key": text }).catch(() => undefined);
    if (answer !== undefined) expect([answer.status, answer.json.code]).toEqual([400, "INVALID_ARGUMENT"]);
  });

  test("leaves a mark in the log that tells nobody the key, and a reporter cannot leave one", async () => {
    const server = await serve();
    await begun(server);
    const { text } = await server.post(commands, list, { "Idempotency-Key": "my-own-key" });
    expect(text).not.toContain("my-own-key");
    const forged = await server.post(commands, { type: "appendLog", taskId: "t1", text: "x", request: "aa.bb.0" });
    expect([forged.status, forged.json.code]).toEqual([400, "INVALID_ARGUMENT"]);
  });
});

/** Of kills; the long run has more. */
const ROUNDS = process.env["MILEPOST_LONG"] === undefined ? 6 : 200;

test(
  "a keyed report takes effect once when the server is killed at any moment",
  { timeout: ROUNDS * 10_000 },
  async () => {
    const folder = tempFolder();
    let server = await serverProcess(folder);
    await post(server, "/api/v1/upgrades", { upgradeId: "u1", tasks: [{ taskId: "t1", taskName: "T" }] }, "begin");
    for (let round = 0; round < ROUNDS; round++) {
      const body = Array.from({ length: 20 }, (_, at) => ({ type: "appendLog", taskId: "t1", text: `${round}.${at}` }));
      const lost = post(server, commands, body, `k${round}`).catch(() => undefined);
      await new Promise((wake) => setTimeout(wake, Math.random() * 8));
      server.child.kill("SIGKILL");
      await lost;
      server = await serverProcess(folder);
      expect((await post(server, commands, body, `k${round}`)).status).toBe(200);
    }
    server.child.kill("SIGKILL");
    const texts = [];
    for await (const event of readEvents(jsonLines({ path: folder }), "u1"))
      if (event.type === "log.appended") texts.push(event.text);
    expect(texts).toEqual(Array.from({ length: 20 * ROUNDS }, (_, at) => `${Math.floor(at / 20)}.${at % 20}`));
  },
);

const post = ({ port }: { readonly port: number }, path: string, body: unknown, key: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify(body),
  });
