/** `milepost run -- <command>`: runs a command as if alone, and tracks it as an upgrade. */

import { basename } from "node:path";
import type { Command } from "commander";
import { MilepostError, shown } from "../../errors.ts";
import { checkName } from "../../model/check.ts";
import type { Ending } from "../../sources/progress-reporter.ts";
import { durationText } from "../../view/text/duration.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { withConfig, type ConfigOptions } from "../config.ts";
import { runLog, type RunLog } from "../ci/run-log.ts";
import { ciSystem, withCiOption } from "../ci/system.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { endAs, endingOf, exitCodeOf } from "../run/ending.ts";
import { findTrouble, startTrouble, type Unrunnable } from "../run/find-command.ts";
import type { CommandEnd } from "../run/launch.ts";
import { RunRecord } from "../run/record.ts";
import { relaySignals } from "../run/signals.ts";
import { startCommand } from "../run/start.ts";
import { openTracking, type Tracking } from "../run/tracking.ts";

interface Options extends CommonOptions, ConfigOptions {
  readonly id?: string;
  readonly name?: string;
  readonly cluster?: string;
  readonly plan?: string;
}

/** Adds the verb. */
export function addRun(program: Command, cli: Cli): void {
  const verb = withCiOption(withConfig(program.command("run")))
    .description("run a command and track it as an upgrade; exit code, signals, input and output are the command's own")
    .usage("[options] -- <command> [arguments]")
    .argument("<command...>", "the command and its arguments, after --")
    .option("--id <id>", "upgrade id; made of the command's name and the time when absent")
    .option("--name <name>", "what the task is called; the command when absent")
    .option("--cluster <cluster>", "cluster name; this machine's name when absent")
    .option("--plan <plan>", "plan id; the command's name when absent")
    .action((words: string[], _options, command: Command) => run(cli, words, command));
  // What commander calls for an option that it does not know; here that is mostly one of the command's own.
  const unknownOption = (option: string): never => {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `run has no option ${shown(option)}; the command with its options comes after --, as in: milepost run -- npm ci`,
    );
  };
  Object.assign(verb, { unknownOption });
}

async function run(cli: Cli, command: readonly string[], verb: Command): Promise<void> {
  const options = verb.optsWithGlobals<Options>();
  const program = command[0] as string;
  const name = checkName(options.name ?? commandText(command), "--name");
  const log = runLog(cli, options.quiet === true ? "none" : ciSystem(cli, verb), name);
  const startedAt = cli.clock.monotonic();
  const tracking = await openTracking(cli, program, options);
  if (tracking.trouble !== undefined) tell(cli, `not tracked: ${tracking.trouble}`);
  const record = new RunRecord({
    tracker: tracking.tracker,
    command,
    name,
    isTerminal: cli.stdout.isTTY === true,
    now: () => cli.clock.monotonic(),
  });
  log.begin();
  const { end, ending, unrunnable } = await runToEnd(cli, command, { tracking, record, options, log });
  await record.end(ending);
  const durationMs = cli.clock.monotonic() - startedAt;
  log.end(ending, durationMs, tracking.tracker?.progress);
  if (unrunnable !== undefined) tell(cli, unrunnable.message);
  for (const trouble of new Set([...record.troubles, ...tracking.notices()])) tell(cli, trouble);
  if (tracking.tracker !== undefined) sayEnd(cli, { tracking, name, end, ending, options, durationMs });
  await written(cli);
  endAs(end, cli);
}

/** How long a reader of standard error may take for the last line; one that stands still must not keep Milepost. */
const LAST_LINE_MS = 1000;

async function written({ stderr }: Cli): Promise<void> {
  for (const until = performance.now() + LAST_LINE_MS; stderr.writableLength > 0 && performance.now() < until;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

interface Ended {
  readonly end: CommandEnd;
  readonly ending: Ending;
  readonly unrunnable?: Unrunnable;
}

interface RunContext {
  readonly tracking: Tracking;
  readonly record: RunRecord;
  readonly options: Options;
  readonly log: RunLog;
}

async function runToEnd(
  cli: Cli,
  command: readonly string[],
  { tracking, record, options, log }: RunContext,
): Promise<Ended> {
  const program = command[0] as string;
  const missing = findTrouble(program, cli.env["PATH"]);
  if (missing !== undefined) return notRun(missing);
  const ignoresHangUp = basename(cli.env["_"] ?? "") === "nohup";
  const relay = relaySignals(cli.signals, { ignoresHangUp });
  const notice = (text: string): void => {
    if (options.quiet !== true) tell(cli, text);
  };
  try {
    const running = startCommand(
      { cli, command, env: log.within(tracking.env), reading: record.reading, ignoresHangUp },
      notice,
    );
    relay.begin(running);
    const end = await running.ended;
    return { end, ending: endingOf(end, relay.received) };
  } catch (error) {
    return notRun(startTrouble(program, error as NodeJS.ErrnoException));
  } finally {
    relay.close();
  }
}

const notRun = (unrunnable: Unrunnable): Ended => ({
  end: { exitCode: unrunnable.exitCode, signal: null },
  ending: { how: "failed", error: unrunnable.message },
  unrunnable,
});

function tell(cli: Cli, text: string): void {
  cli.stderr.write(`milepost: ${safeText(text)}\n`);
}

interface Outcome {
  readonly tracking: Tracking;
  readonly name: string;
  readonly end: CommandEnd;
  readonly ending: Ending;
  readonly options: Options;
  readonly durationMs: number;
}

/**
 * One line at the end: on a terminal, or when JSON was asked for. Where standard error is a file or a pipe it is the command's
 * own, byte for byte.
 */
function sayEnd(cli: Cli, { tracking, name, end, ending, options, durationMs }: Outcome): void {
  const { upgradeId } = tracking;
  if (options.json === true) {
    const { exitCode, signal } = end;
    const summary = {
      upgradeId,
      status: ending.how,
      exitCode,
      signal,
      exitStatus: exitCodeOf(end),
      durationMs: Math.round(durationMs),
    };
    cli.stderr.write(`${JSON.stringify(summary)}\n`);
  } else if (options.quiet !== true && cli.stderr.isTTY === true) {
    const how = ending.how === "completed" ? "completed" : `${ending.how} (${ending.error})`;
    tell(cli, `${name}: ${how} in ${durationText(durationMs)}; milepost show ${upgradeId}`);
  }
}

const MAX_NAME = 200;

/** The command as it would be typed, cut to a readable length. */
function commandText(command: readonly string[]): string {
  const text = command
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
  return text.length > MAX_NAME ? `${text.slice(0, MAX_NAME - 1)}…` : text;
}
