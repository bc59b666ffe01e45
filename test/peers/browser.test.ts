import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

import { tempFolder } from "../temp-folder.ts";
import { openPage, seen, startBrowser, untilSeen } from "./browser.ts";
import { busyUpgrade, CHANNEL, UPGRADE_ID } from "./busy-upgrade.ts";
import { serverProcess } from "./server-process.ts";
import { expectWholeLog } from "./whole-log.ts";

const EVENTS_PATH = `/api/v1/upgrades/${UPGRADE_ID}/events`;
const IS_COMPLETED = `messages.some((text) => text.includes('"type":"upgrade.completed"'))`;

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
}, 60_000);
afterAll(() => browser.close());

async function served(options: readonly string[] = []) {
  const storagePath = join(tempFolder(), "data");
  const upgrade = busyUpgrade(storagePath);
  return { upgrade, server: await serverProcess({ storagePath, options }) };
}

type Watched = Awaited<ReturnType<typeof served>> & { readonly page: Page };

/** Reports so much, and kills the server while the page sees it. */
async function reportOverKill(count: number, { page, upgrade, server }: Watched): Promise<void> {
  const reporting = upgrade.report(count);
  await untilSeen(page, "messages.length > 100");
  await server.kill();
  await server.startAgain();
  await reporting;
  await upgrade.complete();
  await untilSeen(page, IS_COMPLETED);
}

test("a browser's own WebSocket gets each event once, over a close and a killed server", async () => {
  const { upgrade, server } = await served();
  const page = await openPage(browser, `${server.url}/openapi.json`);
  await page.evaluate(`watch.webSocket(${JSON.stringify(server.webSocketUrl)}, ${JSON.stringify(CHANNEL)})`);
  await untilSeen(page, "messages.length >= 3");
  await reportOverKill(400, { page, upgrade, server });
  const { messages, ends } = await seen(page);
  const { connections, types } = expectWholeLog(messages, upgrade.lines());
  expect(connections).toBe(3);
  expect(types.slice(0, 3)).toEqual(["welcome", "snapshot", "subscribed"]);
  // 1005: the page's own close, which the server's answer repeats; 1006: no closing handshake.
  expect(ends.slice(0, 2)).toEqual([1005, 1006]);
}, 60_000);

test("a browser's EventSource comes back by itself after the server was killed, and goes on at its Last-Event-ID", async () => {
  const { upgrade, server } = await served();
  const page = await openPage(browser, `${server.url}/openapi.json`);
  await page.evaluate(`watch.eventSource(${JSON.stringify(EVENTS_PATH)})`);
  await untilSeen(page, "messages.length >= 2");
  await reportOverKill(300, { page, upgrade, server });
  const { messages, ids, opened, ends } = await seen(page);
  const { types } = expectWholeLog(messages, upgrade.lines());
  expect(types.filter((type) => ["snapshot", "subscribed"].includes(type))).toEqual([
    "snapshot",
    "subscribed",
    "subscribed",
  ]);
  expect(opened).toBe(2);
  // 0 is CONNECTING: the browser tries again.
  expect(new Set(ends)).toEqual(new Set([0]));
  const cursors = messages.map((text) => JSON.parse(text) as { seq?: number; cursor: string });
  expect(cursors.filter(({ seq }, index) => seq !== undefined && cursors[index]?.cursor !== ids[index])).toEqual([]);
}, 60_000);

test("an orderly stop sends the page's EventSource and WebSocket away with the word to come back", async () => {
  const { server } = await served();
  const page = await openPage(browser, `${server.url}/openapi.json`);
  await page.evaluate(`watch.webSocket(${JSON.stringify(server.webSocketUrl)}, ${JSON.stringify(CHANNEL)})`);
  const other = await openPage(browser, `${server.url}/openapi.json`);
  await other.evaluate(`watch.eventSource(${JSON.stringify(EVENTS_PATH)})`);
  await untilSeen(page, "messages.length >= 3");
  await untilSeen(other, "messages.length >= 2");
  expect(await server.stop()).toBe(0);
  await untilSeen(page, "ends.length > 0");
  await untilSeen(other, "ends.length > 0");
  expect((await seen(page)).ends[0]).toBe(1001);
  expect((await seen(other)).ends[0]).toBe(0);
  await server.startAgain();
  await untilSeen(page, "opened === 2 && messages.length >= 5");
  await untilSeen(other, "opened === 2 && messages.length >= 3");
}, 60_000);

/** A page of another origin: the same address, another port. */
async function foreignPage() {
  const http = createServer((_request, response) =>
    response.setHeader("Content-Type", "text/html").end("<p>elsewhere"),
  );
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return { origin, page: await openPage(browser, origin) };
}

test("a page of another origin gets nothing, by WebSocket, EventSource or fetch", async () => {
  const { server } = await served();
  const { page } = await foreignPage();
  await page.evaluate(`watch.webSocket(${JSON.stringify(server.webSocketUrl)}, ${JSON.stringify(CHANNEL)})`);
  await untilSeen(page, "ends.length > 0");
  expect(await seen(page)).toMatchObject({ opened: 0, messages: [], ends: [1006] });
  await page.reload();
  const { page: second } = await foreignPage();
  await second.evaluate(`watch.eventSource(${JSON.stringify(server.url + EVENTS_PATH)})`);
  await untilSeen(second, "ends.length > 0");
  // 2 is CLOSED: a refusal is not tried again.
  expect(await seen(second)).toMatchObject({ opened: 0, messages: [], ends: [2] });
  const fetched = second.evaluate(
    `fetch(${JSON.stringify(`${server.url}/api/v1/upgrades`)}).then(() => "read", () => "refused")`,
  );
  expect(await fetched).toBe("refused");
}, 30_000);

test("a page of an origin that is listed gets all of it", async () => {
  const { origin, page } = await foreignPage();
  const { server } = await served(["--allow-origin", origin]);
  await page.evaluate(`watch.webSocket(${JSON.stringify(server.webSocketUrl)}, ${JSON.stringify(CHANNEL)})`);
  await untilSeen(page, "messages.length >= 3");
  const { page: second } = { page: await openPage(browser, origin) };
  await second.evaluate(`watch.eventSource(${JSON.stringify(server.url + EVENTS_PATH)})`);
  await untilSeen(second, "messages.length >= 2");
  const fetched = second.evaluate(
    `fetch(${JSON.stringify(`${server.url}/api/v1/upgrades`)}).then((answer) => answer.status)`,
  );
  expect(await fetched).toBe(200);
}, 30_000);
