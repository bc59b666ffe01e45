/** What a log holds on disk, read afresh by a reader of its own. */

import type { ProgressEvent } from "../../src/model/event.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { parseLine, splitLines } from "../../src/storage/line.ts";
import type { LogReader, Storage } from "../../src/storage/storage.ts";

/** The events of a log in a synchronous storage, those behind `afterSeq`; none if there is no such log. */
export function storedEvents(storage: Storage, ref: string, afterSeq = 0): ProgressEvent[] {
  const reader = storage.openReader(ref) as LogReader | undefined;
  if (reader === undefined) return [];
  try {
    const events: ProgressEvent[] = [];
    if (afterSeq > 0 && reader.seek(afterSeq) !== true) return [];
    for (let batch = reader.read(); batch !== undefined; batch = reader.read()) {
      if (batch instanceof Promise) throw new Error("a synchronous storage is needed here");
      for (const line of splitLines(batch.bytes)) events.push(parseLine(line));
    }
    return events;
  } finally {
    reader.close();
  }
}

/** The events on the machine's own disk, whatever the file system that wrote them pretends. */
export function eventsOnDisk(path: string, ref: string, afterSeq = 0): ProgressEvent[] {
  return storedEvents(jsonLines({ path }), ref, afterSeq);
}
