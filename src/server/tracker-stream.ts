/** A tracker as what the WebSocket server serves. */

import { isMilepostError } from "../errors.ts";
import { trackerLines, type EventSource } from "../tracker/events.ts";
import { seekCursor } from "../tracker/read.ts";
import type { StreamSource } from "./subscriber.ts";

export function trackerStream(source: EventSource, summary: () => object): StreamSource {
  return {
    upgradeId: source.upgradeId,
    state: () => source.tracker.state,
    summary,
    hasCursor: (cursor) => hasCursor(source, cursor),
    lines: (options) => trackerLines(source, options),
  };
}

async function hasCursor({ storage, upgradeId, tracker }: EventSource, cursor: string): Promise<boolean> {
  if (cursor === tracker.state.cursor) return true;
  const reader = await storage.openReader(upgradeId);
  if (reader === undefined) return false;
  try {
    await seekCursor(reader, cursor);
    return true;
  } catch (error) {
    if (isMilepostError(error, "CURSOR_GONE")) return false;
    throw error;
  } finally {
    reader.close();
  }
}
