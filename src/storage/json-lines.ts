/**
 * The default storage: files that `cat` and `jq` can read.
 *
 * <path>/upgrades/<name of the id>/          one upgrade; `<name>@<n>` holds its finished run n
 *   journal/<n>.jsonl                        the log (json-lines/journal.ts)
 *   snapshot.json                            the state at some seq (json-lines/snapshot.ts)
 *   lock                                     who may write (json-lines/lock.ts)
 *   holder.json                              who does, for people and for commands handed over
 *   deliveries/, dead-letters.jsonl          what notifiers were told (json-lines/deliveries.ts)
 */

import { hostname } from "node:os";

import { MilepostError, shown } from "../errors.ts";
import { parseCursor } from "../model/cursor.ts";
import {
  degraded,
  discard,
  makeDirectory,
  readWhole,
  realFileSystem,
  replaceFile,
  syncDirectory,
  unusable,
  usable,
  type FileSystem,
} from "./files.ts";
import { journalFiles, journalPath } from "./json-lines/journal.ts";
import { deliveriesIn } from "./json-lines/deliveries.ts";
import { acquireLock, isLocked, type Lock } from "./json-lines/lock.ts";
import { lockOwner } from "./json-lines/lock-owner.ts";
import { newLogId } from "./json-lines/log-id.ts";
import { isEmptyLog, lossError, lossOf } from "./json-lines/loss.ts";
import { findLog, listLogs } from "./json-lines/find-logs.ts";
import { pathsOf, upgradesIn, type LogPlace, type UpgradePaths } from "./json-lines/places.ts";
import { archiveRun, finishedRuns } from "./json-lines/runs.ts";
import { JournalReader } from "./json-lines/reader.ts";
import { storeSnapshot } from "./json-lines/snapshot.ts";
import { JournalWatch, touchUpgrade } from "./json-lines/watch.ts";
import { JournalWriter } from "./json-lines/writer.ts";
import type { LogHeader, LogHolder, LogReader, LogWriter, OpenWriterOptions, Storage, StoredInfo } from "./storage.ts";

export { salvageUpgrade, type SalvageReport } from "./json-lines/salvage.ts";
export { verifyUpgrade, type VerifyReport } from "./json-lines/verify.ts";

export interface JsonLinesOptions {
  /** The folder that holds `upgrades/`. Made when it is first written to. */
  readonly path: string;
  /** For tests: a file system that fails. */
  readonly fs?: FileSystem;
  /** Told in one line, once, when the system has no notices of changed files to give, so that changes are seen later. */
  readonly warn?: (message: string) => void;
}

/** The storage that keeps each upgrade in a folder of JSON lines. */
export function jsonLines({ path, fs = realFileSystem, warn }: JsonLinesOptions): Storage {
  const upgrades = upgradesIn(path);
  const journals = new JournalWatch({ fs, upgrades, warn });
  return {
    kind: "jsonl",
    location: path,
    isSynchronous: true,
    list: () => listLogs(fs, upgrades),
    openWriter: (upgradeId, options) =>
      openWriter({ fs, upgradeId, upgrades, paths: pathsOf(upgrades, upgradeId) }, options),
    openReader: (ref) => {
      const place = findLog(fs, upgrades, ref);
      return place && openReader(fs, place);
    },
    holder: (upgradeId) => {
      const paths = pathsOf(upgrades, upgradeId);
      return isLocked({ fs, directory: paths.root, path: paths.lock }) ? readHolder(fs, paths) : undefined;
    },
    watch: (ref, onChange) => journals.watch(ref, onChange),
    info: (upgradeId) => infoOf(fs, pathsOf(upgrades, upgradeId)),
    deliveries: (upgradeId) => deliveriesIn(fs, pathsOf(upgrades, upgradeId)),
    delete: (upgradeId) => deleteUpgrade(fs, upgrades, upgradeId),
    close: () => undefined,
  };
}

