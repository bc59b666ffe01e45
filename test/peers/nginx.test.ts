import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, expect, onTestFinished, test, type TestContext } from "vitest";
import WebSocket from "ws";

import { tempFolder } from "../temp-folder.ts";
import { busyUpgrade, CHANNEL, UPGRADE_ID } from "./busy-upgrade.ts";
import { eventsIn, type StreamEvent } from "./event-stream.ts";
import { certificate, nginxCommand, PUBLIC_NAME, replaced, startNginx } from "./nginx.ts";
import { program } from "./program.ts";
import { serverProcess } from "./server-process.ts";
import { expectWholeLog } from "./whole-log.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const AUTHORIZATION = `Bearer ${TOKEN}`;
const isCompleted = (text: string): boolean => text.includes('"type":"upgrade.completed"');

let command: string | undefined;
beforeAll(async () => {
  command = await nginxCommand();
}, 60_000);

interface Setting {
  /** As `milepost.example.com:8443`. */
  readonly authority: string;
  readonly certificateFile: string;
  readonly upgrade: ReturnType<typeof busyUpgrade>;
  readonly servers: readonly Awaited<ReturnType<typeof serverProcess>>[];
}

interface SettingOptions {
  readonly servers?: number;
  readonly change?: (configuration: string) => string;
}

/** nginx with TLS in front of servers of one storage, all as docs/load-balancer.md has it. */
async function setting(
  skip: TestContext["skip"],
  { servers: count = 1, change }: SettingOptions = {},
): Promise<Setting> {
  if (command === undefined) return skip("there is no nginx here, and none that could be unpacked");
  const folder = tempFolder();
  const authFile = join(folder, "auth.json");
  const auth = {
    tokens: [{ name: "ops", token: TOKEN, permissions: ["report:*"] }],
    allowedHosts: [PUBLIC_NAME],
    trustedProxies: ["127.0.0.1"],
  };
  writeFileSync(authFile, JSON.stringify(auth), { mode: 0o600 });
  const storagePath = join(folder, "data");
  const upgrade = busyUpgrade(storagePath);
  const options = ["--auth-file", authFile];
  const servers = await Promise.all(Array.from({ length: count }, () => serverProcess({ storagePath, options })));
  const [{ port } = { port: 0 }, ...others] = servers;
  const tls = await certificate(folder);
  const withOthers = (text: string): string => {
    const more = others.map((other) => `server 127.0.0.1:${other.port};`).join(" ");
    return replaced(change?.(text) ?? text, { "keepalive 16;": `${more} keepalive 16;` });
  };
  const nginxPort = await startNginx({ command, folder, serverPort: port, tls, change: withOthers });
  return { authority: `${PUBLIC_NAME}:${nginxPort}`, certificateFile: tls.certificate, upgrade, servers };
}

type SocketOptions = Readonly<{ query?: string; origin?: string }>;

function open({ authority, certificateFile }: Setting, { query = "", origin }: SocketOptions = {}): WebSocket {
  const socket = new WebSocket(`wss://${authority}/${query}`, {
    ca: readFileSync(certificateFile),
    headers: { Authorization: AUTHORIZATION, ...(origin !== undefined && { Origin: origin }) },
    lookup: (_name, _options, found) => found(null, [{ address: "127.0.0.1", family: 4 }]),
  });
  onTestFinished(() => socket.terminate());
  return socket;
}

interface Watching {
  readonly messages: readonly string[];
  /** Resolves when the first connection has ended. */
  readonly cut: Promise<void>;
  /** Resolves with the number of connections when the upgrade is completed. */
  readonly ended: Promise<number>;
}

/** Watches to the end over as many connections as that takes, each cut after `cutAfter` events. */
function watch(place: Setting, cutAfter = Infinity): Watching {
  const messages: string[] = [];
  const { promise: cut, resolve: isCut } = Promise.withResolvers<void>();
  return { messages, cut, ended: connectAndAgain(place, { messages, cutAfter, isCut }) };
}

interface WatchState {
  readonly messages: string[];
  readonly cutAfter: number;
  readonly isCut: () => void;
}

async function connectAndAgain(place: Setting, { messages, cutAfter, isCut }: WatchState): Promise<number> {
  let cursor: string | undefined;
  for (let connections = 1; ; connections++) {
    const query = cursor === undefined ? "" : `?${new URLSearchParams({ channel: CHANNEL, after: cursor }).toString()}`;
    await new Promise<void>((resolve) => {
      const socket = open(place, { query });
      let events = 0;
      socket.on("message", (data: Buffer) => {
        const text = data.toString("utf8");
        if (events === cutAfter || messages.some(isCompleted)) return;
        messages.push(text);
        const { seq, cursor: at } = JSON.parse(text) as { seq?: number; cursor?: string };
        if (seq === undefined) return;
        events += 1;
        cursor = at;
        if (events === cutAfter || isCompleted(text)) socket.terminate();
      });
      // A proxy whose server is gone answers 502, and then it is tried again.
      socket.on("error", () => setTimeout(resolve, 50));
      socket.on("close", () => resolve());
    });
    if (messages.some(isCompleted)) return connections;
    isCut();
  }
}

