/** The events of an upgrade: a stretch of its log as JSON or as the stored lines, or the live stream (SSE). */

import { z } from "zod";

import { linesAfter, type LinesAfter } from "../../../stream/lines-after.ts";
import { LEVELS } from "../../../stream/protocol.ts";
import type { LiveLog } from "../../../stream/live-log.ts";
import { changeOf } from "../change-of.ts";
import { answerable } from "../negotiate.ts";
import { queryValue, type ApiContext, type Route } from "../route.ts";
import { event } from "../schemas/state.ts";
import { named } from "../schemas/values.ts";
import { withUpgrade, type Service } from "../service.ts";
import { UPGRADE_ID } from "./upgrade-routes.ts";

/** The live stream, given by the server that the routes are part of. */
export interface EventStream {
  /** Answers with server-sent events of a log. The caller is known to be allowed to watch it. */
  stream(c: ApiContext, ref: string): Response | Promise<Response>;
}

const JSON_TYPE = "application/json";
const NDJSON_TYPE = "application/x-ndjson";
const SSE_TYPE = "text/event-stream";

/** Says what NDJSON has no place for: where it ended. */
const NEXT_CURSOR = "Milepost-Next-Cursor";
/** An answer ends after the line that brings it to so many bytes, whatever the limit. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const LINES_PER_READ = 100;
const NEWLINE = Buffer.from("\n");

const limit = z.int().min(1).max(10_000).default(1_000);
const wait = z.int().min(0).max(30).default(0);
const after = z.string().max(255).optional();
const level = z.enum(LEVELS).optional();

const eventPage = z.object({
  events: z.array(event),
  cursor: z.string().describe("Where the next request goes on: pass it as `after`"),
  isEnd: z.boolean().describe("True if there was no more"),
});
named.add(eventPage, { id: "EventPage" });

export function eventRoutes(service: Service, live: EventStream): readonly Route[] {
  return [
    {
      method: "get",
      path: "/api/v1/upgrades/{id}/events",
      operationId: "getEvents",
      summary: "The events of an upgrade after a cursor, in order",
      description:
        "As JSON, as NDJSON (the stored lines, byte for byte) or, with `Accept: text/event-stream`, live. " +
        "An `after` that is not on the history of the log is answered with 410 CURSOR_GONE: read the state again. " +
        "An answer may end before the limit, after about 1 MiB: there is more as long as it has a Link header. " +
        "Milepost-Next-Cursor says where to go on, also at the end, for what comes later.",
      action: "watch",
      parameters: [
        UPGRADE_ID,
        { name: "after", in: "query", description: "A cursor; from the beginning when left out", schema: after },
        { name: "limit", in: "query", description: "At most so many events", schema: limit },
        {
          name: "wait",
          in: "query",
          description: "When there is none yet: wait so many seconds for one",
          schema: wait,
        },
        {
          name: "level",
          in: "query",
          description: "Of an event stream: how much of the log",
          schema: level,
        },
        {
          name: "Last-Event-ID",
          in: "header",
          description: "Of an event stream: the cursor that a browser comes back with; it goes before `after`",
          schema: z.string().optional(),
        },
      ],
      answers: {
        200: {
          description: "Events in the order of the log",
          content: { [JSON_TYPE]: eventPage, [NDJSON_TYPE]: event, [SSE_TYPE]: z.string() },
          headers: {
            Link: 'Only when there is more: <…>; rel="next"',
            [NEXT_CURSOR]: "Where the next request goes on: pass it as `after`. Not on an event stream",
          },
        },
      },
      errors: ["INVALID_ARGUMENT", "CURSOR_GONE"],
      handle: (c) => withUpgrade(service, c, { action: "watch" }, (log) => answer(service, c, { log, live })),
    },
  ];
}

async function answer(
  service: Service,
  c: ApiContext,
  { log, live }: { readonly log: LiveLog; readonly live: EventStream },
): Promise<Response> {
  const type = answerable(c, [JSON_TYPE, NDJSON_TYPE, SSE_TYPE]);
  if (type === SSE_TYPE && c.req.method === "GET") return live.stream(c, log.ref);
  // Only a stream has levels; a word that is none is a mistake here too.
  queryValue(c, "level", level);
  const wanted = { after: queryValue(c, "after", after), limit: queryValue(c, "limit", limit) };
  const waitMs = queryValue(c, "wait", wait) * 1_000;
  const until = performance.now() + (c.req.method === "GET" ? waitMs : 0);
  const ending = AbortSignal.any([c.req.raw.signal, service.closing]);
  let found = await readSome(log, wanted);
  for (let leftMs = until - performance.now(); leftMs > 0; leftMs = until - performance.now()) {
    if (found.lines.length > 0 || ending.aborted) break;
    await changeOf(log, leftMs, ending);
    found = await readSome(log, wanted);
  }
  const next = new URLSearchParams({ after: found.cursor, limit: String(wanted.limit) });
  c.header(NEXT_CURSOR, found.cursor);
  if (!found.isEnd) c.header("Link", `<?${next.toString()}>; rel="next"`);
  c.header("Content-Type", type);
  const comma = Buffer.from(",");
  if (type === NDJSON_TYPE) return c.body(bytesOf(found.lines.flatMap((line) => [line, NEWLINE])));
  const list = found.lines.flatMap((line, index) => (index === 0 ? [line] : [comma, line]));
  const tail = `],"cursor":${JSON.stringify(found.cursor)},"isEnd":${found.isEnd}}`;
  return c.body(bytesOf([Buffer.from('{"events":['), ...list, Buffer.from(tail)]));
}

/** Up to `limit` lines, or the bytes of one answer. @throws CURSOR_GONE. */
async function readSome(
  log: LiveLog,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<LinesAfter> {
  const lines: Uint8Array[] = [];
  let bytes = 0;
  for (let from = after; ;) {
    const found = await linesAfter(log, from, Math.min(LINES_PER_READ, limit - lines.length));
    for (const line of found.lines) bytes += line.byteLength;
    lines.push(...found.lines);
    if (found.isEnd || lines.length >= limit || bytes >= MAX_ANSWER_BYTES) return { ...found, lines };
    from = found.cursor;
  }
}

const bytesOf = (pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(pieces));
