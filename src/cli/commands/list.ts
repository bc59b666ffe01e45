/** `milepost list`: the upgrades of a storage, as a table or as JSON. */

import type { Command } from "commander";
import { checkWord } from "../../model/check.ts";
import { ProgressStatus } from "../../model/vocabulary.ts";
import { dateText, durationText, percentText, shortDateText } from "../../view/duration.ts";
import { safeText } from "../../view/safe-text.ts";
import { HEALTH_TONES, STATUS_WORDS } from "../../view/status-words.ts";

import { headView } from "../../view/upgrade-view.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { say, sayLines } from "../context.ts";
import { givenAs } from "../environment.ts";
import { sayJson } from "../json-text.ts";
import { glyph, paint, type Pen } from "../render/pen.ts";
import { tableLines, type Cell } from "../render/table.ts";
import { storageOf } from "../storage.ts";
import { summaryAt } from "../../view/summary.ts";
import { penFor } from "../terminal.ts";
import { findUpgrades, type FoundUpgrade } from "../upgrades.ts";

interface Options extends CommonOptions {
  readonly status?: string;
  readonly cluster?: string;
  readonly runs?: boolean;
}

export function addList(program: Command, cli: Cli): void {
  program
    .command("list")
    .description("list the upgrades, the newest first")
    .option("--status <status>", `only those with this status (${Object.values(ProgressStatus).join(", ")})`)
    .option("--cluster <name>", "only those on this cluster")
    .option("--runs", "also the finished runs that were followed by another")
    .action((_options, command: Command) => list(cli, command));
}

async function list(cli: Cli, command: Command): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const { cluster } = options;
  const status =
    options.status === undefined
      ? undefined
      : checkWord(options.status, givenAs(command, "--status"), Object.values(ProgressStatus));
  const storage = storageOf(options);
  const all = await findUpgrades(storage, { withRuns: options.runs === true });
  const found = all.filter(
    (upgrade) =>
      "error" in upgrade ||
      ((status === undefined || upgrade.state.status === status) &&
        (cluster === undefined || upgrade.state.clusterName === cluster)),
  );
  const asOfMs = cli.clock.now();
  if (options.json === true) {
    const entries = found.map((upgrade) => jsonOf(upgrade, asOfMs));
    sayJson(cli, entries, 2);
    return;
  }
  if (found.length === 0) {
    if (options.quiet !== true)
      say(cli, `no upgrades${all.length === 0 ? "" : " of this kind"} in ${safeText(storage.location)}\n`);
    return;
  }
  const by = penFor(cli.stdout, cli.env, options);
  // What goes elsewhere than to a terminal is left whole: it is searched and cut up, not read.
  const isWhole = cli.stdout.isTTY !== true;
  const startedText = isWhole ? dateText : (time: string) => shortDateText(time, asOfMs);
  const rows = found.map((upgrade) => rowOf(upgrade, { asOfMs, startedText }, by));
  sayLines(
    cli,
    tableLines(HEADING, rows, by, { isWhole }).map((line) => paint(line, by)),
  );
}

const HEADING = ["UPGRADE", "CLUSTER", "STATUS", "DONE", "STARTED", "DURATION", "NOTE"];

function jsonOf(upgrade: FoundUpgrade, asOfMs: number): object {
  const { ref, upgradeId } = upgrade;
  if ("error" in upgrade)
    return {
      ref,
      upgradeId,
      error: { code: (upgrade.error as { code?: unknown }).code ?? null, message: upgrade.error.message },
    };
  const { state, holder } = upgrade;
  return { ref, ...summaryAt(state, { asOfMs, hasWriter: holder !== undefined }), holder: holder ?? null };
}

interface RowOptions {
  readonly asOfMs: number;
  readonly startedText: (time: string) => string;
}

function rowOf(upgrade: FoundUpgrade, { asOfMs, startedText }: RowOptions, by: Pen): readonly Cell[] {
  if ("error" in upgrade) {
    const cells = [upgrade.ref, "", "unreadable", "", "", "", upgrade.error.message];
    return cells.map((text, column): Cell => (column === 0 ? { text } : { text, look: "bad" }));
  }
  const view = headView(upgrade.state, { asOfMs, hasWriter: upgrade.holder !== undefined });
  const words = STATUS_WORDS[view.status];
  const isIll = view.health !== null && view.health.state !== "progressing";
  return [
    { text: upgrade.ref },
    { text: view.clusterName },
    { text: `${glyph(by, words)} ${words.word}`, look: words.tone },
    { text: view.status === "not_started" ? "" : percentText(view.percent) },
    { text: view.startedAt === null ? "" : startedText(view.startedAt) },
    { text: view.elapsedMs === null ? "" : durationText(view.elapsedMs) },
    isIll
      ? { text: `${view.health.state}: ${view.health.reasons.join("; ")}`, look: HEALTH_TONES[view.health.state] }
      : { text: view.hasEnded ? (view.message ?? "") : (view.phase ?? "") },
  ];
}
