/** The examples of docs/http.md, run against a real server. */

import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { serve } from "./serve.ts";

const run = promisify(execFile);
const example = (name: string): string => join(import.meta.dirname, "../../../examples", name);

test.each([
  ["curl", ["--version"], "bash", "report.curl.sh"],
  ["python3", ["--version"], "python3", "report.py"],
] as const)("[D1] with %s alone an upgrade is reported from its beginning to its end", async (...given) => {
  const [program, version, interpreter, script] = given;
  // No skip: a machine without it has not seen the example work.
  expect([program, spawnSync(program, version).status]).toEqual([program, 0]);
  const server = await serve();
  const env = { ...process.env, MILEPOST_SERVER: server.url, MILEPOST_TOKEN: "any-token-is-taken-on-loopback" };
  const { stdout } = await run(interpreter, [example(script)], { env, timeout: 20_000 });
  const summary = JSON.parse(stdout);
  expect(summary).toMatchObject({ clusterName: "my-cluster", status: "completed", completedTasks: 2, totalTasks: 2 });
  const { json } = await server.get(`/api/v1/upgrades/${summary.upgradeId}`);
  expect(json.tasks.map((task: { completedSteps: number }) => task.completedSteps)).toEqual([6, 6]);
});
