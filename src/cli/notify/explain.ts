/** `milepost notify explain`: what each notifier was told of an event, when, with what answer, or why not. */

import { MilepostError, shown } from "../../errors.ts";
import type { ProgressEvent } from "../../model/event.ts";
import { eventReports, type EventReport, type KnownRules } from "../../notify/delivery/report.ts";
import { rulesRouter } from "../../notify/rules.ts";
import type { Storage } from "../../storage/storage.ts";
import { silentLogger } from "../../tracker/logger.ts";
import { readEvents, readUpgrade } from "../../tracker/read.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { configOf } from "../config.ts";
import { sayLines, type Cli } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { storageOf } from "../storage.ts";
import { openLog, type NotifyOptions } from "./parts.ts";

export async function explainEvent(
  cli: Cli,
  { id, event: wanted }: { readonly id: string; readonly event: string },
  options: NotifyOptions,
): Promise<void> {
  const rules = await rulesOf(cli, id, options);
  const storage = storageOf(options);
  const reader = await openLog(storage, id);
  const { upgradeId, run } = reader.header;
  reader.close();
  const event = await eventOf(storage, id, wanted);
  const notifiers = await eventReports(storage.deliveries(upgradeId), { run, event, rules });
  if (options.json === true) sayJson(cli, { event, notifiers }, 2);
  else
    sayLines(cli, [
      safeText(`${event.type} (event ${event.seq}, ${event.id})`),
      ...notifiers.flatMap((each) => explained(event.id, each)),
    ]);
}

async function rulesOf(cli: Cli, id: string, options: NotifyOptions): Promise<KnownRules | undefined> {
  const config = await configOf(options, cli, silentLogger);
  if (config === undefined) return undefined;
  const { notifiers, rules } = config;
  const routers = new Map(notifiers.map(({ notifier: { name } }) => [name, rulesRouter(rules, name)]));
  const { state } = await readUpgrade(storageOf(options), id);
  return { routers, state };
}

function explained(eventId: string, { notifier, sent, verdict, reason, rules }: EventReport): readonly string[] {
  // What is told again has the event's id with `-repeat-1` …
  const which = (id: string): string => (id === eventId ? "" : `${id.slice(eventId.length + 1).replace("-", " ")}, `);
  const calls = sent.map(
    ({ at, id, attempt, outcome, code, answer }) =>
      `    ${at} ${which(id)}attempt ${attempt}: ${outcome}${code === undefined ? "" : ` ${code}`}${answer === undefined ? "" : `: ${answer}`}`,
  );
  const said = rules === undefined ? [] : [`    the rules now: ${rules}`];
  return [`  ${notifier}: ${verdict.replace("_", " ")}: ${reason}`, ...calls, ...said].map(safeText);
}

async function eventOf(storage: Storage, ref: string, wanted: string): Promise<ProgressEvent> {
  for await (const event of readEvents(storage, ref)) {
    if (event.id === wanted || String(event.seq) === wanted) return event;
  }
  throw new MilepostError("INVALID_ARGUMENT", `${shown(ref)} has no event ${shown(wanted)}; name its id or its seq`);
}
