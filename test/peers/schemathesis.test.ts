import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeAll, expect, test } from "vitest";

import { tempFolder } from "../temp-folder.ts";
import { busyUpgrade } from "./busy-upgrade.ts";
import { program } from "./program.ts";
import { pythonPrograms } from "./python.ts";
import { serverProcess } from "./server-process.ts";

const CONFIGURATION = fileURLToPath(new URL("schemathesis.toml", import.meta.url));
/** What it found is worth reading; a body of megabytes that it found it with is not. */
const LONGEST_LINE = 300;

let programs: string;
beforeAll(async () => {
  programs = await pythonPrograms();
}, 300_000);

/** Runs all its checks on a server of its own with an upgrade in it. Resolves with its exit code and what it says. */
async function tried(serverOptions: readonly string[], options: readonly string[]) {
  const folder = tempFolder();
  const storagePath = join(folder, "data");
  await busyUpgrade(storagePath).report(20);
  const server = await serverProcess({ storagePath, options: serverOptions });
  const args = [
    ...["--config-file", CONFIGURATION, "run", `${server.url}/openapi.json`],
    ...["--no-color", "--seed", "1", "--request-timeout", "35", ...options],
  ];
  const { ended, lines } = program(join(programs, "schemathesis"), args, { cwd: folder });
  const code = await ended;
  const said = lines.map((line) => line.slice(0, LONGEST_LINE)).join("\n");
  return { code, said: said.slice(Math.max(0, said.indexOf("= FAILURES ="))), stopped: await server.stop() };
}

test("the server does what its OpenAPI document says, whatever it is sent, and sends no 5xx", async () => {
  const { code, said, stopped } = await tried([], ["--max-time", "60", "--max-examples", "60"]);
  expect(code, said).toBe(0);
  expect(stopped).toBe(0);
}, 180_000);

test("so it does for those who have no credentials where they are needed", async () => {
  const authFile = join(tempFolder(), "auth.json");
  const tokens = [{ name: "ops", token: "0123456789abcdef0123456789abcdef", permissions: ["report:*"] }];
  writeFileSync(authFile, JSON.stringify({ tokens }), { mode: 0o600 });
  const { code, said } = await tried(
    ["--auth-file", authFile],
    ["--phases", "coverage,fuzzing", "--max-examples", "10"],
  );
  expect(code, said).toBe(0);
}, 180_000);
