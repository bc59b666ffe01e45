/** How smooth the dashboard is with 10,000 tasks while 100 events a second come. */

import { buildDashboard } from "../scripts/build-dashboard.ts";
import { measurePage } from "./dashboard/measure-page.ts";
import { row, spread, title } from "./measure.ts";
import { temporaryFolder } from "./subjects.ts";

const SECONDS = 60;
const PER_SECOND = 100;

export async function dashboard(): Promise<void> {
  await buildDashboard();
  title(`Dashboard: 10,000 tasks, 20,000 events, then ${PER_SECOND} a second for ${SECONDS} s`);
  const load = { storagePath: temporaryFolder(), eventsBefore: 20_000, perSecond: PER_SECOND, seconds: SECONDS };
  const { firstPaintMs, firstUpgradeMs, ...smooth } = await measurePage(load);
  row("first paint, ms", firstPaintMs.toFixed(0), "reach 1000");
  row("the upgrade is there, ms", firstUpgradeMs.toFixed(0));
  row("longest task, ms", smooth.longestTaskMs.toFixed(0), "reach 200");
  row("tasks over 50 ms", String(smooth.longTasks));
  row("main thread at work, %", (smooth.mainThreadShare * 100).toFixed(1));
  row("frames in a second", spread(smooth.framesPerSecond), "reach 30");
  row("memory in use, MB", spread(smooth.heapBytes, 1e6));
  row("memory, growth in MB an hour", smooth.heapSlopeMbPerHour.toFixed(1), "reach 5");
}
