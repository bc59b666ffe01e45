/** `milepost list`: the upgrades of a storage or a server, as a table or as JSON. */

import type { Command } from "commander";
import { checkWord } from "../../model/check.ts";
import { ProgressStatus } from "../../model/vocabulary.ts";
import { dateText, shortDateText } from "../../view/text/duration.ts";
import { fleetRow } from "../../view/upgrade/fleet-view.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { Cli } from "../context.ts";
import { say, sayLines } from "../context.ts";
import { givenAs } from "../environment.ts";
import { sayJson } from "../json-text.ts";
import { paint, type Pen } from "../render/pen.ts";
import { summaryCells, SUMMARY_HEADING } from "../render/summary-cells.ts";
import { tableLines, type Cell } from "../render/table.ts";
import { sourceOf, withSourceOptions, type SourceOptions } from "../source.ts";
import type { Listed } from "../source/port.ts";
import { penFor } from "../terminal.ts";
import { holderFact } from "../upgrades.ts";

interface Options extends SourceOptions {
  readonly status?: string;
  readonly cluster?: string;
  readonly runs?: boolean;
}

export function addList(program: Command, cli: Cli): void {
  withSourceOptions(program.command("list"))
    .description("list the upgrades, the newest first")
    .option("--status <status>", `only those with this status (${Object.values(ProgressStatus).join(", ")})`)
    .option("--cluster <name>", "only those on this cluster")
    .option("--runs", "also the finished runs that were followed by another")
    .action((_options, command: Command) => list(cli, command));
}

async function list(cli: Cli, command: Command): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const { cluster: clusterName, runs: withRuns } = options;
  const status =
    options.status === undefined
      ? undefined
      : checkWord(options.status, givenAs(command, "--status"), Object.values(ProgressStatus));
  const source = sourceOf(cli, command);
  const found = await source.list({ status, clusterName, withRuns });
  if (options.json === true) return sayJson(cli, found.map(jsonOf), 2);
  if (found.length === 0) {
    const isFiltered = status !== undefined || clusterName !== undefined;
    if (options.quiet !== true)
      say(cli, `no upgrades${isFiltered ? " of this kind" : ""} in ${safeText(source.location)}\n`);
    return;
  }
  const by = penFor(cli.stdout, cli.env, options);
  // What goes elsewhere than to a terminal is left whole: it is searched and cut up, not read.
  const isWhole = cli.stdout.isTTY !== true;
  const asOfMs = source.now();
  const startedText = isWhole ? (time: string) => dateText(time) : (time: string) => shortDateText(time, asOfMs);
  const rows = found.map((upgrade) => rowOf(upgrade, { asOfMs, startedText }, by));
  sayLines(
    cli,
    tableLines(SUMMARY_HEADING, rows, by, { isWhole }).map((line) => paint(line, by)),
  );
}

function jsonOf(upgrade: Listed): object {
  const { ref } = upgrade;
  if ("summary" in upgrade) return { ref, ...upgrade.summary, ...holderFact(upgrade.holder) };
  const { error, upgradeId } = upgrade;
  return { ref, upgradeId, error: { code: (error as { code?: unknown }).code ?? null, message: error.message } };
}

interface RowOptions {
  readonly asOfMs: number;
  readonly startedText: (time: string) => string;
}

function rowOf(upgrade: Listed, { asOfMs, startedText }: RowOptions, by: Pen): readonly Cell[] {
  if ("summary" in upgrade)
    return summaryCells(fleetRow({ ...upgrade.summary, upgradeId: upgrade.ref }, asOfMs), startedText, by);
  const cells = [upgrade.ref, "", "unreadable", "", "", "", upgrade.error.message];
  return cells.map((text, column): Cell => (column === 0 ? { text } : { text, look: "bad" }));
}
