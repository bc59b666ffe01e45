/** Files, for drivers: the part of `node:fs` that is used (so that tests can make it fail), safe names, durable replacement. */

import type * as nodeFsTypes from "node:fs";
import { dirname } from "node:path";

import { isMilepostError, MilepostError } from "../errors.ts";
import { nodeFs, sha256Hex } from "../node-modules.ts";

/** What a driver needs of the file system. `node:fs` is one. */
export type FileSystem = Pick<
  typeof nodeFsTypes,
  | "closeSync"
  | "existsSync"
  | "fdatasync"
  | "fstatSync"
  | "fsyncSync"
  | "mkdirSync"
  | "openSync"
  | "readdirSync"
  | "readSync"
  | "renameSync"
  | "rmSync"
  | "statSync"
  | "unlinkSync"
  | "writeSync"
>;

/** The machine's own file system. */
export const realFileSystem: FileSystem = nodeFs;

/** A system error's code; libuv names what it does not know "Unknown system error -122", so the number tells (EDQUOT). */
export function systemErrorCode(error: unknown): string | undefined {
  const { code, errno, message } = error as { code?: unknown; errno?: unknown; message?: unknown };
  if (errno === -122 || errno === 122) return "EDQUOT";
  // Node's `rmSync` knows no code for some errors, and gives an empty one.
  if (code === "") return /read-only file system/i.test(String(message)) ? "EROFS" : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Makes what a directory names durable. Systems that cannot sync a directory need not. */
export function syncDirectory(fs: FileSystem, path: string): void {
  if (process.platform === "win32") return;
  const fd = fs.openSync(path, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Writes all of `bytes` at `position`, also when the system takes them in pieces. */
export function writeFully(fs: FileSystem, fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const written = fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
    if (written <= 0) throw Object.assign(new Error("the system wrote nothing and gave no reason"), { code: "EIO" });
    done += written;
  }
}

/** Reads up to `length` bytes from `position`; fewer at the end of the file. */
export function readAt(fs: FileSystem, fd: number, position: number, length: number): Buffer {
  return readInto(fs, fd, { position, length });
}

/** The same, into memory that is there, if there is enough of it. */
export function readInto(
  fs: FileSystem,
  fd: number,
  { position, length }: { readonly position: number; readonly length: number },
  memory?: Buffer,
): Buffer {
  const bytes = memory !== undefined && memory.length >= length ? memory : Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const read = fs.readSync(fd, bytes, done, length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

/** Opens a file for reading. What is no regular file is refused: opening a named pipe would wait for ever. */
export function openToRead(fs: FileSystem, path: string): number {
  const found = fs.statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) throw Object.assign(new Error(`${path} is a folder`), { code: "EISDIR" });
  if (found?.isFile() === false)
    throw unusable(path, Object.assign(new Error("no regular file"), { code: NOT_REGULAR }));
  return fs.openSync(path, "r");
}

/** The whole file, or undefined if there is none. */
export function readWhole(fs: FileSystem, path: string): Buffer | undefined {
  let fd: number;
  try {
    fd = openToRead(fs, path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    return readAt(fs, fd, 0, fs.fstatSync(fd).size);
  } finally {
    fs.closeSync(fd);
  }
}

/** Removes a file that is of no use any more. One that cannot be removed is in nobody's way. */
export function discard(fs: FileSystem, path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // The error that led here is the one to report.
  }
}

/** What `use` returns; a system error of it is typed as of a storage that cannot be used. @throws STORAGE_UNUSABLE. */
export function usable<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw isMilepostError(error) ? error : unusable(path, error);
  }
}

/**
 * Replaces a file so that any reader, at any time, sees the old one whole or the new one whole.
 *
 * @param isDurable - false for what need not survive a power cut.
 */
export function replaceFile(
  fs: FileSystem,
  path: string,
  bytes: Uint8Array,
  { isDurable = true }: { isDurable?: boolean } = {},
): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const fd = fs.openSync(temporary, "w", 0o600);
  try {
    writeFully(fs, fd, bytes, 0);
    if (isDurable) fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(temporary, path);
  if (isDurable) syncDirectory(fs, dirname(path));
}

/** Makes a directory and its parents, for its owner alone, and makes each new name durable. */
export function makeDirectory(fs: FileSystem, path: string): void {
  if (fs.existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(fs, parent);
  try {
    fs.mkdirSync(path, 0o700);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
  syncDirectory(fs, parent);
}

const SAFE = /^[a-z0-9_-]$/;
/** Nearly every id: it is its own name. */
const ALL_SAFE = /^[a-z0-9_-](?:[a-z0-9_.-]*[a-z0-9_-])?$/;
const MAX_NAME = 160;
/** Names that Windows keeps for devices, with or without an extension. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/;

/**
 * A file name for an id: two different ids never share one, also where the file system folds case or Unicode forms. Bytes
 * other than a-z, 0-9, `_`, `-` and inner dots are written %xx; what gets too long ends in `~` and a hash of the id.
 */
export function fileNameOf(id: string): string {
  if (id.length <= MAX_NAME && ALL_SAFE.test(id) && !RESERVED.test(id)) return id;
  const bytes = Buffer.from(id, "utf8");
  let name = "";
  for (const [index, byte] of bytes.entries()) {
    const char = String.fromCharCode(byte);
    const isInnerDot = char === "." && index > 0 && index < bytes.length - 1;
    name += SAFE.test(char) || isInnerDot ? char : `%${byte.toString(16).padStart(2, "0")}`;
  }
  if (RESERVED.test(name)) name = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
  if (name.length <= MAX_NAME) return name;
  return `${name.slice(0, 80)}~${sha256Hex(bytes).slice(0, 40)}`;
}

/** The id that {@link fileNameOf} wrote, or undefined where the name holds only its hash or is not such a name. */
export function idOfFileName(name: string): string | undefined {
  if (name.includes("~")) return undefined;
  if (!name.includes("%")) return fileNameOf(name) === name ? name : undefined;
  const bytes: number[] = [];
  for (let at = 0; at < name.length; at++) {
    if (name[at] !== "%") bytes.push(name.charCodeAt(at));
    else {
      bytes.push(Number.parseInt(name.slice(at + 1, at + 3), 16));
      at += 2;
    }
  }
  const id = Buffer.from(bytes).toString("utf8");
  return fileNameOf(id) === name ? id : undefined;
}

const NOT_REGULAR = "no regular file";

/** What helps, by the system's code. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "free space, or inodes, on its disk",
  SQLITE_FULL: "free space on its disk",
  EDQUOT: "free space within the quota of its owner",
  EROFS: "it is on a read-only file system: mount it for writing, or name another folder",
  EISDIR: "a folder stands, there or below, where a file belongs: move it away",
  ENOTDIR: "a file stands where a folder belongs: move it away, or name another folder",
  ELOOP: "its symbolic links lead in a circle: mend them",
  EMFILE: "too many files are open in this process: close some, or raise its limit (ulimit -n)",
  ENFILE: "too many files are open on this machine: close some, or raise its limit",
  EIO: "the disk does not answer as it should: look at the system's log",
  SQLITE_IOERR: "its file system may not have locks: name a folder on a local disk, and look at the system's log",
  SQLITE_PROTOCOL: "its file system may not have locks: name a folder on a local disk",
  ENAMETOOLONG: "its name is too long: name a folder with a shorter path",
  ENOMEM: "the machine is out of memory: free some",
  [NOT_REGULAR]: "a pipe, socket or device stands where a file belongs: move it away",
};

/** SQLite's primary result codes, as far as a lock can meet them. */
const SQLITE_CODES: Readonly<Record<number, string>> = {
  3: "SQLITE_PERM",
  7: "ENOMEM",
  8: "SQLITE_READONLY",
  10: "SQLITE_IOERR",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  15: "SQLITE_PROTOCOL",
};

function codeOfCause(cause: unknown): string {
  const { errcode } = cause as { errcode?: unknown };
  const code = systemErrorCode(cause);
  if (code !== "ERR_SQLITE_ERROR" || typeof errcode !== "number") return code ?? "unknown error";
  return SQLITE_CODES[errcode & 0xff] ?? `SQLite error ${errcode}`;
}

/** The typed error for a path that cannot be used at all. */
export function unusable(path: string, cause: unknown): MilepostError {
  const code = codeOfCause(cause);
  const remedy = REMEDIES[code] ?? "check that its folder is there and that you may read and write it";
  return new MilepostError("STORAGE_UNUSABLE", `storage: ${path} cannot be used (${code}); ${remedy}`, {
    context: { path, code },
    cause,
  });
}

/** The typed error for a write that the system did not take. */
export function degraded(path: string, cause: unknown): MilepostError {
  const code = systemErrorCode(cause) ?? "unknown error";
  return new MilepostError(
    "STORAGE_DEGRADED",
    `storage: ${path} does not take writes (${code}); events wait in memory until it does`,
    {
      context: { path, code },
      cause,
    },
  );
}
