/** Opens the upgrade that a command is recorded in, and says what the command finds of it in its environment. */

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { isMilepostError } from "../../errors.ts";
import { checkNewId } from "../../model/check.ts";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { ProgressTracker } from "../../progress-tracker.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Logger } from "../../tracker/logger.ts";
import { readUpgrade } from "../../tracker/read.ts";
import { configOf, type ConfigOptions } from "../config.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { storageOf } from "../storage.ts";

export interface TrackingOptions extends Pick<CommonOptions, "storage" | "storagePath">, ConfigOptions {
  readonly id?: string;
  readonly plan?: string;
  readonly cluster?: string;
}

export interface Tracking {
  readonly upgradeId: string;
  /** Undefined when the storage cannot be used; `trouble` says why. */
  readonly tracker: ProgressTracker | undefined;
  readonly trouble: string | undefined;
  /** What notifiers had to say of themselves, once the tracker is closed. */
  readonly notices: () => readonly string[];
  /** The environment for the command. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Opens the upgrade for writing. A storage that cannot be used, or an upgrade that another process holds, is no error: the
 * command runs all the same.
 *
 * @throws INVALID_ID, INVALID_ARGUMENT, UPGRADE_MISMATCH for options that are wrong, and for a config file that is.
 */
export async function openTracking(cli: Cli, program: string, options: TrackingOptions): Promise<Tracking> {
  const upgradeId = checkNewId(options.id ?? generatedId(program, cli.clock.now()), "--id");
  if (options.plan !== undefined) checkNewId(options.plan, "--plan");
  if (options.cluster !== undefined) checkNewId(options.cluster, "--cluster");
  const storage = storageOf(options);
  const { logger, notices } = keptWarnings();
  const config = await configOf(options, cli, logger);
  const telling =
    config === undefined
      ? {}
      : { notifiers: config.notifiers.map(({ notifier }) => notifier), rules: config.rules, logger };
  try {
    const { planId, clusterName } = await idsFor(storage, upgradeId, program, options);
    const tracker = await ProgressTracker.open({
      upgradeId,
      planId,
      clusterName,
      storage,
      clock: cli.clock,
      program: "milepost run",
      drainTimeoutMs: DRAIN_TIMEOUT_MS,
      ...telling,
    });
    return { upgradeId, tracker, trouble: undefined, notices, env: trackedEnvironment(cli, upgradeId, options) };
  } catch (error) {
    if (isMilepostError(error, "UPGRADE_MISMATCH", "INVALID_ID")) throw error;
    const trouble = error instanceof Error ? error.message : String(error);
    return { upgradeId, tracker: undefined, trouble, notices, env: cli.env };
  }
}

/** What is not told by then is told by `milepost start` or `milepost notify drain`. */
const DRAIN_TIMEOUT_MS = 3_000;

/** While the command runs, standard error is its own. */
function keptWarnings(): { readonly logger: Logger; readonly notices: () => readonly string[] } {
  const kept = new Set<string>();
  const keep = (message: string): void => void kept.add(message);
  return { logger: { info: () => undefined, warn: keep, error: keep }, notices: () => [...kept] };
}

/** What is not given is as stored while the upgrade is unfinished, so that a run that was killed can be given again. */
async function idsFor(
  storage: Storage,
  upgradeId: string,
  program: string,
  { id, plan, cluster }: TrackingOptions,
): Promise<{ planId: string; clusterName: string }> {
  const stored = id === undefined ? undefined : await storedIds(storage, upgradeId);
  return {
    planId: plan ?? stored?.planId ?? nameOf(program),
    clusterName: cluster ?? stored?.clusterName ?? hostname(),
  };
}

async function storedIds(
  storage: Storage,
  upgradeId: string,
): Promise<{ planId: string; clusterName: string } | undefined> {
  try {
    const { state } = await readUpgrade(storage, upgradeId);
    return isFinalUpgradeStatus(state.status) || state.seq === 0 ? undefined : state;
  } catch (error) {
    if (isMilepostError(error, "UNKNOWN_UPGRADE")) return undefined;
    throw error;
  }
}

/** The program's own name, as far as an id can hold it. */
function nameOf(program: string): string {
  const name = program.slice(program.lastIndexOf("/") + 1).replaceAll(/[^\p{L}\p{N}._+-]/gu, "");
  return name.slice(0, 60) || "command";
}

/** Such as `npm-20261123-094501-3fa9`: what, when (UTC), and something random, since two may begin in one second. */
function generatedId(program: string, epochMs: number): string {
  const time = new Date(epochMs).toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${nameOf(program)}-${time}-${randomBytes(2).toString("hex")}`;
}

/**
 * The upgrade and the storage, so that verbs inside the command report into the same upgrade. `--id` and `--name` of this run are
 * not for runs inside it, and nobody inside takes the upgrade from this run.
 */
function trackedEnvironment(cli: Cli, upgradeId: string, { storage, storagePath }: TrackingOptions): Tracking["env"] {
  const {
    MILEPOST_ID: _id,
    MILEPOST_NAME: _name,
    MILEPOST_STORAGE: _storage,
    MILEPOST_STORAGE_PATH: _path,
    MILEPOST_TAKE_OVER: _takeOver,
    ...rest
  } = cli.env;
  const place =
    storage === undefined ? { MILEPOST_STORAGE_PATH: resolve(storagePath) } : { MILEPOST_STORAGE: absolute(storage) };
  return { ...rest, ...place, MILEPOST_UPGRADE_ID: upgradeId };
}

/** A storage URL with a relative path, made absolute: the command may change its folder. */
function absolute(url: string): string {
  return url.replace(
    /^([a-z][a-z0-9]*:)(\.{1,2}(?:\/.*)?)$/i,
    (_all, scheme: string, path: string) => scheme + resolve(path),
  );
}
