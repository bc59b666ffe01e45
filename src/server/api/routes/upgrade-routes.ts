/** Reading upgrades: the list, one's state, its summary. */

import { z } from "zod";

import { checkId } from "../../../model/check.ts";
import { summaryAt } from "../../../view/upgrade/summary.ts";
import { hasTag } from "../entity-tag.ts";
import { largeJson } from "../large-json.ts";
import { answerable } from "../negotiate.ts";
import { queryValue, type Parameter, type Route } from "../route.ts";
import { status, summary, upgrade } from "../schemas/state.ts";
import { id, name, named } from "../schemas/values.ts";
import { requireSome, withUpgrade, type Service } from "../service.ts";
import type { UpgradeList } from "../upgrade-list.ts";

/** The upgrade in an address. */
export const UPGRADE_ID: Parameter = {
  name: "id",
  in: "path",
  description: "The upgrade, percent-encoded as one segment; `<id>@<n>` for a finished run",
  schema: id,
  required: true,
};

const JSON_TYPE = "application/json";

const limit = z.int().min(1).max(500).default(100);
const page = z.string().min(1).max(2_000).optional();

const upgradePage = z.object({
  upgrades: z.array(summary),
  nextPage: z.string().nullable().describe("The page parameter of the next page; null on the last"),
  unreadable: z
    .array(z.object({ upgradeId: z.string(), code: z.string() }))
    .describe("Upgrades whose log cannot be read; they are on the first page"),
});
named.add(upgradePage, { id: "UpgradePage" });

export function upgradeRoutes(service: Service, list: UpgradeList): readonly Route[] {
  return [listRoute(service, list), stateRoute(service), summaryRoute(service)];
}

function listRoute(service: Service, list: UpgradeList): Route {
  return {
    method: "get",
    path: "/api/v1/upgrades",
    operationId: "listUpgrades",
    summary: "The upgrades, the newest first, as summaries",
    description: "Those that the caller may watch; of several runs of an upgrade the newest.",
    action: "watch",
    parameters: [
      { name: "status", in: "query", description: "Only those of this status", schema: status.optional() },
      { name: "cluster", in: "query", description: "Only those of this cluster", schema: name.optional() },
      { name: "limit", in: "query", description: "At most so many", schema: limit },
      { name: "page", in: "query", description: "nextPage of the page before", schema: page },
    ],
    answers: { 200: { description: "One page of upgrades", content: { [JSON_TYPE]: upgradePage } } },
    errors: ["INVALID_ARGUMENT"],
    handle: async (c) => {
      answerable(c, [JSON_TYPE]);
      const clusterName = c.req.query("cluster");
      const wanted = {
        status: queryValue(c, "status", status.optional()),
        clusterName: clusterName === undefined ? undefined : checkId(clusterName, "cluster in the address"),
        limit: queryValue(c, "limit", limit),
        page: queryValue(c, "page", page),
      };
      const grant = requireSome(service.identify(c));
      return c.json(await list.page(wanted, grant));
    },
  };
}

function stateRoute(service: Service): Route {
  return {
    method: "get",
    path: "/api/v1/upgrades/{id}",
    operationId: "getUpgrade",
    summary: "The state of an upgrade: what its log folds to",
    description: "The same for every reader at the same cursor, so the cursor is its ETag.",
    action: "watch",
    parameters: [
      UPGRADE_ID,
      {
        name: "If-None-Match",
        in: "header",
        description: "An ETag that the caller has",
        schema: z.string().optional(),
      },
    ],
    answers: {
      200: { description: "The state", content: { [JSON_TYPE]: upgrade }, headers: { ETag: "The cursor, in quotes" } },
      304: { description: "Nothing has happened since that ETag" },
    },
    handle: (c) =>
      withUpgrade(service, c, { action: "watch" }, ({ state }) => {
        answerable(c, [JSON_TYPE]);
        const tag = `"${state.cursor}"`;
        c.header("ETag", tag);
        c.header("Cache-Control", "private, no-cache");
        if (hasTag(c.req.header("if-none-match"), tag)) return c.body(null, 304);
        const { tasks, ...head } = state;
        return largeJson(c, head, { tasks: tasks.values() });
      }),
  };
}

function summaryRoute(service: Service): Route {
  return {
    method: "get",
    path: "/api/v1/upgrades/{id}/summary",
    operationId: "getSummary",
    summary: "An upgrade in a few numbers, at the moment `asOf`",
    action: "watch",
    parameters: [UPGRADE_ID],
    answers: { 200: { description: "The summary", content: { [JSON_TYPE]: summary } } },
    handle: (c) =>
      withUpgrade(service, c, { action: "watch" }, (log) => {
        answerable(c, [JSON_TYPE]);
        return c.json(summaryAt(log.state, { asOfMs: service.clock.now(), hasWriter: log.hasWriter }));
      }),
  };
}
