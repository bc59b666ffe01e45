/**
 * Journal files: `journal/<n>.jsonl`, append only, one after another.
 *
 * Layout: the first line is the header, sealed like any line (`line.ts`) but no event:
 *           {"journal":3,"format":1,"logId":"…","upgradeId":"…","run":1,"generation":0,"previous":{"file":2,"bytes":812,"seq":10},"crc":"…"}
 *         then one line per event.
 * Chain:  `previous` fixes where the file before it ends; whatever stands behind that place is not part of the log: a torn
 *         tail, or what a writer wrote after it was displaced. It is kept, and never read.
 *         The newest file is the one with the highest generation (a take-over begins a new one), then the highest number.
 *         Files that the chain does not reach are not part of the log.
 * Tail:   only the newest file may end in a line that is not whole. A line that is not whole, with whole ones behind it, or
 *         before a fixed end, is damage.
 */

import { join } from "node:path";

import { MilepostError } from "../../errors.ts";
import { openToRead, readAt, readWhole, systemErrorCode, type FileSystem } from "../files.ts";
import { holdsWholeLine, isSealed, LineEncoder, parseLine, type LineHead } from "../line.ts";

/** The version of this layout. A file of a newer one is refused. */
export const JOURNAL_FORMAT = 1;

export interface JournalHeader {
  readonly journal: number;
  readonly format: number;
  readonly logId: string;
  readonly upgradeId: string;
  readonly run: number;
  readonly generation: number;
  readonly previous: { readonly file: number; readonly bytes: number; readonly seq: number } | null;
  /** Only in a file that a salvage made: the ids of the logs that it replaced, whose snapshot may still be there. */
  readonly salvaged?: readonly string[];
}

/** One file of the chain. */
export interface Segment {
  readonly path: string;
  readonly header: JournalHeader;
  /** Where its first event begins. */
  readonly headerBytes: number;
  /** The seq before its first event. */
  readonly afterSeq: number;
  /** Where it ends, fixed by the next file; null for the newest. */
  readonly endBytes: number | null;
}

const FILE_NAME = /^([1-9]\d{0,9})\.jsonl$/;
const MAX_HEADER_BYTES = 8192;

export function journalPath(directory: string, file: number): string {
  return join(directory, `${file}.jsonl`);
}

/** The first line of a journal file. */
export function encodeHeader(header: JournalHeader): Buffer {
  return new LineEncoder().encode(JSON.stringify(header));
}

