/** What arrives on the port as bytes (W36, X16, X17, X26, X28): a right status, never 5xx, and the server lives on. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { JSON_LIMITS } from "../../../src/server/api/read-body.ts";
import { scanJson } from "../../../src/scan-json.ts";
import { createStorageServer, type StorageServer } from "../../../src/server/storage-server.ts";
import { memory } from "../../../src/storage/memory.ts";
import { exchange } from "./serve.ts";

const CRLF = "\r\n";
let server: StorageServer;
let port = 0;
const failures: string[] = [];

beforeAll(async () => {
  const tell = (message: string): void => void failures.push(message);
  const logger = { info: () => undefined, warn: () => undefined, error: tell };
  server = createStorageServer({ storage: memory(), port: 0, logger });
  ({ port } = await server.listen());
  await send("POST", "/api/v1/upgrades", '{"upgradeId":"u1","tasks":[{"taskId":"t1","taskName":"T"}]}');
});

afterAll(async () => {
  await server.close();
  expect(failures).toEqual([]);
});

const raw = (text: string): Promise<string> => exchange(port, text);

const request = (
  method: string,
  path: string,
  body = "",
  headers: readonly string[] = ["Content-Type: application/json"],
): string =>
  [
    `${method} ${path} HTTP/1.1`,
    "Host: localhost",
    "Connection: close",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    "",
    body,
  ].join(CRLF);

const send = (method: string, path: string, body?: string, headers?: readonly string[]): Promise<string> =>
  raw(request(method, path, body, headers));

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

/** Every refusal says what it is, also those that Node would make by itself. */
const expectProblem = (answer: string, isHead: boolean): void => {
  const [head = "", body = ""] = answer.split(CRLF + CRLF, 2);
  expect(head).toMatch(/^content-type: application\/problem\+json$/im);
  expect(head).toMatch(/^x-content-type-options: nosniff$/im);
  if (isHead) return expect(body).toBe("");
  expect(JSON.parse(body)).toMatchObject({ status: statusOf(answer), type: expect.stringMatching(/^urn:milepost:/) });
};

