/**
 * The lock on one upgrade: an exclusive SQLite transaction on the file `lock`, which the kernel frees when its holder dies.
 *
 * The file must never be opened in any other way by a process that may hold it: closing any descriptor of a file drops all
 * of the process's locks on it (POSIX). SQLite knows that; `node:fs` does not.
 *
 * A live holder is displaced by putting another file in the place of its own. It finds out within CHECK_INTERVAL_MS, so who
 * displaces it waits twice as long before reading the end of the log.
 */

import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";

import { MilepostError, shown } from "../../errors.ts";
import { syncDirectory, systemErrorCode, unusable, usable, type FileSystem } from "../files.ts";
import type { LogHolder } from "../storage.ts";

/** How often a holder looks whether the lock is still its own, at most; it looks after a write (G6). */
export const CHECK_INTERVAL_MS = 100;

const BUSY = 5;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

/** A lock that is held. */
export interface Lock {
  /** True when a live holder was displaced for it. */
  readonly isTakeOver: boolean;
  /** False when another writer has displaced this one. */
  isHeld(): boolean;
  release(): void;
}

interface LockPlace {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly path: string;
}

/** @throws LOCKED, STORAGE_UNUSABLE. */
export function acquireLock(
  place: LockPlace,
  { takeOver = false, holder }: { takeOver?: boolean; holder: () => LogHolder | undefined },
): Lock {
  // Somebody removed the lock file of a log that is there, perhaps from under a live holder: that is a take-over too.
  const isLost = !place.fs.existsSync(place.path) && place.fs.existsSync(join(place.directory, "journal"));
  const locked = tryLock(place);
  if (locked !== undefined) return isLost ? held(place, locked, { isTakeOver: true }) : held(place, locked);
  if (!takeOver) throw lockedBy(place.path, holder());
  return displace(place, holder);
}

/** True if somebody holds the lock now, or that cannot be found out. */
export function isLocked({ fs, path }: LockPlace): boolean {
  if (!fs.existsSync(path)) return false;
  let database: DatabaseSync | undefined;
  try {
    database = open(path, 0);
    // A shared lock is refused while an exclusive one is held, and does not disturb anybody for longer than this statement.
    database.exec("SELECT 1 FROM sqlite_master");
    return false;
  } catch (error) {
    // What is no database was read, and only who holds no lock lets it be read. Anything else is unknown, and unknown is not free.
    return sqliteCode(error) !== NOT_A_DATABASE && fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } finally {
    database?.close();
  }
}

/** @param waitMs - for those who only look (`isLocked`), and are done at once. */
function open(path: string, waitMs = 100): DatabaseSync {
  const { DatabaseSync: Database } = process.getBuiltinModule("node:sqlite");
  return new Database(path, { timeout: waitMs });
}

/** A lock, and which file it is on. */
interface Locked {
  readonly database: DatabaseSync;
  readonly ino: number;
}

function tryLock({ fs, path }: LockPlace): Locked | undefined {
  let database: DatabaseSync | undefined;
  try {
    createFile(fs, path);
    const { ino } = fs.statSync(path);
    database = open(path);
    // What SQLite would write before it writes stays in memory: locking takes no space, so that it works on a full disk.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    // Whoever displaced the holder while this one waited has put another file there; a lock on the old one is none.
    if (fs.statSync(path).ino === ino) return { database, ino };
    database.close();
    return undefined;
  } catch (error) {
    database?.close();
    if (sqliteCode(error) === BUSY) return undefined;
    if (sqliteCode(error) !== NOT_A_DATABASE && sqliteCode(error) !== CANNOT_OPEN) throw unusable(path, error);
    throw new MilepostError(
      "STORAGE_UNUSABLE",
      `${path} cannot be used as a lock file; make sure that nobody writes this upgrade, then delete the file`,
      {
        context: { path },
        cause: error,
      },
    );
  }
}

/** Made before SQLite sees it, for its owner alone; never opened when it is there (see above). */
function createFile(fs: FileSystem, path: string): void {
  if (fs.existsSync(path)) return;
  try {
    fs.closeSync(fs.openSync(path, "wx", 0o600));
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}

function sqliteCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}

function held(place: LockPlace, locked: Locked, { isTakeOver = false }: { isTakeOver?: boolean } = {}): Lock {
  const { fs, path } = place;
  let { ino } = locked;
  let database: DatabaseSync | undefined = locked.database;
  if (isTakeOver) waitForHolder();
  return {
    isTakeOver,
    isHeld: () => {
      if (database === undefined) return false;
      const found = fs.statSync(path, { throwIfNoEntry: false });
      if (found !== undefined) return found.ino === ino;
      // Somebody removed the file: whoever makes and locks it anew is the holder, and that may be us.
      const again = tryLock(place);
      if (again === undefined) return false;
      database.close();
      ({ database, ino } = again);
      return true;
    },
    release: () => {
      database?.close();
      database = undefined;
    },
  };
}

function displace(place: LockPlace, holder: () => LogHolder | undefined): Lock {
  const { fs, directory, path } = place;
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const locked = tryLock({ ...place, path: temporary });
  if (locked === undefined) throw lockedBy(path, holder());
  usable(path, () => {
    fs.renameSync(temporary, path);
    syncDirectory(fs, directory);
  });
  const lock = held(place, locked, { isTakeOver: true });
  if (lock.isHeld()) return lock;
  lock.release();
  fs.rmSync(temporary, { force: true });
  throw lockedBy(path, holder());
}

/** Until the one that was displaced has found out. */
function waitForHolder(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * CHECK_INTERVAL_MS);
}

function lockedBy(path: string, holder: LogHolder | undefined): MilepostError {
  const who =
    holder === undefined
      ? "another process"
      : `process ${holder.pid} (${shown(holder.program)}) on ${shown(holder.host)} since ${holder.since}`;
  return new MilepostError(
    "LOCKED",
    `this upgrade is held by ${who}; wait for it to end, report through it, or open with takeOver (--take-over) to displace it`,
    {
      context: { path, holder },
    },
  );
}
