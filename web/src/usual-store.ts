/** What is usual for an upgrade: read once from earlier upgrades of its cluster, beside everything else. */

import { effect, signal, type ReadonlySignal } from "@preact/signals";

import { upgradeFromJson, type UpgradeJson, type UpgradeProgress } from "../../src/model/upgrade.ts";
import { isFinalUpgradeStatus } from "../../src/model/vocabulary.ts";
import type { UpgradeSummary } from "../../src/view/upgrade/summary.ts";
import {
  earlierUpgrades,
  NOTHING_USUAL,
  usualDurations,
  type UsualDurations,
} from "../../src/view/estimate/usual-durations.ts";
import { fetchApi } from "./access.ts";
import type { UpgradeStore } from "./upgrade-store.ts";

/** So many earlier upgrades tell enough. */
const MAX_EARLIER = 8;

const known = new WeakMap<UpgradeStore, ReadonlySignal<UsualDurations>>();

/** What earlier upgrades tell of this one; nothing until it was read. Read when first asked for, and anew for each run. */
export function usualOf(store: UpgradeStore): ReadonlySignal<UsualDurations> {
  const before = known.get(store);
  if (before !== undefined) return before;
  const usual = signal(NOTHING_USUAL);
  known.set(store, usual);
  let readFor: string | undefined;
  effect(() => {
    const state = store.live.value;
    const run = state === undefined ? undefined : `${state.run} ${state.startedAt}`;
    if (state === undefined || run === readFor) return;
    readFor = run;
    void readUsual(state)
      // Without earlier upgrades there is less to say; the next run is another chance.
      .catch(() => NOTHING_USUAL)
      .then((read) => {
        if (readFor === run) usual.value = read;
      });
  });
  return usual;
}

async function readUsual(state: UpgradeProgress): Promise<UsualDurations> {
  const found: UpgradeProgress[] = [];
  for (const id of await earlierIds(state)) {
    const answer = await fetchApi(`/api/v1/upgrades/${encodeURIComponent(id)}`);
    if (answer.ok) found.push(upgradeFromJson((await answer.json()) as UpgradeJson));
    // A large state takes a while to read: what else waits goes first.
    await new Promise((resolve) => void setTimeout(resolve));
  }
  return usualDurations(earlierUpgrades(state, found));
}

/** The finished runs before this one, the newest first, then other upgrades of the cluster; of the plan when there are none. */
export async function earlierIds({ upgradeId, run, clusterName, planId }: UpgradeProgress): Promise<readonly string[]> {
  const runs = Array.from({ length: Math.min(run - 1, MAX_EARLIER) }, (_, index) => `${upgradeId}@${run - 1 - index}`);
  if (runs.length === MAX_EARLIER) return runs;
  const isEarlier = (other: UpgradeSummary): boolean =>
    other.upgradeId !== upgradeId && isFinalUpgradeStatus(other.status);
  const ofCluster = (await listed({ cluster: clusterName })).filter(isEarlier);
  const others =
    ofCluster.length > 0 || runs.length > 0
      ? ofCluster
      : (await listed({})).filter((other) => isEarlier(other) && other.planId === planId);
  return [...runs, ...others.map((other) => other.upgradeId)].slice(0, MAX_EARLIER);
}

async function listed(query: Readonly<Record<string, string>>): Promise<readonly UpgradeSummary[]> {
  const answer = await fetchApi(`/api/v1/upgrades?${new URLSearchParams({ limit: "50", ...query }).toString()}`);
  if (!answer.ok) return [];
  return ((await answer.json()) as { readonly upgrades: readonly UpgradeSummary[] }).upgrades;
}
