/**
 * The default storage: files that `cat` and `jq` can read.
 *
 * <path>/upgrades/<name of the id>/          one upgrade; `<name>@<n>` holds its finished run n
 *   journal/<n>.jsonl                        the log (json-lines/journal.ts)
 *   snapshot.json                            the state at some seq (json-lines/snapshot.ts)
 *   lock                                     who may write (json-lines/lock.ts)
 *   holder.json                              who does, for people and for commands handed over
 */

import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { MilepostError } from "../errors.ts";
import {
  fileNameOf,
  idOfFileName,
  makeDirectory,
  readWhole,
  realFileSystem,
  replaceFile,
  systemErrorCode,
  unusable,
  type FileSystem,
} from "./files.ts";
import { journalFiles, journalPath, readHeader } from "./json-lines/journal.ts";
import { acquireLock, isLocked, type Lock } from "./json-lines/lock.ts";
import { archiveRun, finishedRuns } from "./json-lines/runs.ts";
import { JournalReader } from "./json-lines/reader.ts";
import { storeSnapshot } from "./json-lines/snapshot.ts";
import { watchJournals } from "./json-lines/watch.ts";
import { JournalWriter } from "./json-lines/writer.ts";
import type {
  LogHeader,
  LogHolder,
  LogReader,
  LogRef,
  LogWriter,
  OpenWriterOptions,
  Storage,
  StoredInfo,
} from "./storage.ts";

export interface JsonLinesOptions {
  /** The folder that holds `upgrades/`. Made when it is first written to. */
  readonly path: string;
  /** For tests: a file system that fails. */
  readonly fs?: FileSystem;
}

/** Where one upgrade's files are. */
export interface UpgradePaths {
  readonly root: string;
  readonly journal: string;
  readonly snapshot: string;
  readonly lock: string;
  readonly holder: string;
}

/** The storage that keeps each upgrade in a folder of JSON lines. */
export function jsonLines({ path, fs = realFileSystem }: JsonLinesOptions): Storage {
  const upgrades = join(path, "upgrades");
  const pathsOf = (name: string): UpgradePaths => pathsIn(join(upgrades, name));
  return {
    kind: "jsonl",
    location: path,
    isSynchronous: true,
    list: () => listLogs(fs, upgrades),
    openWriter: (upgradeId, options) =>
      openWriter({ fs, upgradeId, upgrades, paths: pathsOf(fileNameOf(upgradeId)) }, options),
    openReader: (ref) => {
      const paths = findLog(fs, upgrades, ref);
      return paths && openReader(fs, paths, ref);
    },
    holder: (upgradeId) => {
      const paths = pathsOf(fileNameOf(upgradeId));
      return isLocked({ fs, directory: paths.root, path: paths.lock }) ? readHolder(fs, paths) : undefined;
    },
    watch: (ref, onChange) =>
      watchJournals(
        upgrades,
        ref === undefined ? undefined : (findLog(fs, upgrades, ref)?.journal ?? pathsOf(fileNameOf(ref)).journal),
        onChange,
      ),
    info: (upgradeId) => infoOf(fs, pathsOf(fileNameOf(upgradeId))),
    delete: (upgradeId) => deleteUpgrade(fs, upgrades, upgradeId),
    close: () => undefined,
  };
}

function pathsIn(root: string): UpgradePaths {
  return {
    root,
    journal: join(root, "journal"),
    snapshot: join(root, "snapshot.json"),
    lock: join(root, "lock"),
    holder: join(root, "holder.json"),
  };
}

/** The upgrade of exactly this id, else the finished run that `<id>@<n>` names. */
function findLog(fs: FileSystem, upgrades: string, ref: string): UpgradePaths | undefined {
  const own = pathsIn(join(upgrades, fileNameOf(ref)));
  if (fs.existsSync(own.journal)) return own;
  const match = /^(.+)@([1-9]\d*)$/s.exec(ref);
  if (match === null) return undefined;
  const run = pathsIn(join(upgrades, `${fileNameOf(match[1] as string)}@${match[2]}`));
  return fs.existsSync(run.journal) ? run : undefined;
}

function listLogs(fs: FileSystem, upgrades: string): LogRef[] {
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
  const [idName = "", run] = name.split("@");
  const { journal } = pathsIn(join(upgrades, name));
  const newest = journalFiles(fs, journal)[0];
  if (newest === undefined) return undefined;
  const upgradeId = idOfFileName(idName) ?? readHeader(fs, journalPath(journal, newest))?.header.upgradeId;
  if (upgradeId === undefined) return undefined;
  return run === undefined
    ? { ref: upgradeId, upgradeId }
    : { ref: `${upgradeId}@${run}`, upgradeId, run: Number(run) };
}

