/** Reads the events of lanes from the log again: of all that are due together in one pass, however many they are. */

import type { ProgressEvent } from "../../model/event.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import { nextTurn } from "../../stream/fold-in-turns.ts";
import type { Notifier } from "../notifier.ts";
import type { Lane } from "./lanes.ts";
import { openRun, type Logs } from "./place.ts";

export interface LanesRead {
  readonly events: readonly { readonly event: ProgressEvent; readonly key: string }[];
  /** The seq up to which the lanes were read. */
  readonly through: number;
  /** False when the log ended before the last of the lanes did, and held nothing of them. */
  readonly isThere: boolean;
}

interface LanesReading {
  /** Of one run. One that was tried before is read alone, and one event of it: what follows must not overtake it. */
  readonly lanes: readonly Lane[];
  readonly limits: Notifier["limits"];
  /** The key of an event; undefined when it is not selected. */
  readonly keyOf: (event: ProgressEvent) => string | undefined;
}

/** At most a batch of them. */
export async function readLanes(
  logs: Logs,
  upgradeId: string,
  { lanes, limits, keyOf }: LanesReading,
): Promise<LanesRead> {
  const [first] = lanes as readonly [Lane];
  const byKey = new Map(lanes.map((lane) => [lane.key, lane]));
  const [from, to] = [Math.min(...lanes.map(({ seq }) => seq)), Math.max(...lanes.map(({ last }) => last))];
  const maxEvents = first.attempts > 0 ? 1 : limits.maxEvents;
  // What was tried was selected once; rules may have changed since.
  const laneOf = (event: ProgressEvent): Lane | undefined => {
    if (first.attempts > 0 && event.seq === first.seq) return first;
    const lane = byKey.get(keyOf(event) ?? NO_KEY);
    return lane !== undefined && isWaiting(lane, event.seq) ? lane : undefined;
  };
  const open = await openRun(logs, upgradeId, first.run);
  const events: { event: ProgressEvent; key: string }[] = [];
  let through = from - 1;
  let sizeBytes = 0;
  try {
    if (open === undefined || !(await open.reader.seek(from - 1))) return { events, through, isThere: false };
    while (through < to) {
      const batch = await open.reader.read();
      if (batch === undefined) return { events, through, isThere: events.length > 0 };
      for (const line of splitLines(batch.bytes)) {
        const event = parseLine(line);
        if (event.seq > to) break;
        const lane = laneOf(event);
        if (lane !== undefined) {
          sizeBytes += line.length;
          if (events.length >= maxEvents || (events.length > 0 && sizeBytes > limits.maxBytes))
            return { events, through, isThere: true };
          events.push({ event, key: lane.key });
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

/** No lane has it: ids and names hold no control characters but the one of `rules.ts`. */
const NO_KEY = "\u0001";

const isWaiting = ({ seq, last, told }: Lane, candidate: number): boolean =>
  candidate >= seq && candidate <= last && !told.includes(candidate);
