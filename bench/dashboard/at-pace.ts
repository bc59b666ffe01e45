/** Doing something so many times a second, for a while. */

import { setTimeout as sleep } from "node:timers/promises";

/** A timer that is late makes up for it. */
const TICK_MS = 10;

/** Calls `report` so often. Both numbers come from a command line. */
export async function atPace(perSecond: string, seconds: string, report: () => void): Promise<void> {
  const began = performance.now();
  let told = 0;
  for (;;) {
    const passed = (performance.now() - began) / 1000;
    if (passed >= Number(seconds)) return;
    for (const due = Math.floor(passed * Number(perSecond)); told < due; told++) report();
    await sleep(TICK_MS);
  }
}
