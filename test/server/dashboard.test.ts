/** The dashboard's files as they are served: nothing else can be reached through them (X27). */

import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { Hono } from "hono";
import { getRequestListener } from "@hono/node-server";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";

import { beforeAll, describe, expect, onTestFinished, test } from "vitest";

import type { ApiEnv } from "../../src/server/api/route.ts";
import { createDashboard, DASHBOARD_CSP } from "../../src/server/dashboard.ts";
import { tempFolder } from "../temp-folder.ts";
import { exchange, serve, type Served } from "./api/serve.ts";

const BUILT = resolve(import.meta.dirname, "../../dist/dashboard");
const HTML = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

let asset: string;
beforeAll(() => {
  asset = `/assets/${readdirSync(join(BUILT, "assets")).find((file) => file.endsWith(".js"))}`;
});

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const raw = (server: Served, target: string, method = "GET"): Promise<string> =>
  exchange(server.port, `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);

describe("the page", () => {
  test.each(["/", "/?q=x&status=failed", "/upgrades/u1", "/upgrades/a%2Fb%20c", "/upgrades/", "/compare?a=1&b=2"])(
    "is at %s for a browser, under a strict policy, never stale",
    async (path) => {
      const { status, headers, text } = await (await serve()).get(path, HTML);
      expect({ status, text }).toEqual({ status: 200, text: readFileSync(join(BUILT, "index.html"), "utf8") });
      expect(headers.get("content-security-policy")).toBe(DASHBOARD_CSP);
      expect(headers.get("content-security-policy")).not.toMatch(/unsafe|\*|http/);
      expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(headers.get("cache-control")).toBe("no-cache");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("vary")).toMatch(/Accept.*Accept-Encoding.*Origin/);
    },
  );

  test("is not in the way of programs: they get what they got before there was a dashboard", async () => {
    const server = await serve();
    const plain = await server.get("/");
    expect(plain.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(plain.headers.get("vary")).toMatch(/Accept/);
    expect((await server.get("/", { Accept: "application/json" })).text).toMatch(/^Milepost is running/);
    for (const path of ["/upgrades/u1", "/nothing"]) {
      const { status, json } = await server.get(path, { Accept: "application/json" });
      expect({ status, code: json?.code }).toEqual({ status: 404, code: "NOT_FOUND" });
    }
    const api = await server.get("/api/v1/upgrades/nobody", HTML);
    expect(api.status).toBe(404);
    expect(api.headers.get("content-type")).toBe("application/problem+json");
    expect((await server.get("/api/nothing", HTML)).headers.get("content-type")).toBe("application/problem+json");
    expect((await server.get("/healthz", HTML)).json).toEqual({ status: "ok" });
  });

  test("says what is not there, in the page itself", async () => {
    const { status, headers } = await (await serve()).get("/no/such/page", HTML);
    expect(status).toBe(404);
    expect(headers.get("content-type")).toMatch(/^text\/html/);
    expect(headers.get("content-security-policy")).toBe(DASHBOARD_CSP);
  });

  test("is not sent again to who has it", async () => {
    const server = await serve();
    const first = await server.get("/", HTML);
    const again = await server.get("/", { ...HTML, "If-None-Match": first.headers.get("etag") as string });
    expect([again.status, again.text]).toEqual([304, ""]);
  });

  test("is for the names of this server alone, as everything is", async () => {
    const server = await serve();
    const answer = await exchange(
      server.port,
      "GET / HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\nConnection: close\r\n\r\n",
    );
    expect(statusOf(answer)).toBe(403);
  });
});

describe("X27: the files", () => {
  test("are kept for ever under the names that they have, smaller for who takes gzip", async () => {
    const server = await serve();
    const { status, headers, text } = await server.get(asset, { "Accept-Encoding": "gzip" });
    const content = readFileSync(join(BUILT, asset), "utf8");
    expect({ status, isSame: text === content }).toEqual({ status: 200, isSame: true });
    expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(headers.get("content-encoding")).toBe("gzip");
    expect((await server.get(asset, { "Accept-Encoding": "gzip;q=0" })).headers.get("content-encoding")).toBeNull();
    const head = await raw(server, asset, "HEAD");
    expect(statusOf(head)).toBe(200);
    expect(head.split("\r\n\r\n")[1]).toBe("");
  });

  test("are whole, whatever part is asked for", async () => {
    const { status, text } = await (await serve()).get(asset, { Range: "bytes=0-9" });
    expect([status, text.length > 10]).toEqual([200, true]);
  });

  const games = (): readonly string[] => {
    const name = asset.slice("/assets/".length);
    return [
      ...[
        "/../",
        "/..%2F",
        "/%2e%2e/",
        "/%2E%2E%2F",
        "/..%5c",
        "/%2e%2e%5c",
        "/..\\",
        "/%252e%252e%252f",
        "/..;/",
        "/.../",
      ],
      ...["", "..", ".", "%2e", "%2e%2e", "%00", "..%00", ".sources", "files.json", "../files.json", "../.sources"],
      ...["..%2ffiles.json", "%2e%2e%2f.sources", "../index.html", "..%2findex.html", "..%2f..%2fpackage.json"],
      ...["../../package.json", "%252e%252e%252fpackage.json", "..%c0%afpackage.json", "..%255cpackage.json"],
      ...[
        `${name}/`,
        `${name}%2f`,
        `${name}.map`,
        `${name}.gz`,
        `${name}%00`,
        `${name}%20`,
        `${name}.`,
        `%2f${name}`,
        `/${name}`,
      ],
      ...[name.toUpperCase(), name.replace(".js", "%2ejs"), `./${name}`, `x/../${name}`, `%2e/${name}`, `.${name}`],
      ...[`C:%5c${name}`, `\\${name}`, `${name}::$DATA`, `${name}~1`, `file:///etc/passwd`],
    ].map((row) => (row.startsWith("/") && row !== `/${name}` ? `/assets${row}etc/passwd` : `/assets/${row}`));
  };

  test("are found by their exact names and by no other", async () => {
    const server = await serve();
    expect(games().length).toBeGreaterThanOrEqual(40);
    const found: string[] = [];
    for (const target of games()) {
      const answer = await raw(server, target);
      if (![400, 404].includes(statusOf(answer)) || /root:|"dependencies"/.test(answer)) found.push(target);
    }
    expect(found).toEqual([]);
  });

  test("are read, and never written to", async () => {
    const server = await serve();
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const answer = await raw(server, asset, method);
      expect([method, statusOf(answer)]).toEqual([method, 405]);
      expect(answer).toMatch(/\r\nallow: GET, HEAD\r\n/i);
    }
  });
});