function openReader(fs: FileSystem, { paths, upgradeId, run }: LogPlace): LogReader | undefined {
  const reader = usable(
    paths.journal,
    () =>
      new JournalReader(fs, {
        directory: paths.journal,
        snapshotPath: paths.snapshot,
        header: { logId: "", upgradeId, run: run ?? 1 },
      }),
  );
  if (isEmptyLog(fs, reader.end)) {
    const loss = usable(paths.journal, () => lossOf(fs, { paths, upgradeId, ...(run === undefined ? {} : { run }) }));
    if (loss !== undefined) {
      reader.close();
      throw lossError(loss);
    }
  }
  if (reader.header.logId === "") return undefined;
  const { header } = reader;
  if (header.upgradeId !== upgradeId || (run !== undefined && header.run !== run))
    throw foreignLog(paths.journal, header, run === undefined ? shown(upgradeId) : `run ${run} of ${shown(upgradeId)}`);
  return reader;
}

interface UpgradePlace {
  readonly fs: FileSystem;
  readonly upgradeId: string;
  readonly upgrades: string;
  readonly paths: UpgradePaths;
}

function openWriter(place: UpgradePlace, { takeOver = false }: OpenWriterOptions = {}): LogWriter {
  const { fs, paths } = place;
  try {
    makeDirectory(fs, paths.root);
  } catch (error) {
    throw unusable(paths.root, error);
  }
  const lock = acquireLock(
    { fs, directory: paths.root, path: paths.lock },
    { takeOver, holder: () => readHolder(fs, paths) },
  );
  touchUpgrade(paths.root);
  try {
    return usable(paths.root, () => {
      const loss = lossOf(fs, place);
      if (loss !== undefined) throw lossError(loss);
      return createWriter(place, lock);
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}

function createWriter(place: UpgradePlace, lock: Lock): LogWriter {
  const { fs, paths, upgrades, upgradeId } = place;
  const open = (header: LogHeader) => {
    const reader = new JournalReader(fs, { directory: paths.journal, snapshotPath: paths.snapshot, header });
    if (reader.header.upgradeId !== upgradeId) throw foreignLog(paths.journal, reader.header, shown(upgradeId));
    return { reader, journal: new JournalWriter({ fs, directory: paths.journal, header: reader.header, lock }) };
  };
  let log = open({ logId: newLogId(), upgradeId, run: finishedRuns(fs, upgrades, upgradeId) + 1 });
  const closeLog = (): void => {
    log.reader.close();
    log.journal.close();
  };
  let isClosed = false;
  /** Without the lock not a byte may be written. */
  const journal = (): JournalWriter => {
    if (isClosed) throw closed(upgradeId);
    return log.journal;
  };
  return {
    localFolder: paths.root,
    get header() {
      return log.reader.header;
    },
    get reader() {
      return log.reader;
    },
    begin: () => usable(paths.journal, () => journal().begin(log.reader.end)),
    append: (expectedSeq, lines, lastSeq) => {
      const { seq } = journal();
      if (expectedSeq !== seq) throw wrongEnd(upgradeId, expectedSeq, seq);
      log.journal.append(lines, lastSeq);
    },
    sync: async () => journal().sync(),
    saveSnapshot: async (at, parts) => {
      await journal().sync();
      if (isWithin(log, at)) await storeSnapshot(fs, paths.snapshot, { at, parts });
    },
    beginNextRun: () => {
      const { run } = log.reader.header;
      // Moving the log of another writer, or lines that no flush has made durable, would be for good.
      journal().secure();
      closeLog();
      try {
        archiveRun(fs, { upgrades, paths, upgradeId, run });
      } catch (error) {
        throw degraded(paths.root, error);
      }
      log = open({ logId: newLogId(), upgradeId, run: run + 1 });
      log.journal.begin(log.reader.end);
      return log.reader.header;
    },
    announce: (holder) => {
      if (isClosed) throw closed(upgradeId);
      writeHolder(fs, paths, holder);
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      closeLog();
      try {
        if (lock.isHeld()) discard(fs, paths.holder);
      } catch {
        // Whether it is still held cannot be found out, as when its folder is gone: then there is nothing to take back.
      } finally {
        lock.release();
      }
    },
  };
}

/** A snapshot of another log, or of events that are not in this one, would prove a loss that there was not (`loss.ts`). */
function isWithin(
  { reader, journal }: { readonly reader: JournalReader; readonly journal: JournalWriter },
  { seq, cursor }: { readonly seq: number; readonly cursor: string },
): boolean {
  return parseCursor(cursor).logId === reader.header.logId && seq <= journal.seq;
}

function closed(upgradeId: string): MilepostError {
  return new MilepostError("CLOSED", `the log of ${upgradeId} is closed; open the upgrade again to write it`, {
    context: { upgradeId },
  });
}

function foreignLog(directory: string, { upgradeId, run }: LogHeader, expected: string): MilepostError {
  return new MilepostError(
    "CORRUPT",
    `${directory} holds run ${run} of upgrade ${shown(upgradeId)}, not ${expected}; put the folder back where it belongs`,
    { context: { file: directory, offset: 0, seq: 0 } },
  );
}

function wrongEnd(upgradeId: string, expected: number, found: number): MilepostError {
  return new MilepostError(
    "CORRUPT",
    `the log of ${upgradeId} ends at seq ${found}, not at ${expected}; open it again`,
    { context: { upgradeId, expected, found } },
  );
}

function writeHolder(fs: FileSystem, paths: UpgradePaths, holder: LogHolder): void {
  try {
    replaceFile(fs, paths.holder, Buffer.from(`${JSON.stringify(holder)}\n`), { isDurable: false });
  } catch (error) {
    throw degraded(paths.holder, error);
  }
}

/** Who holds the lock: as they wrote it down, unless that was another who has died since; else as the system knows it. */
function readHolder(fs: FileSystem, paths: UpgradePaths): LogHolder {
  const unknown: LogHolder = { program: "unknown", pid: 0, host: "unknown", since: "an unknown time" };
  const found = announcedHolder(fs, paths, unknown);
  if (found !== undefined && (found.host !== hostname() || isAlive(found.pid))) return found;
  const owner = lockOwner(paths.lock);
  if (owner === undefined) return found ?? unknown;
  return owner.pid === found?.pid ? found : { ...unknown, ...owner, host: hostname() };
}

function announcedHolder(fs: FileSystem, paths: UpgradePaths, shape: LogHolder): LogHolder | undefined {
  try {
    const found = JSON.parse(readWhole(fs, paths.holder)?.toString("utf8") ?? "{}") as LogHolder;
    const isSound = Object.entries(shape).every(([key, value]) => typeof found[key as "pid"] === typeof value);
    return isSound && !Number.isNaN(Date.parse(found.since)) ? found : undefined;
  } catch {
    // It is being written, or is not readable: that it is held is known all the same.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function infoOf(fs: FileSystem, paths: UpgradePaths): StoredInfo {
  const files = usable(paths.journal, () => journalFiles(fs, paths.journal));
  const sizes = files.map(
    (file) => fs.statSync(journalPath(paths.journal, file), { throwIfNoEntry: false })?.size ?? 0,
  );
  return { location: paths.root, exists: files.length > 0, sizeBytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function deleteUpgrade(fs: FileSystem, upgrades: string, upgradeId: string): void {
  const paths = pathsOf(upgrades, upgradeId);
  if (!fs.existsSync(paths.root)) return;
  const lock = acquireLock({ fs, directory: paths.root, path: paths.lock }, { holder: () => readHolder(fs, paths) });
  try {
    usable(paths.root, () => {
      for (let run = finishedRuns(fs, upgrades, upgradeId); run > 0; run--)
        removeLog(fs, pathsOf(upgrades, upgradeId, run));
      removeLog(fs, paths);
    });
  } finally {
    lock.release();
  }
}

/** The snapshot first: left alone by a crash it would prove a loss. */
function removeLog(fs: FileSystem, { root, journal, snapshot }: UpgradePaths): void {
  fs.rmSync(snapshot, { force: true });
  syncDirectory(fs, root);
  fs.rmSync(journal, { recursive: true, force: true });
  fs.rmSync(root, { recursive: true, force: true });
}
