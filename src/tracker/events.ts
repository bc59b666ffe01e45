/** `tracker.events()`: the log from a cursor on, then live, also what still waits for the storage. */

import { isMilepostError } from "../errors.ts";
import { parseCursor } from "../model/cursor.ts";
import type { ProgressEvent } from "../model/event.ts";
import { checkFields } from "../model/known-fields.ts";
import { parseLine, seqAt, splitLines } from "../storage/line.ts";
import type { LogReader, Storage } from "../storage/storage.ts";
import { seekCursor } from "./read.ts";
import type { Tracker } from "./tracker.ts";

export interface EventsOptions {
  /** A cursor: only what comes after it. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: ReadonlySet<string> = new Set(["after", "signal"]);

/** A tracker's log, to be read while it grows. */
export interface EventSource {
  readonly storage: Storage;
  readonly upgradeId: string;
  readonly tracker: Tracker;
  /** Ends every reading, after what was written before. */
  readonly closing: AbortSignal;
}

/** @throws CURSOR_GONE, CORRUPT, INVALID_ARGUMENT. */
export async function* trackerEvents(
  source: EventSource,
  options: EventsOptions,
): AsyncGenerator<ProgressEvent, undefined> {
  checkFields(options, OPTIONS, "the options of events");
  for await (const line of trackerLines(source, options)) yield parseLine(line);
  return undefined;
}

/** The same as stored bytes, a line at a time. The next run of the upgrade goes on with its first line. */
async function* trackerLines(
  source: EventSource,
  { after, signal }: EventsOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const ending = signal === undefined ? source.closing : AbortSignal.any([signal, source.closing]);
  const alarm = alarmFor(source, ending);
  const place: Place = { seq: 0, after, reader: undefined };
  try {
    for (;;) {
      alarm.reset();
      yield* stored(source, place);
      for (const line of source.tracker.log.queuedLines(place.seq)) {
        place.seq = seqAt(Buffer.from(line.buffer, line.byteOffset, line.byteLength), 0);
        yield line;
      }
      // Whoever comes late still gets what was written before the end.
      if (ending.aborted) return undefined;
      await alarm.wait();
    }
  } finally {
    place.reader?.close();
    alarm.stop();
  }
}

interface Place {
  seq: number;
  after: string | undefined;
  reader: LogReader | undefined;
}

async function* stored(source: EventSource, place: Place): AsyncGenerator<Uint8Array, undefined> {
  try {
    place.reader ??= await openAt(source, place);
    if (place.reader === undefined) return undefined;
    for (let batch = await place.reader.read(); batch !== undefined; batch = await place.reader.read()) {
      let { firstSeq: seq } = batch;
      for (const line of splitLines(batch.bytes)) {
        // What was told before, while it waited for the storage, is not told again.
        if (seq > place.seq) {
          place.seq = seq;
          yield line;
        }
        seq += 1;
      }
    }
  } catch (error) {
    if (!isMilepostError(error, "CURSOR_GONE") || !hasNextRun(source, place)) throw error;
    place.reader?.close();
    place.reader = undefined;
    place.seq = 0;
    yield* stored(source, place);
  }
  return undefined;
}

const hasNextRun = ({ tracker }: EventSource, { reader }: Place): boolean =>
  reader !== undefined && reader.header.run < tracker.state.run;

async function openAt({ storage, upgradeId, tracker }: EventSource, place: Place): Promise<LogReader | undefined> {
  const reader = await storage.openReader(upgradeId);
  if (reader === undefined || place.after === undefined) return reader;
  const { seq } = parseCursor(place.after);
  // A cursor of an event that waits for the storage: told already, and not to be found in the log.
  if (tracker.log.queued(seq)?.cursor === place.after) place.seq = seq;
  else await seekCursor(reader, place.after);
  place.after = undefined;
  return reader;
}

interface Alarm {
  reset(): void;
  /** Resolves at once if something came since the last reset. */
  wait(): Promise<void>;
  stop(): void;
}

function alarmFor({ tracker }: EventSource, ending: AbortSignal): Alarm {
  let hasRung = false;
  let wake: () => void = () => undefined;
  const ring = (): void => {
    hasRung = true;
    wake();
  };
  const stopListening = tracker.onEvent(ring);
  ending.addEventListener("abort", ring, { once: true });
  return {
    reset: () => {
      hasRung = false;
    },
    wait: () => (hasRung ? Promise.resolve() : new Promise<void>((resolve) => (wake = resolve))),
    stop: () => {
      stopListening();
      ending.removeEventListener("abort", ring);
    },
  };
}
