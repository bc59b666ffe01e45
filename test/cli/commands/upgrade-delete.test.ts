import { setTimeout as sleep } from "node:timers/promises";

import { expect, it } from "vitest";

import { createStorageServer } from "../../../src/server/storage-server.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { openTracker } from "../../../src/tracker/open.ts";
import { runAwaiting } from "../../../src/tracker/steps.ts";
import { run, temporaryFolder } from "../command-line.ts";

/** A folder with an upgrade that has a finished run. */
async function stored(): Promise<string> {
  const folder = temporaryFolder();
  for (const verb of [["start"], ["complete"], ["start"]]) {
    const { exitCode } = await run(["upgrade", ...verb, "--id", "u", "--storage-path", folder]);
    expect(exitCode).toBe(0);
  }
  return folder;
}

const refsIn = async (path: string): Promise<readonly string[]> =>
  (await jsonLines({ path }).list()).map(({ ref }) => ref);

it("deletes an upgrade with its finished runs when --yes is said, and nothing without it", async () => {
  const folder = await stored();
  const ask = (...more: string[]) => run(["upgrade", "delete", ...more, "--storage-path", folder]);
  const unsaid = await ask("u");
  expect([unsaid.exitCode, unsaid.stderr]).toEqual([2, expect.stringContaining("pass --yes")]);
  expect([...(await refsIn(folder))].sort()).toEqual(["u", "u@1"]);
  expect((await ask("u@1", "--yes")).stderr).toContain("INVALID_ID");
  const done = await ask("u", "--yes");
  expect([done.exitCode, done.stdout]).toEqual([0, "deleted u\n"]);
  expect(await refsIn(folder)).toEqual([]);
  const again = await ask("u", "--yes", "--json");
  expect([again.exitCode, again.stderr]).toEqual([3, expect.stringContaining("UNKNOWN_UPGRADE")]);
});

it("does not delete what a process holds, and waits for one that lets go", async () => {
  const folder = await stored();
  const { tracker } = await runAwaiting(openTracker({ storage: jsonLines({ path: folder }), upgradeId: "u" }));
  const held = await run(["upgrade", "delete", "u", "--yes", "--timeout", "50ms", "--storage-path", folder]);
  expect([held.exitCode, held.stderr]).toEqual([5, expect.stringContaining("LOCKED")]);
  expect(await refsIn(folder)).toContain("u");
  const waiting = run(["upgrade", "delete", "u", "--yes", "--storage-path", folder, "--json"]);
  // Long enough for it to have been refused once.
  await sleep(400);
  expect(await refsIn(folder)).toContain("u");
  await tracker.close();
  expect((await waiting).stdout).toBe('{"deleted":"u"}\n');
});

it("deletes on a server, with its words when that refuses", async () => {
  const folder = await stored();
  const server = createStorageServer({ storage: jsonLines({ path: folder }), port: 0 });
  const { port } = await server.listen();
  try {
    const ask = (...more: string[]) =>
      run(["upgrade", "delete", "u", "--server", `http://127.0.0.1:${port}`, "--timeout", "2s", ...more]);
    expect((await ask()).exitCode).toBe(2);
    expect(await refsIn(folder)).toContain("u");
    expect((await ask("--yes")).stdout).toBe("deleted u\n");
    expect(await refsIn(folder)).toEqual([]);
    const again = await ask("--yes");
    expect([again.exitCode, again.stderr]).toEqual([3, expect.stringContaining("UNKNOWN_UPGRADE")]);
  } finally {
    await server.close();
  }
});
