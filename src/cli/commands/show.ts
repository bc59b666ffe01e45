/** `milepost show`: one upgrade as it stands, as text or as JSON. */

import type { Command } from "commander";
import { dateText } from "../../view/text/duration.ts";

import { upgradeView } from "../../view/upgrade/upgrade-view.ts";
import type { Cli } from "../context.ts";
import { sayLines } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { paint } from "../render/pen.ts";
import { rowLines } from "../render/task-lines.ts";
import { endText, paragraph, upgradeLines } from "../render/upgrade-lines.ts";
import { sourceOf, withSourceOptions, type SourceOptions } from "../source.ts";
import { summaryAt } from "../../view/upgrade/summary.ts";
import { penFor } from "../terminal.ts";
import { holderFact, meantUpgrade } from "../upgrades.ts";

interface Options extends SourceOptions {
  readonly all?: boolean;
}

/** Tasks beyond this many lines are folded as in the live display. */
const MAX_TREE_LINES = 60;

export function addShow(program: Command, cli: Cli): void {
  withSourceOptions(program.command("show"))
    .description("show one upgrade as it stands")
    .argument(
      "[id]",
      "the upgrade, or <id>@<n> for a finished run; the only unfinished or the newest one when left out",
    )
    .option("--all", "show every task, also where there are very many")
    .action((id: string | undefined, _options, command: Command) => show(cli, id, command));
}

async function show(cli: Cli, id: string | undefined, command: Command): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const source = sourceOf(cli, command);
  const { state, holder, hasWriter } = await source.read(id ?? (await meantUpgrade(source)));
  const moment = { asOfMs: source.now(), hasWriter };
  if (options.json === true) {
    const summary = summaryAt(state, moment);
    sayJson(cli, { asOf: summary.asOf, state, summary, ...holderFact(holder) }, 2);
    return;
  }
  const by = penFor(cli.stdout, cli.env, options);
  const maxLines = options.all === true ? Infinity : MAX_TREE_LINES;
  const view = upgradeView(state, { ...moment, maxLines, linesOf: (row) => rowLines(row, by).length });
  const facts = [
    `plan ${view.planId}`,
    ...(view.startedAt === null ? [] : [`started ${dateText(view.startedAt)}`]),
    ...(view.completedAt === null ? [] : [`ended ${dateText(view.completedAt)}`]),
    `event ${state.seq}`,
    ...(holder == null ? [] : [`written by ${holder.program} (pid ${holder.pid} on ${holder.host})`]),
  ];
  const lines = [...upgradeLines(view, by, endText(state, view)), [], ...paragraph(facts.join(" · "), "quiet", by)];
  sayLines(
    cli,
    lines.map((line) => paint(line, by)),
  );
}
