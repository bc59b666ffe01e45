/** Files with secrets in them. */

import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

import { MilepostError, shown } from "../../errors.ts";

/** Read by others. A group may read: container systems mount secrets so. */
const READ_BY_OTHERS = 0o004;
const WRITTEN_BY_OTHERS = 0o022;

/**
 * The text of a file that nobody but its owner may write, and nobody but its owner and group may read; undefined if there is none.
 *
 * @param mayAllRead - true for a file without secrets.
 * @throws INVALID_ARGUMENT when others may do more; the system's error when it cannot be read.
 */
export function readPrivateFile(path: string, { mayAllRead = false } = {}): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    // Of the open file: the path may lead to another one by now.
    const { mode } = fstatSync(fd);
    const tooOpen = WRITTEN_BY_OTHERS | (mayAllRead ? 0 : READ_BY_OTHERS);
    if (process.platform !== "win32" && (mode & tooOpen) !== 0) {
      throw new MilepostError(
        "INVALID_ARGUMENT",
        `${shown(path)} may be ${(mode & WRITTEN_BY_OTHERS) !== 0 ? "written" : "read"} by others (mode ${(mode & 0o777).toString(8)}), and it is a secret or says who may do what; run chmod 600 on it (a mounted secret: mode 0440)`,
        { context: { path } },
      );
    }
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

/** Replaces the file, for its owner alone; whoever looks sees the old one whole or the new one whole. */
export function writePrivateFile(path: string, text: string): void {
  renameSync(writeBeside(path, text), path);
}

/** Makes the file, unless there is one by now, also one that another process makes at this moment: then false. */
export function createPrivateFile(path: string, text: string): boolean {
  const temporary = writeBeside(path, text);
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function writeBeside(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  const fd = openSync(temporary, "w", 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return temporary;
}