/** The numbers of the files there are, highest first; none if there is no directory. */
export function journalFiles(fs: FileSystem, directory: string): number[] {
  let names: string[];
  try {
    names = fs.readdirSync(directory);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
  return names
    .map((name) => Number(FILE_NAME.exec(name)?.[1] ?? 0))
    .filter((file) => file > 0)
    .sort((a, b) => b - a);
}

interface Head {
  readonly header: JournalHeader;
  readonly headerBytes: number;
}

/** The header of a file, or undefined when its first line is not whole. @throws NEWER_FORMAT. */
export function readHeader(fs: FileSystem, path: string): Head | undefined {
  const bytes = readStart(fs, path, MAX_HEADER_BYTES);
  const end = bytes.indexOf(0x0a) + 1;
  if (end === 0 || !isSealed(bytes, 0, end)) return undefined;
  const { crc: _crc, ...header } = JSON.parse(bytes.toString("utf8", 0, end)) as JournalHeader & { crc: string };
  if (typeof header.journal !== "number" || typeof header.format !== "number") return undefined;
  if (header.format > JOURNAL_FORMAT) {
    throw new MilepostError(
      "NEWER_FORMAT",
      `${path} has journal format ${header.format}, this Milepost knows ${JOURNAL_FORMAT}; use a newer Milepost`,
      {
        context: { file: path, format: header.format },
      },
    );
  }
  return { header, headerBytes: end };
}

/** The first bytes of a file; none of one that its writer has taken away again. */
function readStart(fs: FileSystem, path: string, length: number): Buffer {
  let fd: number;
  try {
    fd = openToRead(fs, path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
  try {
    return readAt(fs, fd, 0, length);
  } finally {
    fs.closeSync(fd);
  }
}

/** The log's files in order, oldest first; none for a log that has no whole header yet. @throws CORRUPT, NEWER_FORMAT. */
export function readChain(fs: FileSystem, directory: string): Segment[] {
  const heads = new Map<number, Head>();
  const strange: FoundHead[] = [];
  let newest: Head | undefined;
  for (const found of headsIn(fs, directory)) {
    const { file, head } = found;
    if (head?.header.journal !== file) {
      strange.push(found);
      continue;
    }
    heads.set(file, head);
    if (newest === undefined || head.header.generation > newest.header.generation) newest = head;
  }
  const chain = newest === undefined ? [] : follow(directory, heads, newest);
  // One that is younger than the log's first file could belong to the log.
  for (const found of strange) if (found.file > (chain[0]?.header.journal ?? 0)) refuseIfWritten(fs, found);
  return chain;
}

/** A journal file, and what its first line says; undefined when that is not whole. */
export interface FoundHead {
  readonly file: number;
  readonly path: string;
  readonly head: Head | undefined;
}

/** The files there are, highest number first. @throws NEWER_FORMAT. */
export function headsIn(fs: FileSystem, directory: string): FoundHead[] {
  return journalFiles(fs, directory).map((file) => {
    const path = journalPath(directory, file);
    return { file, path, head: readHeader(fs, path) };
  });
}

function follow(directory: string, heads: ReadonlyMap<number, Head>, newest: Head): Segment[] {
  const chain: Segment[] = [];
  let endBytes: number | null = null;
  for (let head: Head | undefined = newest; head !== undefined;) {
    const { header, headerBytes } = head;
    const path = journalPath(directory, header.journal);
    chain.unshift({ path, header, headerBytes, afterSeq: header.previous?.seq ?? 0, endBytes });
    if (header.previous === null) break;
    const previous = heads.get(header.previous.file);
    if (previous === undefined || header.previous.file >= header.journal || previous.header.logId !== header.logId) {
      throw corruptHeader(
        journalPath(directory, header.previous.file),
        `should begin with the header of the file before ${header.journal}.jsonl`,
      );
    }
    endBytes = header.previous.bytes;
    head = previous;
  }
  return chain;
}

/** True for the line that a term begins with. */
export const opensTerm = (line: Uint8Array): boolean => parseLine(line).type === "writer.opened";

/** What is wrong with a whole line that stands behind `place`; undefined if it is the next event of this very log. */
export function faultOf(
  head: LineHead | undefined,
  place: { readonly seq: number; readonly logId: string; readonly term: string | undefined },
  opensTerm: () => boolean,
): string | undefined {
  if (head === undefined) return "holds a line that is no event";
  if (head.seq !== place.seq + 1) return `holds seq ${head.seq} where ${place.seq + 1} belongs`;
  if (head.logId !== place.logId) return `holds an event of another log (${head.logId})`;
  if (place.term !== undefined && head.term !== place.term && !opensTerm())
    return `holds an event of another term (${head.term})`;
  return undefined;
}

/** A file whose header is not whole was never acknowledged, unless it holds whole lines: then its header is damaged. */
function refuseIfWritten(fs: FileSystem, { path, head }: FoundHead): void {
  if (head !== undefined) throw corruptHeader(path, `says that it is file ${head.header.journal}`);
  if (holdsWholeLine(readWhole(fs, path) ?? Buffer.alloc(0), 0)) throw corruptHeader(path, "has a damaged first line");
}

function corruptHeader(path: string, what: string): MilepostError {
  return new MilepostError(
    "CORRUPT",
    `${path} ${what}; run \`milepost verify\`, then \`milepost salvage\` to go on with what is whole`,
    {
      context: { file: path, offset: 0, seq: 0, what },
    },
  );
}
