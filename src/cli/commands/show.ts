/** `milepost show`: one upgrade as it stands, as text or as JSON. */

import type { Command } from "commander";
import { dateText } from "../../view/duration.ts";

import { upgradeView } from "../../view/upgrade-view.ts";
import { readUpgrade } from "../../tracker/read.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { sayLines } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { paint } from "../render/pen.ts";
import { rowLines } from "../render/task-lines.ts";
import { paragraph, upgradeLines } from "../render/upgrade-lines.ts";
import { storageOf } from "../storage.ts";
import { summaryAt } from "../../view/summary.ts";
import { penFor } from "../terminal.ts";
import { meantUpgrade } from "../upgrades.ts";

interface Options extends CommonOptions {
  readonly all?: boolean;
}

/** Tasks beyond this many lines are folded as in the live display. */
const MAX_TREE_LINES = 60;

export function addShow(program: Command, cli: Cli): void {
  program
    .command("show")
    .description("show one upgrade as it stands")
    .argument(
      "[id]",
      "the upgrade, or <id>@<n> for a finished run; the only unfinished or the newest one when left out",
    )
    .option("--all", "show every task, also where there are very many")
    .action((id: string | undefined, _options, command: Command) => show(cli, id, command.optsWithGlobals<Options>()));
}

async function show(cli: Cli, id: string | undefined, options: Options): Promise<void> {
  const storage = storageOf(options);
  const ref = id ?? (await meantUpgrade(storage));
  const { state, holder } = await readUpgrade(storage, ref);
  const moment = { asOfMs: cli.clock.now(), hasWriter: holder !== undefined };
  if (options.json === true) {
    const summary = summaryAt(state, moment);
    sayJson(cli, { asOf: summary.asOf, state, summary, holder: holder ?? null }, 2);
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
    ...(holder === undefined ? [] : [`written by ${holder.program} (pid ${holder.pid} on ${holder.host})`]),
  ];
  const lines = [...upgradeLines(view, by), [], ...paragraph(facts.join(" · "), "quiet", by)];
  sayLines(
    cli,
    lines.map((line) => paint(line, by)),
  );
}
