import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { jsonLines } from "../../../src/storage/json-lines.ts";
import { parseLine } from "../../../src/storage/line.ts";
import { readEvents, readUpgrade } from "../../../src/tracker/read.ts";
import { manualClock } from "../../manual-clock.ts";
import { tempFolder } from "../../temp-folder.ts";
import { begun, serve } from "./serve.ts";

const commands = "/api/v1/upgrades/u1/commands";

describe("the state of an upgrade", () => {
  test("is what its log folds to, with the cursor as its ETag", async () => {
    const storage = jsonLines({ path: tempFolder() });
    const server = await serve({ storage });
    await begun(server);
    const { status, headers, json } = await server.get("/api/v1/upgrades/u1");
    const { state } = await readUpgrade(storage, "u1");
    expect(status).toBe(200);
    expect(json).toEqual({ ...JSON.parse(JSON.stringify(state)), tasks: [...state.tasks.values()] });
    expect(headers.get("etag")).toBe(`"${json.cursor}"`);
  });

  test("comes in parts when it is large, and is whole", async () => {
    const server = await serve();
    const tasks = Array.from({ length: 999 }, (_, index) => ({ taskId: `t${index}`, taskName: `T ${index}` }));
    await server.post("/api/v1/upgrades", { upgradeId: "u1", tasks });
    await server.post(commands, [{ type: "addTask", taskId: "t999", taskName: "T" }]);
    const { json } = await server.get("/api/v1/upgrades/u1");
    expect(json.tasks.map(({ taskId }: { taskId: string }) => taskId)).toEqual(
      Array.from({ length: 1000 }, (_, index) => `t${index}`),
    );
  });

  test("is not sent again to one who has it", async () => {
    const server = await serve();
    await begun(server);
    const tag = (await server.get("/api/v1/upgrades/u1")).headers.get("etag") ?? "";
    for (const given of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) {
      const { status, text, headers } = await server.get("/api/v1/upgrades/u1", { "If-None-Match": given });
      expect([status, text, headers.get("etag")]).toEqual([304, "", tag]);
    }
    await server.post(commands, { type: "startTask", taskId: "t1" });
    expect((await server.get("/api/v1/upgrades/u1", { "If-None-Match": tag })).status).toBe(200);
  });

  test("of a finished run is found as <id>@<n>", async () => {
    const server = await serve();
    await begun(server);
    await server.post(commands, { type: "completeUpgrade" });
    expect((await server.post("/api/v1/upgrades", { upgradeId: "u1" })).status).toBe(201);
    expect((await server.get("/api/v1/upgrades/u1")).json).toMatchObject({ run: 2, status: "in_progress" });
    expect((await server.get("/api/v1/upgrades/u1@1")).json).toMatchObject({ run: 1, status: "completed" });
    const { status, json } = await server.post("/api/v1/upgrades/u1%401/commands", { type: "completeUpgrade" });
    expect([status, json.code]).toEqual([409, "CLOSED"]);
  });
});

describe("the summary", () => {
  test("says of which moment it is", async () => {
    const clock = manualClock();
    const server = await serve({ clock });
    await begun(server);
    const first = await server.get("/api/v1/upgrades/u1/summary");
    clock.pass(90_000);
    const second = await server.get("/api/v1/upgrades/u1/summary");
    expect(second.json.durationMs - first.json.durationMs).toBe(90_000);
    expect(Date.parse(second.json.asOf)).toBe(clock.now());
    expect(second.headers.get("cache-control")).toBe("no-store");
  });
});

