/** Deleting an upgrade: who may, when, and what its readers are told. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";

import { jsonLines } from "../../../src/storage/json-lines.ts";
import { memory } from "../../../src/storage/memory.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { watch, watchFleet } from "../../../src/stream/client.ts";
import { openTracker } from "../../../src/tracker/open.ts";
import { runAwaiting } from "../../../src/tracker/steps.ts";
import { tempFolder } from "../../temp-folder.ts";
import { begun, serve, type Answered, type Served } from "./serve.ts";

const U1 = "/api/v1/upgrades/u1";
const told = ({ status, json }: Answered): string => `${status} ${json?.code ?? ""}`.trim();
const STORAGES: readonly (readonly [string, () => Storage])[] = [
  ["memory", () => memory()],
  ["files", () => jsonLines({ path: tempFolder() })],
];

describe.each(STORAGES)("[D5] DELETE of an upgrade in %s", (_kind, makeStorage) => {
  test("takes it with its finished runs; it may begin again, and nothing of it is left", async () => {
    const storage = makeStorage();
    const server = await serve({ storage });
    const create = { upgradeId: "u1", clusterName: "prod" };
    const key = { "Idempotency-Key": "first" };
    expect((await server.post("/api/v1/upgrades", create, key)).status).toBe(201);
    await server.post(`${U1}/commands`, { type: "completeUpgrade" });
    await server.post("/api/v1/upgrades", create);
    expect(told(await server.get(`${U1}@1`))).toBe("200");
    expect(told(await server.delete(`${U1}@1`))).toBe("400 INVALID_ARGUMENT");
    const { status, text } = await server.delete(U1);
    expect([status, text]).toEqual([204, ""]);
    for (const path of [U1, `${U1}@1`, `${U1}/summary`, `${U1}/events`, "/badge/u1.svg"])
      expect(told(await server.get(path))).toBe("404 UNKNOWN_UPGRADE");
    expect(told(await server.delete(U1))).toBe("404 UNKNOWN_UPGRADE");
    expect((await server.get("/api/v1/upgrades")).json.upgrades).toEqual([]);
    expect(await storage.list()).toEqual([]);
    // In another cluster, and with the same key: the deleted one stands in the way of neither.
    const again = await server.post("/api/v1/upgrades", { ...create, clusterName: "test" });
    expect([again.status, again.json.events.length]).toEqual([201, 1]);
    expect((await server.get(U1)).json).toMatchObject({ clusterName: "test", run: 1, status: "in_progress" });
  });

  test("with the key of the first time begins it anew", async () => {
    const server = await serve({ storage: makeStorage() });
    const [create, key] = [{ upgradeId: "u1" }, { "Idempotency-Key": "same" }];
    await server.post("/api/v1/upgrades", create, key);
    await server.delete(U1);
    const { status, json } = await server.post("/api/v1/upgrades", create, key);
    expect([status, json.events.length, (await server.get(U1)).status]).toEqual([201, 1, 200]);
    await server.delete(U1);
    // Begun again by somebody else, without the server having seen that it was not there.
    await server.post("/api/v1/upgrades", create);
    const late = await server.post("/api/v1/upgrades", create, key);
    expect([late.status, late.json.events.length]).toEqual([200, 1]);
  });

  test("is refused while somebody else writes it", async () => {
    const storage = makeStorage();
    const server = await serve({ storage });
    await begun(server);
    const { tracker } = await runAwaiting(openTracker({ storage, upgradeId: "u1", takeOver: true }));
    expect(told(await server.delete(U1))).toBe("423 LOCKED");
    expect((await server.get(U1)).status).toBe(200);
    await tracker.close();
    expect((await server.delete(U1)).status).toBe(204);
  });

  test("is told to its readers: WebSocket, event stream, the lists, and the clients of all these", async () => {
    const server = await serve({ storage: makeStorage() });
    await begun(server);
    await begun(server, "u2");
    const upgrade = await listen(server, "upgrade:u1");
    const fleet = await listen(server, "fleet");
    const cluster = await listen(server, "cluster:prod");
    const foreign = await listen(server, "cluster:test");
    const stream = await fetch(`${server.url}${U1}/events`, { headers: { Accept: "text/event-stream" } });
    const watching = last(watch(server.url, { channel: "upgrade:u1" }));
    const fleetWatch = watchFleet(server.url)[Symbol.asyncIterator]();
    onTestFinished(() => void fleetWatch.return?.());
    await untilFleet(fleetWatch, ({ upgrades }) => upgrades.size === 2);
    expect((await server.delete(U1)).status).toBe(204);
    const removed = (channel: string) => ({ type: "removed", channel, upgradeId: "u1" });
    expect(await fleet.next("removed")).toEqual(removed("fleet"));
    expect(await cluster.next("removed")).toEqual(removed("cluster:prod"));
    expect(await upgrade.next("error")).toMatchObject({ code: "UNKNOWN_UPGRADE", channel: "upgrade:u1" });
    expect(await stream.text()).toMatch(/event: error\ndata: .*UNKNOWN_UPGRADE/);
    expect(await watching).toBe("UNKNOWN_UPGRADE");
    const after = await untilFleet(fleetWatch, ({ removed: ids }) => ids.includes("u1"));
    expect([...after.upgrades.keys()]).toEqual(["u2"]);
    expect(foreign.types()).not.toContain("removed");
  });
});

test("a damaged upgrade can be deleted, by those who need not see its cluster for it", async () => {
  const path = tempFolder();
  const first = await serve({ storage: jsonLines({ path }) });
  await begun(first);
  await first.close();
  const journal = join(path, "upgrades", "u1", "journal");
  for (const name of readdirSync(journal)) {
    const text = readFileSync(join(journal, name), "utf8");
    writeFileSync(join(journal, name), text.replace('"upgrade.started"', '"upgrade.stopped"'));
  }
  const server = await serve({ storage: jsonLines({ path }) });
  expect((await server.get(U1)).json.code).toBe("CORRUPT");
  expect((await server.delete(U1)).status).toBe(204);
  expect(told(await server.get(U1))).toBe("404 UNKNOWN_UPGRADE");
});

test("[G2] only an admin of it may, and its share links end with it", async () => {
  const tokens = {
    all: ["admin:*"],
    prod: ["admin:cluster:prod"],
    reporter: ["report:*"],
    foreign: ["admin:cluster:test"],
  };
  const tokenOf = (name: string): string => name.padEnd(30, "-");
  const as = (name: string) => ({ Authorization: `Bearer ${tokenOf(name)}` });
  const list = Object.entries(tokens).map(([name, permissions]) => ({ name, token: tokenOf(name), permissions }));
  const settings = { allowedHosts: [], allowedOrigins: [], trustedProxies: [], allowTokenInUrl: false };
  const server = await serve({ auth: { authenticator: { tokens: list }, shareLinks: {}, ...settings } });
  await begun(server, "u1", as("all"));
  expect(told(await server.delete(U1))).toBe("401 UNAUTHENTICATED");
  expect(told(await server.delete(U1, as("reporter")))).toBe("403 FORBIDDEN");
  for (const path of [U1, "/api/v1/upgrades/none", `${U1}@7`])
    expect(told(await server.delete(path, as("foreign")))).toBe("404 UNKNOWN_UPGRADE");
  const share = await server.post(`${U1}/share`, {}, as("prod"));
  expect((await server.delete(U1, as("prod"))).status).toBe(204);
  await begun(server, "u1", as("all"));
  expect(told(await server.get(U1, { Authorization: `Bearer ${share.json.token}` }))).toBe("401 UNAUTHENTICATED");
  // Nor with a cookie that another site's page sends along.
  expect(told(await server.delete(U1, { Cookie: `milepost=${tokenOf("all")}` }))).toBe("403 FORBIDDEN");
});

/** A raw client of a channel that has been told where it stands. */
async function listen(server: Served, channel: string) {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/?channel=${channel}`);
  onTestFinished(() => socket.terminate());
  const messages: { type: string }[] = [];
  let wake = (): void => undefined;
  socket.on("message", (data) => {
    messages.push(JSON.parse((data as Buffer).toString("utf8")) as { type: string });
    wake();
  });
  const next = async (type: string): Promise<object> => {
    for (;;) {
      const found = messages.find((message) => message.type === type);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  await next("subscribed");
  return { next, types: () => messages.map(({ type }) => type) };
}

/** The code of the error that ends it. */
async function last(items: AsyncIterable<unknown>): Promise<unknown> {
  try {
    for await (const _ of items);
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

async function untilFleet<T>(items: AsyncIterator<T, undefined>, isMet: (item: T) => boolean): Promise<T> {
  for (;;) {
    const { value } = await items.next();
    if (value !== undefined && isMet(value)) return value;
  }
}
