/** Who the caller is, signing out, and the list of share links (G20, W17). */

import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";

import { jsonLines } from "../../../src/storage/json-lines.ts";
import { manualClock } from "../../manual-clock.ts";
import { tempFolder } from "../../temp-folder.ts";
import { begun, serve, type Answered, type Served } from "./serve.ts";

const TOKENS = {
  admin: ["admin:*"],
  prod: ["admin:cluster:prod"],
  agent: ["report:upgrade:u1", "watch:fleet"],
  lister: ["watch:fleet"],
} as const;
type Role = keyof typeof TOKENS;
const tokenOf = (role: Role): string => `${role}-`.padEnd(40, "x");
const bearer = (role: Role): Record<string, string> => ({ Authorization: `Bearer ${tokenOf(role)}` });

const AUTH = {
  authenticator: {
    tokens: Object.entries(TOKENS).map(([name, permissions]) => ({ name, token: tokenOf(name as Role), permissions })),
  },
  shareLinks: {},
  allowedHosts: [],
  allowedOrigins: [],
  trustedProxies: [],
  allowTokenInUrl: false,
};

/** u1 in cluster prod, u2 in cluster test. */
async function guarded(more: Parameters<typeof serve>[0] = {}): Promise<Served> {
  const server = await serve({ auth: AUTH, ...more });
  await begun(server, "u1", bearer("admin"));
  await server.post("/api/v1/upgrades", { upgradeId: "u2", clusterName: "test" }, bearer("admin"));
  return server;
}

const told = ({ status, json }: Answered): string => `${status} ${json?.code ?? ""}`.trim();
const asText = (links: readonly { id: string; upgradeId: string; createdBy: string }[]): readonly string[] =>
  links.map(({ upgradeId, createdBy }) => `${upgradeId} by ${createdBy}`);

describe("[D3] GET /api/v1/session", () => {
  test("tells who the caller is and what they may do, as words and about a channel", async () => {
    const server = await guarded();
    const ask = async (role: Role, query = ""): Promise<unknown> => {
      const { status, json } = await server.get(`/api/v1/session${query}`, bearer(role));
      return [status, json.subject, json.permissions, json.actions, json.refused];
    };
    const ALL = ["watch", "report", "admin"];
    expect(await ask("admin")).toEqual([200, "token:admin", ["admin:*"], ALL, null]);
    expect(await ask("agent")).toEqual([200, "token:agent", ["report:upgrade:u1", "watch:fleet"], ["watch"], null]);
    const actions = async (role: Role, channel: string): Promise<unknown> =>
      (await server.get(`/api/v1/session?channel=${encodeURIComponent(channel)}`, bearer(role))).json.actions;
    expect(await actions("agent", "upgrade:u1")).toEqual(["watch", "report"]);
    expect(await actions("prod", "upgrade:u1")).toEqual(ALL);
    // A foreign upgrade and none look the same.
    for (const id of ["u2", "nothing"]) expect(await actions("prod", `upgrade:${id}`)).toEqual([]);
    expect(await actions("lister", "cluster:prod")).toEqual(["watch"]);
    expect(told(await server.get("/api/v1/session?channel=all", bearer("admin")))).toBe("400 INVALID_ARGUMENT");
  });

  test("of nobody is no error, and of a server without credentials says that all may be done", async () => {
    const server = await guarded();
    const nobody = { subject: null, expiresAt: null, permissions: [], actions: [], refused: null };
    expect((await server.get("/api/v1/session")).json).toEqual(nobody);
    const open = await serve();
    expect((await open.get("/api/v1/session")).json).toMatchObject({ subject: "anonymous", permissions: ["admin:*"] });
  });

  test("of a cookie that is good for nothing more says why and ends it; a token sent on purpose is refused", async () => {
    const server = await guarded();
    const stale = await server.get("/api/v1/session", { Cookie: "milepost=of-yesterday" });
    expect([stale.status, stale.json.subject, stale.json.refused]).toEqual([200, null, "UNAUTHENTICATED"]);
    expect(stale.headers.get("set-cookie")).toMatch(/^milepost=; Path=\/; HttpOnly; SameSite=Strict; Max-Age=0$/);
    expect(told(await server.get("/api/v1/session", { Authorization: "Bearer of-yesterday" }))).toBe(
      "401 UNAUTHENTICATED",
    );
  });
});

test("[G4] signing out ends the cookie, and nothing else", async () => {
  const server = await guarded();
  const { headers } = await server.post("/api/v1/session", { token: tokenOf("agent") });
  const [cookie = ""] = (headers.get("set-cookie") ?? "").split(";");
  expect((await server.get("/api/v1/session", { Cookie: cookie })).json.subject).toBe("token:agent");
  const out = await server.delete("/api/v1/session", { Cookie: cookie, Origin: server.url });
  expect([out.status, out.headers.get("set-cookie")]).toEqual([
    204,
    "milepost=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
  ]);
  expect((await server.get("/api/v1/session", bearer("agent"))).json.subject).toBe("token:agent");
});

