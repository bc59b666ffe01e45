import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import { usualDurations, type UsualDurations } from "../../src/view/estimate/usual-durations.ts";
import { UsualTally, type UsualTimes } from "../../src/view/estimate/usual-times.ts";

export function usualTimes(earlier: readonly UpgradeProgress[]): UsualTimes {
  const tally = new UsualTally();
  for (const upgrade of earlier) tally.take(upgrade);
  return tally.times();
}

/** What these upgrades tell, asked as a browser asks that has read it from the server. */
export const toldBy = (earlier: readonly UpgradeProgress[]): UsualDurations =>
  usualDurations(JSON.parse(JSON.stringify(usualTimes(earlier))) as UsualTimes);
