/**
 * What a snapshot proves. A log is synced before a snapshot of it is written, so a journal that is not of the snapshot's log,
 * or ends before the snapshot's seq, has lost events that were acknowledged: it was removed, emptied, cut, or restored alone.
 *
 * No proof is a snapshot of a log that is elsewhere: of a finished run (it may be written, or a crash may come, while the run
 * is being set aside), or of the log that a salvage has replaced (its file says so).
 */

import { dirname } from "node:path";

import { MilepostError } from "../../errors.ts";
import { parseCursor } from "../../model/cursor.ts";
import { fileNameOf, openToRead, readAt, type FileSystem } from "../files.ts";
import { headsIn, journalFiles, journalPath, readChain, type Segment } from "./journal.ts";
import { pathsIn, type LogPlace } from "./places.ts";
import { JournalReader } from "./reader.ts";
import { loadSnapshot, snapshotHead } from "./snapshot.ts";

/** Where a journal ends too early, and the seq that it once had. */
export interface LogLoss {
  readonly file: string;
  readonly offset: number;
  readonly seq: number;
  readonly provenSeq: number;
}

/** The loss that the snapshot proves; undefined when it proves none. @throws CORRUPT on damage, NEWER_FORMAT. */
export function lossOf(fs: FileSystem, { paths, upgradeId, run }: LogPlace): LogLoss | undefined {
  const head = headOfFile(fs, paths.snapshot);
  if (head === undefined) return undefined;
  const { logId } = parseCursor(head.cursor);
  // After the snapshot, so that a log which is set aside meanwhile has taken its snapshot with it.
  const reader = new JournalReader(fs, {
    directory: paths.journal,
    snapshotPath: paths.snapshot,
    header: { logId: "", upgradeId, run: run ?? 1 },
  });
  try {
    const isOfThisLog = reader.header.logId === logId;
    if (isOfThisLog && reader.seek(head.seq)) return undefined;
    if (!isOfThisLog && isElsewhere(fs, { paths, upgradeId }, logId)) return undefined;
    // Only what is whole proves anything. Most snapshots never come here: checking all of a big one takes its time.
    if (loadSnapshot(fs, paths.snapshot)?.cursor !== head.cursor) return undefined;
    if (!isOfThisLog) toItsEnd(reader);
    const { chain, bytes, seq } = reader.end;
    return { file: fileOf(fs, paths.journal, chain), offset: bytes, seq, provenSeq: head.seq };
  } finally {
    reader.close();
  }
}

/** True if nothing of the log can be read: then a reader has nothing to show, and must not say that there never was anything. */
export function isEmptyLog(fs: FileSystem, { chain, bytes }: { chain: readonly Segment[]; bytes: number }): boolean {
  const newest = chain.at(-1);
  if (newest === undefined) return true;
  return chain.length === 1 && (fs.statSync(newest.path, { throwIfNoEntry: false })?.size ?? 0) <= bytes;
}

/** True for a place without a journal file whose snapshot proves that there was one. */
export function isLost(fs: FileSystem, place: LogPlace): boolean {
  try {
    return lossOf(fs, place) !== undefined;
  } catch {
    // What is wrong with it is said to whoever opens it.
    return true;
  }
}

/** What is lost, to follow the name of the file. */
export const lossText = ({ seq, provenSeq }: LogLoss): string =>
  `ends at seq ${seq}, but snapshot.json proves that the log went to seq ${provenSeq}`;

/** The error for writers, and for readers that have nothing to show. */
export function lossError(loss: LogLoss): MilepostError {
  const { file, offset, seq, provenSeq } = loss;
  return new MilepostError(
    "CORRUPT",
    `${file} ${lossText(loss)}; put the journal back, or run \`milepost salvage\` to go on with what is left`,
    { context: { file, offset, seq, provenSeq } },
  );
}

function headOfFile(fs: FileSystem, path: string): { readonly seq: number; readonly cursor: string } | undefined {
  try {
    const fd = openToRead(fs, path);
    try {
      return snapshotHead(readAt(fs, fd, 0, HEAD_BYTES));
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // There is none, or it cannot be read: then it proves nothing.
    return undefined;
  }
}

/** More than format, seq and cursor ever take. */
const HEAD_BYTES = 4096;

function toItsEnd(reader: JournalReader): void {
  while (reader.read() !== undefined);
}

/** True if another folder of the upgrade holds the log, or a salvage has replaced it. */
function isElsewhere(fs: FileSystem, { paths, upgradeId }: LogPlace, logId: string): boolean {
  if (readChain(fs, paths.journal)[0]?.header.salvaged?.includes(logId) === true) return true;
  const upgrades = dirname(paths.root);
  const name = fileNameOf(upgradeId);
  return fs
    .readdirSync(upgrades)
    .filter((folder) => folder === name || folder.startsWith(`${name}@`))
    .map((folder) => pathsIn(upgrades, folder))
    .some(({ root, journal }) => root !== paths.root && holdsLog(fs, journal, logId));
}

function holdsLog(fs: FileSystem, journal: string, logId: string): boolean {
  try {
    return headsIn(fs, journal).some(
      ({ head }) => head?.header.logId === logId || head?.header.salvaged?.includes(logId) === true,
    );
  } catch {
    return false;
  }
}

function fileOf(fs: FileSystem, directory: string, chain: readonly Segment[]): string {
  const newest = journalFiles(fs, directory)[0];
  return chain.at(-1)?.path ?? (newest === undefined ? directory : journalPath(directory, newest));
}
