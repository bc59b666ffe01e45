/** What is asked of the list, as it stands in the address: a link to it shows the same. */

import { FLEET_SORTS, type FleetQuery } from "../../../src/view/upgrade/fleet-view.ts";
import { currentAddress, setQuery } from "../router.ts";

/** The query that the address holds. */
export function queryInAddress(): FleetQuery {
  const { searchParams } = currentAddress.value;
  const text = (name: string): string | undefined => searchParams.get(name) || undefined;
  return {
    search: text("q"),
    status: text("status"),
    clusterName: text("cluster"),
    health: text("health"),
    sort: FLEET_SORTS.find((sort) => sort === searchParams.get("sort")),
  };
}

/** Changes the query, and so the address. */
export function ask({ search, status, clusterName, health, sort }: FleetQuery): void {
  setQuery({ q: search, status, cluster: clusterName, health, sort: sort === "attention" ? undefined : sort });
}

/** True if anything is left out of the list. */
export function isNarrowed({ search, status, clusterName, health }: FleetQuery): boolean {
  return [search, status, clusterName, health].some((value) => value !== undefined);
}
