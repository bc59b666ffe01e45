/** `milepost wait`: blocks until an upgrade has come to something, for scripts and pipelines. */

import type { Command } from "commander";
import { MilepostError, shown } from "../../errors.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { durationText } from "../../view/text/duration.ts";
import { stillText } from "../../view/log/news.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { STATUS_WORDS } from "../../view/text/status-words.ts";
import { summaryAt } from "../../view/upgrade/summary.ts";
import { headView, upgradeView } from "../../view/upgrade/upgrade-view.ts";
import { connectionText } from "../connection-text.ts";
import type { Cli } from "../context.ts";
import { say } from "../context.ts";
import { givenAs } from "../environment.ts";
import { ENDED_OTHERWISE } from "../exit-codes.ts";
import { assessGoal, goalText, parseGoal, GOAL_WORDS, type Goal } from "../goal.ts";
import { sayJson } from "../json-text.ts";
import { durationOption } from "../option-values.ts";
import { sourceOf, withSourceOptions, type SourceOptions } from "../source.ts";
import type { Change, Source } from "../source/port.ts";
import { leaveOn, leftExit, type Leave } from "../terminal.ts";

interface Options extends SourceOptions {
  readonly until: string;
  readonly timeout?: number;
}

export function addWait(program: Command, cli: Cli): void {
  withSourceOptions(program.command("wait"))
    .description(
      "wait until an upgrade has come to something; exits 0 when it has, 6 when the time ran out, 7 when it no longer can",
    )
    .argument("<id>", "the upgrade")
    .option("--until <goal>", `what to wait for: ${GOAL_WORDS}`, "completed")
    .option("--timeout <duration>", "give up after this time, e.g. 90s, 2h", durationOption)
    .action((id: string, _options, command: Command) => wait(cli, id, command));
}

const SIGN_OF_LIFE_MS = 3 * 60_000;

interface Waiting {
  readonly source: Source;
  readonly id: string;
  readonly goal: Goal;
  readonly options: Options;
  readonly leave: Leave;
}

async function wait(cli: Cli, id: string, command: Command): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const goal = parseGoal(options.until, givenAs(command, "--until"));
  const source = sourceOf(cli, command);
  const leave = leaveOn(cli);
  const timer = options.timeout === undefined ? undefined : setTimeout(() => leave.now("timeout"), options.timeout);
  let seen: Change | undefined;
  const isSilent = options.quiet === true || options.json === true;
  const signs = isSilent ? undefined : setInterval(() => void sayStill(cli, source, seen), SIGN_OF_LIFE_MS);
  try {
    const waiting = { source, id, goal, options, leave };
    const outcome = await waitFor(waiting, (change) => (seen = change));
    if (outcome !== undefined) {
      await tell(cli, waiting, outcome.state);
      cli.exitCode = outcome.assessment === "reached" ? 0 : ENDED_OTHERWISE;
    } else if (leave.reason === "timeout") throw timeoutError(waiting, seen);
    else cli.exitCode = leftExit(leave);
  } finally {
    clearTimeout(timer);
    clearInterval(signs);
    leave.close();
  }
}

interface Outcome {
  readonly state: UpgradeProgress;
  readonly assessment: "reached" | "missed";
}

/** What it came to; undefined when the wait was left first. */
async function waitFor(
  { source, id, goal, leave }: Waiting,
  onChange: (change: Change) => void,
): Promise<Outcome | undefined> {
  for await (const change of source.watch(id, { signal: leave.signal })) {
    onChange(change);
    if (change.state === undefined) continue;
    const assessment = assessGoal(goal, change.state, change.events);
    if (assessment !== "open") return { state: change.state, assessment };
  }
  return undefined;
}

async function sayStill(cli: Cli, source: Source, seen: Change | undefined): Promise<void> {
  if (seen?.state === undefined) return;
  const asOfMs = source.now();
  const connection = seen.connection === undefined ? null : connectionText(seen.connection, asOfMs);
  const hasWriter = await source.hasWriter(seen.state);
  say(cli, `${connection ?? stillText(upgradeView(seen.state, { asOfMs, hasWriter }))}\n`);
}

function timeoutError({ id, options }: Waiting, seen: Change | undefined): MilepostError {
  const after = `after ${durationText(options.timeout ?? 0)}`;
  const state = seen?.state;
  const how =
    state === undefined
      ? `nothing is known of upgrade ${shown(id)}`
      : `upgrade ${shown(id)} is ${STATUS_WORDS[state.status].word}`;
  return new MilepostError("TIMEOUT", `${how} ${after}; it goes on, wait again or watch it`);
}

async function tell(cli: Cli, { source, goal, options }: Waiting, state: UpgradeProgress): Promise<void> {
  const asOfMs = source.now();
  if (options.json === true) sayJson(cli, summaryAt(state, { asOfMs, hasWriter: await source.hasWriter(state) }));
  else if (options.quiet !== true) say(cli, endText(goal, state, asOfMs));
}

function endText(goal: Goal, state: UpgradeProgress, asOfMs: number): string {
  const { elapsedMs, message, hasEnded } = headView(state, { asOfMs });
  const after = elapsedMs === null ? "" : ` (${durationText(elapsedMs)})`;
  const what = goalText(goal, state);
  const why = message === null || !hasEnded ? "" : `: ${message}`;
  const end = `${STATUS_WORDS[state.status].word}${after}${why}`;
  return `upgrade ${safeText(state.upgradeId)} ${what === undefined ? end : `${what}; ${end}`}\n`;
}
