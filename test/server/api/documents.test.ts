/** The OpenAPI and AsyncAPI documents say what the server does, and docs/http.md says what they say. */

import { readFileSync } from "node:fs";

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, test } from "vitest";

import { ERRORS } from "../../../src/errors.ts";
import { begun, serve, type Answered, type Served } from "./serve.ts";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a document is read as JSON
type Document = any;

const page = readFileSync(new URL("../../../docs/http.md", import.meta.url), "utf8");

async function documentOf(server: Served, path = "/openapi.json"): Promise<Document> {
  return (await server.get(path)).json;
}

/** The validator of one place in a document. */
function validator(document: Document): (pointer: string) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addSchema(document, "doc");
  return (pointer) => ajv.compile({ $ref: `doc#${pointer}` });
}

const escaped = (path: string): string => path.replaceAll("~", "~0").replaceAll("/", "~1");

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operation: Document;
}

const operationsOf = (document: Document): readonly Operation[] =>
  Object.entries<Document>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Document>(methods).map(([method, operation]) => ({ method, path, operation })),
  );

describe("the OpenAPI document", () => {
  test("is one of version 3.1 whose references all lead somewhere", async () => {
    const server = await serve();
    const document = await documentOf(server);
    expect(document.openapi).toBe("3.1.0");
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)].map(([, pointer]) => pointer);
    for (const pointer of new Set(references)) {
      const found = (pointer as string)
        .slice(1)
        .split("/")
        .reduce((at, key) => at?.[key.replaceAll("~1", "/")], document);
      expect([pointer, typeof found]).toEqual([pointer, "object"]);
    }
    const ids = operationsOf(document).map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operationsOf(document)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? [])
        .filter((each: Document) => each.in === "path")
        .map((each: Document) => each.name);
      expect(declared).toEqual(inPath);
    }
  });

  test("[D4] describes every answer as it comes", async () => {
    const server = await serve();
    await begun(server);
    const list = [
      { type: "startTask", taskId: "t1" },
      { type: "updateTaskProgress", taskId: "t1", completedSteps: 1, totalSteps: 3, details: { a: [1] } },
      { type: "setWaitingOn", taskId: "t1", waitingOn: { kind: "PDB", name: "x" } },
      { type: "raiseInsight", insight: { id: "i", level: "error", message: "m" } },
      { type: "failTask", taskId: "t1", errorMessage: "no" },
      { type: "retryTask", taskId: "t1" },
    ];
    const document = await documentOf(server);
    const at = validator(document);
    const check = (method: string, path: string, answer: Answered): void => {
      const type = (answer.headers.get("content-type") ?? "").split(";")[0] as string;
      const place = `/paths/${escaped(path)}/${method}/responses/${answer.status}`;
      const declared = document.paths[path][method].responses[answer.status]?.content?.[type];
      expect([method, path, answer.status, type, declared !== undefined]).toEqual([
        method,
        path,
        answer.status,
        type,
        true,
      ]);
      if (answer.json === undefined) return;
      const validate = at(`${place}/content/${escaped(type)}/schema`);
      validate(answer.json);
      expect([path, validate.errors]).toEqual([path, null]);
    };
    const upgrade = "/api/v1/upgrades/{id}";
    check("post", `${upgrade}/commands`, await server.post("/api/v1/upgrades/u1/commands", list));
    check("post", `${upgrade}/commands`, await server.post("/api/v1/upgrades/u1/commands", { type: "x" }));
    check("post", `${upgrade}/commands`, await server.post("/api/v1/upgrades/u1/commands", "{", {}));
    check(
      "post",
      `${upgrade}/commands`,
      await server.post("/api/v1/upgrades/u1/commands", "{}", { "Content-Type": "text/plain" }),
    );
    check("post", "/api/v1/upgrades", await server.post("/api/v1/upgrades", { upgradeId: "u2" }));
    check("post", "/api/v1/upgrades", await server.post("/api/v1/upgrades", { upgradeId: "u2" }));
    check("post", "/api/v1/upgrades", await server.post("/api/v1/upgrades", { upgradeId: "u2", planId: "x" }));
    check("get", "/api/v1/upgrades", await server.get("/api/v1/upgrades"));
    check("get", "/api/v1/upgrades", await server.get("/api/v1/upgrades?limit=x"));
    check("get", upgrade, await server.get("/api/v1/upgrades/u1"));
    check("get", upgrade, await server.get("/api/v1/upgrades/none"));
    check("get", upgrade, await server.get("/api/v1/upgrades/u1", { Accept: "text/html" }));
    check("get", `${upgrade}/summary`, await server.get("/api/v1/upgrades/u1/summary"));
    check("get", `${upgrade}/usual`, await server.get("/api/v1/upgrades/u1/usual"));
    check("get", `${upgrade}/comparison`, await server.get("/api/v1/upgrades/u1/comparison"));
    check("get", `${upgrade}/comparison`, await server.get("/api/v1/upgrades/u1/comparison?with=none"));
    check("get", `${upgrade}/events`, await server.get("/api/v1/upgrades/u1/events"));
    check(
      "get",
      `${upgrade}/events`,
      await server.get("/api/v1/upgrades/u1/events", { Accept: "application/x-ndjson" }),
    );
    check("get", `${upgrade}/events`, await server.get("/api/v1/upgrades/u1/events?after=x"));
    check("post", "/api/v1/tickets", await server.post("/api/v1/tickets", {}));
    check("post", "/api/v1/session", await server.post("/api/v1/session", { token: "any-token-on-loopback" }));
    check("post", `${upgrade}/share`, await server.post("/api/v1/upgrades/u1/share", {}));
    check("get", "/badge/{id}.svg", await server.get("/badge/u1.svg"));
    for (const path of ["/healthz", "/readyz", "/openapi.json", "/asyncapi.json"])
      check("get", path, await server.get(path));
  });
});

