/** `milepost watch`: an upgrade live until it ends: a tree on a terminal, lines elsewhere, events as NDJSON for programs. */

import type { Command } from "commander";
import { MilepostError } from "../../errors.ts";
import { isFinalUpgradeStatus, type ProgressStatus } from "../../model/vocabulary.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import type { Storage } from "../../storage/storage.ts";
import { readLines, readUpgrade, watchUpgrade } from "../../tracker/read.ts";
import { upgradeView } from "../../view/upgrade-view.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { sayLines } from "../context.ts";
import { ENDED_OTHERWISE } from "../exit-codes.ts";
import { sayJson, storedText } from "../json-text.ts";
import { durationOption } from "../option-values.ts";
import { presenter } from "../presenter.ts";
import { paint } from "../render/pen.ts";
import { rowLines } from "../render/task-lines.ts";
import { upgradeLines } from "../render/upgrade-lines.ts";
import { storageOf } from "../storage.ts";
import { leaveOn, leftExit, penFor, type Leave } from "../terminal.ts";
import { meantUpgrade } from "../upgrades.ts";

interface Options extends CommonOptions {
  readonly once?: boolean;
  readonly plain?: boolean;
  readonly after?: string;
  readonly signOfLife?: number;
}

export function addWatch(program: Command, cli: Cli): void {
  program
    .command("watch")
    .description("show an upgrade live until it ends; exits 0 when it completed, 7 when it failed or was cancelled")
    .argument("[id]", "the upgrade; the only unfinished or the newest one when left out")
    .option("--once", "show the present and exit")
    .option("--plain", "print lines instead of drawing a tree, also on a terminal")
    .option("--sign-of-life <duration>", "after how long without news to say what is waited for", durationOption)
    .option("--after <cursor>", "with --json: only the events after this cursor")
    .action((id: string | undefined, _options, command: Command) => watch(cli, id, command.optsWithGlobals<Options>()));
}

async function watch(cli: Cli, id: string | undefined, options: Options): Promise<void> {
  if (options.after !== undefined && (options.json !== true || options.once === true))
    throw new MilepostError("INVALID_ARGUMENT", "--after is about events; pass --json with it, and no --once");
  const storage = storageOf(options);
  const ref = id ?? (await meantUpgrade(storage));
  if (options.once === true) return showOnce(cli, { storage, ref }, options);
  const leave = leaveOn(cli);
  try {
    const place = { storage, ref, leave };
    const status =
      options.json === true ? await printEvents(cli, place, options.after) : await present(cli, place, options);
    cli.exitCode = status === undefined ? leftExit(leave) : status === "completed" ? 0 : ENDED_OTHERWISE;
  } finally {
    leave.close();
  }
}

interface Place {
  readonly storage: Storage;
  readonly ref: string;
}

async function showOnce(cli: Cli, { storage, ref }: Place, options: Options): Promise<void> {
  const { state, holder } = await readUpgrade(storage, ref);
  if (options.json === true) {
    sayJson(cli, state);
    return;
  }
  const by = penFor(cli.stdout, cli.env, options);
  const linesOf = (row: Parameters<typeof rowLines>[0]) => rowLines(row, by).length;
  const view = upgradeView(state, {
    asOfMs: cli.clock.now(),
    hasWriter: holder !== undefined,
    maxLines: cli.stdout.rows ?? Infinity,
    linesOf,
  });
  sayLines(
    cli,
    upgradeLines(view, by).map((line) => paint(line, by)),
  );
}

/** The stored bytes of the events, from the beginning or a cursor on, until the upgrade ends. */
async function printEvents(
  cli: Cli,
  { storage, ref, leave }: Place & { readonly leave: Leave },
  after: string | undefined,
): Promise<ProgressStatus | undefined> {
  for await (const bytes of readLines(storage, ref, { follow: true, after, signal: leave.signal })) {
    cli.stdout.write(storedText(cli.stdout, bytes));
    for (const line of splitLines(bytes)) {
      const event = parseLine(line);
      if (event.type.startsWith("upgrade.") && "status" in event && isFinalUpgradeStatus(event.status))
        return event.status;
    }
  }
  return undefined;
}

/** How often to look whether somebody writes. */
const HOLDER_MS = 2000;

async function present(
  cli: Cli,
  { storage, ref, leave }: Place & { readonly leave: Leave },
  options: Options,
): Promise<ProgressStatus | undefined> {
  const hint = "q leaves, the upgrade goes on";
  const now = () => cli.clock.now();
  let upgradeId = ref;
  const shown = presenter(cli, {
    common: options,
    leave,
    now,
    isPlain: options.plain,
    signOfLifeMs: options.signOfLife,
    hint,
  });
  const look = async () => shown.setWriter((await storage.holder(upgradeId)) !== undefined);
  const looking = setInterval(() => void look().catch(() => undefined), HOLDER_MS);
  try {
    for await (const { state, event } of watchUpgrade(storage, ref, { signal: leave.signal })) {
      if (event === undefined) {
        upgradeId = state.upgradeId;
        await look();
      }
      shown.show(state, event);
      if (isFinalUpgradeStatus(state.status)) {
        shown.end();
        return state.status;
      }
    }
    shown.end();
    return undefined;
  } finally {
    clearInterval(looking);
    shown.close();
  }
}
