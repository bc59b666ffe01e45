/** `milepost verify`: every byte of a log is read and checked, whatever its snapshot says. Nothing is changed, no lock is needed. */

import { basename } from "node:path";

import { MilepostError, shown } from "../../errors.ts";
import { realFileSystem, usable, type FileSystem } from "../files.ts";
import { lossOf, lossText } from "./loss.ts";
import { findLog } from "./find-logs.ts";
import { upgradesIn, type LogPlace } from "./places.ts";
import { scanJournal, type JournalScan, type LogProblem, type TornTail } from "./scan.ts";

/** What `verifyUpgrade` found. */
export interface VerifyReport {
  readonly ref: string;
  /** The files that make up the log, oldest first. */
  readonly files: readonly string[];
  /** How many events can be read, from the first on: all of them when `problems` is empty. */
  readonly events: number;
  /** How many whole events stand behind the first damage and cannot be read. */
  readonly eventsBehind: number;
  /** Where the log is damaged, in its order; empty for a log that is whole. At most 1,000. */
  readonly problems: readonly LogProblem[];
  /** What a crash, or a write under way, has left at the end. It is no damage and hinders nobody. */
  readonly tornTail?: TornTail;
  /** Names in the journal's folder that are not part of the log. Kept, and never read. */
  readonly ignoredFiles: readonly string[];
}

/**
 * Checks the log of an upgrade, or of a finished run (`<id>@<n>`), from its first byte to its last.
 *
 * @param path - the storage path, as given to `jsonLines`.
 * @throws UNKNOWN_UPGRADE, NEWER_FORMAT, STORAGE_UNUSABLE. Damage is reported, not thrown.
 */
export function verifyUpgrade(
  path: string,
  ref: string,
  { fs = realFileSystem }: { fs?: FileSystem } = {},
): VerifyReport {
  const place = placeOf(fs, path, ref);
  return usable(place.paths.journal, () => reportOf(fs, { ref, place, scan: scanJournal(fs, place.paths.journal) }));
}

/** Where the log of a ref is. @throws UNKNOWN_UPGRADE. */
export function placeOf(fs: FileSystem, path: string, ref: string): LogPlace {
  const place = findLog(fs, upgradesIn(path), ref);
  if (place !== undefined) return place;
  throw new MilepostError(
    "UNKNOWN_UPGRADE",
    `${path} holds no upgrade ${shown(ref)}; \`milepost list\` shows those that are there`,
    { context: { path, ref } },
  );
}

/** Also finds a log that is whole and stands in a folder of another upgrade or run. */
export function reportOf(
  fs: FileSystem,
  { ref, place, scan }: { ref: string; place: LogPlace; scan: JournalScan },
): VerifyReport {
  const { journal } = place.paths;
  const files = scan.chain.map((segment) => segment.path);
  const names = new Set(files.map((file) => basename(file)));
  const problems = [...foreignProblem(place, scan), ...scan.problems];
  const tail = scan.tornTail === undefined ? {} : { tornTail: scan.tornTail };
  return {
    ref,
    files,
    events: scan.events,
    eventsBehind: scan.eventsBehind,
    problems: [...problems, ...(problems.length === 0 ? lossProblem(fs, place) : [])],
    ...tail,
    ignoredFiles: fs.existsSync(journal) ? fs.readdirSync(journal).filter((name) => !names.has(name)) : [],
  };
}

/** A log may be whole as far as it goes, and yet lack its end. */
function lossProblem(fs: FileSystem, place: LogPlace): LogProblem[] {
  const loss = lossOf(fs, place);
  return loss === undefined ? [] : [{ file: loss.file, offset: loss.offset, seq: loss.seq, what: lossText(loss) }];
}

function foreignProblem({ upgradeId, run }: LogPlace, { chain }: JournalScan): LogProblem[] {
  const newest = chain.at(-1);
  if (newest === undefined || newest.header.upgradeId === "") return [];
  const { header, path } = newest;
  if (header.upgradeId === upgradeId && (run === undefined || header.run === run)) return [];
  return [{ file: path, offset: 0, seq: 0, what: `is of run ${header.run} of upgrade ${shown(header.upgradeId)}` }];
}