describe("a folder of files", () => {
  /** A server of this folder and nothing else. */
  async function served(folder: string): Promise<string> {
    const dashboard = createDashboard(folder);
    const app = new Hono<ApiEnv>().notFound((c) => dashboard(c) ?? c.text("nothing", 404));
    const server = createServer((request, response) => void getRequestListener(app.fetch)(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test("gives what a page is made of, and nothing else that lies there", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "assets"));
    const files = ["index.html", "assets/a.js", "assets/a.js.map", "assets/.env", "assets/secret.json"];
    for (const file of files) writeFileSync(join(folder, file), "x".repeat(2_000));
    const url = await served(folder);
    const statuses = await Promise.all(
      files.map(async (file) => [file, (await fetch(`${url}/${file}`)).status] as const),
    );
    expect(statuses.filter(([, status]) => status === 200).map(([file]) => file)).toEqual(["assets/a.js"]);
    expect((await fetch(`${url}/`, { headers: HTML })).status).toBe(200);
  });

  /** The bytes as they are sent: `fetch` would open them. */
  async function sentOf(address: string): Promise<Buffer> {
    const [answer] = await once(get(address, { headers: { "Accept-Encoding": "gzip" } }), "response");
    return buffer(answer as IncomingMessage);
  }

  test("gives what was compressed when it was built, and never what was compressed of something else", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "assets"));
    const text = "let milepost = 1;\n".repeat(200);
    const made = gzipSync(text, { level: 1 });
    const compressed: Record<string, Buffer> = {
      "made.js": made,
      "stale.js": gzipSync(text.replace("1", "2")),
      "longer.js": gzipSync(`${text};`),
      "huge.js": gzipSync(Buffer.alloc(1e7)),
      "broken.js": made.subarray(0, -9),
      "plain.js": Buffer.from(text),
    };
    for (const [file, bytes] of Object.entries(compressed)) {
      writeFileSync(join(folder, "assets", file), text);
      writeFileSync(join(folder, "assets", `${file}.gz`), bytes);
    }
    writeFileSync(join(folder, "assets/alone.js"), text);
    const url = await served(folder);
    expect((await sentOf(`${url}/assets/made.js`)).equals(made)).toBe(true);
    for (const file of [...Object.keys(compressed), "alone.js"]) {
      expect([file, gunzipSync(await sentOf(`${url}/assets/${file}`)).toString() === text]).toEqual([file, true]);
      expect([file, (await fetch(`${url}/assets/${file}.gz`)).status]).toEqual([file, 404]);
    }
  });

  test("that was never built says in one page how to build it", async () => {
    const folder = tempFolder();
    const url = await served(folder);
    const answer = await fetch(`${url}/`, { headers: HTML });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("npm run build");
  });
});