describe("[D3] W36: requests as bytes", () => {
  const U = "/api/v1/upgrades";
  const HEAD = `Host: localhost${CRLF}Connection: close${CRLF}`;
  const cases: readonly (readonly [string, string, readonly number[]])[] = [
    ["HEAD of the list", request("HEAD", U), [200]],
    ["HEAD of a state", request("HEAD", `${U}/u1`), [200]],
    ["HEAD of events", request("HEAD", `${U}/u1/events`), [200]],
    ["HEAD of an event stream", request("HEAD", `${U}/u1/events`, "", ["Accept: text/event-stream"]), [200]],
    ["HEAD of nothing", request("HEAD", "/nothing"), [404]],
    ["HEAD of what takes POST alone", request("HEAD", `${U}/u1/commands`), [405]],
    ["OPTIONS", request("OPTIONS", U), [204]],
    ["OPTIONS of nothing", request("OPTIONS", "/nothing"), [404]],
    ["OPTIONS *", request("OPTIONS", "*"), [400, 404]],
    ["PUT", request("PUT", `${U}/u1`, "{}"), [405]],
    ["DELETE of the list", request("DELETE", U), [405]],
    ["PATCH", request("PATCH", `${U}/u1`, "{}"), [405]],
    ["TRACE", request("TRACE", U), [404, 405]],
    ["PROPFIND", request("PROPFIND", U), [405]],
    ["CONNECT", request("CONNECT", "localhost:80"), [405]],
    ["a method that is none", request("BREW", U), [400]],
    ["a lower-case method", request("get", U), [400]],
    ["Range", request("GET", `${U}/u1`, "", ["Range: bytes=0-3"]), [200]],
    ["If-None-Match: *", request("GET", `${U}/u1`, "", ["If-None-Match: *"]), [304]],
    ["If-None-Match that is no tag", request("GET", `${U}/u1`, "", ["If-None-Match: ,,,"]), [200]],
    ["a bad percent", request("GET", `${U}/%`), [400]],
    ["half a percent", request("GET", `${U}/%e`), [400]],
    ["a percent of no digits", request("GET", `${U}/%zz`), [400]],
    ["a percent that is no UTF-8", request("GET", `${U}/%ff`), [400]],
    ["an overlong slash", request("GET", `${U}/%c0%af`), [400]],
    ["a NUL", request("GET", `${U}/a%00b`), [400]],
    ["a bad percent in the query", request("GET", `${U}?status=%zz`), [400]],
    ["a query of 12 kB", request("GET", `${U}?x=${"y".repeat(12_000)}`), [400]],
    ["a query of 100 kB", request("GET", `${U}?x=${"y".repeat(100_000)}`), [400, 431]],
    ["1,000 parameters", request("GET", `${U}?${"a=1&".repeat(1000)}limit=1`), [400]],
    ["a parameter twice", request("GET", `${U}?limit=1&limit=x`), [400]],
    ["a parameter called __proto__", request("GET", `${U}?__proto__=1&constructor=2`), [400]],
    ["a trailing slash", request("GET", `${U}/`), [404]],
    ["two slashes", request("GET", "//api//v1//upgrades"), [404]],
    ["a whole address", request("GET", `http://localhost${U}`), [200]],
    ["a whole address of another host", request("GET", `http://evil.example${U}`), [200, 400, 403]],
    ["a fragment", request("GET", `${U}#x`), [200, 400]],
    ["dots", request("GET", "/../../etc/passwd"), [404]],
    ["dots behind an upgrade", request("GET", `${U}/u1/../../../etc/passwd`), [404]],
    ["encoded dots", request("GET", `${U}/%2e%2e%2f%2e%2e%2fetc%2fpasswd`), [404]],
    ["doubly encoded dots", request("GET", `${U}/%252e%252e%252f`), [404]],
    ["backslashes", request("GET", `${U}/..%5c..%5cx`), [404]],
    ["an id of 4 kB", request("GET", `${U}/${"a".repeat(4096)}`), [400]],
    ["a badge with dots", request("GET", "/badge/..%2f..%2fetc%2fpasswd.svg"), [404]],
    ["no Host", `GET ${U} HTTP/1.1${CRLF}Connection: close${CRLF}${CRLF}`, [400]],
    [
      "two Hosts",
      `GET ${U} HTTP/1.1${CRLF}Host: localhost${CRLF}Host: evil.example${CRLF}Connection: close${CRLF}${CRLF}`,
      [200, 400, 403],
    ],
    ["another Host", `GET ${U} HTTP/1.1${CRLF}Host: evil.example${CRLF}Connection: close${CRLF}${CRLF}`, [403]],
    ["HTTP/1.0", `GET ${U} HTTP/1.0${CRLF}Host: localhost${CRLF}${CRLF}`, [200]],
    ["HTTP/0.9", `GET ${U}${CRLF}${CRLF}`, [400]],
    ["HTTP/3.0", `GET ${U} HTTP/3.0${CRLF}${HEAD}${CRLF}`, [400, 505]],
    ["not HTTP at all", `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${CRLF}${CRLF}`, [400]],
    [
      "Transfer-Encoding beside Content-Length",
      `POST ${U} HTTP/1.1${CRLF}${HEAD}Content-Type: application/json${CRLF}Content-Length: 4${CRLF}Transfer-Encoding: chunked${CRLF}${CRLF}2${CRLF}{}${CRLF}0${CRLF}${CRLF}`,
      [400],
    ],
    [
      "two Content-Lengths",
      `POST ${U} HTTP/1.1${CRLF}${HEAD}Content-Length: 2${CRLF}Content-Length: 3${CRLF}${CRLF}{}x`,
      [400],
    ],
    ["Content-Length: -1", `POST ${U} HTTP/1.1${CRLF}${HEAD}Content-Length: -1${CRLF}${CRLF}`, [400]],
    ["Transfer-Encoding: gzip", `POST ${U} HTTP/1.1${CRLF}${HEAD}Transfer-Encoding: gzip${CRLF}${CRLF}`, [400, 501]],
    [
      "chunked",
      `POST ${U} HTTP/1.1${CRLF}${HEAD}Content-Type: application/json${CRLF}Transfer-Encoding: chunked${CRLF}${CRLF}12${CRLF}{"upgradeId":"u2"}${CRLF}0${CRLF}${CRLF}`,
      [201, 400],
    ],
    [
      "a chunk that is none",
      `POST ${U} HTTP/1.1${CRLF}${HEAD}Content-Type: application/json${CRLF}Transfer-Encoding: chunked${CRLF}${CRLF}zz${CRLF}{}${CRLF}`,
      [400],
    ],
    [
      "Expect: 100-continue",
      `POST ${U} HTTP/1.1${CRLF}${HEAD}Content-Type: application/json${CRLF}Expect: 100-continue${CRLF}Content-Length: 18${CRLF}${CRLF}{"upgradeId":"u3"}`,
      [100],
    ],
    ["another Expect", `POST ${U} HTTP/1.1${CRLF}${HEAD}Expect: tea${CRLF}Content-Length: 0${CRLF}${CRLF}`, [417]],
    ["a header of 20 kB", request("GET", U, "", [`X-Long: ${"x".repeat(20_000)}`]), [400, 431]],
    [
      "500 headers",
      request(
        "GET",
        U,
        "",
        Array.from({ length: 500 }, (_, at) => `X-${at}: 1`),
      ),
      [200, 400, 431],
    ],
    ["a header with a NUL", request("GET", U, "", ["X: a\0b"]), [400]],
    ["GET with a body", request("GET", U, '{"a":1}'), [200]],
    ["Accept: nothing that there is", request("GET", U, "", ["Accept: text/html"]), [406]],
    ["Accept: q=0", request("GET", U, "", ["Accept: application/json;q=0"]), [406]],
    ["Accept: */*;q=0.1", request("GET", U, "", ["Accept: text/html, */*;q=0.1"]), [200]],
    ["Accept: garbage", request("GET", U, "", ["Accept: ;;,/,q="]), [200, 406]],
  ];

  test.each(cases)("%s", async (_name, text, expected) => {
    const answer = await raw(text);
    if (expected.length > 0) expect(expected).toContain(statusOf(answer));
    expect(answer).not.toMatch(/^HTTP\/1\.1 5(?!05|01)/);
    if (statusOf(answer) >= 400) expectProblem(answer, text.startsWith("HEAD"));
  });

  test("pipelined requests are answered in order, each by itself", async () => {
    const one = (path: string): string => `GET ${path} HTTP/1.1${CRLF}Host: localhost${CRLF}${CRLF}`;
    const answer = await raw(
      [one("/healthz"), one("/nothing"), one(`${U}/u1/summary`), request("GET", "/readyz")].join(""),
    );
    expect([...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))).toEqual([
      200, 404, 200, 200,
    ]);
  });

  test("every answer has the security headers, and a HEAD has no body", async () => {
    for (const path of ["/healthz", "/nothing", `${U}/u1`, `${U}/%zz`, "/openapi.json", "/"]) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await send(method, path);
        const [head = "", body] = answer.split(CRLF + CRLF, 2);
        for (const header of [
          "content-security-policy: default-src 'none'",
          "x-content-type-options: nosniff",
          "referrer-policy: no-referrer",
          "x-frame-options: DENY",
          "cache-control:",
        ])
          expect(head.toLowerCase()).toContain(header.toLowerCase());
        if (method === "HEAD") expect(body).toBe("");
      }
    }
  });

  test("[D3] a wrong method is told which are right", async () => {
    expect(await send("PUT", `${U}/u1`)).toMatch(/^allow: GET, HEAD, DELETE, OPTIONS\r$/im);
    expect(await send("GET", `${U}/u1/commands`)).toMatch(/^allow: POST, OPTIONS\r$/im);
  });
});

