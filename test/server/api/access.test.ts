/** Who may do what over HTTP (X05, G20, G22), and what a browser may. */

import { describe, expect, test } from "vitest";

import type { AuthSettings } from "../../../src/server/auth/auth-config.ts";
import { manualClock } from "../../manual-clock.ts";
import { begun, exchange, serve, type Answered, type Served } from "./serve.ts";

const TOKENS = {
  admin: ["admin:*"],
  reporter: ["report:cluster:prod"],
  agent: ["report:upgrade:u1"],
  watcher: ["watch:cluster:prod"],
  guest: ["watch:upgrade:u1"],
  lister: ["watch:fleet"],
  stranger: ["admin:upgrade:other"],
} as const;
type Role = keyof typeof TOKENS;

const tokenOf = (role: Role): string => `${role}-`.padEnd(40, "x");
const bearer = (role: Role): Record<string, string> => ({ Authorization: `Bearer ${tokenOf(role)}` });

const settings = (more: Partial<AuthSettings> = {}): AuthSettings => ({
  authenticator: {
    tokens: Object.entries(TOKENS).map(([name, permissions]) => ({ name, token: tokenOf(name as Role), permissions })),
  },
  shareLinks: {},
  allowedHosts: [],
  allowedOrigins: [],
  trustedProxies: [],
  allowTokenInUrl: false,
  ...more,
});

/** u1 in cluster prod, u2 in cluster test; u3 is nowhere. */
async function guarded(more: Partial<AuthSettings> = {}): Promise<Served> {
  const server = await serve({ auth: settings(more) });
  await begun(server, "u1", bearer("admin"));
  await server.post("/api/v1/upgrades", { upgradeId: "u2", clusterName: "test" }, bearer("admin"));
  await expect
    .poll(async () => (await server.get("/api/v1/upgrades", bearer("admin"))).json.upgrades.length as number)
    .toBe(2);
  return server;
}

const told = ({ status, json }: Answered): string => `${status} ${json?.code ?? ""}`.trim();

describe("[G2] X05: each role, each action, on its own, a foreign and no upgrade", () => {
  const read = (id: string) => (server: Served, headers: Record<string, string>) =>
    server.get(`/api/v1/upgrades/${id}`, headers);
  const report = (id: string) => (server: Served, headers: Record<string, string>) =>
    server.post(`/api/v1/upgrades/${id}/commands`, { type: "appendLog", taskId: "t1", text: "x" }, headers);
  const share = (id: string) => (server: Served, headers: Record<string, string>) =>
    server.post(`/api/v1/upgrades/${id}/share`, {}, headers);
  const begin = (body: object) => (server: Served, headers: Record<string, string>) =>
    server.post("/api/v1/upgrades", body, headers);

  const NO = "404 UNKNOWN_UPGRADE";
  const F = "403 FORBIDDEN";
  const matrix: Readonly<Record<Role | "nobody", readonly string[]>> = {
    //          read u1, u2, u3      report u1, u2, u3   share u1  begin in prod, in test, the foreign u2
    admin: ["200", "200", NO, "200", "404 UNKNOWN_TASK", NO, "201", "201", "201", "409 UPGRADE_MISMATCH"],
    reporter: ["200", NO, NO, "200", NO, NO, F, "201", F, F],
    agent: ["200", NO, NO, "200", NO, NO, F, F, F, F],
    watcher: ["200", NO, NO, F, NO, NO, F, F, F, F],
    guest: ["200", NO, NO, F, NO, NO, F, F, F, F],
    lister: [NO, NO, NO, NO, NO, NO, NO, F, F, F],
    stranger: [NO, NO, NO, NO, NO, NO, NO, F, F, F],
    nobody: Array.from({ length: 10 }, () => "401 UNAUTHENTICATED"),
  };

  test.each(Object.entries(matrix))("%s", async (role, expected) => {
    const server = await guarded();
    const headers = role === "nobody" ? {} : bearer(role as Role);
    const asked = [
      ...["u1", "u2", "u3"].map(read),
      ...["u1", "u2", "u3"].map(report),
      share("u1"),
      begin({ upgradeId: "new1", clusterName: "prod" }),
      begin({ upgradeId: "new2", clusterName: "test" }),
      begin({ upgradeId: "u2", clusterName: "prod" }),
    ];
    const answers = [];
    for (const ask of asked) answers.push(told(await ask(server, headers)));
    expect(answers).toEqual(expected);
  });

  test("[G2] a foreign upgrade and one that is not there are answered alike", async () => {
    const server = await guarded();
    for (const role of ["reporter", "watcher", "guest", "lister", "stranger"] as const) {
      for (const ask of [read, report, share]) {
        const [foreign, none] = [await ask("u2")(server, bearer(role)), await ask("u3")(server, bearer(role))];
        expect(foreign.text.replaceAll("u2", "u3")).toBe(none.text);
      }
    }
  });

  test("[G2] beside an upgrade of its own nobody is shown a foreign one", async () => {
    const server = await guarded();
    await server.post("/api/v1/upgrades", { upgradeId: "u4", clusterName: "prod" }, bearer("admin"));
    await server.post("/api/v1/upgrades/u4/commands", { type: "completeUpgrade" }, bearer("admin"));
    const choices = async (role: Role): Promise<unknown> =>
      (await server.get("/api/v1/upgrades/u1/comparison", bearer(role))).json.choices;
    await expect.poll(() => choices("admin")).toEqual(["u4"]);
    const beside = async (id: string) => server.get(`/api/v1/upgrades/u1/comparison?with=${id}`, bearer("guest"));
    const [foreign, none] = [await beside("u2"), await beside("u3")];
    expect(told(foreign)).toBe(NO);
    expect(foreign.text.replaceAll("u2", "u3")).toBe(none.text);
    expect(await choices("guest")).toEqual([]);
    expect((await server.get("/api/v1/upgrades/u1/usual", bearer("guest"))).json.upgrades).toBe(0);
    for (const path of ["usual", "comparison"])
      expect(told(await server.get(`/api/v1/upgrades/u1/${path}`, bearer("stranger")))).toBe(NO);
  });

  test.each([
    ["admin", ["u1", "u2"]],
    ["lister", ["u1", "u2"]],
    ["watcher", ["u1"]],
    ["guest", ["u1"]],
    ["stranger", []],
  ] as const)("%s sees its own in the list", async (role, expected) => {
    const server = await guarded();
    const { json } = await server.get("/api/v1/upgrades", bearer(role));
    expect(json.upgrades.map(({ upgradeId }: { upgradeId: string }) => upgradeId).sort()).toEqual(expected);
  });

  test("a finished run belongs to its upgrade", async () => {
    const server = await guarded();
    await server.post("/api/v1/upgrades/u1/commands", { type: "completeUpgrade" }, bearer("agent"));
    await server.post("/api/v1/upgrades", { upgradeId: "u1", clusterName: "prod" }, bearer("reporter"));
    expect((await server.get("/api/v1/upgrades/u1@1", bearer("guest"))).json).toMatchObject({
      upgradeId: "u1",
      run: 1,
    });
    expect((await server.get("/api/v1/upgrades/u1@1", bearer("stranger"))).status).toBe(404);
  });
});