/** An event stream, by curl. */
function stream({ authority, certificateFile }: Setting, after?: string) {
  const port = authority.split(":")[1];
  const headers = [
    "Accept: text/event-stream",
    `Authorization: ${AUTHORIZATION}`,
    ...(after ? [`Last-Event-ID: ${after}`] : []),
  ];
  return program("curl", [
    ...["-sN", "--cacert", certificateFile, "--resolve", `${PUBLIC_NAME}:${port}:127.0.0.1`],
    ...headers.flatMap((header) => ["-H", header]),
    `https://${authority}/api/v1/upgrades/${UPGRADE_ID}/events`,
  ]);
}

test("each event comes once through nginx, by WebSocket and event stream, from whichever server a client comes back to", async ({
  skip,
}) => {
  const place = await setting(skip, { servers: 2 });
  const { upgrade, servers } = place;
  const events = stream(place);
  await events.until((lines) => eventsIn(lines).length >= 2);
  const watching = watch(place, 40);
  const reporting = upgrade.report(400);
  await events.until((lines) => eventsIn(lines).length >= 60);
  await servers[0]?.kill();
  await reporting;
  await servers[0]?.startAgain();
  await upgrade.complete();
  const connections = await watching.ended;
  expectWholeLog(watching.messages, upgrade.lines());
  expect(connections).toBeGreaterThan(9);
  await expectWholeStream(place, events);
}, 60_000);

/** What one stream has, and another one that goes on where it ended, to the end. */
async function expectWholeStream(place: Setting, first: ReturnType<typeof program>): Promise<void> {
  const before = eventsIn(first.lines);
  const second = stream(place, lastId(before));
  await second.until((lines) => lines.some(isCompleted));
  const all = [...before, ...eventsIn(second.lines)].map(({ data }) => data);
  expectWholeLog(all, place.upgrade.lines());
}

const lastId = (events: readonly StreamEvent[]): string | undefined =>
  events.findLast(({ id }) => id !== undefined)?.id;

test("a page of the public name is at home behind TLS, one of another name is refused", async ({ skip }) => {
  const place = await setting(skip);
  const status = (origin: string): Promise<number | undefined> =>
    new Promise((resolve) => {
      const socket = open(place, { origin });
      socket.on("open", () => resolve(101));
      socket.on("unexpected-response", (_request, response) => resolve(response.statusCode));
      socket.on("error", () => undefined);
    });
  expect(await status(`https://${place.authority}`)).toBe(101);
  expect(await status(`http://${place.authority}`)).toBe(403);
  expect(await status("https://milepost.example.org")).toBe(403);
}, 30_000);

test("what was idle for longer than the proxy allows is cut, comes back, and has missed nothing", async ({ skip }) => {
  const place = await setting(skip, {
    change: (text) => replaced(text, { "proxy_read_timeout 60s": "proxy_read_timeout 2s" }),
  });
  const { upgrade } = place;
  const events = stream(place);
  await events.until((lines) => eventsIn(lines).length >= 2);
  const watching = watch(place);
  await upgrade.report(20);
  // 18: the answer ended before its end.
  expect(await events.ended).toBe(18);
  await watching.cut;
  await upgrade.report(20);
  await upgrade.complete();
  const connections = await watching.ended;
  expectWholeLog(watching.messages, upgrade.lines());
  expect(connections).toBeGreaterThan(1);
  await expectWholeStream(place, events);
}, 60_000);

test("nothing is cut that is idle for longer than the documented timeout", async ({ skip }) => {
  const place = await setting(skip);
  const { upgrade } = place;
  const events = stream(place);
  await events.until((lines) => eventsIn(lines).length >= 2);
  const watching = watch(place);
  // Comments every 20 s: the fourth is beyond the 60 s.
  await events.until((lines) => lines.filter((line) => line.startsWith(":")).length >= 4);
  await upgrade.report(5);
  await upgrade.complete();
  expect(await watching.ended).toBe(1);
  expectWholeLog(watching.messages, upgrade.lines());
  await events.until((lines) => lines.some(isCompleted));
}, 150_000);

test("an event stream is not held back by a proxy that buffers", async ({ skip }) => {
  const place = await setting(skip, {
    change: (text) => replaced(text, { "proxy_buffering off": "proxy_buffering on" }),
  });
  const events = stream(place);
  await events.until((lines) => eventsIn(lines).length >= 2);
  await place.upgrade.report(1);
  await events.until((lines) => eventsIn(lines).length >= 3);
}, 20_000);

test("an idle connection is kept for longer than a load balancer keeps it, so that none is reused as it ends", async () => {
  const server = await serverProcess({ storagePath: join(tempFolder(), "data") });
  const { headers } = await fetch(`${server.url}/healthz`);
  const [, seconds] = /timeout=(\d+)/.exec(headers.get("keep-alive") ?? "") ?? [];
  expect(Number(seconds)).toBeGreaterThan(60);
}, 20_000);