describe("the AsyncAPI document", () => {
  test("[D4] describes every message of the WebSocket as it comes", async () => {
    const server = await serve();
    await begun(server);
    const document = await documentOf(server, "/asyncapi.json");
    expect(document.asyncapi).toBe("3.0.0");
    const at = validator(document);
    const names = document.operations.send.messages.map(({ $ref }: { $ref: string }) => $ref.split("/").at(-1));
    const validators = names.map((name: string) => [name, at(`/components/messages/${name}/payload`)]);

    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws?channel=upgrade:u1`);
    const seen = new Set<string>();
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("error", () => reject(new Error("the connection failed")));
      socket.addEventListener("message", ({ data }) => {
        const message = JSON.parse(data as string);
        const fits = validators.filter(([, validate]: [string, ValidateFunction]) => validate(message));
        if (fits.length === 0) reject(new Error(`no message of the document: ${data as string}`));
        for (const [name] of fits) seen.add(name);
        if (message.type === "subscribed" && seen.size < 4) socket.send('{"type":"ping","requestId":"1"}');
        if (message.type === "pong") socket.send('{"type":"get_summary"}');
        if (message.type === "summary") socket.send('{"type":"nonsense"}');
        if (message.type === "error") resolve();
      });
    });
    socket.close();
    for (const name of ["Welcome", "WholeSnapshot", "Subscribed", "Pong", "SummaryMessage", "ErrorMessage"])
      expect([...seen]).toContain(name);
  });
});

describe("docs/http.md", () => {
  test("has every route once, and no other", async () => {
    const document = await documentOf(await serve());
    const routes = operationsOf(document).map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const headings = [...page.matchAll(/^### `(GET|POST|DELETE) ([^`]+)`$/gm)].map(
      ([, method, path]) => `${method} ${path}`,
    );
    expect(headings.sort()).toEqual(routes.sort());
  });

  test("has the parameters of each route and the statuses that it answers with", async () => {
    const document = await documentOf(await serve());
    for (const { method, path, operation } of operationsOf(document)) {
      const section = page.split(`### \`${method.toUpperCase()} ${path}\`\n`)[1]?.split(/^##/m)[0] ?? "";
      for (const { name, in: place } of operation.parameters ?? [])
        if (place !== "path") expect([path, section]).toEqual([path, expect.stringContaining(`\`${name}\``)]);
      for (const status of Object.keys(operation.responses).filter((each) => Number(each) < 400))
        expect([path, section]).toEqual([path, expect.stringContaining(status)]);
    }
  });

  test("names the codes that are the API's own, with their statuses", () => {
    for (const code of [
      "KEY_REUSED",
      "CURSOR_GONE",
      "UNSUPPORTED_MEDIA_TYPE",
      "TOO_LARGE",
      "NOT_ACCEPTABLE",
      "METHOD_NOT_ALLOWED",
    ] as const)
      expect(page).toMatch(
        new RegExp(`${ERRORS[code].httpStatus}[^\\n]*${code}|${code}[^\\n]*${ERRORS[code].httpStatus}`),
      );
  });
});