describe("credentials", () => {
  test("[G5] that are wrong are refused with what to send, and never shown or logged", async () => {
    const server = await guarded();
    const secret = "wrong-".padEnd(40, "z");
    const answer = await server.get("/api/v1/upgrades", { Authorization: `Bearer ${secret}` });
    expect([told(answer), answer.headers.get("www-authenticate")]).toEqual([
      "401 UNAUTHENTICATED",
      'Bearer realm="milepost"',
    ]);
    const inUrl = await server.get(`/api/v1/upgrades?token=${tokenOf("admin")}`);
    expect(told(inUrl)).toBe("401 UNAUTHENTICATED");
    for (const text of [answer.text, inUrl.text, ...server.log]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(tokenOf("admin"));
    }
  });

  test("are not asked for where nothing is told", async () => {
    const server = await guarded();
    for (const path of ["/healthz", "/readyz", "/openapi.json", "/asyncapi.json"])
      expect((await server.get(path, { Authorization: "Bearer nonsense-nonsense-nonsense" })).status).toBe(200);
  });

  test("for a caller who may do nothing show nothing", async () => {
    const server = await serve({ auth: settings({ authenticator: { anonymous: ["watch:upgrade:u1"] } }) });
    expect(told(await server.get("/api/v1/upgrades/u9"))).toBe("401 UNAUTHENTICATED");
    expect((await server.get("/api/v1/upgrades")).json.upgrades).toEqual([]);
  });

  test("a ticket stands for them once, in an address", async () => {
    const server = await guarded();
    const { ticket } = (await server.post("/api/v1/tickets", {}, bearer("guest"))).json;
    expect((await server.get(`/api/v1/upgrades/u1/summary?ticket=${ticket}`)).status).toBe(200);
    expect(told(await server.get(`/api/v1/upgrades/u1/summary?ticket=${ticket}`))).toBe("401 UNAUTHENTICATED");
    expect(told(await server.post("/api/v1/tickets", {}))).toBe("401 UNAUTHENTICATED");
  });

  test("a share link shows one upgrade until it expires", async () => {
    const clock = manualClock();
    const server = await serve({ auth: settings(), clock });
    await begun(server, "u1", bearer("admin"));
    const made = await server.post("/api/v1/upgrades/u1/share", { lifetimeMs: 3_600_000 }, bearer("admin"));
    expect(made.status).toBe(201);
    const shared = { Authorization: `Bearer ${made.json.token}` };
    expect((await server.get("/api/v1/upgrades/u1", shared)).status).toBe(200);
    expect(told(await server.post("/api/v1/upgrades/u1/commands", { type: "pauseUpgrade" }, shared))).toBe(
      "403 FORBIDDEN",
    );
    expect(told(await server.post("/api/v1/upgrades/u1/share", {}, shared))).toBe("403 FORBIDDEN");
    clock.pass(3_601_000);
    expect(told(await server.get("/api/v1/upgrades/u1", shared))).toBe("401 TOKEN_EXPIRED");
    expect((await server.post("/api/v1/upgrades/u1/share", { lifetimeMs: "1h" }, bearer("admin"))).status).toBe(400);
  });

  test("[G4] an event stream ends when the credentials that opened it have ended, and says so", async () => {
    const clock = manualClock();
    const server = await serve({ auth: settings(), clock });
    await begun(server, "u1", bearer("admin"));
    const made = await server.post("/api/v1/upgrades/u1/share", { lifetimeMs: 60_000 }, bearer("admin"));
    const { body } = await fetch(`${server.url}/api/v1/upgrades/u1/events`, {
      headers: { Accept: "text/event-stream", Authorization: `Bearer ${made.json.token}` },
    });
    let text = "";
    for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      if (text === "") clock.pass(61_000);
      text += piece;
    }
    expect(text).toMatch(/event: error\ndata: .*"TOKEN_EXPIRED"/);
  });

  test("a session keeps them in a cookie, with which a page of this server alone may change something", async () => {
    const server = await guarded();
    const stale = { Cookie: "milepost=expired-or-forged-token-1234567890" };
    const { status, headers, json } = await server.post("/api/v1/session", { token: tokenOf("agent") }, stale);
    expect(status).toBe(200);
    expect(json).toMatchObject({ subject: "token:agent", expiresAt: null, permissions: ["report:upgrade:u1"] });
    const set = headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^milepost=[^;]+; Path=\/; HttpOnly; SameSite=Strict$/);
    const Cookie = set.split(";")[0] as string;
    expect((await server.get("/api/v1/upgrades/u1", { Cookie })).status).toBe(200);

    const post = (...more: readonly string[]): Promise<string> => {
      const body = '{"type":"appendLog","taskId":"t1","text":"x"}';
      const lines = [
        "POST /api/v1/upgrades/u1/commands HTTP/1.1",
        `Host: localhost:${server.port}`,
        `Cookie: ${Cookie}`,
        "Connection: close",
        "Content-Type: application/json",
        `Content-Length: ${body.length}`,
        ...more,
        "",
        body,
      ];
      return exchange(server.port, lines.join("\r\n"));
    };
    expect(await post()).toMatch(/^HTTP\/1\.1 403 /);
    expect(await post("Origin: https://evil.example")).toMatch(/^HTTP\/1\.1 403 /);
    expect(await post("Origin: null")).toMatch(/^HTTP\/1\.1 403 /);
    expect(await post(`Origin: http://localhost:${server.port}`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(told(await server.post("/api/v1/session", { token: "nonsense" }))).toBe("401 UNAUTHENTICATED");
  });
});

