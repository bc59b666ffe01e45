import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeAll, describe, expect, test } from "vitest";

import { tempFolder } from "../temp-folder.ts";
import { busyUpgrade, CHANNEL } from "./busy-upgrade.ts";
import { program, type Program } from "./program.ts";
import { pythonPrograms } from "./python.ts";
import { serverProcess } from "./server-process.ts";
import { expectWholeLog } from "./whole-log.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const CUTS = 3;

let programs: string;
beforeAll(async () => {
  programs = await pythonPrograms();
}, 300_000);

function client(script: string, url: string, env: Record<string, string>): Program {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return program(join(programs, "python"), [path, url, CHANNEL, `${CUTS}`], { env });
}

/** An auth file, for a server that lets nobody in without a token. */
function authFile(folder: string): string {
  const path = join(folder, "auth.json");
  const auth = { tokens: [{ name: "watcher", token: TOKEN, permissions: ["watch:*"] }] };
  writeFileSync(path, JSON.stringify(auth), { mode: 0o600 });
  return path;
}

describe.each(["watch_websockets.py", "watch_autobahn.py"])("%s", (script) => {
  test.each([
    ["without a token", undefined],
    ["with a token in the header", "header"],
    ["with a token in a message", "message"],
  ])(
    "gets each event once %s, over cut connections and a killed server",
    async (_title, by) => {
      const folder = tempFolder();
      const storagePath = join(folder, "data");
      const upgrade = busyUpgrade(storagePath);
      const options = by === undefined ? [] : ["--auth-file", authFile(folder)];
      const env = by === undefined ? {} : { TOKEN, TOKEN_BY: by };
      const server = await serverProcess({ storagePath, options });
      const { lines, until, ended } = client(script, server.webSocketUrl, env);
      await until(() => lines.length >= 3);
      const reporting = upgrade.report(700);
      await until(() => lines.length >= 150);
      await server.kill();
      await server.startAgain();
      await reporting;
      await upgrade.complete();
      expect(await ended).toBe(0);
      const { connections, types } = expectWholeLog(lines, upgrade.lines());
      // At least: a server that is starting up refuses connections, which does not count.
      expect(connections).toBeGreaterThanOrEqual(CUTS + 2);
      expect(types.filter((type) => type === "authenticated")).toHaveLength(by === "message" ? connections : 0);
      expect(types).not.toContain("error");
    },
    60_000,
  );
});

test("a wrong token is refused, in the header with 401, in a message with close code 4501", async () => {
  const folder = tempFolder();
  const server = await serverProcess({ storagePath: join(folder, "data"), options: ["--auth-file", authFile(folder)] });
  const script = `
import asyncio, json, sys
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
async def main(url):
    try:
        await connect(url, additional_headers={"Authorization": "Bearer " + "x" * 32}, proxy=None)
    except InvalidStatus as refused:
        print(refused.response.status_code)
    async with connect(url, proxy=None) as socket:
        await socket.recv()
        await socket.send(json.dumps({"type": "authenticate", "token": "x" * 32}))
        print(json.loads(await socket.recv())["code"])
        try:
            await socket.recv()
        except ConnectionClosed as closed:
            print(closed.rcvd.code)
asyncio.run(main(sys.argv[1]))
`;
  const { lines, ended } = program(join(programs, "python"), ["-c", script, server.webSocketUrl]);
  expect(await ended).toBe(0);
  expect(lines).toEqual(["401", "UNAUTHENTICATED", "4501"]);
}, 30_000);
