/** `tracker.events()`: the log from a cursor on, then live, also what still waits for the storage. */

import type { ProgressEvent } from "../model/event.ts";
import { parseLine, splitLines } from "../storage/line.ts";
import type { LogReader, Storage } from "../storage/storage.ts";
import { seekCursor } from "./read.ts";
import type { Tracker } from "./tracker.ts";

export interface EventsOptions {
  /** A cursor: only what comes after it. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Source {
  readonly storage: Storage;
  readonly upgradeId: string;
  readonly tracker: Tracker;
  readonly closing: AbortSignal;
}

/** @throws CURSOR_GONE, CORRUPT, INVALID_ARGUMENT. */
export async function* trackerEvents(
  source: Source,
  { after, signal }: EventsOptions,
): AsyncGenerator<ProgressEvent, undefined> {
  const ending = signal === undefined ? source.closing : AbortSignal.any([signal, source.closing]);
  let wake: () => void = () => undefined;
  let isNew = false;
  const changed = (): void => {
    isNew = true;
    wake();
  };
  const stopListening = source.tracker.onEvent(changed);
  ending.addEventListener("abort", changed, { once: true });
  const cursor = { seq: 0, after };
  let reader: LogReader | undefined;
  try {
    for (;;) {
      isNew = false;
      reader ??= await openAt(source, cursor);
      if (reader !== undefined) yield* stored(reader, cursor);
      for (const event of source.tracker.log.queuedAfter(cursor.seq)) {
        cursor.seq = event.seq;
        yield event;
      }
      // Whoever comes late still gets what was written before the end.
      if (isNew && !ending.aborted) continue;
      if (ending.aborted) return undefined;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    reader?.close();
    stopListening();
    ending.removeEventListener("abort", changed);
  }
}

interface Position {
  seq: number;
  after: string | undefined;
}

async function openAt({ storage, upgradeId }: Source, cursor: Position): Promise<LogReader | undefined> {
  const reader = await storage.openReader(upgradeId);
  if (reader === undefined) return undefined;
  if (cursor.after !== undefined) await seekCursor(reader, cursor.after);
  cursor.after = undefined;
  return reader;
}

async function* stored(reader: LogReader, cursor: Position): AsyncGenerator<ProgressEvent, undefined> {
  for (let batch = await reader.read(); batch !== undefined; batch = await reader.read()) {
    for (const line of splitLines(batch.bytes)) {
      const event = parseLine(line);
      // Told before, while it waited for the storage.
      if (event.seq <= cursor.seq) continue;
      cursor.seq = event.seq;
      yield event;
    }
  }
  return undefined;
}
