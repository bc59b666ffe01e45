/** The list of upgrades, in pages that stay in place while upgrades come: a page begins after the last one of the page before. */

import { isMilepostError, MilepostError, shown } from "../../errors.ts";
import type { ProgressStatus } from "../../model/vocabulary.ts";
import { report } from "../../tracker/logger.ts";
import { summaryAt, type UpgradeSummary } from "../../view/upgrade/summary.ts";
import { may, type Grant } from "../auth/grant.ts";
import type { Service } from "./service.ts";

/** All upgrades there are, each once, in no order. */
export interface AllUpgrades {
  readonly summaries: readonly UpgradeSummary[];
  readonly unreadable: readonly { readonly upgradeId: string; readonly code: string }[];
}

interface PageWanted {
  readonly status: ProgressStatus | undefined;
  readonly clusterName: string | undefined;
  readonly limit: number;
  readonly page: string | undefined;
}

interface UpgradePage {
  readonly upgrades: readonly UpgradeSummary[];
  readonly nextPage: string | null;
  readonly unreadable: AllUpgrades["unreadable"];
}

export interface UpgradeList {
  /** @throws INVALID_ARGUMENT for a page that is none. */
  page(wanted: PageWanted, grant: Grant): Promise<UpgradePage>;
}

/** A place in the list: what comes after it is older. */
type Place = readonly [startedAt: string, upgradeId: string];

/** Which upgrades are wanted; what else comes along is left out here. */
export interface ListFilter {
  readonly status?: ProgressStatus;
  readonly clusterName?: string;
}

export function upgradeList(all: (filter: ListFilter) => Promise<AllUpgrades>): UpgradeList {
  return {
    async page({ status, clusterName, limit, page }, grant) {
      const after = page === undefined ? undefined : parsePlace(page);
      const { summaries, unreadable } = await all({
        ...(status !== undefined && { status }),
        ...(clusterName !== undefined && { clusterName }),
      });
      const isWanted = (summary: UpgradeSummary): boolean =>
        (status === undefined || summary.status === status) &&
        (clusterName === undefined || summary.clusterName === clusterName) &&
        (after === undefined || compare(placeOf(summary), after) > 0) &&
        mayList(grant, summary);
      const found = summaries.filter(isWanted).sort((a, b) => compare(placeOf(a), placeOf(b)));
      const upgrades = found.slice(0, limit);
      const last = upgrades.at(-1);
      return {
        upgrades,
        nextPage: last !== undefined && found.length > limit ? formatPlace(placeOf(last)) : null,
        unreadable:
          after === undefined && status === undefined && clusterName === undefined
            ? unreadable.filter(({ upgradeId }) =>
                may(grant, "watch", { kind: "upgrade", upgradeId, clusterName: undefined }),
              )
            : [],
      };
    },
  };
}

/** Whoever may see the list of all, of the cluster, or the upgrade itself, may see it in a list. */
function mayList(grant: Grant, { upgradeId, clusterName }: UpgradeSummary): boolean {
  return (
    may(grant, "watch", { kind: "cluster", clusterName }) ||
    may(grant, "watch", { kind: "upgrade", upgradeId, clusterName })
  );
}

const placeOf = ({ startedAt, upgradeId }: UpgradeSummary): Place => [startedAt ?? "", upgradeId];

/** The newest first; those that have not started last. */
function compare([startA, idA]: Place, [startB, idB]: Place): number {
  if (startA !== startB) return startA > startB ? -1 : 1;
  return idA === idB ? 0 : idA < idB ? -1 : 1;
}

const formatPlace = (place: Place): string => Buffer.from(JSON.stringify(place)).toString("base64url");

function parsePlace(page: string): Place {
  try {
    const place: unknown = JSON.parse(Buffer.from(page, "base64url").toString());
    if (Array.isArray(place) && place.length === 2 && place.every((part) => typeof part === "string"))
      return place as unknown as Place;
  } catch {
    // Said below.
  }
  throw new MilepostError("INVALID_ARGUMENT", `page ${shown(page)} is none; pass nextPage of the page before`);
}

/** Reads every upgrade by itself, for a server that keeps no summaries. */
export async function readAll({ upgrades, hub, clock, logger }: Service): Promise<AllUpgrades> {
  const summaries: UpgradeSummary[] = [];
  const unreadable: { upgradeId: string; code: string }[] = [];
  for (const { ref, upgradeId, run } of await upgrades.list()) {
    if (run !== undefined) continue;
    try {
      const log = await hub.open(ref);
      summaries.push(summaryAt(log.state, { asOfMs: clock.now(), hasWriter: log.hasWriter }));
      log.release();
    } catch (error) {
      // One damaged log must not hide the others. One that is gone was deleted meanwhile.
      if (isMilepostError(error, "UNKNOWN_UPGRADE")) continue;
      report(logger, "warn", `the upgrade ${shown(upgradeId)} cannot be listed`, error);
      unreadable.push({ upgradeId, code: isMilepostError(error) ? error.code : "INTERNAL" });
    }
  }
  return { summaries, unreadable };
}
