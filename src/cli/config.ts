/** The config file of the command line: where it is found, and when its code is loaded. */

import { existsSync } from "node:fs";

import type { Command } from "commander";

import type { Logger } from "../tracker/logger.ts";
import type { Config } from "./config/read-config.ts";
import type { Cli } from "./context.ts";

export type { Config } from "./config/read-config.ts";

/** Read when no other is named, from the folder that the command line is run in. */
const DEFAULT_CONFIG = "milepost.config.json";

export interface ConfigOptions {
  readonly config?: string;
}

/** Adds the option to a verb. */
export function withConfig(verb: Command): Command {
  return verb.option("--config <file>", `who is told of what; ${DEFAULT_CONFIG} when there is one`);
}

/** The config; undefined when none is named and there is none. @throws INVALID_ARGUMENT as `readConfig`. */
export async function configOf({ config }: ConfigOptions, cli: Cli, logger: Logger): Promise<Config | undefined> {
  const path = config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined);
  if (path === undefined) return undefined;
  // Loaded only here: what checks it takes long to load.
  const { readConfig } = await import("./config/read-config.ts");
  return readConfig(path, cli, logger);
}