describe("the events", () => {
  test("come as JSON and as the stored bytes, a limited stretch at a time, with where to go on", async () => {
    const storage = jsonLines({ path: tempFolder() });
    const server = await serve({ storage });
    await begun(server);
    await server.post(
      commands,
      Array.from({ length: 8 }, (_, at) => ({ type: "appendLog", taskId: "t1", text: `${at}` })),
    );
    const stored = [];
    for await (const event of readEvents(storage, "u1")) stored.push(event);

    const asJson = [];
    let after = "";
    for (let isEnd = false; !isEnd;) {
      const { json } = await server.get(`/api/v1/upgrades/u1/events?limit=3${after}`);
      expect(json.events.length).toBeLessThanOrEqual(3);
      asJson.push(...json.events);
      ({ isEnd } = json);
      after = `&after=${json.cursor}`;
    }
    expect(asJson.map(({ crc: _crc, ...event }) => event)).toEqual(stored);

    const { text, headers } = await server.get("/api/v1/upgrades/u1/events?limit=5", {
      Accept: "application/x-ndjson",
    });
    const lines = text.split(/(?<=\n)/).map((line) => parseLine(Buffer.from(line)));
    expect(lines).toEqual(stored.slice(0, 5));
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    const next = /<(.*)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
    const rest = await server.get(
      new URL(next ?? "", `${server.url}/api/v1/upgrades/u1/events`).href.slice(server.url.length),
    );
    expect(rest.json.events[0].seq).toBe(6);
  });

  test("name the next ones in Link as long as there are some, and always where to go on, in either format", async () => {
    const server = await serve();
    await begun(server);
    for (const Accept of ["application/json", "application/x-ndjson"]) {
      const cursors: (string | null)[] = [];
      let path: string | undefined = "/api/v1/upgrades/u1/events?limit=2";
      for (let pages = 0; path !== undefined && pages < 9; pages++) {
        const { headers, text } = await server.get(path, { Accept });
        cursors.push(headers.get("milepost-next-cursor"));
        expect(text).toContain(cursors.at(-1));
        const next = /<(.*)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
        path = next === undefined ? undefined : `/api/v1/upgrades/u1/events${next}`;
      }
      const { json: state } = await server.get("/api/v1/upgrades/u1");
      expect([cursors.length, cursors.at(-1)]).toEqual([Math.ceil(state.seq / 2), state.cursor]);
      const none = await server.get(`/api/v1/upgrades/u1/events?after=${state.cursor}`, { Accept });
      expect([none.headers.get("link"), none.headers.get("milepost-next-cursor")]).toEqual([null, state.cursor]);
    }
  });

  test("end an answer after about a mebibyte, and lose nothing by it", async () => {
    const server = await serve();
    await begun(server);
    for (let round = 0; round < 4; round++) {
      const list = Array.from({ length: 14 }, (_, at) => ({
        type: "appendLog",
        taskId: "t1",
        text: `${round}.${at} `.padEnd(60_000, "x"),
      }));
      expect((await server.post(commands, list)).status).toBe(200);
    }
    const sizes = [];
    const seqs = [];
    let after = "";
    for (let isEnd = false; !isEnd;) {
      const { text, json } = await server.get(`/api/v1/upgrades/u1/events?limit=10000${after}`);
      sizes.push(text.length);
      seqs.push(...json.events.map(({ seq }: { seq: number }) => seq));
      ({ isEnd } = json);
      after = `&after=${json.cursor}`;
    }
    expect(Math.max(...sizes)).toBeLessThan(8 * 1024 * 1024);
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, at) => at + 1));
    expect(seqs.length).toBeGreaterThan(56);
  });

  test("after a cursor that is not on the history are gone", async () => {
    const server = await serve();
    await begun(server);
    const { json } = await server.get("/api/v1/upgrades/u1/events");
    const foreign = json.cursor.replace(/^[a-z0-9]+/, "aaaaaaaaaaaa");
    for (const Accept of ["application/json", "application/x-ndjson"]) {
      for (const cursor of [foreign, "nonsense", `${json.cursor}9`]) {
        const answer = await server.get(`/api/v1/upgrades/u1/events?after=${cursor}`, { Accept });
        expect([answer.status, answer.json.code]).toEqual([410, "CURSOR_GONE"]);
        expect(answer.headers.get("content-type")).toBe("application/problem+json");
      }
    }
  });

  test("are waited for when asked, and no longer than until one comes", async () => {
    const server = await serve();
    await begun(server);
    const { cursor } = (await server.get("/api/v1/upgrades/u1/events")).json;
    const waiting = server.get(`/api/v1/upgrades/u1/events?after=${cursor}&wait=30`);
    await server.post(commands, { type: "startTask", taskId: "t1" });
    expect((await waiting).json.events.map(({ type }: { type: string }) => type)).toContain("task.started");
  });

  test("are waited for no longer than the server runs", async () => {
    const server = await serve();
    await begun(server);
    const { cursor } = (await server.get("/api/v1/upgrades/u1/events")).json;
    // Its writer closes a second after the last command; then nothing comes any more.
    await server.get(`/api/v1/upgrades/u1/events?after=${cursor}&wait=30`);
    const last = (await server.get("/api/v1/upgrades/u1/events")).json.cursor;
    const waiting = server.get(`/api/v1/upgrades/u1/events?after=${last}&wait=30`);
    await server.get("/healthz");
    await server.close();
    expect((await waiting).json.events).toEqual([]);
  });

  test("[W1] come live to one who asks for an event stream", async () => {
    const server = await serve();
    await begun(server);
    const stop = new AbortController();
    const { body, headers } = await fetch(`${server.url}/api/v1/upgrades/u1/events`, {
      headers: { Accept: "text/event-stream" },
      signal: stop.signal,
    });
    expect(headers.get("content-type")).toMatch(/^text\/event-stream/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    let text = "";
    for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      if (text === "") void server.post(commands, { type: "startTask", taskId: "t1" });
      text += piece;
      if (text.includes("task.started")) break;
    }
    expect(text).toMatch(/^event: snapshot\n/);
    stop.abort();
  });
});

