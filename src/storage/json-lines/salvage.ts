/**
 * `milepost salvage`: what can be read of a damaged log goes on as a log; nothing is destroyed.
 *
 * 1. The readable events are copied into a new journal file: the next number, a higher generation than any, no file before
 *    it. By the rules of `journal.ts` the rename that makes it appear makes it the log; before that nothing has happened.
 *    Its logId is a new one, so that cursors into the old history are answered CURSOR_GONE.
 * 2. All other files move to `journal.damaged-<n>` beside the journal. Killed in between, they are files that the chain does
 *    not reach; the next salvage moves them.
 */

import { join } from "node:path";

import { parseCursor } from "../../model/cursor.ts";
import {
  degraded,
  makeDirectory,
  realFileSystem,
  syncDirectory,
  usable,
  writeFully,
  type FileSystem,
} from "../files.ts";
import { LineEncoder, parseLine } from "../line.ts";
import { encodeHeader, headsIn, JOURNAL_FORMAT, journalPath, type JournalHeader } from "./journal.ts";
import { acquireLock } from "./lock.ts";
import { newLogId } from "./log-id.ts";
import { pathsOf, upgradesIn, type LogPlace, type UpgradePaths } from "./places.ts";
import { finishedRuns } from "./runs.ts";
import { scanJournal } from "./scan.ts";
import { loadSnapshot } from "./snapshot.ts";
import { placeOf, reportOf, type VerifyReport } from "./verify.ts";

/** What `salvageUpgrade` did. */
export interface SalvageReport {
  /** What was found before. With no `problems` the log is whole, and stays as it is. */
  readonly found: VerifyReport;
  /** The seq up to which the log goes on. */
  readonly keptEvents: number;
  /** Where the damaged files are now; absent when there was nothing to move. */
  readonly damagedFolder?: string;
}

/**
 * Makes the readable beginning of a damaged log the log, and moves the damaged files aside. A log that is whole is left as it
 * is. May be killed at any point and called again.
 *
 * @param path - the storage path, as given to `jsonLines`.
 * @throws UNKNOWN_UPGRADE, LOCKED (somebody writes the upgrade), NEWER_FORMAT, STORAGE_UNUSABLE, STORAGE_DEGRADED.
 */
export function salvageUpgrade(
  path: string,
  ref: string,
  { fs = realFileSystem }: { fs?: FileSystem } = {},
): SalvageReport {
  const place = placeOf(fs, path, ref);
  // A finished run is guarded by the lock of its upgrade, whose next run may be under way.
  const { root, lock } = pathsOf(upgradesIn(path), place.upgradeId);
  usable(root, () => makeDirectory(fs, root));
  const held = acquireLock({ fs, directory: root, path: lock }, { holder: () => undefined });
  try {
    return usable(place.paths.journal, () => salvage(fs, { path, ref, place }));
  } finally {
    held.release();
  }
}

function salvage(fs: FileSystem, { path, ref, place }: { path: string; ref: string; place: LogPlace }): SalvageReport {
  const { journal } = place.paths;
  const scan = scanJournal(fs, journal);
  const found = reportOf(fs, { ref, place, scan });
  try {
    if (found.problems.length > 0) {
      makeDirectory(fs, journal);
      const run = place.run ?? finishedRuns(fs, upgradesIn(path), place.upgradeId) + 1;
      copyReadable(fs, place.paths, { upgradeId: place.upgradeId, run });
    }
    const damagedFolder = moveOthersAside(fs, place, { isResumed: found.problems.length === 0 });
    return { found, keptEvents: found.events, ...(damagedFolder === undefined ? {} : { damagedFolder }) };
  } catch (error) {
    throw degraded(journal, error);
  }
}

/** A header has its bounds (`journal.ts`), and the newest ids are those that may still be met. */
const MAX_REPLACED = 20;

