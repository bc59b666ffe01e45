/** All upgrades, live, the ones that need somebody first. */

import type { ComponentChild } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";

import { fleetView, type FleetQuery, type FleetView } from "../../../src/view/upgrade/fleet-view.ts";
import { createFleetStore, type FleetStore } from "../fleet-store.ts";
import { usePageHead } from "../page-head.ts";
import { navigate, upgradeHref } from "../router.ts";
import { Shell } from "../shell.tsx";
import { Trouble } from "../trouble.tsx";
import { EmptyFleet } from "./empty-fleet.tsx";
import { Filters } from "./filters.tsx";
import { ask, isNarrowed, queryInAddress } from "./fleet-query.ts";
import { FleetList } from "./fleet-list.tsx";
import "../style/fleet.css";

export function FleetPage(): ComponentChild {
  const store = useMemo(createFleetStore, []);
  useEffect(() => store.close, [store]);
  useOnlyUpgrade(store);
  const upgrades = store.upgrades.value;
  const { code } = store.connection.value;
  const query = queryInAddress();
  const view = upgrades && fleetView(upgrades.values(), query, { asOfMs: store.asOfMs.value });
  const attention = view?.counts.attention ?? 0;
  usePageHead({
    title: attention > 0 ? `(${attention}) Upgrades` : "Upgrades",
    tone: attention > 0 ? "bad" : "active",
  });
  return (
    <Shell trail="Upgrades" connection={store.connection}>
      <h1 class="visually-hidden">Upgrades</h1>
      {code !== null && code !== "NOT_FOUND" ? (
        <Trouble code={code} reason={store.connection.value.reason} />
      ) : view === undefined ? (
        <FleetSkeleton />
      ) : view.total === 0 ? (
        <EmptyFleet />
      ) : (
        <Fleet view={view} query={query} />
      )}
    </Shell>
  );
}

/** A server of one upgrade has no list to show. */
function useOnlyUpgrade({ only }: FleetStore): void {
  const upgradeId = only.value;
  useEffect(() => {
    if (upgradeId !== undefined) navigate(upgradeHref(upgradeId), { replace: true });
  }, [upgradeId]);
}

function FleetSkeleton(): ComponentChild {
  return (
    <div class="skeleton" role="status">
      <span class="visually-hidden">Loading the upgrades</span>
      {[0, 1, 2, 3].map((row) => (
        <div key={row} class="skeleton-row" />
      ))}
    </div>
  );
}

interface FleetProps {
  readonly view: FleetView;
  readonly query: FleetQuery;
}

function Fleet({ view, query }: FleetProps): ComponentChild {
  const search = useRef<HTMLInputElement>(null);
  return (
    <>
      <Filters query={query} view={view} search={search} />
      {view.rows.length === 0 ? (
        <NothingFound query={query} />
      ) : (
        <FleetList rows={view.rows} isGrouped={(query.sort ?? "attention") === "attention"} search={search} />
      )}
      <p class="visually-hidden" role="status">
        {isNarrowed(query) ? `${view.rows.length} of ${view.total} upgrades` : `${view.total} upgrades`}
      </p>
    </>
  );
}

function NothingFound({ query }: { readonly query: FleetQuery }): ComponentChild {
  return (
    <div class="message">
      <h2>No upgrade is like that</h2>
      <p class="soft">None of those that you may see fits all that was asked for.</p>
      <button type="button" class="button" onClick={() => ask({ sort: query.sort })}>
        Show all
      </button>
    </div>
  );
}
