import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import { usualDurations, type UsualDurations } from "../../src/view/estimate/usual-durations.ts";
import { usualTimes } from "../../src/view/estimate/usual-times.ts";

/** What these upgrades tell, asked as a browser asks that has read it from the server. */
export const toldBy = (earlier: readonly UpgradeProgress[]): UsualDurations =>
  usualDurations(JSON.parse(JSON.stringify(usualTimes(earlier))) as ReturnType<typeof usualTimes>);
