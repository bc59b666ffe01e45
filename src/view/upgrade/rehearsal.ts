/** Telling a rehearsal, which touches no cluster, from an upgrade. */

import type { UpgradeProgress } from "../../model/upgrade.ts";

const NAME = "rehearsal";

/** True for what `milepost demo` and `milepost start --demo` record. */
export function isRehearsal({ planId, clusterName }: Pick<UpgradeProgress, "planId" | "clusterName">): boolean {
  return planId === NAME && clusterName === NAME;
}
