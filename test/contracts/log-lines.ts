/** Lines as a tracker makes them, for tests of storages without a tracker. */

import { formatCursor } from "../../src/model/cursor.ts";
import { LineEncoder } from "../../src/storage/line.ts";
import type { Awaitable, LineBatch, LogHeader, LogReader, LogWriter } from "../../src/storage/storage.ts";

export interface LineOptions {
  readonly term?: string;
  /** Whether the first of them opens the term; as `term` and the seq suggest when absent. */
  readonly opens?: boolean;
  /** The type of the last one, e.g. `writer.closed`. */
  readonly lastType?: string;
  readonly text?: string;
}

/** The lines `from` to `to` of a log, each in a buffer of its own; line `from` opens a term when it is 1 or `term` is given. */
export function makeLines(
  header: LogHeader,
  [from, to]: readonly [number, number],
  options: LineOptions = {},
): Buffer[] {
  const { term = "t1", lastType = "log.appended", text = 'é 🚀 "quoted"' } = options;
  const opens = options.opens ?? (from === 1 || options.term !== undefined);
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const seq = from + index;
    const type = seq === from && opens ? "writer.opened" : seq === to ? lastType : "log.appended";
    const cursor = formatCursor({ logId: header.logId, term, seq });
    const own = type === "writer.opened" ? { logId: header.logId, term, after: seq - 1 } : { text: `${text} ${seq}` };
    const event = { seq, cursor, ms: seq * 10, id: `id-${term}-${seq}`, type, upgradeId: header.upgradeId, ...own };
    return Buffer.from(new LineEncoder().encode(JSON.stringify(event)));
  });
}

/** Appends lines `from` to `to`, one append each; returns them. */
export async function appendLines(
  writer: LogWriter,
  [from, to]: readonly [number, number],
  options: LineOptions = {},
): Promise<Buffer[]> {
  const lines = makeLines(writer.header, [from, to], options);
  for (const [index, line] of lines.entries()) await writer.append(from + index - 1, line, from + index);
  return lines;
}

/** Reads to the end; the bytes of each batch, one after another. */
export async function readAll(reader: LogReader, maxBytes?: number): Promise<Buffer> {
  const batches: Uint8Array[] = [];
  for (let batch = await reader.read(maxBytes); batch !== undefined; batch = await reader.read(maxBytes))
    batches.push(batch.bytes);
  return Buffer.concat(batches);
}

/** A writer that has read the log and begun. */
export async function begun(writer: Awaitable<LogWriter>): Promise<LogWriter> {
  const opened = await writer;
  try {
    await readAll(opened.reader);
    await opened.begin();
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** The code that a call fails with; undefined when it does not fail. An error that is none of ours is passed on. */
export async function codeOf(call: () => unknown): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "MilepostError") return (error as Error & { code: string }).code;
    throw error;
  }
}

/** The seqs of a batch. */
export const seqsOf = (batch: LineBatch | undefined): readonly number[] | undefined =>
  batch && [batch.firstSeq, batch.lastSeq];