function openReader(fs: FileSystem, paths: UpgradePaths, ref: string): LogReader | undefined {
  const reader = new JournalReader(fs, {
    directory: paths.journal,
    snapshotPath: paths.snapshot,
    header: { logId: "", upgradeId: ref, run: 1 },
  });
  return reader.header.logId === "" ? undefined : reader;
}

const newLogId = (): string =>
  BigInt(`0x${randomBytes(8).toString("hex")}`)
    .toString(36)
    .padStart(13, "0")
    .slice(-12);

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
  try {
    return createWriter(place, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function createWriter(place: UpgradePlace, lock: Lock): LogWriter {
  const { fs, paths, upgrades, upgradeId } = place;
  const open = (header: LogHeader) => {
    const reader = new JournalReader(fs, { directory: paths.journal, snapshotPath: paths.snapshot, header });
    return { reader, journal: new JournalWriter({ fs, directory: paths.journal, header: reader.header, lock }) };
  };
  let log = open({ logId: newLogId(), upgradeId, run: finishedRuns(fs, upgrades, upgradeId) + 1 });
  const close = (): void => {
    log.reader.close();
    log.journal.close();
  };
  return {
    localFolder: paths.root,
    get header() {
      return log.reader.header;
    },
    get reader() {
      return log.reader;
    },
    begin: () => log.journal.begin(log.reader.end),
    append: (expectedSeq, lines, lastSeq) => {
      if (expectedSeq !== log.journal.seq) throw wrongEnd(upgradeId, expectedSeq, log.journal.seq);
      log.journal.append(lines, lastSeq);
    },
    sync: () => log.journal.sync(),
    saveSnapshot: async (at, parts) => {
      await log.journal.sync();
      await storeSnapshot(fs, paths.snapshot, { at, parts });
    },
    beginNextRun: () => {
      const { run } = log.reader.header;
      close();
      archiveRun(fs, { upgrades, paths, upgradeId, run });
      log = open({ logId: newLogId(), upgradeId, run: run + 1 });
      log.journal.begin(log.reader.end);
      return log.reader.header;
    },
    announce: (holder) =>
      replaceFile(fs, paths.holder, Buffer.from(`${JSON.stringify(holder)}\n`), { isDurable: false }),
    close: () => {
      close();
      if (lock.isHeld()) fs.rmSync(paths.holder, { force: true });
      lock.release();
    },
  };
}

function wrongEnd(upgradeId: string, expected: number, found: number): MilepostError {
  return new MilepostError(
    "CORRUPT",
    `the log of ${upgradeId} ends at seq ${found}, not at ${expected}; open it again`,
    { context: { upgradeId, expected, found } },
  );
}

function readHolder(fs: FileSystem, paths: UpgradePaths): LogHolder {
  const text = readWhole(fs, paths.holder)?.toString("utf8");
  const unknown: LogHolder = { program: "unknown", pid: 0, host: "unknown", since: "an unknown time" };
  if (text === undefined) return unknown;
  try {
    return { ...unknown, ...(JSON.parse(text) as LogHolder) };
  } catch {
    return unknown;
  }
}

function infoOf(fs: FileSystem, paths: UpgradePaths): StoredInfo {
  const files = journalFiles(fs, paths.journal);
  const sizes = files.map((file) => fs.statSync(journalPath(paths.journal, file)).size);
  return { location: paths.root, exists: files.length > 0, sizeBytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function deleteUpgrade(fs: FileSystem, upgrades: string, upgradeId: string): void {
  const paths = pathsIn(join(upgrades, fileNameOf(upgradeId)));
  if (!fs.existsSync(paths.root)) return;
  const lock = acquireLock({ fs, directory: paths.root, path: paths.lock }, { holder: () => readHolder(fs, paths) });
  try {
    for (let run = finishedRuns(fs, upgrades, upgradeId); run > 0; run--)
      fs.rmSync(`${paths.root}@${run}`, { recursive: true, force: true });
    fs.rmSync(paths.journal, { recursive: true, force: true });
    fs.rmSync(paths.root, { recursive: true, force: true });
  } finally {
    lock.release();
  }
}
