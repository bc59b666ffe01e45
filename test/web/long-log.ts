/** Logs of any length, and bounds that they are beyond. */

import { formatCursor } from "../../src/model/cursor.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { canonicalJson } from "../../src/model/json.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../src/model/upgrade.ts";
import type { LogBounds } from "../../web/src/history/whole-log.ts";
import { add, begin, report, start, story, type Step } from "../view/story.ts";

/** A log of so many events, with the cursors that a storage gives. */
export function logOf(events: number, logId = "log"): readonly ProgressEvent[] {
  const steps: Step[] = [[0, start(), ...Array.from({ length: 8 }, (_, task) => add(`t${task}`))]];
  for (let task = 0; task < 8; task += 1) steps.push([1, begin(`t${task}`)]);
  for (let second = 2; steps.length < events; second += 1)
    steps.push([second, report(`t${second % 8}`, { percentage: second % 100 })]);
  return story(steps)
    .events.slice(0, events)
    .map((event) => ({ ...event, cursor: formatCursor({ logId, term: "term", seq: event.seq }) }));
}

export const BEGINNING = emptyUpgrade({ upgradeId: "upgrade-123", planId: "", clusterName: "" });

export const json = (state: UpgradeProgress | undefined) => state && canonicalJson(state);

/** Small enough for the logs here to be beyond them; two pages of the server below fit into the past. */
export const SMALL: LogBounds = {
  newest: { maxEvents: 600, maxLogBytes: 1e9 },
  past: { maxEvents: 1_000, maxLogBytes: 1e9 },
  maxCheckpoints: 3,
  maxMarks: 4,
};
