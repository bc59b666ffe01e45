/** How smooth the dashboard is with 10,000 tasks, and with 1,000 upgrades, while 100 events a second come. */

import { buildDashboard } from "../scripts/build-dashboard.ts";
import { measurePage, type PageLoad } from "./dashboard/measure-page.ts";
import { row, spread, title } from "./measure.ts";
import { temporaryFolder } from "./subjects.ts";

const SECONDS = 60;
const PER_SECOND = 100;

export async function dashboard(): Promise<void> {
  await buildDashboard();
  await smoothness(`Dashboard: 10,000 tasks, 20,000 events, then ${PER_SECOND} a second`, "tasks", 20_000);
  await smoothness("The same with the timeline in front", "timeline", 20_000);
  await smoothness(`Dashboard: 1,000 upgrades, ${PER_SECOND} of them change in a second`, "fleet", 1_000);
}

async function smoothness(name: string, subject: PageLoad["subject"], before: number): Promise<void> {
  title(`${name}, for ${SECONDS} s`);
  const load = { storagePath: temporaryFolder(), before, perSecond: PER_SECOND, seconds: SECONDS };
  const { firstPaintMs, firstUpgradeMs, ...smooth } = await measurePage({ subject, ...load });
  row("first paint, ms", firstPaintMs.toFixed(0), "reach 1000");
  row("what it shows is there, ms", firstUpgradeMs.toFixed(0));
  row("longest task, ms", smooth.longestTaskMs.toFixed(0), "reach 200");
  row("tasks over 50 ms", String(smooth.longTasks));
  row("main thread at work, %", (smooth.mainThreadShare * 100).toFixed(1));
  row("frames in a second", spread(smooth.framesPerSecond), "reach 30");
  row("memory in use, MB", spread(smooth.heapBytes, 1e6));
  row("memory, growth in MB an hour", smooth.heapSlopeMbPerHour.toFixed(1), "reach 5");
}
