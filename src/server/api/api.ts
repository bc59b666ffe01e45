/** The HTTP API: puts the routes together, with what every answer has. */

import { Hono, type MiddlewareHandler } from "hono";

import { MilepostError, shown } from "../../errors.ts";
import type { Hub } from "../../stream/hub.ts";
import type { Upgrades } from "../../stream/upgrades.ts";
import type { Clock } from "../../tracker/clock.ts";
import type { Logger } from "../../tracker/logger.ts";
import type { Dashboard } from "../dashboard.ts";
import { callerCheck, grantOf } from "./caller.ts";
import { asyncApiDocument, openApiDocument } from "./documents.ts";
import { createRequests } from "./idempotency.ts";
import { problemAnswer } from "./problem.ts";
import { addRoutes, sentPath, type ApiContext, type ApiEnv, type Route } from "./route.ts";
import { credentialRoutes, type Credentials } from "./routes/credential-routes.ts";
import { deleteRoutes } from "./routes/delete-routes.ts";
import { earlierRoutes } from "./routes/earlier-routes.ts";
import { eventRoutes, type EventStream } from "./routes/event-routes.ts";
import { exportRoutes } from "./routes/export-routes.ts";
import { reportRoutes } from "./routes/report-routes.ts";
import { systemRoutes } from "./routes/system-routes.ts";
import { upgradeRoutes } from "./routes/upgrade-routes.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";
import type { Service } from "./service.ts";
import { readAll, upgradeList, type AllUpgrades, type ListFilter } from "./upgrade-list.ts";

export interface ApiOptions {
  readonly upgrades: Upgrades;
  readonly hub: Hub;
  /** All upgrades as summaries; each is read by itself when nobody keeps them. */
  readonly all?: (filter: ListFilter) => Promise<AllUpgrades>;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  readonly events: EventStream;
  /** @throws STORAGE_UNUSABLE, STORAGE_DEGRADED while the storage cannot be read and written. */
  readonly checkReady: () => Promise<void>;
  /** Aborted when the server stops. */
  readonly closing: AbortSignal;
  /** What people see in a browser. */
  readonly dashboard: Dashboard;
}

/** For whoever asks for the address without a browser. */
const GREETING = `Milepost is running. In a browser, this address is the dashboard.

  /api/v1/upgrades   the upgrades, as JSON
  /openapi.json      all there is (OpenAPI 3.1)
  /asyncapi.json     the messages of the WebSocket at this address
`;

/** The API as an application for Node's HTTP server (`getRequestListener(app.fetch)` of @hono/node-server). */
export function createApi(options: ApiOptions): Hono<ApiEnv> {
  const { logger, credentials, dashboard } = options;
  const app = new Hono<ApiEnv>();
  app.use(withHeaders, wellFormed, callerCheck(credentials));
  addRoutes(app, routesOf(options));
  app.get("/", (c) => dashboard(c) ?? (sentPath(c) === "/" ? greeting(c) : c.notFound()));
  app.notFound(
    (c) =>
      dashboard(c) ??
      problemAnswer(
        c,
        new MilepostError("NOT_FOUND", `there is nothing at ${shown(c.req.path)}; see /openapi.json`),
        logger,
      ),
  );
  app.onError((error, c) => problemAnswer(c, error, logger));
  return app;
}

function greeting(c: ApiContext): Response {
  c.header("Vary", "Accept");
  return c.text(GREETING);
}

/** Every route of the API. */
function routesOf(options: ApiOptions): readonly Route[] {
  const { upgrades, hub, clock, logger, closing, credentials, version, events, checkReady } = options;
  const service: Service = {
    upgrades,
    hub,
    clock,
    logger,
    closing,
    identify: (c) => grantOf(c, credentials.authenticator),
  };
  const { all = () => readAll(service) } = options;
  const list = upgradeList(all);
  const documents = { openApi: () => openApiDocument(routes, version), asyncApi: () => asyncApiDocument(version) };
  const routes: readonly Route[] = [
    ...upgradeRoutes(service, list),
    ...earlierRoutes(service, list),
    ...eventRoutes(service, events),
    ...exportRoutes(service),
    ...reportRoutes(service, createRequests(upgrades)),
    ...deleteRoutes(service, credentials.shareLinks),
    ...credentialRoutes(service, credentials),
    ...systemRoutes(service, { documents, checkReady }),
  ];
  return routes;
}

const withHeaders: MiddlewareHandler<ApiEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) if (!headers.has(name)) headers.set(name, value);
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
};

/** An address that cannot be decoded would be taken for another one. */
const wellFormed: MiddlewareHandler<ApiEnv> = (c, next) => {
  try {
    decodeURIComponent(sentPath(c));
  } catch (error) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      "the address is not well formed: a % stands before two hexadecimal digits of UTF-8",
      {
        cause: error,
      },
    );
  }
  return next();
};
