/** A process that follows a storage as `milepost start` does, and says what that costs it, and what it is told when. */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { readdirSync } from "node:fs";

import { storageUpgrades } from "../../src/server/storage-upgrades.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { Fleet } from "../../src/stream/fleet.ts";
import { Hub } from "../../src/stream/hub.ts";

/** What it says once it is open. */
export interface Opened {
  readonly upgrades: number;
  readonly openMs: number;
  readonly openCpuMs: number;
  readonly loopMaxMs: number;
  readonly rssMb: number;
  readonly descriptors: number;
}

/** What it says of the time afterwards. */
export interface Followed {
  /** Processor time per second, ms. */
  readonly cpuMsPerSecond: number;
  readonly loopMaxMs: number;
  readonly loopP99Ms: number;
}

const [path = "", idleSeconds = "10"] = process.argv.slice(2);
const say = (message: object): void => void process.send?.(message);
const epochMs = (): number => performance.timeOrigin + performance.now();

async function idle(seconds: number): Promise<Followed> {
  // A finer one would be most of what it measures.
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const { user, system } = process.cpuUsage(before);
  delay.disable();
  return {
    cpuMsPerSecond: (user + system) / 1000 / seconds,
    loopMaxMs: delay.max / 1e6,
    loopP99Ms: delay.percentile(99) / 1e6,
  };
}

const storage = jsonLines({ path });
const upgrades = storageUpgrades(storage);
const hub = new Hub({ upgrades });
const fleet = new Fleet({ upgrades, hub });
const rssBefore = process.memoryUsage().rss;
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
// It measures from one turn of the loop to another, and the listing is done in the first one.
await new Promise((resolve) => setTimeout(resolve, 50));
const started = performance.now();
const cpuBefore = process.cpuUsage();
await fleet.start();
const cpu = process.cpuUsage(cpuBefore);
const openMs = performance.now() - started;
delay.disable();
say({
  opened: {
    upgrades: fleet.list().length,
    openMs,
    openCpuMs: (cpu.user + cpu.system) / 1000,
    loopMaxMs: delay.max / 1e6,
    rssMb: (process.memoryUsage().rss - rssBefore) / 2 ** 20,
    descriptors: readdirSync("/proc/self/fd").length,
  } satisfies Opened,
});
fleet.watch({}, ({ upgradeId, cursor }) => say({ told: { upgradeId, cursor, atMs: epochMs() } }));
say({ idle: await idle(Number(idleSeconds)) });
process.on("message", (message) => {
  if (message === "busy") void idle(Number(idleSeconds)).then((busy) => say({ busy }));
  else process.exit(0);
});
