/** Upgrades that are read from a storage of this machine. */

import { isMilepostError } from "../../errors.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Clock } from "../../tracker/clock.ts";
import { readLines, readUpgrade, watchUpgrade } from "../../tracker/read.ts";
import { summaryAt, type UpgradeSummary } from "../../view/upgrade/summary.ts";
import { newestFirst, type FleetChange, type Listed, type ListOptions, type Source } from "./port.ts";

export function storageSource(storage: Storage, clock: Clock): Source {
  return {
    location: storage.location,
    now: () => clock.now(),
    list: (options = {}) => list(storage, clock, options),
    async read(ref) {
      const { state, holder } = await readUpgrade(storage, ref);
      return { state, holder, hasWriter: holder !== undefined };
    },
    hasWriter: async (state) => (await storage.holder(refOf(state))) !== undefined,
    watch: (ref, options) => watchUpgrade(storage, ref, options),
    watchAll: ({ signal }) => watchAll(storage, clock, signal),
    lines: (ref, options) => readLines(storage, ref, options),
  };
}

const refOf = ({ upgradeId }: UpgradeProgress): string => upgradeId;

async function list(
  storage: Storage,
  clock: Clock,
  { withRuns = false, status, clusterName }: ListOptions,
): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  for (const { ref, upgradeId, run } of await storage.list()) {
    if (run !== undefined && !withRuns) continue;
    try {
      const { state, holder } = await readUpgrade(storage, ref);
      const summary = summaryAt(state, { asOfMs: clock.now(), hasWriter: holder !== undefined });
      if ((status ?? summary.status) === summary.status && (clusterName ?? summary.clusterName) === summary.clusterName)
        found.push({ ref, summary, holder });
    } catch (error) {
      // One damaged log must not hide the others. One that is gone was deleted meanwhile.
      if (!isMilepostError(error, "UNKNOWN_UPGRADE")) found.push({ ref, upgradeId, error: error as Error });
    }
  }
  return found.sort(newestFirst);
}

/** The summaries as a server of this storage keeps them, with nobody in between. */
async function* watchAll(storage: Storage, clock: Clock, signal: AbortSignal): AsyncGenerator<FleetChange, undefined> {
  const [{ Fleet }, { Hub }, { storageUpgrades }] = await Promise.all([
    import("../../stream/fleet.ts"),
    import("../../stream/hub.ts"),
    import("../../server/storage-upgrades.ts"),
  ]);
  const upgrades = storageUpgrades(storage, { clock });
  const hub = new Hub({ upgrades, clock });
  const fleet = new Fleet({ upgrades, hub, clock });
  const changed = new Map<string, UpgradeSummary>();
  const removed = new Set<string>();
  let wake: () => void = () => undefined;
  const onChange = (summary: UpgradeSummary): void => {
    changed.set(summary.upgradeId, summary);
    wake();
  };
  const onRemove = (upgradeId: string): void => {
    changed.delete(upgradeId);
    removed.add(upgradeId);
    wake();
  };
  const stop = fleet.watch({}, onChange, onRemove);
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort);
  try {
    await fleet.start();
    for (changed.clear(); !signal.aborted;) {
      const told = { changed: [...changed.values()], removed: [...removed] };
      changed.clear();
      removed.clear();
      yield { upgrades: new Map(fleet.list().map((summary) => [summary.upgradeId, summary])), ...told };
      if (changed.size + removed.size === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    stop();
    fleet.close();
    await upgrades.close();
    await hub.close();
  }
  return undefined;
}
