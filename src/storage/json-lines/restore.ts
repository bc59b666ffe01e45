/** Puts a journal file back that somebody removed or replaced while it was open. */

import { dirname } from "node:path";

import { degraded, readAt, syncDirectory, writeFully, type FileSystem } from "../files.ts";

const CHUNK_BYTES = 1024 * 1024;

/**
 * Checks that the open file is the one at its path and holds `size` bytes, those behind `since` all written. One that was removed or replaced is put back from
 * the open descriptor; what stood in its place is kept beside it.
 *
 * @returns the descriptor to go on with.
 * @throws STORAGE_DEGRADED when the file was cut short, cannot be looked at, or cannot be put back.
 */
export function restoreFile(
  fs: FileSystem,
  { fd, path }: { readonly fd: number; readonly path: string },
  { size, since }: { readonly size: number; readonly since: number },
): number {
  try {
    const open = fs.fstatSync(fd);
    if (open.size < size || holdsHole(fs, fd, { from: since, to: size }))
      throw new Error(`another program has cut the file, which should hold ${size} bytes`);
    const found = fs.statSync(path, { throwIfNoEntry: false });
    if (found?.ino === open.ino) return fd;
    return putBack(fs, { fd, path, size, isReplaced: found !== undefined });
  } catch (error) {
    throw degraded(path, error);
  }
}

/**
 * A file that was cut and written on has zeros between the two, and at least where the newline of a line was. Lines hold none.
 */
function holdsHole(fs: FileSystem, fd: number, { from, to }: { from: number; to: number }): boolean {
  for (let at = Math.max(0, from - 1); at < to; at += CHUNK_BYTES)
    if (readAt(fs, fd, at, Math.min(CHUNK_BYTES, to - at)).includes(0)) return true;
  return false;
}

function putBack(
  fs: FileSystem,
  { fd, path, size, isReplaced }: { fd: number; path: string; size: number; isReplaced: boolean },
): number {
  const copy = fs.openSync(`${path}.restored`, "w+", 0o600);
  try {
    writeFully(fs, copy, readAt(fs, fd, 0, size), 0);
    fs.fsyncSync(copy);
    if (isReplaced) fs.renameSync(path, `${path}.replaced-${Date.now()}`);
    fs.renameSync(`${path}.restored`, path);
    syncDirectory(fs, dirname(path));
  } catch (error) {
    fs.closeSync(copy);
    throw error;
  }
  fs.closeSync(fd);
  return copy;
}
