/** A receiver that is away for an hour while a million events are behind it (N15). */

import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { expect, it, onTestFinished } from "vitest";

import { killNow, startChild, type Child } from "../faults/child.ts";
import { quickFolder } from "../faults/quick-folder.ts";

const MANY = 1_000_000;
const FEW = 1_000;
const MOST_MORE = 20 * 2 ** 20;
const CAUGHT_UP = 50_000;

interface Behind {
  readonly child: Child;
  readonly heap: number;
  readonly rss: number;
}

async function behind(events: number, port: number): Promise<Behind> {
  const path = quickFolder();
  const writer = startChild("../long/notify-behind-child.ts", [path, events, port]);
  expect(await writer.ended, writer.lines.join("\n")).toBe(0);
  const child = startChild("../long/notify-behind-child.ts", [path, 0, port]);
  onTestFinished(() => killNow(child));
  const line = await child.until("behind ");
  if (line === undefined) throw new Error(child.lines.join("\n"));
  const [heap = 0, rss = 0] = line.split(" ").slice(1).map(Number);
  return { child, heap, rss };
}

it("a million events behind a dead endpoint take no more memory than a thousand, and are told a thousand a second when it is back (N15)", async () => {
  const told = new Set<string>();
  const server = createServer((request, response) => {
    told.add(String(request.headers["webhook-id"]));
    request.resume();
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));

  const few = await behind(FEW, port);
  await killNow(few.child);
  const many = await behind(MANY, port);
  const mb = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  console.log(
    `N15: ${MANY} events behind: heap ${mb(many.heap)} MB (${FEW}: ${mb(few.heap)}), resident ${mb(many.rss)} MB (${mb(few.rss)})`,
  );
  expect(many.heap - few.heap).toBeLessThan(MOST_MORE);
  expect(many.rss - few.rss).toBeLessThan(MOST_MORE);

  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  many.child.process.stdin?.write("go\n");
  const until = async (count: number): Promise<number> => {
    while (told.size < count) await new Promise((resolve) => setTimeout(resolve, 10));
    return performance.now();
  };
  const begun = await until(1_000);
  const first = told.size;
  const spent = (await until(CAUGHT_UP)) - begun;
  const perSecond = ((told.size - first) / spent) * 1_000;
  console.log(`N15: back again: ${perSecond.toFixed(0)} events a second`);
  expect(perSecond).toBeGreaterThan(1_000);
}, 1_200_000);
