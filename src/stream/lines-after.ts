/** A page of a log, for whoever asks instead of listening. */

import { MilepostError, shown } from "../errors.ts";
import { cursorOf } from "./encoding.ts";
import type { LiveLog } from "./live-log.ts";

export interface LinesAfter {
  /** Whole lines without their newlines: JSON texts. */
  readonly lines: readonly Uint8Array[];
  /** Where the next reading goes on. */
  readonly cursor: string;
  /** True if there was no more. */
  readonly isEnd: boolean;
}

/** At most `limit` events after a cursor; from the beginning when absent. @throws CURSOR_GONE, CORRUPT. */
export async function linesAfter(log: LiveLog, after: string | undefined, limit: number): Promise<LinesAfter> {
  const from = after === undefined ? 0 : await log.locate(after);
  if (from === undefined) {
    throw new MilepostError(
      "CURSOR_GONE",
      `cursor ${shown(after)} is not on the history of this log; read it again from its beginning`,
      { context: { cursor: after } },
    );
  }
  const to = Math.min(log.head, from + limit);
  const lines: Buffer[] = [];
  while (from + lines.length < to) {
    const seq = from + lines.length + 1;
    const block = await log.block(seq);
    for (let at = seq; at <= Math.min(to, block.lastSeq); at++) lines.push(block.text(at));
  }
  const last = lines.at(-1);
  return { lines, cursor: last === undefined ? await log.cursorAt(from) : cursorOf(last), isEnd: to >= log.head };
}
