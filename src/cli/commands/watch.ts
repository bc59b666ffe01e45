/** `milepost watch`: an upgrade live until it ends, or all of them: in place on a terminal, lines elsewhere, NDJSON for programs. */

import type { Command } from "commander";
import { MilepostError } from "../../errors.ts";
import type { ProgressStatus } from "../../model/vocabulary.ts";
import { upgradeView } from "../../view/upgrade/upgrade-view.ts";
import { ciSystem, withCiOption } from "../ci/system.ts";
import type { Cli } from "../context.ts";
import { sayLines } from "../context.ts";
import { ENDED_OTHERWISE } from "../exit-codes.ts";
import { sayJson } from "../json-text.ts";
import { durationOption } from "../option-values.ts";
import { paint } from "../render/pen.ts";
import { rowLines } from "../render/task-lines.ts";
import { endText, upgradeLines } from "../render/upgrade-lines.ts";
import { sourceOf, withSourceOptions, type SourceOptions } from "../source.ts";
import type { Source } from "../source/port.ts";
import { canDraw, leaveOn, leftExit, penFor } from "../terminal.ts";
import { candidates, meantUpgrade } from "../upgrades.ts";
import { drawAll } from "../watch/draw-all.ts";
import { present, printEvents, type Watching } from "../watch/follow.ts";
import { printAll } from "../watch/print-all.ts";

interface Options extends SourceOptions {
  readonly once?: boolean;
  readonly plain?: boolean;
  readonly all?: boolean;
  readonly after?: string;
  readonly signOfLife?: number;
}

export function addWatch(program: Command, cli: Cli): void {
  const verb = withSourceOptions(program.command("watch"))
    .description("show an upgrade live until it ends; exits 0 when it completed, 7 when it failed or was cancelled")
    .argument("[id]", "the upgrade; when left out the only unfinished one, else all")
    .option("--all", "all upgrades, also when only one has not ended")
    .option("--once", "show the present and exit")
    .option("--plain", "print lines instead of drawing a tree, also on a terminal; for screen readers")
    .option("--sign-of-life <duration>", "after how long without news to say what is waited for", durationOption)
    .option("--after <cursor>", "with --json: only the events after this cursor");
  withCiOption(verb).action((id: string | undefined, _options, command: Command) => watch(cli, id, command));
}

async function watch(cli: Cli, id: string | undefined, command: Command): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  checkOptions(id, options);
  const source = sourceOf(cli, command);
  if (options.once === true) return showOnce(cli, source, id ?? (await meantUpgrade(source)), options);
  const leave = leaveOn(cli);
  const watching: Watching = {
    source,
    leave,
    common: options,
    isPlain: options.plain,
    signOfLifeMs: options.signOfLife,
    ci: ciSystem(cli, command),
  };
  try {
    cli.exitCode = (await watchMeant(cli, watching, id, options)) ?? leftExit(leave);
  } finally {
    leave.close();
  }
}

/** The exit status; undefined when it was left. */
async function watchMeant(
  cli: Cli,
  watching: Watching,
  id: string | undefined,
  { all, json, plain, after }: Options,
): Promise<number | undefined> {
  const meant = id !== undefined ? [id] : all === true ? [] : await candidates(watching.source);
  const ref = meant.length === 1 ? meant[0] : undefined;
  const isDrawn = json !== true && plain !== true && canDraw(cli);
  // One that was found, and not named, can be left for the others.
  if (isDrawn && id === undefined) return exitOf(await drawAll(cli, watching, ref));
  if (ref === undefined && after !== undefined)
    throw new MilepostError("INVALID_ARGUMENT", "--after is about the events of one upgrade; name it");
  if (ref === undefined) return printAll(cli, watching, all === true);
  return exitOf(await (json === true ? printEvents(cli, watching, { ref, after }) : present(cli, watching, ref)));
}

function exitOf(status: ProgressStatus | undefined): number | undefined {
  return status === undefined ? undefined : status === "completed" ? 0 : ENDED_OTHERWISE;
}

/** @throws INVALID_ARGUMENT. */
function checkOptions(id: string | undefined, { after, json, once, all }: Options): void {
  if (after !== undefined && (json !== true || once === true))
    throw new MilepostError("INVALID_ARGUMENT", "--after is about events; pass --json with it, and no --once");
  if (all === true && (id !== undefined || once === true))
    throw new MilepostError(
      "INVALID_ARGUMENT",
      "--all shows all upgrades live; name none with it, and pass no --once (milepost list shows the present)",
    );
}

async function showOnce(cli: Cli, source: Source, ref: string, options: Options): Promise<void> {
  const { state, hasWriter } = await source.read(ref);
  if (options.json === true) {
    sayJson(cli, state);
    return;
  }
  const by = penFor(cli.stdout, cli.env, options);
  const linesOf = (row: Parameters<typeof rowLines>[0]) => rowLines(row, by).length;
  const view = upgradeView(state, { asOfMs: source.now(), hasWriter, maxLines: cli.stdout.rows ?? Infinity, linesOf });
  sayLines(
    cli,
    upgradeLines(view, by, endText(state, view)).map((line) => paint(line, by)),
  );
}
