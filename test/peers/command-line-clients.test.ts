import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { expect, test } from "vitest";

import { tempFolder } from "../temp-folder.ts";
import { busyUpgrade, UPGRADE_ID, type BusyUpgrade } from "./busy-upgrade.ts";
import { eventsIn } from "./event-stream.ts";
import { program, type Program } from "./program.ts";
import { run } from "./python.ts";
import { serverProcess } from "./server-process.ts";
import { expectSameLines, expectWholeLog } from "./whole-log.ts";

/** What a program printed. */
type Said = Readonly<Record<"stdout" | "stderr", string>>;

const EVENTS_PATH = `/api/v1/upgrades/${UPGRADE_ID}/events`;
const isCompleted = (lines: readonly string[]): boolean =>
  lines.some((line) => line.includes('"type":"upgrade.completed"'));

test("curl -N gets the state and then each event, and goes on by Last-Event-ID where it was", async () => {
  const storagePath = join(tempFolder(), "data");
  const upgrade = busyUpgrade(storagePath);
  const server = await serverProcess({ storagePath });
  const curl = (...headers: string[]) =>
    program("curl", [
      ..."-sSN --max-time 30 -H Accept:text/event-stream".split(" "),
      ...headers.flatMap((header) => ["-H", header]),
      server.url + EVENTS_PATH,
    ]);
  const first = curl();
  await first.until((lines) => eventsIn(lines).length >= 2);
  const reporting = upgrade.report(300);
  await first.until((lines) => eventsIn(lines).length >= 100);
  await first.kill();
  const before = eventsIn(first.lines);
  expect(before.slice(0, 3).map(({ name }) => name)).toEqual(["snapshot", "subscribed", undefined]);
  const second = curl(`Last-Event-ID: ${before.findLast(({ id }) => id !== undefined)?.id}`);
  await reporting;
  await upgrade.complete();
  await second.until(isCompleted);
  const after = eventsIn(second.lines);
  expect(after.map(({ name }) => name).slice(0, 2)).toEqual(["subscribed", undefined]);
  const all = [...before, ...after];
  expectWholeLog(
    all.map(({ data }) => data),
    upgrade.lines(),
  );
  const unnamed = all.filter(({ name }) => name === undefined);
  expect(unnamed.map(({ id }) => id)).toEqual(
    unnamed.map(({ data }) => (JSON.parse(data) as { cursor: string }).cursor),
  );
}, 60_000);

test("curl -N gets a large state in parts, of which only the last is a place to come back to", async () => {
  const storagePath = join(tempFolder(), "data");
  const { tracker } = busyUpgrade(storagePath);
  tracker.addTasks(Array.from({ length: 3_000 }, (_, index) => ({ taskId: `t${index}`, taskName: `Node ${index}` })));
  const server = await serverProcess({ storagePath });
  const curl = program("curl", ["-sN", "-H", "Accept: text/event-stream", server.url + EVENTS_PATH]);
  await curl.until((lines) => eventsIn(lines).some(({ name }) => name === "subscribed"));
  const parts = eventsIn(curl.lines).filter(({ name }) => name === "snapshot");
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.map(({ id }) => id !== undefined)).toEqual(parts.map((_, index) => index === parts.length - 1));
}, 30_000);

test("curl gets the stored lines, byte for byte, as NDJSON at the same address, page by page", async () => {
  const storagePath = join(tempFolder(), "data");
  const upgrade = busyUpgrade(storagePath);
  const server = await serverProcess({ storagePath });
  await upgrade.report(150);
  await upgrade.complete();
  const pages: string[] = [];
  const asNdjson = ["-sSf", "-H", "Accept: application/x-ndjson", "-w", "%{stderr}%header{link}"];
  // The last page names no next one.
  for (let query: string | undefined = "?limit=40"; query !== undefined;) {
    const { stdout, stderr }: Said = await run("curl", [...asNdjson, server.url + EVENTS_PATH + query]);
    pages.push(stdout);
    query = /<(.*)>; rel="next"/.exec(stderr)?.[1];
  }
  expect(pages.length).toBe(4);
  const stored = await readFile(join(storagePath, "upgrades", UPGRADE_ID, "journal", "1.jsonl"), "utf8");
  const lines = stored.split("\n").slice(1);
  expectSameLines(pages.join("").split("\n"), lines);
}, 30_000);

/** By its name, as the documents have it: a server is at 127.0.0.1, and the name may mean ::1 too. */
function wscat(port: number): Program {
  const path = join(dirname(createRequire(import.meta.url).resolve("wscat/package.json")), "bin", "wscat");
  return program(process.execPath, [path, "-c", `ws://localhost:${port}`]);
}

async function expectAll({ lines, until }: Program, upgrade: BusyUpgrade): Promise<void> {
  await until(() => lines.length >= 3);
  await upgrade.report(100);
  await upgrade.complete();
  await until(isCompleted);
  const { types } = expectWholeLog(lines, upgrade.lines());
  expect(types.slice(0, 3)).toEqual(["welcome", "snapshot", "subscribed"]);
}

test("wscat -c prints welcome, the state and each event of a server's only upgrade", async () => {
  const storagePath = join(tempFolder(), "data");
  const upgrade = busyUpgrade(storagePath);
  const server = await serverProcess({ storagePath });
  await expectAll(wscat(server.port), upgrade);
}, 30_000);

test("and of a tracker that serves itself", async () => {
  const upgrade = busyUpgrade(join(tempFolder(), "data"), { enableWebsocket: true, websocketPort: 0 });
  expect(await upgrade.tracker.startWebsocketServer()).toBe(true);
  await expectAll(wscat(upgrade.tracker.websocket.getServerInfo().port), upgrade);
}, 30_000);