/** The first step: one new file that is the whole log. */
function copyReadable(
  fs: FileSystem,
  { journal, snapshot }: UpgradePaths,
  { upgradeId, run }: { upgradeId: string; run: number },
): void {
  const heads = headsIn(fs, journal);
  const stored = loadSnapshot(fs, snapshot);
  const replaced = heads.flatMap(({ head }) =>
    head === undefined ? [] : [head.header.logId, ...(head.header.salvaged ?? [])],
  );
  if (stored !== undefined) replaced.push(parseCursor(stored.cursor).logId);
  const file = (heads[0]?.file ?? 0) + 1;
  const header: JournalHeader = {
    journal: file,
    format: JOURNAL_FORMAT,
    logId: newLogId(),
    upgradeId,
    run,
    generation: Math.max(0, ...heads.map(({ head }) => head?.header.generation ?? 0)) + 1,
    previous: null,
    salvaged: [...new Set(replaced)].slice(-MAX_REPLACED),
  };
  const path = journalPath(journal, file);
  const fd = fs.openSync(`${path}.new`, "w", 0o600);
  try {
    let position = 0;
    const put = (bytes: Uint8Array): void => {
      writeFully(fs, fd, bytes, position);
      position += bytes.length;
    };
    put(encodeHeader(header));
    const encoder = new LineEncoder();
    scanJournal(fs, journal, (line) => put(withLogId(encoder, line, header.logId)));
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(`${path}.new`, path);
  syncDirectory(fs, journal);
}

/** The same event in a log of another id. Only the id is replaced; all other text stays byte for byte. */
function withLogId(encoder: LineEncoder, line: Buffer, logId: string): Buffer {
  const event = parseLine(line);
  const old = parseCursor(event.cursor).logId;
  const cursor = event.cursor.replace(old, logId);
  const text = event.type === "writer.opened" ? JSON.stringify({ ...event, cursor, logId }) : undefined;
  return encoder.encode(text ?? jsonOf(line).replace(event.cursor, cursor));
}

function jsonOf(line: Buffer): string {
  return `${line.toString("utf8", 0, line.lastIndexOf(',"crc":"'))}}`;
}

/** The second step, also of a salvage that was killed after its first. Returns the folder, if there was anything to move. */
function moveOthersAside(
  fs: FileSystem,
  { paths: { root, journal, snapshot } }: LogPlace,
  { isResumed }: { isResumed: boolean },
): string | undefined {
  const heads = headsIn(fs, journal);
  const first = heads.find(({ head }) => head?.header.previous === null);
  const stored = loadSnapshot(fs, snapshot);
  const isReplaced =
    stored !== undefined && first?.head?.header.salvaged?.includes(parseCursor(stored.cursor).logId) === true;
  // Only a salvage leaves files that are older than a log's first one, or the snapshot of a log that it replaced.
  if (first === undefined || !(isReplaced || heads.some(({ file }) => file < first.file))) return undefined;
  const logId = first.head?.header.logId;
  const kept = new Set(heads.filter(({ file }) => file >= first.file).map(({ file }) => `${file}.jsonl`));
  const folder = damagedFolder(fs, root, isResumed);
  makeDirectory(fs, folder);
  for (const name of fs.readdirSync(journal))
    if (!kept.has(name)) fs.renameSync(join(journal, name), join(folder, name));
  if (stored !== undefined && parseCursor(stored.cursor).logId !== logId)
    fs.renameSync(snapshot, join(folder, "snapshot.json"));
  for (const directory of [folder, journal, root]) syncDirectory(fs, directory);
  return folder;
}

/** The next free one; for a salvage that was killed the one that it began. */
function damagedFolder(fs: FileSystem, root: string, isResumed: boolean): string {
  let n = 1;
  while (fs.existsSync(join(root, `journal.damaged-${n + (isResumed ? 1 : 0)}`))) n += 1;
  return join(root, `journal.damaged-${n}`);
}
