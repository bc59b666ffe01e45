/** How smooth a page is while what it shows goes on: long tasks, frames, memory, and how soon there is something to see. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import packaged from "@sparticuz/chromium";
import { chromium, type CDPSession, type Page } from "playwright-core";

import { createStorageServer } from "../../src/server/storage-server.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";

export interface PageLoad {
  readonly storagePath: string;
  /** Which page: of an upgrade of 10,000 tasks, with its tasks or its timeline in front, or the list of many upgrades. */
  readonly subject: keyof typeof SUBJECTS;
  /** What there is before the page is opened: events beside those that add the tasks, or upgrades. */
  readonly before: number;
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Smoothness {
  /** From the beginning of the navigation to the first thing painted, and to the upgrade being there. */
  readonly firstPaintMs: number;
  readonly firstUpgradeMs: number;
  /** The longest task while it went on, 0 when none took 50 ms. */
  readonly longestTaskMs: number;
  readonly longTasks: number;
  /** The part of the time in which the page's main thread computed, 0 to 1: in time of a processor, which a busy machine does not change. */
  readonly mainThreadShare: number;
  /** Frames in each second. */
  readonly framesPerSecond: readonly number[];
  /** What is in use after a garbage collection, one for each sample. */
  readonly heapBytes: readonly number[];
  /** Slope of a line through the samples of the second half, when caches are full. */
  readonly heapSlopeMbPerHour: number;
}

/** What writes, where the page is, and what is there once it is. */
const SUBJECTS = {
  tasks: { writer: new URL("writer.ts", import.meta.url), path: "/upgrades/large", row: ".row", isRead: ".feed-count" },
  timeline: {
    writer: new URL("writer.ts", import.meta.url),
    path: "/upgrades/large?tab=timeline",
    row: ".lane",
    isRead: ".feed-count",
  },
  fleet: { writer: new URL("fleet-writer.ts", import.meta.url), path: "/", row: ".fleet-row", isRead: ".fleet-row" },
} as const;

/** Counts in the page. What a task takes is known only to the browser; what a frame is, to the page. */
const WATCH = `(() => {
  const seen = { longest: 0, count: 0, frames: [] };
  globalThis.smoothness = seen;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) { seen.count += 1; seen.longest = Math.max(seen.longest, duration); }
  }).observe({ entryTypes: ["longtask"] });
  let second = 0, frames = 0;
  const frame = (at) => {
    if (Math.floor(at / 1000) !== second) { if (second > 0) seen.frames.push(frames); second = Math.floor(at / 1000); frames = 0; }
    frames += 1;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})()`;

/** Opens a page in a real browser and watches it while events come. */
export async function measurePage({ subject, storagePath, ...load }: PageLoad): Promise<Smoothness> {
  const { before, perSecond, seconds } = load;
  const { path, row, isRead, ...by } = SUBJECTS[subject];
  const writer = fork(by.writer, [storagePath, `${before}`, `${perSecond}`, `${seconds}`], {
    execArgv: ["--conditions=milepost-source"],
  });
  await once(writer, "message");
  const server = createStorageServer({ storage: jsonLines({ path: storagePath }), port: 0 });
  const { port } = await server.listen();
  const installed = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  const executablePath = installed ?? (await packaged.executablePath());
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`http://127.0.0.1:${port}${path}`);
    await page.locator(row).first().waitFor();
    const paints = await paintTimes(page);
    // What is read once, all that has happened before, is not what goes on.
    await page.locator(isRead).first().waitFor();
    await sleep(3_000);
    await page.evaluate(WATCH);
    writer.send("go");
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const spentBefore = await spentSeconds(session);
    const heapBytes = await sampleHeap(session, seconds);
    const mainThreadShare = ((await spentSeconds(session)) - spentBefore) / seconds;
    const { longest, count, frames } = await page.evaluate<{ longest: number; count: number; frames: number[] }>(
      "globalThis.smoothness",
    );
    return {
      ...paints,
      longestTaskMs: longest,
      longTasks: count,
      mainThreadShare,
      framesPerSecond: frames,
      heapBytes,
      heapSlopeMbPerHour: slope(heapBytes.slice(Math.floor(heapBytes.length / 2)), seconds / SAMPLES),
    };
  } finally {
    await browser.close();
    writer.kill();
    await server.close();
  }
}

const paintTimes = (page: Page): Promise<Pick<Smoothness, "firstPaintMs" | "firstUpgradeMs">> =>
  page.evaluate(`({
    firstPaintMs: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
    firstUpgradeMs: performance.now(),
  })`);

const SAMPLES = 24;

async function spentSeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? NaN;
}

async function sampleHeap(session: CDPSession, seconds: number): Promise<readonly number[]> {
  await session.send("HeapProfiler.enable");
  const bytes: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    await sleep((seconds * 1000) / SAMPLES);
    bytes.push(Math.min(await usedBytes(session), await usedBytes(session), await usedBytes(session)));
  }
  return bytes;
}

/** What one collection leaves may be in use for that very moment only: the least of some is what is held. */
async function usedBytes(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  return (await session.send("Runtime.getHeapUsage")).usedSize;
}

/** Least squares, in MB per hour. */
function slope(samples: readonly number[], everySeconds: number): number {
  const middle = (samples.length - 1) / 2;
  const mean = samples.reduce((sum, each) => sum + each, 0) / samples.length;
  const over = samples.reduce((sum, each, index) => sum + (index - middle) * (each - mean), 0);
  const under = samples.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
  return ((over / under) * (3600 / everySeconds)) / 1e6;
}
