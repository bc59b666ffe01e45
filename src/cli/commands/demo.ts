/** `milepost demo`: rehearses the upgrade of an EKS cluster, so that there is something to see. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { DEFAULT_STORAGE_PATH } from "../../open-storage.ts";
import { ProgressTracker } from "../../progress-tracker.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { say } from "../context.ts";
import { speedOption } from "../option-values.ts";
import { presenter } from "../presenter.ts";
import type { Presenter } from "../presenter/presenting.ts";
import { rehearse } from "../rehearsal/rehearse.ts";
import { storageOf } from "../storage.ts";
import { leaveOn, leftExit, type Leave } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly speed: number;
  readonly watch: boolean;
  readonly plain?: boolean;
}

export function addDemo(program: Command, cli: Cli): void {
  program
    .command("demo")
    .description("rehearse the upgrade of an EKS cluster, tracked like a real one; no cluster is touched")
    .option("--speed <times>", "how many times as fast as a real upgrade, or max", speedOption, 60)
    .option("--no-watch", "only track it; watch it from elsewhere")
    .option("--plain", "print lines instead of drawing a tree, also on a terminal")
    .action((_options, command: Command) => demo(cli, command.optsWithGlobals<Options>()));
}

async function demo(cli: Cli, options: Options): Promise<void> {
  const leave = leaveOn(cli);
  const upgradeId = `rehearsal-${timestamp(cli.clock.now())}`;
  const storage = storageOf(options);
  const tracker = new ProgressTracker({
    upgradeId,
    planId: "rehearsal",
    clusterName: "rehearsal",
    storage,
    program: "milepost demo",
  });
  try {
    const shown = options.watch ? presentation(cli, { tracker, leave, options }) : undefined;
    try {
      await perform(tracker, options.speed, leave);
    } finally {
      shown?.close();
    }
  } finally {
    leave.close();
    await tracker.close();
  }
  if (options.quiet !== true) say(cli, farewell(tracker, storage.location, options));
  // Ctrl-C is how a rehearsal is left: no failure.
  if (tracker.progress.status !== "completed" && leave.reason !== "SIGINT") cli.exitCode = leftExit(leave);
}

function presentation(
  cli: Cli,
  { tracker, leave, options }: { readonly tracker: ProgressTracker; readonly leave: Leave; readonly options: Options },
): Presenter {
  const { speed } = options;
  const pace = Number.isFinite(speed) ? `at ${speed}x` : "as fast as it goes";
  const shown = presenter(cli, {
    common: options,
    leave,
    now: () => cli.clock.now(),
    isPlain: options.plain,
    hint: "Ctrl-C ends the rehearsal",
    banner: `REHEARSAL ${pace}: no cluster is touched, all that follows is made up`,
  });
  tracker.addEventCallback((event) => {
    shown.show({ state: tracker.progress, event });
    if (isFinalUpgradeStatus(tracker.progress.status)) shown.end();
  });
  return shown;
}

/** Rehearses to the end, or until it is left: then what is open is cancelled, as an agent would that is asked to stop. */
async function perform(tracker: ProgressTracker, speed: number, { signal }: Leave): Promise<void> {
  const toMs = (minutes: number) => (minutes * 60_000) / speed;
  const pass = async (minutes: number) => {
    await sleep(toMs(minutes), undefined, { signal });
  };
  try {
    await rehearse({ tracker, pass, toMs });
  } catch (error) {
    if (!signal.aborted) throw error;
    // What has not begun keeps its place in the percentage: cancelled tasks do not count.
    for (const { taskId, status } of tracker.progress.tasks.values())
      if (status === "in_progress") tracker.cancelTask(taskId);
    tracker.cancelUpgrade("the rehearsal was left");
  }
}

function farewell(
  { upgradeId, progress }: ProgressTracker,
  location: string,
  { storage, storagePath }: Options,
): string {
  const where =
    storage !== undefined
      ? ` --storage ${safeText(storage)}`
      : storagePath === DEFAULT_STORAGE_PATH
        ? ""
        : ` --storage-path ${safeText(storagePath)}`;
  const end = progress.status === "completed" ? "The rehearsal is over" : "The rehearsal was cancelled";
  return `${end}; it is recorded in ${safeText(location)}. See also:\n  milepost show ${upgradeId}${where}\n  milepost replay ${upgradeId}${where}\n`;
}

/** "20261123-120105", local time. */
function timestamp(epochMs: number): string {
  const date = new Date(epochMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}
