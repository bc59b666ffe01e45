/** A reader behind a link of 1 kB a second (W08), the link being the system's own. The same through a proxy: test/server/slow-link.test.ts. */

import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { expect, onTestFinished, test } from "vitest";

import { tempFolder } from "../temp-folder.ts";
import type { SlowLinkResult } from "./slow-link-child.ts";

const SECONDS = 90;
const MIB = 1024 * 1024;
/** A network of its own, and shaping in it, take a privilege. */
const isAllowed =
  spawnSync("unshare", ["--net", "sh", "-c", "ip link set lo up && tc qdisc add dev lo root handle 1: htb"]).status ===
  0;

test.skipIf(!isAllowed)(
  `W08: a reader behind 1 kB a second amid 1,000 updates a second: nobody else notices, memory stays, and it ends in the exact state without a gap`,
  async () => {
    const file = join(import.meta.dirname, "slow-link-child.ts");
    const node = [process.execPath, "--conditions=milepost-source", file, tempFolder(), String(SECONDS)];
    const child = spawn("unshare", ["--net", "--kill-child", ...node], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    let result: SlowLinkResult | undefined;
    for await (const line of createInterface(child.stdout))
      if (line.startsWith("result ")) result = JSON.parse(line.slice("result ".length)) as SlowLinkResult;
    if (result === undefined) throw new Error("it ended without a result");
    const { updates, memoryBytes, slow, slowSeq, others } = result;
    console.log(`W08: ${JSON.stringify(result)}`);
    expect(updates).toBe(SECONDS * 1_000);
    // It was slow, and it was cut for it.
    expect(slowSeq).toBeLessThan(updates / 10);
    expect(slow.connections).toBeGreaterThan(1);
    expect(slow).toMatchObject({ isExact: true, gaps: 0, resets: 0 });
    for (const other of others) {
      expect(other).toMatchObject({ isExact: true, gaps: 0, resets: 0, stretches: 0, connections: 1 });
      expect(other.events).toBe(others[0]?.events);
    }
    // A queue for it would hold all: 30 MB, some of them as objects.
    expect(memoryBytes.atLast - memoryBytes.atFirst).toBeLessThan(64 * MIB);
  },
);
