/** Pages of much stay smooth for as long as somebody looks at them. Needs a machine that does nothing else. */

import { expect, it } from "vitest";

import { measurePage, type PageLoad } from "../../bench/dashboard/measure-page.ts";
import { tempFolder } from "../temp-folder.ts";

async function expectSmooth(load: Omit<PageLoad, "storagePath" | "perSecond">) {
  const smooth = await measurePage({ storagePath: tempFolder(), perSecond: 100, ...load });
  const frames = smooth.framesPerSecond.toSorted((a, b) => a - b);
  expect(smooth.firstPaintMs).toBeLessThan(1000);
  expect(smooth.longestTaskMs).toBeLessThan(200);
  expect(frames[Math.floor(frames.length / 2)]).toBeGreaterThanOrEqual(30);
  expect(smooth.mainThreadShare).toBeLessThan(0.5);
  return smooth;
}

it("stays smooth with 10,000 tasks and 20,000 events at 100 events a second, in memory that does not grow", async () => {
  // So many were there before: what a page holds of a log is full.
  const smooth = await expectSmooth({ subject: "tasks", before: 20_000, seconds: 200 });
  expect(smooth.heapSlopeMbPerHour).toBeLessThan(5);
});

it("stays smooth with the timeline of 10,000 tasks in front at 100 events a second", async () => {
  await expectSmooth({ subject: "timeline", before: 10_000, seconds: 40 });
});

it("stays smooth with 1,000 upgrades of which 100 change in a second", async () => {
  await expectSmooth({ subject: "fleet", before: 1_000, seconds: 40 });
});
