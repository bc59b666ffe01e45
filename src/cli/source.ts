/** Where a verb reads from, by its options. */

import { Option, type Command } from "commander";
import { MilepostError } from "../errors.ts";
import type { ProgressEvent } from "../model/event.ts";
import { parseLine, splitLines } from "../storage/line.ts";
import type { Cli, CommonOptions } from "./context.ts";
import type { LinesOptions, Source } from "./source/port.ts";
import { serverSource } from "./source/server-source.ts";
import { storageSource } from "./source/storage-source.ts";
import { storageOf } from "./storage.ts";

/** Options of every verb that reads. */
export interface SourceOptions extends CommonOptions {
  readonly server?: string;
  readonly token?: string;
}

/** A verb with the options that name a server. */
export function withSourceOptions(verb: Command): Command {
  return verb
    .addOption(
      new Option("--server <url>", "read from a Milepost server instead of a storage, e.g. http://127.0.0.1:8765"),
    )
    .addOption(
      new Option(
        "--token <token>",
        "who asks, for a server that wants to know; better as MILEPOST_TOKEN, which other users cannot see",
      ),
    );
}

/** The source that the options of a verb name. @throws INVALID_ARGUMENT when the command line names both. */
export function sourceOf(cli: Cli, command: Command): Source {
  const options = command.optsWithGlobals<SourceOptions>();
  if (options.server === undefined) return storageSource(storageOf(options), cli.clock);
  const [isStorageGiven, isServerGiven] = [isGiven(command, ["storage", "storagePath"]), isGiven(command, ["server"])];
  if (isStorageGiven && isServerGiven)
    throw new MilepostError(
      "INVALID_ARGUMENT",
      "pass a storage or --server, not both: upgrades are read from one of them",
    );
  // What stands on the command line goes before the environment.
  if (isStorageGiven) return storageSource(storageOf(options), cli.clock);
  return serverSource({ server: options.server, token: options.token, clock: cli.clock });
}

function isGiven(command: Command, names: readonly string[]): boolean {
  return names.some((name) => command.getOptionValueSourceWithGlobals(name) === "cli");
}

/** The events of a log, in order. @throws UNKNOWN_UPGRADE, CURSOR_GONE, CORRUPT. */
export async function* eventsOf(
  source: Source,
  ref: string,
  options: LinesOptions = {},
): AsyncGenerator<ProgressEvent, undefined> {
  for await (const bytes of source.lines(ref, options)) for (const line of splitLines(bytes)) yield parseLine(line);
  return undefined;
}