describe("the list", () => {
  test("has every upgrade once, in pages that stay in place while upgrades come", async () => {
    const clock = manualClock();
    const server = await serve({ clock });
    for (let at = 1; at <= 5; at++) {
      clock.pass(1_000);
      await server.post("/api/v1/upgrades", { upgradeId: `u${at}`, clusterName: at % 2 === 0 ? "even" : "odd" });
    }
    const listed = async () => (await server.get("/api/v1/upgrades")).json.upgrades.length as number;
    await expect.poll(listed).toBe(5);
    const seen = [];
    let page = "";
    do {
      const { json } = await server.get(`/api/v1/upgrades?limit=2${page}`);
      seen.push(...json.upgrades.map(({ upgradeId }: { upgradeId: string }) => upgradeId));
      page = json.nextPage === null ? "" : `&page=${json.nextPage}`;
      clock.pass(1_000);
      await server.post("/api/v1/upgrades", { upgradeId: `late${seen.length}` });
      await expect.poll(listed).toBe(5 + Math.ceil(seen.length / 2));
    } while (page !== "" && seen.length < 5);
    expect(seen).toEqual(["u5", "u4", "u3", "u2", "u1"]);
  });

  test("can be of one status and of one cluster", async () => {
    const server = await serve();
    await begun(server, "u1");
    await server.post("/api/v1/upgrades", { upgradeId: "u2", clusterName: "test" });
    await server.post("/api/v1/upgrades/u2/commands", { type: "failUpgrade", errorMessage: "no" });
    await expect.poll(async () => (await server.get("/api/v1/upgrades?status=failed")).json.upgrades.length).toBe(1);
    const ids = async (query: string) =>
      (await server.get(`/api/v1/upgrades?${query}`)).json.upgrades.map(
        ({ upgradeId }: { upgradeId: string }) => upgradeId,
      );
    expect(await ids("status=failed")).toEqual(["u2"]);
    expect(await ids("cluster=prod")).toEqual(["u1"]);
    expect(await ids("cluster=prod&status=failed")).toEqual([]);
  });

  test("names the upgrades whose log cannot be read, and has the others all the same", async () => {
    const path = tempFolder();
    const first = await serve({ storage: jsonLines({ path }) });
    await begun(first, "damaged");
    await begun(first, "well");
    await first.close();
    const journal = join(path, "upgrades", "damaged", "journal");
    const file = join(journal, readdirSync(journal)[0] as string);
    const bytes = readFileSync(file);
    // In the middle, so that it is no torn end.
    const middle = Math.floor(bytes.length / 3);
    bytes[middle] = (bytes[middle] as number) ^ 1;
    writeFileSync(file, bytes);
    const server = await serve({ storage: jsonLines({ path }) });
    const { json } = await server.get("/api/v1/upgrades");
    expect(json.upgrades.map(({ upgradeId }: { upgradeId: string }) => upgradeId)).toEqual(["well"]);
    expect(json.unreadable).toEqual([{ upgradeId: "damaged", code: "CORRUPT" }]);
    const { status, text } = await server.get("/api/v1/upgrades/damaged");
    expect(status).toBe(500);
    // The place is for the log of the server.
    expect(text).not.toContain(path);
    expect(server.log.join("\n")).toContain("damaged");
  });

  test.each(["status=done", "limit=0", "limit=501", "limit=many", "limit=", "page=x", "page=WzEsMl0", "cluster=%00"])(
    "refuses %s",
    async (query) => {
      const server = await serve();
      expect((await server.get(`/api/v1/upgrades?${query}`)).status).toBe(400);
    },
  );
});

