/** What the reporting verbs share: which upgrade, how the command gets there, what is printed. */

import { randomUUID } from "node:crypto";

import { Option, type Command as Verb } from "commander";
import { MilepostError, shown } from "../errors.ts";
import { checkId, checkNewId } from "../model/check.ts";
import { checkCommand, type Command } from "../model/command.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { Storage } from "../storage/storage.ts";
import { safeText } from "../view/text/safe-text.ts";
import { sendCommands } from "../tracker/hand-over.ts";
import type { Cli, CommonOptions } from "./context.ts";
import { say } from "./context.ts";
import { readsVariable } from "./environment.ts";
import { sayJson } from "./json-text.ts";
import { durationOption } from "./option-values.ts";
import { storageOf } from "./storage.ts";

/** Options of every reporting verb. */
export interface ReportOptions extends CommonOptions {
  readonly upgrade?: string;
  readonly timeout: number;
  readonly plan?: string;
  readonly cluster?: string;
  readonly takeOver?: boolean;
  readonly server?: string;
  readonly token?: string;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** A verb with the options by which the upgrade is found. */
export function withReportOptions(verb: Verb): Verb {
  return verb
    .addOption(
      readsVariable(new Option("--upgrade <id>", "the upgrade; also MILEPOST_UPGRADE_ID"), "MILEPOST_UPGRADE_ID"),
    )
    .addOption(sameAs("upgrade", new Option("--id <id>", "the same as --upgrade")))
    .addOption(timeoutOption("how long to wait while another process is busy with the upgrade"))
    .option("--take-over", "displace the process that holds the upgrade, e.g. one that does not answer")
    .option("--server <url>", "report to a Milepost server instead of a storage, e.g. http://127.0.0.1:8765")
    .option(
      "--token <token>",
      "who reports, to a server that asks; better as MILEPOST_TOKEN, which other users cannot see",
    );
}

/** `--timeout`, ten seconds when left out. */
export function timeoutOption(description: string): Option {
  return new Option("--timeout <duration>", description).argParser(durationOption).default(DEFAULT_TIMEOUT_MS, "10s");
}

/** An option that sets the value of another, so that the command line goes before the environment under either name. */
function sameAs(name: string, option: Option): Option {
  option.attributeName = () => name;
  return option;
}

/**
 * Gives the commands to the upgrade and prints the events: seq, type and id; whole with --json; nothing with --quiet.
 *
 * @throws INVALID_ARGUMENT when no upgrade is named; what the commands throw; LOCKED; TIMEOUT when a server does not answer.
 */
export async function reportCommands(cli: Cli, options: ReportOptions, commands: readonly object[]): Promise<void> {
  const upgradeId = options.upgrade;
  if (upgradeId === undefined) {
    throw new MilepostError("INVALID_ARGUMENT", "no upgrade is named; pass --upgrade <id>, or set MILEPOST_UPGRADE_ID");
  }
  checkId(upgradeId, "--upgrade");
  const checked = commands.map((command) => checkCommand(command));
  const events = await (options.server === undefined ? toStorage : toServer)(options, upgradeId, checked);
  if (options.quiet === true) return;
  for (const event of events) {
    if (options.json === true) sayJson(cli, event);
    else say(cli, `${event.seq} ${event.type} ${safeText(event.id)}\n`);
  }
}

async function toStorage(
  options: ReportOptions,
  upgradeId: string,
  commands: readonly Command[],
): Promise<readonly ProgressEvent[]> {
  const { plan, cluster, timeout, takeOver } = options;
  const storage = storageOf(options);
  if (storage.kind === "memory") {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      "--storage memory: is gone when this verb ends, and the report with it; name a storage that stays, or a --server",
    );
  }
  await refuseUnknown(storage, upgradeId, commands);
  return sendCommands(storage, upgradeId, commands, {
    timeoutMs: timeout,
    ids: { planId: plan, clusterName: cluster },
    takeOver,
  });
}

async function toServer(
  { server = "", token, plan, cluster, timeout, takeOver }: ReportOptions,
  upgradeId: string,
  commands: readonly Command[],
): Promise<readonly ProgressEvent[]> {
  if (takeOver === true)
    throw new MilepostError("INVALID_ARGUMENT", "pass --take-over or --server: from a server nothing is taken over");
  const { reportToServer } = await import("./server-client.ts");
  return reportToServer({
    server,
    token,
    upgradeId,
    planId: plan,
    clusterName: cluster,
    commands,
    timeoutMs: timeout,
    idempotencyKey: randomUUID(),
  });
}

/** Refuses to report on an upgrade that is not there; only `upgrade start` makes one. @throws UNKNOWN_UPGRADE, INVALID_ID. */
async function refuseUnknown(storage: Storage, upgradeId: string, [first]: readonly Command[]): Promise<void> {
  const reader = await storage.openReader(upgradeId);
  if (reader !== undefined) return reader.close();
  if (first?.type === "startUpgrade") return void checkNewId(upgradeId, "--upgrade");
  const remedy = `name another with --upgrade, or begin it: milepost upgrade start --upgrade ${shown(upgradeId)}`;
  throw new MilepostError("UNKNOWN_UPGRADE", `${storage.location} holds no upgrade ${shown(upgradeId)}; ${remedy}`);
}

/** The fields of `values` that are there. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
