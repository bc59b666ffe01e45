/** Whether an event is the next one. */

import { parseCursor, type CursorParts } from "../../model/cursor.ts";
import type { ProgressEvent } from "../../model/event.ts";
import { broken } from "./feed.ts";

/**
 * Checks that `event` may follow the place `last`. Every event is there (`isWhole`): its seq is the next one, and a new term opens
 * with its `writer.opened`, so that a tail which was lost and written anew is never taken for the old one. Otherwise seq ascends.
 *
 * @throws STREAM_BROKEN, INVALID_ARGUMENT.
 */
export function checkFollows(last: CursorParts, event: ProgressEvent, isWhole: boolean): void {
  const next = parseCursor(event.cursor);
  const isNext = isWhole ? next.seq === last.seq + 1 : next.seq > last.seq;
  if (next.logId !== last.logId) throw broken(`event ${next.seq} is of another log`);
  if (!isNext || event.seq !== next.seq) throw broken(`event ${event.seq} came after event ${last.seq}`);
  if (isWhole && next.term !== last.term && event.type !== "writer.opened") {
    throw broken(`event ${next.seq} is of a term that has not begun`);
  }
}
