import { createContext, runInContext } from "node:vm";

import { rolldown } from "rolldown";
import { expect, test } from "vitest";

import * as client from "milepost/client";

import { fold, testLog } from "../model/log.ts";
import { ScriptedServer } from "./client/scripted-server.ts";

/** What a browser has, and Node's own globals are not among it. */
const BROWSER = { WebSocket, URL, AbortController, setTimeout, clearTimeout, performance, console };

async function bundle(): Promise<string> {
  const made = await rolldown({ input: "src/stream/client.ts", platform: "browser" });
  const { output } = await made.generate({ format: "iife", name: "client" });
  await made.close();
  expect(output).toHaveLength(1);
  expect(output[0].imports).toEqual([]);
  return output[0].code;
}

test("milepost/client exports these names and no others", () => {
  expect(Object.keys(client).sort()).toEqual([
    "MilepostError",
    "isMilepostError",
    "upgradeFromJson",
    "watch",
    "watchFleet",
  ]);
});

test("the client is one file that imports nothing, and works where there is nothing of Node", async () => {
  const log = testLog();
  log.give({ type: "startUpgrade" });
  const server = await ScriptedServer.start();
  const context = createContext({ ...BROWSER, location: { href: server.url.replace("ws:", "http:") } });
  runInContext(await bundle(), context);
  const shown = runInContext(
    `(async () => {
      for await (const { state, event } of client.watch("/ws", { channel: "upgrade:upgrade-123" })) {
        if (event !== undefined) return [typeof process, typeof Buffer, state.status, event.type].join(" ");
      }
    })()`,
    context,
  ) as Promise<string>;
  const peer = await server.peer();
  expect(peer.url.pathname).toBe("/ws");
  const before = log.events.length - 1;
  peer.begin(fold(log.events.slice(0, before))).say(...log.events.slice(before));
  expect(await shown).toBe("undefined undefined in_progress upgrade.started");
});
