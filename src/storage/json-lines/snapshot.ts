/**
 * `snapshot.json`: the state at a seq, so that opening need not read the whole log.
 *
 * Layout:   {\n"snapshot":1,\n"seq":7,\n"cursor":"…",\n"state":<the state's JSON>,\n"crc":"1a2b3c4d"\n}\n
 * Validity: the CRC-32 of all bytes before `,\n"crc"`, and a cursor that the log itself confirms. The state of any other is
 *           ignored: a snapshot is never the only place where something is written. What a whole one proves: `loss.ts`.
 * Torn:     never; it is written beside and renamed.
 */

import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";

import { isMilepostError } from "../../errors.ts";
import { parseCursor } from "../../model/cursor.ts";
import { crc32 } from "../../node-modules.ts";
import { degraded, discard, readWhole, syncDirectory, writeFully, type FileSystem } from "../files.ts";
import type { StoredSnapshot } from "../storage.ts";

const SNAPSHOT_FORMAT = 1;
const STATE_OPEN = ',\n"state":';
const CRC_OPEN = ',\n"crc":"';
const TAIL_BYTES = CRC_OPEN.length + 8 + '"\n}\n'.length;

const hex = (crc: number): string => crc.toString(16).padStart(8, "0");

/** What cannot be read is as good as not there: the log says the same. */
function readIfPossible(fs: FileSystem, path: string): Buffer | undefined {
  try {
    return readWhole(fs, path);
  } catch {
    return undefined;
  }
}

/** The snapshot in the file, or undefined when there is none that is whole and of this format. */
export function loadSnapshot(fs: FileSystem, path: string): StoredSnapshot | undefined {
  const bytes = readIfPossible(fs, path);
  if (bytes === undefined || bytes.length < TAIL_BYTES) return undefined;
  const end = bytes.length - TAIL_BYTES;
  const isWhole = bytes.toString("latin1", end) === `${CRC_OPEN}${hex(crc32(bytes.subarray(0, end)))}"\n}\n`;
  const stateAt = bytes.indexOf(STATE_OPEN);
  if (!isWhole || stateAt < 0) return undefined;
  const head = headOf(bytes.toString("utf8", 0, stateAt));
  return head && { seq: head.seq, cursor: head.cursor, text: bytes.toString("utf8", stateAt + STATE_OPEN.length, end) };
}

/** The place that the beginning of a snapshot names, not checked by its checksum; undefined when it is none of this format. */
export function snapshotHead(start: Buffer): { readonly seq: number; readonly cursor: string } | undefined {
  const stateAt = start.indexOf(STATE_OPEN);
  return stateAt < 0 ? undefined : headOf(start.toString("utf8", 0, stateAt));
}

/** The place that a snapshot names; undefined when another version wrote it. */
function headOf(text: string): { readonly seq: number; readonly cursor: string } | undefined {
  try {
    const { snapshot, seq, cursor } = JSON.parse(`${text}}`) as Record<string, unknown>;
    if (snapshot !== SNAPSHOT_FORMAT || typeof seq !== "number" || typeof cursor !== "string") return undefined;
    return parseCursor(cursor).seq === seq && seq > 0 ? { seq, cursor } : undefined;
  } catch {
    return undefined;
  }
}

let nextTemporary = 0;

/** Writes a snapshot beside the old one, a part per turn of the event loop, and puts it in its place. */
export async function storeSnapshot(
  fs: FileSystem,
  path: string,
  { at, parts }: { readonly at: { readonly seq: number; readonly cursor: string }; readonly parts: Iterable<string> },
): Promise<void> {
  // A name of its own: two may be written at the same time.
  const temporary = `${path}.${process.pid}.${(nextTemporary += 1)}.tmp`;
  const fd = fs.openSync(temporary, "w", 0o600);
  let position = 0;
  let crc = 0;
  const put = (text: string, isChecked = true): void => {
    const bytes = Buffer.from(text, "utf8");
    if (isChecked) crc = crc32(bytes, crc);
    writeFully(fs, fd, bytes, position);
    position += bytes.length;
  };
  try {
    put(`{\n"snapshot":${SNAPSHOT_FORMAT},\n"seq":${at.seq},\n"cursor":${JSON.stringify(at.cursor)}${STATE_OPEN}`);
    for (const part of parts) {
      put(part);
      await setImmediate();
    }
    put(`${CRC_OPEN}${hex(crc)}"\n}\n`, false);
    await new Promise<void>((resolve, reject) =>
      fs.fdatasync(fd, (error) => (error === null ? resolve() : reject(error))),
    );
    fs.renameSync(temporary, path);
    syncDirectory(fs, dirname(path));
  } catch (error) {
    // Half a snapshot would only take room on a disk that may be full.
    discard(fs, temporary);
    throw isMilepostError(error) ? error : degraded(path, error);
  } finally {
    fs.closeSync(fd);
  }
}
