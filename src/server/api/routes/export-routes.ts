/** An upgrade as a file to keep: what `milepost export` writes, byte for byte. */

import { z } from "zod";

import type { ProgressEvent } from "../../../model/event.ts";
import { parseLine } from "../../../storage/line.ts";
import { linesAfter } from "../../../stream/lines-after.ts";
import type { LiveLog } from "../../../stream/live-log.ts";
import { EXPORT_FORMATS, exportCsv, exportJson } from "../../../view/log/export.ts";
import { queryValue, type Route } from "../route.ts";
import { event, upgrade } from "../schemas/state.ts";
import { named } from "../schemas/values.ts";
import { withUpgrade, type Service } from "../service.ts";
import { UPGRADE_ID } from "./upgrade-routes.ts";

const LINES_PER_READ = 500;
/** Pieces of a body are collected to about so many characters. */
const PIECE_CHARS = 32_768;
const NEWLINE = Buffer.from("\n");
const TYPES = { json: "application/json", ndjson: "application/x-ndjson", csv: "text/csv; charset=utf-8" } as const;

const format = z.enum(EXPORT_FORMATS).default("json");

const exported = z.object({
  format: z.literal("milepost-export"),
  version: z.literal(1),
  events: z.array(event),
  upgrade: upgrade.nullable(),
});
named.add(exported, { id: "Export" });

export function exportRoutes(service: Service): readonly Route[] {
  return [
    {
      method: "get",
      path: "/api/v1/upgrades/{id}/export",
      operationId: "exportUpgrade",
      summary: "An upgrade as a file: its events and state as JSON, its stored lines, or a table",
      description:
        "What had happened when it was asked for. A body that breaks off (no last chunk) is not the whole of it. " +
        "In CSV, text that a spreadsheet would run as a formula has an apostrophe before it.",
      action: "watch",
      parameters: [
        UPGRADE_ID,
        { name: "format", in: "query", description: "json, ndjson or csv; json when left out", schema: format },
      ],
      answers: {
        200: {
          description: "The file",
          content: { [TYPES.json]: exported, [TYPES.ndjson]: event, "text/csv": z.string() },
          headers: { "Content-Disposition": "attachment, with a name made of the upgrade's" },
        },
      },
      errors: ["INVALID_ARGUMENT"],
      handle: (c) =>
        withUpgrade(service, c, { action: "watch" }, (log) => {
          const wanted = queryValue(c, "format", format);
          c.header("Content-Type", TYPES[wanted]);
          c.header("Content-Disposition", disposition(`${log.ref}.${wanted}`));
          if (c.req.method === "HEAD") return c.body(null);
          const lines = linesOf(log);
          return c.body(
            bodyOf(wanted === "ndjson" ? lines : (wanted === "json" ? exportJson : exportCsv)(eventsIn(lines))),
          );
        }),
    },
  ];
}

/** The lines up to where the log ends now. The log is held until they are read, or nobody wants them any more. */
async function* linesOf(log: LiveLog): AsyncGenerator<Uint8Array, undefined> {
  log.hold();
  try {
    const { head } = log;
    for (let [seq, cursor] = [0, undefined as string | undefined]; seq < head;) {
      const found = await linesAfter(log, cursor, Math.min(LINES_PER_READ, head - seq));
      for (const line of found.lines) yield Buffer.concat([line, NEWLINE]);
      [seq, cursor] = [seq + found.lines.length, found.cursor];
      // Other work goes first: a long log is no hurry.
      await new Promise((next) => setImmediate(next));
    }
    return undefined;
  } finally {
    log.release();
  }
}

async function* eventsIn(lines: AsyncIterable<Uint8Array>): AsyncGenerator<ProgressEvent, undefined> {
  for await (const line of lines) yield parseLine(line);
  return undefined;
}

/** A body that is made as fast as it is read. */
function bodyOf(pieces: AsyncGenerator<string | Uint8Array, undefined>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const collected: Buffer[] = [];
        for (let size = 0; size < PIECE_CHARS;) {
          const { done, value } = await pieces.next();
          if (done === true) break;
          collected.push(Buffer.from(value as string));
          size += value.length;
        }
        if (collected.length === 0) controller.close();
        else controller.enqueue(Buffer.concat(collected));
      },
      cancel: async () => void (await pieces.return(undefined)),
    },
    { highWaterMark: 0 },
  );
}

/** `attachment` with the name in two spellings (RFC 6266): for old clients in ASCII, and as it is. */
function disposition(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._@-]/g, "_");
  const whole = encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole}`;
}
