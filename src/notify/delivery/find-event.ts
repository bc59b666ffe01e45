/** Finds events of one log by their seq. Those that follow each other closely cost one read together. */

import type { ProgressEvent } from "../../model/event.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import type { LogReader } from "../../storage/storage.ts";

const PIECE_BYTES = 32 * 1024;

export interface FoundEvent {
  readonly event: ProgressEvent;
  readonly sizeBytes: number;
}

/** @param reader - nobody else may read from it. */
export function eventFinder(reader: LogReader): (seq: number) => Promise<FoundEvent | undefined> {
  let lines: readonly Uint8Array[] = [];
  let firstSeq = 0;
  return async (seq) => {
    if (seq < firstSeq || seq >= firstSeq + lines.length) {
      const isNext = lines.length > 0 && seq === firstSeq + lines.length;
      lines = [];
      if (!isNext && !(await reader.seek(seq - 1))) return undefined;
      const batch = await reader.read(PIECE_BYTES);
      if (batch === undefined) return undefined;
      lines = [...splitLines(batch.bytes)];
      firstSeq = batch.firstSeq;
    }
    const line = lines[seq - firstSeq];
    return line && { event: parseLine(line), sizeBytes: line.length };
  };
}
