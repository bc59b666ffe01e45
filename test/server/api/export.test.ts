/** An upgrade as a file over HTTP: the bytes of `milepost export`. */

import { describe, expect, test } from "vitest";

import { jsonLines } from "../../../src/storage/json-lines.ts";
import { run } from "../../cli/command-line.ts";
import { tempFolder } from "../../temp-folder.ts";
import { begun, serve } from "./serve.ts";

const commands = "/api/v1/upgrades/u1/commands";
const TYPES = { json: "application/json", ndjson: "application/x-ndjson", csv: "text/csv; charset=utf-8" };

describe("[D3] GET /api/v1/upgrades/{id}/export", () => {
  test.each(Object.entries(TYPES))("gives as %s what the command line writes, as a file", async (format, type) => {
    const path = tempFolder();
    const server = await serve({ storage: jsonLines({ path }) });
    await begun(server);
    const text = '=HYPERLINK("http://evil") "quoted", \u{1f680}';
    const logs = Array.from({ length: 700 }, (_, at) => ({ type: "appendLog", taskId: "t1", text: `${text} ${at}` }));
    await server.post(commands, [{ type: "updateTaskProgress", taskId: "t1", percentage: 5, message: text }, ...logs]);
    await server.post(commands, { type: "completeUpgrade" });
    // The server lets the upgrade go a second after its last command, and says so in the log.
    await expect
      .poll(async () => (await server.get("/api/v1/upgrades/u1/events?limit=10000")).text.includes("writer.closed"), {
        timeout: 5_000,
      })
      .toBe(true);
    const { stdout, exitCode } = await run(["export", "u1", "--format", format, "--storage-path", path]);
    const answer = await server.get(`/api/v1/upgrades/u1/export?format=${format}`);
    expect([exitCode, answer.status, answer.text === stdout]).toEqual([0, 200, true]);
    expect(answer.text.length).toBeGreaterThan(30_000);
    expect(answer.headers.get("content-type")).toBe(type);
    expect(answer.headers.get("content-disposition")).toBe(
      `attachment; filename="u1.${format}"; filename*=UTF-8''u1.${format}`,
    );
  });

  test("names the file after any upgrade, harmlessly", async () => {
    const server = await serve();
    const id = `eu/prod "1";\u202e é'`;
    await begun(server, id);
    const { status, headers } = await server.get(`/api/v1/upgrades/${encodeURIComponent(id)}/export?format=csv`);
    expect([status, headers.get("content-disposition")]).toEqual([
      200,
      "attachment; filename=\"eu_prod__1______.csv\"; filename*=UTF-8''eu%2Fprod%20%221%22%3B%E2%80%AE%20%C3%A9%27.csv",
    ]);
  });

  test("is JSON without a format, nothing for HEAD, and refuses another one", async () => {
    const server = await serve();
    await begun(server);
    expect((await server.get("/api/v1/upgrades/u1/export")).text).toMatch(/^\{"format":"milepost-export"/);
    const head = await fetch(`${server.url}/api/v1/upgrades/u1/export`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect((await server.get("/api/v1/upgrades/u1/export?format=xlsx")).json.code).toBe("INVALID_ARGUMENT");
    expect((await server.get("/api/v1/upgrades/none/export")).json.code).toBe("UNKNOWN_UPGRADE");
  });
});
