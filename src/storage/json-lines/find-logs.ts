/** Which log a ref names, and which logs there are. */

import { dirname, join } from "node:path";

import { fileNameOf, idOfFileName, systemErrorCode, unusable, type FileSystem } from "../files.ts";
import type { LogRef } from "../storage.ts";
import { journalFiles, journalPath, readHeader } from "./journal.ts";
import { isLost } from "./loss.ts";
import { partsOfFolder, pathsIn, pathsOf, runOfRef, type LogPlace, type UpgradePaths } from "./places.ts";
import { loadSnapshot } from "./snapshot.ts";

const FIRST_FILE = journalPath("journal", 1);

/**
 * The upgrade of exactly this id, else the finished run that `<id>@<n>` names; also one whose journal is lost (`loss.ts`).
 *
 * @throws STORAGE_UNUSABLE when the storage's path is a file.
 */
export function findLog(fs: FileSystem, upgrades: string, ref: string): LogPlace | undefined {
  const own: LogPlace = { paths: pathsOf(upgrades, ref), upgradeId: ref };
  if (isThere(fs, own)) return own;
  const finished = runOfRef(ref);
  if (finished !== undefined) {
    const { upgradeId, run } = finished;
    const place: LogPlace = { paths: pathsOf(upgrades, upgradeId, run), upgradeId, run };
    if (isThere(fs, place)) return place;
  }
  refuseFile(fs, dirname(upgrades));
  return undefined;
}

/** Below a file there is nothing, but to say so would hide that the path is wrong. */
function refuseFile(fs: FileSystem, path: string): void {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    throw unusable(path, Object.assign(new Error("a file, not a folder"), { code: "ENOTDIR" }));
}

const isThere = (fs: FileSystem, place: LogPlace): boolean =>
  fs.existsSync(place.paths.journal) || (fs.existsSync(place.paths.snapshot) && isLost(fs, place));

/** The logs there are. What is no folder of an upgrade is passed over. @throws STORAGE_UNUSABLE. */
export function listLogs(fs: FileSystem, upgrades: string): LogRef[] {
  let names: string[];
  try {
    names = fs.readdirSync(upgrades);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    refuseFile(fs, dirname(upgrades));
    throw unusable(upgrades, error);
  }
  return names.flatMap((name) => refOf(fs, upgrades, name) ?? []);
}

function refOf(fs: FileSystem, upgrades: string, folder: string): LogRef | undefined {
  // Nearly every journal has its first file, and looking for one name is much quicker than reading the folder.
  const isThere =
    fs.existsSync(join(upgrades, folder, FIRST_FILE)) || filesIn(fs, pathsIn(upgrades, folder).journal).length > 0;
  if (isThere) return refOfFolder(fs, upgrades, folder);
  const paths = pathsIn(upgrades, folder);
  const ref = fs.existsSync(paths.snapshot) ? refOfFolder(fs, upgrades, folder) : undefined;
  return ref !== undefined && isLost(fs, { paths, upgradeId: ref.upgradeId }) ? ref : undefined;
}

/** What a folder holds the log of, whether or not there is one; undefined when that cannot be told, or it is none of an upgrade. */
export function refOfFolder(fs: FileSystem, upgrades: string, folder: string): LogRef | undefined {
  const parts = partsOfFolder(folder);
  if (parts === undefined) return undefined;
  const upgradeId = idOfFileName(parts.name) ?? idInFiles(fs, pathsIn(upgrades, folder), parts.name);
  if (upgradeId === undefined) return undefined;
  const { run } = parts;
  return run === undefined ? { ref: upgradeId, upgradeId } : { ref: `${upgradeId}@${run}`, upgradeId, run };
}

/** A name that is too long holds only a hash of the id. */
function idInFiles(fs: FileSystem, { journal, snapshot }: UpgradePaths, name: string): string | undefined {
  const upgradeId = idInHeaders(fs, journal, filesIn(fs, journal)) ?? idInSnapshot(fs, snapshot);
  return upgradeId !== undefined && fileNameOf(upgradeId) === name ? upgradeId : undefined;
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

function idInSnapshot(fs: FileSystem, path: string): string | undefined {
  try {
    const { upgradeId } = JSON.parse(loadSnapshot(fs, path)?.text ?? "{}") as { upgradeId?: unknown };
    return typeof upgradeId === "string" ? upgradeId : undefined;
  } catch {
    return undefined;
  }
}
