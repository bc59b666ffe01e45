/** What the reporting verbs share: which upgrade, how the command gets there, what is printed. */

import { Option, type Command as Verb } from "commander";
import { MilepostError, shown } from "../errors.ts";
import { checkId } from "../model/check.ts";
import { checkCommand, type Command } from "../model/command.ts";
import { decide } from "../model/decide.ts";
import { emptyUpgrade } from "../model/upgrade.ts";
import type { Storage } from "../storage/storage.ts";
import { sendCommands } from "../tracker/hand-over.ts";
import type { Cli, CommonOptions } from "./context.ts";
import { say } from "./context.ts";
import { sayJson } from "./json-text.ts";
import { durationOption } from "./option-values.ts";
import { storageOf } from "./storage.ts";

/** Options of every reporting verb. */
export interface ReportOptions extends CommonOptions {
  readonly upgrade?: string;
  readonly id?: string;
  readonly timeout: number;
  readonly plan?: string;
  readonly cluster?: string;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** A verb with the options by which the upgrade is found. */
export function withReportOptions(verb: Verb): Verb {
  return verb
    .addOption(new Option("--upgrade <id>", "the upgrade").env("MILEPOST_UPGRADE_ID"))
    .addOption(new Option("--id <id>", "the same as --upgrade"))
    .addOption(
      new Option("--timeout <duration>", "how long to wait while another process is busy with the upgrade")
        .argParser(durationOption)
        .default(DEFAULT_TIMEOUT_MS, "10s"),
    );
}

/**
 * Gives the commands to the upgrade and prints the events: seq, type and id; whole with --json; nothing with --quiet.
 *
 * @throws INVALID_ARGUMENT when no upgrade is named; what the commands throw; LOCKED.
 */
export async function reportCommands(cli: Cli, options: ReportOptions, commands: readonly object[]): Promise<void> {
  const upgradeId = options.id ?? options.upgrade;
  if (upgradeId === undefined) {
    throw new MilepostError("INVALID_ARGUMENT", "no upgrade is named; pass --upgrade <id>, or set MILEPOST_UPGRADE_ID");
  }
  const ids = { planId: options.plan, clusterName: options.cluster };
  const storage = storageOf(options);
  await refuseEarly(
    storage,
    checkId(upgradeId, "--upgrade"),
    commands.map((command) => checkCommand(command)),
  );
  const events = await sendCommands(storage, upgradeId, commands, { timeoutMs: options.timeout, ids });
  if (options.quiet === true) return;
  for (const event of events) {
    if (options.json === true) sayJson(cli, event);
    else say(cli, `${event.seq} ${event.type} ${event.id}\n`);
  }
}

/** Refuses what cannot be the first that is said of an upgrade before anything is made for it. @throws UNKNOWN_UPGRADE. */
async function refuseEarly(storage: Storage, upgradeId: string, [first]: readonly Command[]): Promise<void> {
  const reader = await storage.openReader(upgradeId);
  if (reader !== undefined) return reader.close();
  try {
    if (first !== undefined)
      decide(emptyUpgrade({ upgradeId, planId: "", clusterName: "" }), first, { time: "", logMs: 0 });
  } catch (error) {
    const remedy = `name another with --upgrade, or begin it: milepost upgrade start --upgrade ${shown(upgradeId)}`;
    throw new MilepostError("UNKNOWN_UPGRADE", `${storage.location} holds no upgrade ${shown(upgradeId)}; ${remedy}`, {
      cause: error,
    });
  }
}

/** The fields of `values` that are there. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
