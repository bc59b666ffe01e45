/** `milepost wait`: blocks until an upgrade has a status, for scripts and pipelines. */

import type { Command } from "commander";
import { MilepostError, shown } from "../../errors.ts";
import { checkWord } from "../../model/check.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus, ProgressStatus } from "../../model/vocabulary.ts";
import type { Storage } from "../../storage/storage.ts";
import { readUpgrade, watchUpgrade } from "../../tracker/read.ts";
import { durationText } from "../../view/duration.ts";
import { stillText } from "../../view/news.ts";
import { safeText } from "../../view/safe-text.ts";
import { STATUS_WORDS } from "../../view/status-words.ts";
import { headView, upgradeView } from "../../view/upgrade-view.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { say } from "../context.ts";
import { givenAs } from "../environment.ts";
import { ENDED_OTHERWISE } from "../exit-codes.ts";
import { sayJson } from "../json-text.ts";
import { durationOption } from "../option-values.ts";
import { storageOf } from "../storage.ts";
import { summaryAt } from "../../view/summary.ts";
import { leaveOn, leftExit, type Leave } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly until: string;
  readonly timeout?: number;
}

const UNTIL = ["ended", ...Object.values(ProgressStatus).filter((status) => status !== "skipped")] as const;
type Until = (typeof UNTIL)[number];

export function addWait(program: Command, cli: Cli): void {
  program
    .command("wait")
    .description(
      "wait until an upgrade has a status; exits 0 when it has, 6 when the time ran out, 7 when it ended otherwise",
    )
    .argument("<id>", "the upgrade")
    .option("--until <status>", `what to wait for: ${UNTIL.join(", ")}`, "completed")
    .option("--timeout <duration>", "give up after this time, e.g. 90s, 2h", durationOption)
    .action((id: string, _options, command: Command) => wait(cli, id, command));
}

async function wait(cli: Cli, id: string, command: Command): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const until = checkWord(options.until, givenAs(command, "--until"), UNTIL);
  const storage = storageOf(options);
  const leave = leaveOn(cli);
  const timer = options.timeout === undefined ? undefined : setTimeout(() => leave.now("timeout"), options.timeout);
  const signs =
    options.quiet === true || options.json === true
      ? undefined
      : setInterval(() => void sayStill(cli, storage, id), SIGN_OF_LIFE_MS);
  try {
    const state = await waitFor(storage, { id, until, leave });
    cli.exitCode = await told(cli, { storage, id, until, state, options, leave });
  } finally {
    clearTimeout(timer);
    clearInterval(signs);
    leave.close();
  }
}

const SIGN_OF_LIFE_MS = 3 * 60_000;

async function sayStill(cli: Cli, storage: Storage, id: string): Promise<void> {
  const found = await readUpgrade(storage, id).catch(() => undefined);
  if (found !== undefined)
    say(
      cli,
      `${stillText(upgradeView(found.state, { asOfMs: cli.clock.now(), hasWriter: found.holder !== undefined }))}\n`,
    );
}

const hasReached = ({ status }: UpgradeProgress, until: Until): boolean =>
  until === "ended" ? isFinalUpgradeStatus(status) : status === until;

/** The state in which it was reached or the upgrade ended; undefined when the wait was left first. */
async function waitFor(
  storage: Storage,
  { id, until, leave }: { readonly id: string; readonly until: Until; readonly leave: Leave },
): Promise<UpgradeProgress | undefined> {
  for await (const { state } of watchUpgrade(storage, id, { signal: leave.signal })) {
    if (hasReached(state, until) || isFinalUpgradeStatus(state.status)) return state;
  }
  return undefined;
}

interface Outcome {
  readonly storage: Storage;
  readonly id: string;
  readonly until: Until;
  readonly state: UpgradeProgress | undefined;
  readonly options: Options;
  readonly leave: Leave;
}

/** Says how the wait ended; returns its exit status. @throws TIMEOUT. */
async function told(cli: Cli, { storage, id, until, state, options, leave }: Outcome): Promise<number> {
  if (state === undefined && leave.reason === "timeout") {
    const { status } = (await readUpgrade(storage, id)).state;
    throw new MilepostError(
      "TIMEOUT",
      `upgrade ${shown(id)} is ${STATUS_WORDS[status].word} after ${durationText(options.timeout ?? 0)}; it goes on, wait again or watch it`,
    );
  }
  if (state === undefined) return leftExit(leave);
  const asOfMs = cli.clock.now();
  if (options.json === true) sayJson(cli, summaryAt(state, { asOfMs, hasWriter: true }));
  else if (options.quiet !== true) say(cli, endText(state, asOfMs));
  return hasReached(state, until) ? 0 : ENDED_OTHERWISE;
}

function endText(state: UpgradeProgress, asOfMs: number): string {
  const { elapsedMs, message } = headView(state, { asOfMs });
  const after = elapsedMs === null ? "" : ` (${durationText(elapsedMs)})`;
  return `upgrade ${safeText(state.upgradeId)} ${STATUS_WORDS[state.status].word}${after}${message === null ? "" : `: ${message}`}\n`;
}
