/** What the verbs of `milepost notify` share. */

import { MilepostError, shown } from "../../errors.ts";
import type { LogReader, Storage } from "../../storage/storage.ts";
import type { Logger } from "../../tracker/logger.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { configOf, type Config, type ConfigOptions } from "../config.ts";
import type { Cli, CommonOptions } from "../context.ts";

export interface NotifyOptions extends CommonOptions, ConfigOptions {}

/** A reader of a log, which its caller closes. @throws UNKNOWN_UPGRADE. */
export async function openLog(storage: Storage, ref: string): Promise<LogReader> {
  const reader = await storage.openReader(ref);
  if (reader !== undefined) return reader;
  throw new MilepostError(
    "UNKNOWN_UPGRADE",
    `${storage.location} holds no upgrade ${shown(ref)}; \`milepost list\` shows what it holds`,
  );
}

/** The ids of all upgrades of a storage. */
export async function allUpgrades(storage: Storage): Promise<readonly string[]> {
  return [...new Set((await storage.list()).map(({ upgradeId }) => upgradeId))].sort();
}

/** The config of a verb that cannot do without. @throws INVALID_ARGUMENT. */
export async function neededConfig(cli: Cli, options: ConfigOptions, logger: Logger): Promise<Config> {
  const config = await configOf(options, cli, logger);
  if (config !== undefined) return config;
  const remedy = "write milepost.config.json (docs/notifications.md), or name another with --config";
  throw new MilepostError("INVALID_ARGUMENT", `nobody says who is told: there is no config file here; ${remedy}`);
}

/** Says on standard error what notifiers warn of; each text once. */
export function warningLogger(cli: Cli): Logger {
  const said = new Set<string>();
  const tell = (message: string): void => {
    if (!said.has(message)) cli.stderr.write(`milepost: ${safeText(message)}\n`);
    said.add(message);
  };
  return { info: () => undefined, warn: tell, error: tell };
}
