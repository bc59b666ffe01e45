/** Cursors: opaque to everybody else, (log, term, seq) in here. */

import { MilepostError, shown } from "../errors.ts";

export interface CursorParts {
  readonly logId: string;
  readonly term: string;
  readonly seq: number;
}

/** The term that names the beginning of a log, before any writer. */
const NO_TERM = "0";

const CURSOR = /^([a-z0-9]{1,32})\.([a-z0-9]{1,32})\.(\d{1,15})$/;

/** The cursor right after the event `seq` written in `term`. */
export function formatCursor({ logId, term, seq }: CursorParts): string {
  return `${logId}.${term}.${seq}`;
}

/** The beginning of a log: right before its first event. */
export function firstCursor(logId: string): string {
  return formatCursor({ logId, term: NO_TERM, seq: 0 });
}

/** @throws INVALID_ARGUMENT when the text is no cursor at all. One that is no longer on the history is found by whoever reads the log. */
export function parseCursor(cursor: string): CursorParts {
  const match = typeof cursor === "string" ? CURSOR.exec(cursor) : null;
  if (match === null)
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `${shown(cursor)} is not a cursor; pass one that an event or a state carries`,
    );
  return { logId: match[1] as string, term: match[2] as string, seq: Number(match[3]) };
}
