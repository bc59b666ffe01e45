/** The HTTP API and the event streams as what a server answers requests with. */

import { getRequestListener, RequestError } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";

import { ERRORS, MilepostError } from "../errors.ts";
import { LEVELS } from "../stream/protocol.ts";
import { VERSION } from "../version.ts";
import { createApi, type ApiOptions } from "./api/api.ts";
import type { ApiContext } from "./api/route.ts";
import { SECURITY_HEADERS } from "./api/security-headers.ts";
import { grantOf, originHeaders } from "./api/caller.ts";
import type { ConnectionLimit } from "./auth/limits.ts";
import { createDashboard } from "./dashboard.ts";
import { PROBLEM_TYPE, problemDocument } from "./problem-document.ts";
import type { Answer } from "./server.ts";
import type { SseStreams } from "./sse.ts";

export interface HttpOptions extends Pick<ApiOptions, "hub" | "all" | "credentials" | "checkReady" | "closing"> {
  /** Counts event streams together with WebSockets. */
  readonly connections: ConnectionLimit;
}

/** Makes what `MilepostServer` takes as `http`. */
export function httpOf(options: HttpOptions): (streams: SseStreams) => Answer {
  const { upgrades, clock, logger } = options.hub;
  return (streams) => {
    const events = { stream: (c: ApiContext, ref: string) => stream(c, { ...options, streams, ref }) };
    const dashboard = createDashboard();
    const api = createApi({ ...options, upgrades, clock, logger, version: VERSION, events, dashboard });
    const answer = getRequestListener(api.fetch, { overrideGlobalObjects: false, errorHandler: refuseRequest });
    return (request, response) => void answer(request, response);
  };
}

/** What is HTTP, and yet no request of the web: without a Host, or with an address that is none. */
function refuseRequest(error: unknown): Response {
  const problem =
    error instanceof RequestError
      ? new MilepostError("INVALID_ARGUMENT", "the request has no Host header, or an address that is none")
      : new MilepostError("INTERNAL", "the request could not be handled", { cause: error });
  return new Response(JSON.stringify(problemDocument(problem)), {
    status: ERRORS[problem.code].httpStatus,
    headers: { ...SECURITY_HEADERS, "Cache-Control": "no-store", "Content-Type": PROBLEM_TYPE, Connection: "close" },
  });
}

interface StreamParts extends HttpOptions {
  readonly streams: SseStreams;
  readonly ref: string;
}

/**
 * Server-sent events of a log; `Last-Event-ID`, which browsers send when they come back, goes before `after`.
 *
 * @throws RATE_LIMITED when the caller has too many connections.
 */
async function stream(c: ApiContext, { hub, streams, ref, credentials, connections }: StreamParts): Promise<Response> {
  const level = LEVELS.find((known) => known === (c.req.query("level") ?? "logs"));
  if (level === undefined) throw new MilepostError("INVALID_ARGUMENT", `level must be one of ${LEVELS.join(", ")}`);
  const after = c.req.header("last-event-id") ?? c.req.query("after");
  const { authenticator, trustedProxies } = credentials;
  const grant = grantOf(c, authenticator);
  const address = c.get("caller")?.address ?? "";
  connections.enter(address);
  const log = await hub.open(ref).catch((error: unknown) => {
    connections.leave(address);
    throw error;
  });
  // What is written past Hono has none of the headers that it would set.
  const headers = { ...SECURITY_HEADERS, ...originHeaders(c, trustedProxies) };
  const isAllowed = (): boolean => grant !== undefined && authenticator.isCurrent(grant);
  void streams
    .serve({ log, response: c.env.outgoing, after, level, headers, isAllowed })
    .finally(() => connections.leave(address));
  return RESPONSE_ALREADY_SENT;
}