describe("X26: content types", () => {
  const BODY = '{"type":"appendLog","taskId":"t1","text":"x"}';
  const post = (...headers: readonly string[]): Promise<string> =>
    send("POST", "/api/v1/upgrades/u1/commands", BODY, headers);

  test.each([
    "application/json",
    "Application/JSON",
    "application/json;",
    "application/json ;charset=utf-8",
    'application/json; charset="UTF-8"',
  ])("%s is taken", async (type) => {
    expect(statusOf(await post(`Content-Type: ${type}`))).toBe(200);
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "application/json, text/plain",
    "application/json; charset=utf-16",
    "application/json; charset=utf-8; x",
    "text/json",
    "application/problem+json",
    "",
  ])("%j is not", async (type) => {
    expect(statusOf(await post(`Content-Type: ${type}`))).toBe(415);
  });

  test("none is not, and an encoded body is not", async () => {
    expect(statusOf(await post())).toBe(415);
    expect(statusOf(await post("Content-Type: application/json", "Content-Encoding: gzip"))).toBe(415);
  });
});

describe("X28: JSON that is made to cost", () => {
  const post = (body: string): Promise<string> => send("POST", "/api/v1/upgrades/u1/commands", body);
  const cases: readonly (readonly [string, string, number])[] = [
    ["arrays, 400,000 deep", "[".repeat(400_000), 400],
    ["arrays, 400,000 deep and closed", "[".repeat(400_000) + "]".repeat(400_000), 400],
    ["objects, 100,000 deep", '{"a":'.repeat(100_000), 400],
    ["100,000 names", `{${Array.from({ length: 100_000 }, (_, at) => `"${at}":0`).join(",")}}`, 400],
    ["a name 100,000 times", `{${'"a":0,'.repeat(100_000)}"a":0}`, 400],
    [
      "a number of 100,000 digits",
      `{"type":"updateTaskProgress","taskId":"t1","percentage":${"9".repeat(100_000)}}`,
      400,
    ],
    [
      "a fraction of 100,000 digits",
      `{"type":"updateTaskProgress","taskId":"t1","percentage":0.${"9".repeat(100_000)}}`,
      200,
    ],
    ["text that never ends", `{"type":"${"x".repeat(500_000)}`, 400],
    ["backslashes to the end", `{"type":"${"\\".repeat(500_001)}`, 400],
    ["a megabyte of space", " ".repeat(1024 * 1024 - 10), 400],
    ["more than a megabyte", " ".repeat(1024 * 1024 + 1), 413],
    [
      "names that mean something to JavaScript",
      '{"type":"appendLog","taskId":"t1","text":"x","__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}',
      400,
    ],
    ["nothing", "", 400],
    ["a name twice", '{"type":"startUpgrade","type":"appendLog","taskId":"t1","text":"the last one would count"}', 400],
    ["no UTF-8", "\ud800", 400],
    ["a byte order mark", '\ufeff{"type":"appendLog","taskId":"t1","text":"x"}', 200],
  ];

  test.each(cases)("%s", async (name, body, expected) => {
    // A lone surrogate becomes U+FFFD on the way out, which is no JSON either.
    expect([name, statusOf(await post(body))]).toEqual([name, expected]);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  test("details may hold names that mean something, and they come back as they were", async () => {
    const details = '{"__proto__":{"x":1},"constructor":1,"toString":null}';
    const answer = await post(`{"type":"updateTaskProgress","taskId":"t1","percentage":1,"details":${details}}`);
    expect(answer).toContain(`"details":${details}`);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  test("what is too deep or has too many names is refused before it is parsed, wherever that stands", () => {
    const scan = (text: string) => scanJson(Buffer.from(text), JSON_LIMITS);
    const { maxDepth, maxNames } = JSON_LIMITS;
    const deep = (depth: number): string => `${'{"a\\\\\\"[[":'.repeat(depth)}0${"}".repeat(depth)}`;
    const wide = (names: number): string => `[${Array.from({ length: names }, () => '{":":1}').join(",")}]`;
    expect(() => scan(deep(maxDepth))).not.toThrow();
    expect(() => scan(deep(maxDepth + 1))).toThrow(/deeper than 40/);
    expect(() => scan(wide(maxNames))).not.toThrow();
    expect(() => scan(wide(maxNames + 1))).toThrow(/more than 20000 names/);
    expect(() => scan("[".repeat(maxDepth + 1))).toThrow(/deeper/);
    expect(() => scan(JSON.stringify("[{:".repeat(100_000)))).not.toThrow();
  });

  test("a body that does not say how long it is is cut off at the same limit", async () => {
    const pieces = (count: number) =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => (count-- > 0 ? controller.enqueue(Buffer.alloc(65_536, " ")) : controller.close()),
      });
    const sent = async (count: number): Promise<number> => {
      const init: RequestInit & { readonly duplex: "half" } = {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: pieces(count),
        duplex: "half",
      };
      return (await fetch(`http://127.0.0.1:${port}/api/v1/upgrades`, init)).status;
    };
    expect([await sent(16), await sent(17)]).toEqual([400, 413]);
  });

  test("it is refused in time that is in proportion to its size", () => {
    const limits = JSON_LIMITS;
    for (const [name, body] of cases) {
      const bytes = Buffer.from(body);
      const began = performance.now();
      try {
        scanJson(bytes, limits);
      } catch {
        // Refused.
      }
      const took = performance.now() - began;
      // A megabyte takes some 20 ms. What grew with the square of it would take minutes, on a machine that does nothing else.
      expect({ name, isInTime: took < 5_000 }).toEqual({ name, isInTime: true });
    }
  });
});

test("a body that comes slowly or stops holds nobody up", async () => {
  const stuck = raw(
    `POST /api/v1/upgrades HTTP/1.1${CRLF}Host: localhost${CRLF}Content-Type: application/json${CRLF}Content-Length: 100${CRLF}${CRLF}{"upgr`,
  );
  expect(statusOf(await send("GET", "/healthz"))).toBe(200);
  expect((await stuck).startsWith("HTTP/1.1 5")).toBe(false);
});