describe("pages of other sites", () => {
  test("may use the server where their origin is listed, and are told so", async () => {
    const server = await serve({ allowedOrigins: ["https://ops.example.com"] });
    await begun(server);
    const listed = await server.get("/api/v1/upgrades/u1", { Origin: "https://ops.example.com" });
    expect([listed.status, listed.headers.get("access-control-allow-origin")]).toEqual([
      200,
      "https://ops.example.com",
    ]);
    expect(listed.headers.get("vary")).toBe("Origin");
    const preflight = await fetch(`${server.url}/api/v1/upgrades/u1/commands`, {
      method: "OPTIONS",
      headers: { Origin: "https://ops.example.com", "Access-Control-Request-Method": "POST" },
    });
    expect([preflight.status, preflight.headers.get("access-control-allow-headers")]).toEqual([
      204,
      "Authorization, Content-Type, Idempotency-Key, If-None-Match",
    ]);
    const stream = await fetch(`${server.url}/api/v1/upgrades/u1/events`, {
      headers: { Accept: "text/event-stream", Origin: "https://ops.example.com" },
    });
    expect(stream.headers.get("access-control-allow-origin")).toBe("https://ops.example.com");
    await stream.body?.cancel();
  });

  test("may not where it is not", async () => {
    const server = await serve();
    const { status, json, headers } = await server.get("/api/v1/upgrades", { Origin: "https://evil.example" });
    expect([status, json.code, headers.get("access-control-allow-origin")]).toEqual([403, "FORBIDDEN", null]);
  });
});
