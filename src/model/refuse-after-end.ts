/** What a finished upgrade no longer takes. */

import { MilepostError, shown } from "../errors.ts";
import type { UpgradeProgress } from "./upgrade.ts";
import { isFinalUpgradeStatus } from "./vocabulary.ts";

/** @throws ILLEGAL_TRANSITION when the upgrade has ended. */
export function refuseAfterEnd(state: UpgradeProgress, command: string, taskId: string): void {
  if (!isFinalUpgradeStatus(state.status)) return;
  throw new MilepostError(
    "ILLEGAL_TRANSITION",
    `${command} ${shown(taskId)}: upgrade ${shown(state.upgradeId)} is ${state.status}; startUpgrade begins its next run`,
    {
      context: { upgradeId: state.upgradeId, taskId, from: state.status },
    },
  );
}
