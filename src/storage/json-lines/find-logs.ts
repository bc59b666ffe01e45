/** Which log a ref names, and which logs there are. */

import { fileNameOf, idOfFileName, systemErrorCode, unusable, type FileSystem } from "../files.ts";
import type { LogRef } from "../storage.ts";
import { journalFiles, journalPath, readHeader } from "./journal.ts";
import { isLost } from "./loss.ts";
import { pathsIn, pathsOf, type LogPlace } from "./places.ts";
import { loadSnapshot } from "./snapshot.ts";

/** The upgrade of exactly this id, else the finished run that `<id>@<n>` names; also one whose journal is lost (`loss.ts`). */
export function findLog(fs: FileSystem, upgrades: string, ref: string): LogPlace | undefined {
  const own: LogPlace = { paths: pathsOf(upgrades, ref), upgradeId: ref };
  if (isThere(fs, own)) return own;
  const match = /^(.+)@([1-9]\d{0,14})$/s.exec(ref);
  if (match === null) return undefined;
  const [upgradeId, run] = [match[1] as string, Number(match[2])];
  const place: LogPlace = { paths: pathsOf(upgrades, upgradeId, run), upgradeId, run };
  return isThere(fs, place) ? place : undefined;
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
    throw unusable(upgrades, error);
  }
  return names.flatMap((name) => refOf(fs, upgrades, name) ?? []);
}

function refOf(fs: FileSystem, upgrades: string, name: string): LogRef | undefined {
  const [, idName, run] = /^([^@]+)(?:@([1-9]\d{0,14}))?$/.exec(name) ?? [];
  if (idName === undefined) return undefined;
  const paths = pathsIn(upgrades, name);
  const files = filesIn(fs, paths.journal);
  if (files.length === 0 && !fs.existsSync(paths.snapshot)) return undefined;
  const upgradeId = idOfFileName(idName) ?? idInHeaders(fs, paths.journal, files) ?? idInSnapshot(fs, paths.snapshot);
  if (upgradeId === undefined || fileNameOf(upgradeId) !== idName) return undefined;
  if (files.length === 0 && !isLost(fs, { paths, upgradeId })) return undefined;
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

function idInSnapshot(fs: FileSystem, path: string): string | undefined {
  try {
    const { upgradeId } = JSON.parse(loadSnapshot(fs, path)?.text ?? "{}") as { upgradeId?: unknown };
    return typeof upgradeId === "string" ? upgradeId : undefined;
  } catch {
    return undefined;
  }
}
