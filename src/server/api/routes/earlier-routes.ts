/** An upgrade beside earlier ones: how long things usually take, and what took longer this time. */

import { checkId } from "../../../model/check.ts";
import type { UpgradeProgress } from "../../../model/upgrade.ts";
import { earlierUpgrades } from "../../../view/estimate/usual-times.ts";
import { comparePair } from "../../../view/upgrade/compare.ts";
import type { Grant } from "../../auth/grant.ts";
import { earlierRefs, firstState, statesOf, usualTimesOnce } from "../earlier-upgrades.ts";
import { largeJson } from "../large-json.ts";
import { answerable } from "../negotiate.ts";
import type { ApiContext, Route } from "../route.ts";
import { comparison, usualTimes } from "../schemas/earlier.ts";
import { id } from "../schemas/values.ts";
import { withUpgrade, type Service } from "../service.ts";
import type { UpgradeList } from "../upgrade-list.ts";
import { UPGRADE_ID } from "./upgrade-routes.ts";

const JSON_TYPE = "application/json";

export function earlierRoutes(service: Service, list: UpgradeList): readonly Route[] {
  return [usualRoute(service, list), comparisonRoute(service, list)];
}

function usualRoute(service: Service, list: UpgradeList): Route {
  const timesOf = usualTimesOnce();
  return {
    method: "get",
    path: "/api/v1/upgrades/{id}/usual",
    operationId: "getUsualTimes",
    summary: "How long an upgrade like this and its tasks usually take",
    description:
      "From up to eight finished upgrades before it that the caller may watch: earlier runs, then others of its cluster, of its plan when there are none. Pauses are left out.",
    action: "watch",
    parameters: [UPGRADE_ID],
    answers: { 200: { description: "What they tell", content: { [JSON_TYPE]: usualTimes } } },
    handle: async (c) => {
      const { state, grant } = await read(service, c);
      const found = await statesOf(service, c, await earlierRefs(list, grant, state));
      const { tasks, names, ...head } = await timesOf(earlierUpgrades(state, found));
      return largeJson(c, head, { names, tasks });
    },
  };
}

function comparisonRoute(service: Service, list: UpgradeList): Route {
  return {
    method: "get",
    path: "/api/v1/upgrades/{id}/comparison",
    operationId: "compareUpgrades",
    summary: "What took longer than in another upgrade, what is new, what is gone",
    description:
      "Tasks are the same by id, else by type and name. What still runs is compared as it is at this moment.",
    action: "watch",
    parameters: [
      UPGRADE_ID,
      {
        name: "with",
        in: "query",
        description:
          "The other upgrade, `<id>@<n>` for a finished run; the newest earlier one that can be read when left out",
        schema: id.optional(),
      },
    ],
    answers: { 200: { description: "The two side by side", content: { [JSON_TYPE]: comparison } } },
    errors: ["INVALID_ID"],
    handle: async (c) => {
      const { state, grant } = await read(service, c);
      const choices = await earlierRefs(list, grant, state);
      const wanted = c.req.query("with");
      const earlier =
        wanted === undefined
          ? await firstState(service, c, choices)
          : (await read(service, c, checkId(wanted, "with in the address"))).state;
      const { tasks, ...head } = comparePair(earlier ?? null, state, { choices, asOfMs: service.clock.now() });
      return largeJson(c, head, { tasks });
    },
  };
}

interface Read {
  readonly state: UpgradeProgress;
  readonly grant: Grant;
}

/** The state right now: what else is read takes its time, and need not hold the log open. */
function read(service: Service, c: ApiContext, ref?: string): Promise<Read> {
  return withUpgrade(service, c, { action: "watch", ...(ref !== undefined && { ref }) }, ({ state }, grant) => {
    answerable(c, [JSON_TYPE]);
    return { state, grant };
  });
}
