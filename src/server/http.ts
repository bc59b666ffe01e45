/** The HTTP API and the event streams as what a server answers requests with. */

import { getRequestListener } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";

import { MilepostError } from "../errors.ts";
import type { Hub } from "../stream/hub.ts";
import { LEVELS } from "../stream/protocol.ts";
import { VERSION } from "../version.ts";
import { createApi, type ApiOptions } from "./api/api.ts";
import type { ApiContext } from "./api/route.ts";
import { SECURITY_HEADERS } from "./api/security-headers.ts";
import { originHeaders } from "./api/caller.ts";
import type { Answer } from "./server.ts";
import type { SseStreams } from "./sse.ts";

export type HttpOptions = Pick<ApiOptions, "hub" | "all" | "credentials" | "checkReady" | "closing">;

/** Makes what `MilepostServer` takes as `http`. */
export function httpOf(options: HttpOptions): (streams: SseStreams) => Answer {
  const { hub, credentials } = options;
  const { upgrades, clock, logger } = hub;
  return (streams) => {
    const events = {
      stream: (c: ApiContext, ref: string) =>
        stream(c, { hub, streams, ref, headers: originHeaders(c, credentials.trustedProxies) }),
    };
    const api = createApi({ ...options, upgrades, clock, logger, version: VERSION, events });
    const answer = getRequestListener(api.fetch, { overrideGlobalObjects: false });
    return (request, response) => void answer(request, response);
  };
}

interface StreamParts {
  readonly hub: Hub;
  readonly streams: SseStreams;
  readonly ref: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Server-sent events of a log; `Last-Event-ID`, which browsers send when they come back, goes before `after`. */
async function stream(c: ApiContext, { hub, streams, ref, headers }: StreamParts): Promise<Response> {
  const level = LEVELS.find((known) => known === (c.req.query("level") ?? "logs"));
  if (level === undefined) throw new MilepostError("INVALID_ARGUMENT", `level must be one of ${LEVELS.join(", ")}`);
  const after = c.req.header("last-event-id") ?? c.req.query("after");
  const log = await hub.open(ref);
  // What is written past Hono has none of the headers that it would set.
  void streams.serve({ log, response: c.env.outgoing, after, level, headers: { ...SECURITY_HEADERS, ...headers } });
  return RESPONSE_ALREADY_SENT;
}
