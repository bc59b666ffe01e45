/** Finding upgrades in a storage. */

import { isMilepostError, MilepostError, shown } from "../errors.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../model/vocabulary.ts";
import type { LogHolder, Storage } from "../storage/storage.ts";
import { readUpgrade } from "../tracker/read.ts";

/** An upgrade as it was found: readable or not. */
export type FoundUpgrade =
  | {
      readonly ref: string;
      readonly upgradeId: string;
      readonly state: UpgradeProgress;
      readonly holder: LogHolder | undefined;
    }
  | { readonly ref: string; readonly upgradeId: string; readonly error: Error };

/** The upgrades of a storage, the newest first; what cannot be read comes last. Finished runs only with `withRuns`. */
export async function findUpgrades(
  storage: Storage,
  { withRuns = false }: { readonly withRuns?: boolean } = {},
): Promise<readonly FoundUpgrade[]> {
  const found: FoundUpgrade[] = [];
  for (const { ref, upgradeId, run } of await storage.list()) {
    if (run !== undefined && !withRuns) continue;
    try {
      found.push({ ref, upgradeId, ...(await readUpgrade(storage, ref)) });
    } catch (error) {
      // One damaged log must not hide the others. One that is gone was deleted meanwhile.
      if (!isMilepostError(error, "UNKNOWN_UPGRADE")) found.push({ ref, upgradeId, error: error as Error });
    }
  }
  return found.sort((a, b) => newestMs(b) - newestMs(a) || (a.ref < b.ref ? -1 : 1));
}

function newestMs(upgrade: FoundUpgrade): number {
  if ("error" in upgrade) return -Infinity;
  const time = upgrade.state.startedAt ?? upgrade.state.clock.lastTime;
  return time === null ? 0 : Date.parse(time);
}

/**
 * The upgrade that is meant when none is named: the only one that has not ended, else the newest.
 *
 * @throws UNKNOWN_UPGRADE when there is none; INVALID_ARGUMENT when several have not ended.
 */
export async function meantUpgrade(storage: Storage): Promise<string> {
  const found = (await findUpgrades(storage)).filter((upgrade) => "state" in upgrade);
  const open = found.filter(({ state }) => !isFinalUpgradeStatus(state.status));
  if (open.length > 1) {
    const names = open
      .slice(0, 5)
      .map(({ ref }) => shown(ref))
      .join(", ");
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `${open.length} upgrades have not ended; name one of them: ${names}${open.length > 5 ? " ..." : ""}`,
    );
  }
  const meant = open[0] ?? found[0];
  if (meant !== undefined) return meant.ref;
  throw new MilepostError(
    "UNKNOWN_UPGRADE",
    `${storage.location} holds no upgrade yet; \`milepost run -- <command>\` tracks one, \`milepost demo\` rehearses one`,
  );
}