describe("[G4] share links", () => {
  const share = async (server: Served, id: string, role: Role = "admin"): Promise<{ id: string; token: string }> =>
    (await server.post(`/api/v1/upgrades/${id}/share`, {}, bearer(role))).json;
  const list = async (server: Served, role: Role, query = ""): Promise<readonly string[]> =>
    asText((await server.get(`/api/v1/share-links${query}`, bearer(role))).json.links);

  test("are listed, without their secrets, to those who may share the upgrade", async () => {
    const server = await guarded();
    const made = [await share(server, "u1", "prod"), await share(server, "u2")];
    expect(await list(server, "admin")).toEqual(["u1 by token:prod", "u2 by token:admin"]);
    expect(await list(server, "prod")).toEqual(["u1 by token:prod"]);
    expect(await list(server, "admin", "?upgrade=u2")).toEqual(["u2 by token:admin"]);
    expect(await list(server, "lister")).toEqual([]);
    expect(told(await server.get("/api/v1/share-links"))).toBe("401 UNAUTHENTICATED");
    const { text } = await server.get("/api/v1/share-links", bearer("admin"));
    for (const { id, token } of made) expect([text.includes(id), text.includes(token)]).toEqual([true, false]);
  });

  test("that are ended are good for nothing, and are not in the list; others stay", async () => {
    const server = await guarded();
    const [one, other] = [await share(server, "u1"), await share(server, "u1")];
    const seen = async (token: string): Promise<number> =>
      (await server.get("/api/v1/upgrades/u1", { Authorization: `Bearer ${token}` })).status;
    expect((await server.delete(`/api/v1/share-links/${one.id}`, bearer("prod"))).status).toBe(204);
    expect([await seen(one.token), await seen(other.token)]).toEqual([401, 200]);
    expect(await list(server, "admin")).toHaveLength(1);
    expect((await server.delete("/api/v1/upgrades/u1/share", bearer("admin"))).status).toBe(204);
    expect(await seen(other.token)).toBe(401);
    expect(await list(server, "admin")).toEqual([]);
    expect(await seen((await share(server, "u1")).token)).toBe(200);
  });

  test("of others cannot be ended, nor told apart from those that there are not", async () => {
    const server = await guarded();
    const foreign = await share(server, "u2");
    const none = `0.${"0".repeat(32)}`;
    for (const id of [foreign.id, none, "nonsense", "..%2f"])
      expect(told(await server.delete(`/api/v1/share-links/${id}`, bearer("prod")))).toBe("404 NOT_FOUND");
    for (const role of ["agent", "lister"] as const)
      expect(told(await server.delete(`/api/v1/share-links/${foreign.id}`, bearer(role)))).toBe("404 NOT_FOUND");
    expect(told(await server.delete("/api/v1/upgrades/u2/share", bearer("prod")))).toBe("404 UNKNOWN_UPGRADE");
    expect(told(await server.delete("/api/v1/upgrades/u1/share", bearer("agent")))).toBe("403 FORBIDDEN");
    // One of another server with the same key: whoever may do everything ends it by its id alone.
    expect((await server.delete(`/api/v1/share-links/${none}`, bearer("admin"))).status).toBe(204);
    expect(await list(server, "admin")).toEqual(["u2 by token:admin"]);
  });

  test("cut whoever came by them when they are ended: WebSocket and event stream", async () => {
    const server = await guarded();
    const { id, token } = await share(server, "u1");
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/?channel=upgrade:u1`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    onTestFinished(() => socket.terminate());
    const closed = new Promise((resolve) => socket.on("close", (code, reason) => resolve([code, String(reason)])));
    await new Promise((resolve) => socket.once("message", resolve));
    const stream = await fetch(`${server.url}/api/v1/upgrades/u1/events`, {
      headers: { Authorization: `Bearer ${token}`, Accept: "text/event-stream" },
    });
    await server.delete(`/api/v1/share-links/${id}`, bearer("admin"));
    expect(await closed).toEqual([4401, "TOKEN_EXPIRED"]);
    expect(await stream.text()).toContain("TOKEN_EXPIRED");
  });

  test("are in the list again after a restart, until they expire", async () => {
    const clock = manualClock();
    const folder = tempFolder();
    const first = await guarded({ storage: jsonLines({ path: folder }), clock });
    await share(first, "u1");
    await first.close();
    const second = await serve({ auth: AUTH, storage: jsonLines({ path: folder }), clock });
    expect(await list(second, "admin")).toEqual(["u1 by token:admin"]);
    clock.pass(8 * 86_400_000);
    expect(await list(second, "admin")).toEqual([]);
  });
});
