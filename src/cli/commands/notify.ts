/** `milepost notify …`: where notifiers stand, what they were told of an event, and telling dead letters again. */

import type { Command } from "commander";
import { MilepostError, shown } from "../../errors.ts";
import { requestRedrive } from "../../notify/delivery.ts";
import { deliveryReports, eventReports, type DeliveryReport, type EventReport } from "../../notify/delivery/report.ts";
import type { ProgressEvent } from "../../model/event.ts";
import type { Storage } from "../../storage/storage.ts";
import { readEvents } from "../../tracker/read.ts";
import { safeText } from "../../view/safe-text.ts";
import { say, type Cli, type CommonOptions } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { storageOf } from "../storage.ts";

export function addNotify(program: Command, cli: Cli): void {
  const notify = program.command("notify").description("see what notifiers were told, and tell dead letters again");
  notify
    .command("list")
    .description("where each notifier stands: how far it was told, what waits, what is dead")
    .argument("[id]", "the upgrade; all of them when left out")
    .action((id: string | undefined, _options, command: Command) => list(cli, id, command.optsWithGlobals()));
  notify
    .command("redrive")
    .description("have the dead letters of a notifier told again, by whoever tells it now or next")
    .argument("<id>", "the upgrade")
    .argument("<notifier>", "the notifier's name")
    .action((id: string, notifier: string, _options, command: Command) =>
      redrive(cli, { id, notifier }, command.optsWithGlobals()),
    );
  notify
    .command("explain")
    .description("what each notifier was told of an event, when, and with what answer")
    .argument("<id>", "the upgrade, or <id>@<n> for a finished run")
    .argument("<event>", "the event's id, or its seq")
    .action((id: string, event: string, _options, command: Command) =>
      explain(cli, { id, event }, command.optsWithGlobals()),
    );
}

async function list(cli: Cli, id: string | undefined, options: CommonOptions): Promise<void> {
  const storage = storageOf(options);
  if (id !== undefined) (await openLog(storage, id)).close();
  const all = (await storage.list()).map(({ upgradeId }) => upgradeId);
  const upgrades = id === undefined ? [...new Set(all)].sort() : [id];
  const found: { readonly upgradeId: string; readonly notifiers: readonly DeliveryReport[] }[] = [];
  for (const upgradeId of upgrades)
    found.push({ upgradeId, notifiers: await deliveryReports(storage.deliveries(upgradeId)) });
  if (options.json === true) {
    sayJson(cli, id === undefined ? found : found[0], 2);
    return;
  }
  const lines = found.flatMap(({ upgradeId, notifiers }) => notifiers.map((each) => listLine(upgradeId, each)));
  say(cli, lines.length === 0 ? "no notifier was told anything yet\n" : `${lines.join("\n")}\n`);
}

function listLine(upgradeId: string, { notifier, run, seq, waiting, deadLetters, lastSent }: DeliveryReport): string {
  const place = seq === undefined ? "its record cannot be read" : `told up to event ${seq} of run ${run}`;
  const last = lastSent === undefined ? "" : `, last call ${lastSent.at} (${lastSent.outcome})`;
  return safeText(`${upgradeId}  ${notifier}: ${place}, ${waiting.length} waiting, ${deadLetters} dead letters${last}`);
}

async function redrive(
  cli: Cli,
  { id, notifier }: { readonly id: string; readonly notifier: string },
  options: CommonOptions,
): Promise<void> {
  const storage = storageOf(options);
  (await openLog(storage, id)).close();
  const store = storage.deliveries(id);
  const report = (await deliveryReports(store)).find((each) => each.notifier === notifier);
  if (report === undefined) {
    const known = (await store.list()).map(shown).join(", ") || "none yet";
    const text = `${shown(notifier)} was never told of ${shown(id)}; those that were: ${known}`;
    throw new MilepostError("INVALID_ARGUMENT", text);
  }
  if (report.deadLetters > 0) await requestRedrive(store, notifier, new Date(cli.clock.now()).toISOString());
  if (options.json === true) sayJson(cli, { upgradeId: id, notifier, deadLetters: report.deadLetters });
  else if (options.quiet !== true)
    say(cli, `${report.deadLetters} dead letters are told again by whoever tells ${safeText(notifier)} now or next\n`);
}

async function explain(
  cli: Cli,
  { id, event: wanted }: { readonly id: string; readonly event: string },
  options: CommonOptions,
): Promise<void> {
  const storage = storageOf(options);
  const reader = await openLog(storage, id);
  const { upgradeId, run } = reader.header;
  reader.close();
  const event = await eventOf(storage, id, wanted);
  const notifiers = await eventReports(storage.deliveries(upgradeId), { run, event });
  if (options.json === true) sayJson(cli, { event, notifiers }, 2);
  else
    say(
      cli,
      `${[safeText(`${event.type} (event ${event.seq}, ${event.id})`), ...notifiers.flatMap(explained)].join("\n")}\n`,
    );
}

function explained({ notifier, sent, verdict, reason }: EventReport): readonly string[] {
  const calls = sent.map(
    ({ at, attempt, outcome, code, answer }) =>
      `    ${at} attempt ${attempt}: ${outcome}${code === undefined ? "" : ` ${code}`}${answer === undefined ? "" : `: ${answer}`}`,
  );
  return [`  ${notifier}: ${verdict.replace("_", " ")}: ${reason}`, ...calls].map(safeText);
}

async function openLog(storage: Storage, ref: string) {
  const reader = await storage.openReader(ref);
  if (reader !== undefined) return reader;
  throw new MilepostError(
    "UNKNOWN_UPGRADE",
    `${storage.location} holds no upgrade ${shown(ref)}; \`milepost list\` shows what it holds`,
  );
}

async function eventOf(storage: Storage, ref: string, wanted: string): Promise<ProgressEvent> {
  for await (const event of readEvents(storage, ref)) {
    if (event.id === wanted || String(event.seq) === wanted) return event;
  }
  throw new MilepostError("INVALID_ARGUMENT", `${shown(ref)} has no event ${shown(wanted)}; name its id or its seq`);
}
