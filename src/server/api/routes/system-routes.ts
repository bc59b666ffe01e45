/** What others ask of the server itself: is it alive, is it ready, what does it speak. And the badge. */

import { z } from "zod";

import { MilepostError } from "../../../errors.ts";
import { checkId } from "../../../model/check.ts";
import { summaryAt } from "../../../view/upgrade/summary.ts";
import { badgeSvg } from "../badge.ts";
import { hasTag } from "../entity-tag.ts";
import { UPGRADE_ID } from "./upgrade-routes.ts";
import type { Route } from "../route.ts";
import { named } from "../schemas/values.ts";
import { withUpgrade, type Service } from "../service.ts";

const JSON_TYPE = "application/json";
const SVG_TYPE = "image/svg+xml";

const health = z.object({ status: z.literal("ok") });
named.add(health, { id: "Health" });

/** The documents, made when they are first asked for. */
export interface Documents {
  readonly openApi: () => object;
  readonly asyncApi: () => object;
}

export function systemRoutes(
  service: Service,
  { documents, checkReady }: { readonly documents: Documents; readonly checkReady: () => Promise<void> },
): readonly Route[] {
  return [
    {
      method: "get",
      path: "/healthz",
      operationId: "isAlive",
      summary: "The process answers",
      answers: { 200: { description: "It does", content: { [JSON_TYPE]: health } } },
      handle: (c) => c.json({ status: "ok" }),
    },
    {
      method: "get",
      path: "/readyz",
      operationId: "isReady",
      summary: "The storage can be read and written",
      answers: { 200: { description: "It can", content: { [JSON_TYPE]: health } } },
      errors: ["STORAGE_UNUSABLE", "STORAGE_DEGRADED", "SHUTTING_DOWN"],
      handle: async (c) => {
        if (service.closing.aborted) throw new MilepostError("SHUTTING_DOWN", "the server stops");
        await checkReady();
        return c.json({ status: "ok" });
      },
    },
    documentRoute("/openapi.json", "getOpenApi", { summary: "This document (OpenAPI 3.1)", make: documents.openApi }),
    documentRoute("/asyncapi.json", "getAsyncApi", {
      summary: "The messages of the WebSocket (AsyncAPI 3.0)",
      make: documents.asyncApi,
    }),
    badgeRoute(service),
  ];
}

function documentRoute(
  path: string,
  operationId: string,
  { summary, make }: { readonly summary: string; readonly make: () => object },
): Route {
  let text: string | undefined;
  return {
    method: "get",
    path,
    operationId,
    summary,
    answers: { 200: { description: "The document", content: { [JSON_TYPE]: z.looseObject({}) } } },
    handle: (c) => {
      text ??= JSON.stringify(make());
      c.header("Content-Type", JSON_TYPE);
      c.header("Cache-Control", "no-cache");
      return c.body(text);
    },
  };
}

function badgeRoute(service: Service): Route {
  return {
    method: "get",
    path: "/badge/{id}.svg",
    operationId: "getBadge",
    summary: "An upgrade in one line, as a picture",
    action: "watch",
    parameters: [UPGRADE_ID],
    answers: {
      200: { description: "The picture", content: { [SVG_TYPE]: z.string() } },
      304: { description: "As before" },
    },
    handle: (c) => {
      const ref = checkId((c.req.param("id") ?? "").replace(/\.svg$/, ""), "the id in the address");
      return withUpgrade(service, c, { action: "watch", ref }, (log) => {
        const svg = badgeSvg(summaryAt(log.state, { asOfMs: service.clock.now(), hasWriter: log.hasWriter }));
        const tag = `"${log.state.cursor}"`;
        c.header("ETag", tag);
        // Proxies that show pictures to everybody must ask again.
        c.header("Cache-Control", "no-cache");
        c.header("Cross-Origin-Resource-Policy", "cross-origin");
        if (hasTag(c.req.header("if-none-match"), tag)) return c.body(null, 304);
        c.header("Content-Type", SVG_TYPE);
        return c.body(svg);
      });
    },
  };
}
