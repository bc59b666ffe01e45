/** The connection to a server, in one line. */

import type { Connection } from "../stream/client.ts";
import { connectionView } from "../view/text/connection-words.ts";

/** "reconnecting in 3 s (the server could not be reached)"; null while it is live. `changedAtMs` is when it became so. */
export function connectionText(connection: Connection, asOfMs: number, changedAtMs = asOfMs): string | null {
  const { word, detail, reason, isCurrent } = connectionView(connection, {
    asOfMs,
    changedAtMs,
    lastLiveMs: changedAtMs,
  });
  if (isCurrent) return null;
  return `${word}${detail === null ? "" : ` ${detail}`}${reason === null ? "" : ` (${reason})`}`;
}