describe("the badge", () => {
  test("is a picture with a title, escaped, that loads and runs nothing", async () => {
    const server = await serve();
    const upgradeId = `<script>alert("1")</script>&'\u202e`;
    await begun(server, upgradeId);
    const { status, headers, text } = await server.get(`/badge/${encodeURIComponent(upgradeId)}.svg`);
    expect([status, headers.get("content-type")]).toEqual([200, "image/svg+xml"]);
    expect(text).toContain(
      "<title>upgrade &lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;: in progress 0%</title>",
    );
    expect(text).toContain('role="img"');
    expect(text.replaceAll(/&\w+;|&#\d+;/g, "")).not.toMatch(/<script|&|\u202e|href|url\(/);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    const again = await server.get(`/badge/${encodeURIComponent(upgradeId)}.svg`, {
      "If-None-Match": headers.get("etag") ?? "",
    });
    expect(again.status).toBe(304);
    expect((await server.get("/badge/nothing.svg")).status).toBe(404);
    expect((await server.get("/badge/nothing")).status).toBe(404);
  });
});

describe("the server itself", () => {
  test("is alive, and ready while its storage can be written", async () => {
    const path = tempFolder();
    const server = await serve({ storage: jsonLines({ path }) });
    expect((await server.get("/healthz")).json).toEqual({ status: "ok" });
    expect((await server.get("/readyz")).json).toEqual({ status: "ok" });
  });

  test("is not ready where nothing can be written, and says no path", async () => {
    const server = await serve({ storage: { ...jsonLines({ path: tempFolder() }), location: "/dev/null/x" } });
    const { status, json } = await server.get("/readyz");
    expect([status, json.code]).toEqual([503, "STORAGE_UNUSABLE"]);
    expect(JSON.stringify(json)).not.toContain("/dev/null");
  });

  test("is not ready on a full disk, is again when there is space, and leaves nothing behind", async ({ skip }) => {
    const mount = tempFolder();
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "milepost-test", mount], { stdio: "pipe" });
    } catch (error) {
      skip(`mounting is not allowed here (${String(error).slice(0, 80)})`);
    }
    onTestFinished(() => void execFileSync("umount", ["-l", mount]));
    const server = await serve({ storage: jsonLines({ path: mount }) });
    expect((await server.get("/readyz")).status).toBe(200);
    try {
      writeFileSync(join(mount, "ballast"), Buffer.alloc(1_000_000));
    } catch {
      // Full.
    }
    const full = await server.get("/readyz");
    expect([full.status, full.json.code, full.json.detail]).toEqual([
      503,
      "STORAGE_UNUSABLE",
      "the storage cannot be written (ENOSPC)",
    ]);
    expect((await server.get("/healthz")).status).toBe(200);
    expect(readdirSync(mount).filter((name) => name.startsWith(".ready"))).toEqual([]);
    rmSync(join(mount, "ballast"));
    expect((await server.get("/readyz")).status).toBe(200);
  });
});
