/** Reading a log without its lock: the state, the events, the stored bytes; once or as they come. */

import { isMilepostError, MilepostError, shown } from "../errors.ts";
import { parseCursor } from "../model/cursor.ts";
import type { ProgressEvent } from "../model/event.ts";
import { evolve } from "../model/evolve.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { parseLine, splitLines } from "../storage/line.ts";
import type { LineBatch, LogHolder, LogReader, Storage } from "../storage/storage.ts";
import { foldLog } from "./restore-state.ts";
import { runAwaiting, type Steps } from "./steps.ts";

/** Enough for one line nearly always; a reader takes more when one line is longer. */
const READ_ONE_BYTES = 4096;

/** An upgrade as it is stored, and who writes it now. */
export interface StoredUpgrade {
  readonly state: UpgradeProgress;
  readonly holder: LogHolder | undefined;
}

export interface ReadOptions {
  /** A cursor: only what comes after it. The beginning when absent. */
  readonly after?: string | undefined;
  /** Go on with what is written later, until `signal` ends it. */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws UNKNOWN_UPGRADE, CORRUPT, NEWER_FORMAT. */
export async function readUpgrade(storage: Storage, ref: string): Promise<StoredUpgrade> {
  const reader = await openReader(storage, ref);
  try {
    const state = await runAwaiting(foldLog(reader));
    return { state, holder: await storage.holder(ref) };
  } finally {
    reader.close();
  }
}

/** The events of a log, in order. @throws UNKNOWN_UPGRADE, CURSOR_GONE, CORRUPT. */
export async function* readEvents(
  storage: Storage,
  ref: string,
  options: ReadOptions = {},
): AsyncGenerator<ProgressEvent, undefined> {
  for await (const bytes of readLines(storage, ref, options)) {
    for (const line of splitLines(bytes)) yield parseLine(line);
  }
  return undefined;
}

/** The stored bytes of a log, in order, whole lines at a time. @throws UNKNOWN_UPGRADE, CURSOR_GONE, CORRUPT. */
export async function* readLines(
  storage: Storage,
  ref: string,
  { after, follow = false, signal }: ReadOptions = {},
): AsyncGenerator<Uint8Array, undefined> {
  const reader = await openReader(storage, ref);
  try {
    if (after !== undefined) await seekCursor(reader, after);
    yield* follow ? followReader(reader, storage, { ref, signal }) : drain(reader, signal);
  } finally {
    reader.close();
  }
  return undefined;
}

/**
 * The present state of a log, then one for each event as it comes. When its history changes below the reader (a next run, an
 * older backup), the state is given anew, with no event.
 *
 * @throws UNKNOWN_UPGRADE, CORRUPT.
 */
export async function* watchUpgrade(
  storage: Storage,
  ref: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<{ readonly state: UpgradeProgress; readonly event?: ProgressEvent }, undefined> {
  while (signal?.aborted !== true) {
    const reader = await openReader(storage, ref);
    try {
      let state = await runAwaiting(foldLog(reader));
      yield { state };
      for await (const bytes of followReader(reader, storage, { ref, signal })) {
        for (const line of splitLines(bytes)) {
          const event = parseLine(line);
          state = evolve(state, event);
          yield { state, event };
        }
      }
    } catch (error) {
      if (!isMilepostError(error, "CURSOR_GONE")) throw error;
    } finally {
      reader.close();
    }
  }
  return undefined;
}

/** The event `seq` of a log. @throws UNKNOWN_UPGRADE, CORRUPT when the log has no such event. */
export function* readEventAt(storage: Storage, ref: string, seq: number): Steps<ProgressEvent> {
  const reader = (yield storage.openReader(ref)) as LogReader | undefined;
  if (reader === undefined) throw unknownUpgrade(storage, ref);
  try {
    yield reader.seek(seq - 1);
    const batch = (yield reader.read(READ_ONE_BYTES)) as LineBatch | undefined;
    if (batch?.firstSeq !== seq)
      throw new MilepostError("CORRUPT", `the log of ${shown(ref)} has no event ${seq}; run \`milepost verify\``);
    for (const line of splitLines(batch.bytes)) return parseLine(line);
    throw new MilepostError(
      "CORRUPT",
      `the log of ${shown(ref)} holds an empty line at event ${seq}; run \`milepost verify\``,
    );
  } finally {
    reader.close();
  }
}

async function openReader(storage: Storage, ref: string): Promise<LogReader> {
  const reader = await storage.openReader(ref);
  if (reader === undefined) throw unknownUpgrade(storage, ref);
  return reader;
}

function unknownUpgrade(storage: Storage, ref: string): MilepostError {
  return new MilepostError(
    "UNKNOWN_UPGRADE",
    `${storage.location} holds no upgrade ${shown(ref)}; \`milepost list\` shows what it holds`,
    { context: { upgradeId: ref } },
  );
}

/** Leaves the reader right behind a cursor. @throws CURSOR_GONE when it is not on this log's history; INVALID_ARGUMENT. */
export async function seekCursor(reader: LogReader, cursor: string): Promise<void> {
  const { logId, seq } = parseCursor(cursor);
  if (logId === reader.header.logId) {
    if (seq === 0 && (await reader.seek(0))) return;
    if (seq > 0 && (await reader.seek(seq - 1)) && (await isNext(reader, cursor)) && (await reader.seek(seq))) return;
  }
  throw new MilepostError(
    "CURSOR_GONE",
    `cursor ${shown(cursor)} is not on the history of this log; read it again from its beginning`,
    { context: { cursor } },
  );
}

async function isNext(reader: LogReader, cursor: string): Promise<boolean> {
  const batch = await reader.read(READ_ONE_BYTES);
  if (batch === undefined) return false;
  for (const line of splitLines(batch.bytes)) return parseLine(line).cursor === cursor;
  return false;
}

async function* drain(reader: LogReader, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, undefined> {
  while (signal?.aborted !== true) {
    const batch = await reader.read();
    if (batch === undefined) return undefined;
    yield batch.bytes;
  }
  return undefined;
}

/** Reads to the end, waits for a change, reads on. Watching begins before reading, so nothing falls between. */
async function* followReader(
  reader: LogReader,
  storage: Storage,
  { ref, signal }: { readonly ref: string; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, undefined> {
  let wake: () => void = () => undefined;
  let hasChanged = false;
  const changed = (): void => {
    hasChanged = true;
    wake();
  };
  const stop = storage.watch(ref, changed);
  signal?.addEventListener("abort", changed, { once: true });
  try {
    while (signal?.aborted !== true) {
      hasChanged = false;
      yield* drain(reader, signal);
      if (!hasChanged) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop();
    signal?.removeEventListener("abort", changed);
  }
  return undefined;
}
