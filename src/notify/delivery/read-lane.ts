/** Reads the events of a lane from the log again. */

import type { ProgressEvent } from "../../model/event.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import { nextTurn } from "../../stream/fold-in-turns.ts";
import type { Notifier } from "../notifier.ts";
import type { Lane } from "./lanes.ts";
import { openRun, type Logs } from "./place.ts";

export interface LaneRead {
  readonly events: readonly ProgressEvent[];
  /** The seq up to which the lane was read. */
  readonly through: number;
  /** False when the log does not hold what waits here any more. */
  readonly isThere: boolean;
}

interface LaneReading {
  readonly lane: Lane;
  readonly limits: Notifier["limits"];
  /** True for an event of this lane. */
  readonly belongs: (event: ProgressEvent) => boolean;
}

/** At most a batch of them. What was tried before is read alone: what follows must not overtake it. */
export async function readLane(
  logs: Logs,
  upgradeId: string,
  { lane, limits, belongs }: LaneReading,
): Promise<LaneRead> {
  const open = await openRun(logs, upgradeId, lane.run);
  const maxEvents = lane.attempts > 0 ? 1 : limits.maxEvents;
  const events: ProgressEvent[] = [];
  let through = lane.seq - 1;
  let sizeBytes = 0;
  try {
    if (open === undefined || !(await open.reader.seek(lane.seq - 1))) return { events, through, isThere: false };
    while (through < lane.last) {
      const batch = await open.reader.read();
      if (batch === undefined) return { events, through, isThere: events.length > 0 };
      for (const line of splitLines(batch.bytes)) {
        const event = parseLine(line);
        if (event.seq > lane.last) break;
        // What was tried was selected once; rules may have changed since.
        if ((event.seq === lane.seq && lane.attempts > 0) || (belongs(event) && !lane.told.includes(event.seq))) {
          sizeBytes += line.length;
          if (events.length >= maxEvents || (events.length > 0 && sizeBytes > limits.maxBytes))
            return { events, through, isThere: true };
          events.push(event);
        }
        through = event.seq;
      }
      await nextTurn();
    }
    return { events, through, isThere: true };
  } finally {
    open?.reader.close();
  }
}
