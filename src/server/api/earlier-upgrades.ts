/** Which upgrades an upgrade may be compared with, and what they were. */

import { isMilepostError } from "../../errors.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { nextTurn } from "../../stream/fold-in-turns.ts";
import { UsualTally, type UsualTimes } from "../../view/estimate/usual-times.ts";
import type { UpgradeSummary } from "../../view/upgrade/summary.ts";
import type { Grant } from "../auth/grant.ts";
import type { ApiContext } from "./route.ts";
import { withUpgrade, type Service } from "./service.ts";
import type { UpgradeList } from "./upgrade-list.ts";

/** So many earlier upgrades tell enough. */
const MAX_EARLIER = 8;
/** Of the newest so many the finished ones are taken. */
const LOOKED_AT = 50;
/** So many answers are kept. */
const MAX_KEPT = 8;

/**
 * The finished runs before this one, the newest first, then other finished upgrades of the cluster; of the plan when there are
 * none. Only what the caller may watch is in the list that it is taken from.
 */
export async function earlierRefs(
  list: UpgradeList,
  grant: Grant,
  { upgradeId, run, clusterName, planId }: UpgradeProgress,
): Promise<readonly string[]> {
  const runs = Array.from({ length: Math.min(run - 1, MAX_EARLIER) }, (_, index) => `${upgradeId}@${run - 1 - index}`);
  if (runs.length === MAX_EARLIER) return runs;
  const ended = async (wanted: string | undefined): Promise<readonly UpgradeSummary[]> => {
    const page = await list.page({ status: undefined, clusterName: wanted, limit: LOOKED_AT, page: undefined }, grant);
    return page.upgrades.filter((other) => other.upgradeId !== upgradeId && isFinalUpgradeStatus(other.status));
  };
  let others = await ended(clusterName);
  if (others.length === 0 && runs.length === 0)
    others = (await ended(undefined)).filter((other) => other.planId === planId);
  return [...runs, ...others.map((other) => other.upgradeId)].slice(0, MAX_EARLIER);
}

/** Their states, without those that cannot be read: one that is gone or damaged must not hide what the others tell. */
export async function statesOf(
  service: Service,
  c: ApiContext,
  refs: readonly string[],
): Promise<readonly UpgradeProgress[]> {
  const states: UpgradeProgress[] = [];
  for (const ref of refs) {
    try {
      states.push(await withUpgrade(service, c, { action: "watch", ref }, ({ state }) => state));
    } catch (error) {
      if (!isMilepostError(error)) throw error;
    }
  }
  return states;
}

/** The first of these that can be read: one that is damaged must not stand before the others. */
export async function firstState(
  service: Service,
  c: ApiContext,
  refs: readonly string[],
): Promise<UpgradeProgress | undefined> {
  for (const ref of refs) {
    const [state] = await statesOf(service, c, [ref]);
    if (state !== undefined) return state;
  }
  return undefined;
}

/**
 * Gives what finished upgrades tell. It is counted once for all who ask for the same ones, at the same time or later: every
 * open page asks, and what has ended stays as it is.
 */
export function usualTimesOnce(): (earlier: readonly UpgradeProgress[]) => Promise<UsualTimes> {
  const kept = new Map<string, Promise<UsualTimes>>();
  return (earlier) => {
    // A cursor names a log, and a place in it.
    const key = earlier.map(({ cursor }) => cursor).join(" ");
    const times = kept.get(key) ?? usualTimesInTurns(earlier);
    kept.delete(key);
    kept.set(key, times);
    for (const oldest of [...kept.keys()].slice(0, -MAX_KEPT)) kept.delete(oldest);
    return times;
  };
}

async function usualTimesInTurns(earlier: readonly UpgradeProgress[]): Promise<UsualTimes> {
  const tally = new UsualTally();
  for (const upgrade of earlier) {
    tally.take(upgrade);
    await nextTurn();
  }
  return tally.times();
}
