/** Where an upgrade's files are, and which log a ref names. */

import { join } from "node:path";

import { fileNameOf, idOfFileName, systemErrorCode, unusable, type FileSystem } from "../files.ts";
import type { LogRef } from "../storage.ts";
import { journalFiles, journalPath, readHeader } from "./journal.ts";

/** The files of one upgrade, or of one of its finished runs. */
export interface UpgradePaths {
  readonly root: string;
  readonly journal: string;
  readonly snapshot: string;
  readonly lock: string;
  readonly holder: string;
}

/** A log that there is. */
export interface LogPlace {
  readonly paths: UpgradePaths;
  readonly upgradeId: string;
  /** The number of a finished run; absent for the newest. */
  readonly run?: number;
}

/** The folder that holds one folder per upgrade. */
export const upgradesIn = (path: string): string => join(path, "upgrades");

export function pathsOf(upgrades: string, upgradeId: string, run?: number): UpgradePaths {
  const name = fileNameOf(upgradeId);
  const root = join(upgrades, run === undefined ? name : `${name}@${run}`);
  return {
    root,
    journal: join(root, "journal"),
    snapshot: join(root, "snapshot.json"),
    lock: join(root, "lock"),
    holder: join(root, "holder.json"),
  };
}

/** The upgrade of exactly this id, else the finished run that `<id>@<n>` names. */
export function findLog(fs: FileSystem, upgrades: string, ref: string): LogPlace | undefined {
  const own = pathsOf(upgrades, ref);
  if (fs.existsSync(own.journal)) return { paths: own, upgradeId: ref };
  const match = /^(.+)@([1-9]\d{0,14})$/s.exec(ref);
  if (match === null) return undefined;
  const [upgradeId, run] = [match[1] as string, Number(match[2])];
  const paths = pathsOf(upgrades, upgradeId, run);
  return fs.existsSync(paths.journal) ? { paths, upgradeId, run } : undefined;
}

/** The logs there are. What is no folder of an upgrade is passed over. @throws STORAGE_UNUSABLE. */
export function listLogs(fs: FileSystem, upgrades: string): LogRef[] {
  let names: string[];
  try {
    names = fs.readdirSync(upgrades);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw unusable(upgrades, error);
  }
  return names.flatMap((name) => refOf(fs, upgrades, name) ?? []);
}

function refOf(fs: FileSystem, upgrades: string, name: string): LogRef | undefined {
  const [, idName, run] = /^([^@]+)(?:@([1-9]\d{0,14}))?$/.exec(name) ?? [];
  if (idName === undefined) return undefined;
  const journal = join(upgrades, name, "journal");
  const files = filesIn(fs, journal);
  if (files.length === 0) return undefined;
  const upgradeId = idOfFileName(idName) ?? idInHeaders(fs, journal, files);
  if (upgradeId === undefined || fileNameOf(upgradeId) !== idName) return undefined;
  return run === undefined
    ? { ref: upgradeId, upgradeId }
    : { ref: `${upgradeId}@${run}`, upgradeId, run: Number(run) };
}

/** Whoever opens the log hears what is wrong with it; a list only says that it is there. */
function filesIn(fs: FileSystem, journal: string): readonly number[] {
  try {
    return journalFiles(fs, journal);
  } catch {
    return [];
  }
}

function idInHeaders(fs: FileSystem, journal: string, files: readonly number[]): string | undefined {
  for (const file of files) {
    try {
      const head = readHeader(fs, journalPath(journal, file));
      if (head !== undefined) return head.header.upgradeId;
    } catch {
      // The next one may say it.
    }
  }
  return undefined;
}
