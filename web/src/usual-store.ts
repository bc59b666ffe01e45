/** What is usual for an upgrade: read once, beside everything else. The server takes it from earlier upgrades. */

import { effect, signal, type ReadonlySignal } from "@preact/signals";

import { NOTHING_USUAL, usualDurations, type UsualDurations } from "../../src/view/estimate/usual-durations.ts";
import type { UsualTimes } from "../../src/view/estimate/usual-times.ts";
import { fetchApi, upgradePath } from "./access.ts";
import type { UpgradeStore } from "./upgrade-store.ts";

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
    if (run === undefined || run === readFor) return;
    readFor = run;
    void readUsual(store.upgradeId)
      // Without earlier upgrades there is less to say; the next run is another chance.
      .catch(() => NOTHING_USUAL)
      .then((read) => {
        if (readFor === run) usual.value = read;
      });
  });
  return usual;
}

async function readUsual(upgradeId: string): Promise<UsualDurations> {
  const answer = await fetchApi(upgradePath(upgradeId, "usual"));
  return answer.ok ? usualDurations((await answer.json()) as UsualTimes) : NOTHING_USUAL;
}
