/** The page of a large upgrade stays smooth for as long as somebody looks at it. Needs a machine that does nothing else. */

import { expect, it } from "vitest";

import { measurePage } from "../../bench/dashboard/measure-page.ts";
import { tempFolder } from "../temp-folder.ts";

it("stays smooth with 10,000 tasks and 20,000 events at 100 events a second", async () => {
  const smooth = await measurePage({
    storagePath: tempFolder(),
    eventsBefore: 0,
    perSecond: 100,
    seconds: 200,
  });
  const frames = smooth.framesPerSecond.toSorted((a, b) => a - b);
  expect(smooth.firstPaintMs).toBeLessThan(1000);
  expect(smooth.longestTaskMs).toBeLessThan(200);
  expect(frames[Math.floor(frames.length / 2)]).toBeGreaterThanOrEqual(30);
  expect(smooth.mainThreadShare).toBeLessThan(0.5);
  expect(smooth.heapSlopeMbPerHour).toBeLessThan(5);
});
