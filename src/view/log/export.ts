/** An upgrade as a file: the same bytes, whichever door it leaves by. The third format, NDJSON, is the stored lines themselves. */

import type { ProgressEvent } from "../../model/event.ts";
import { evolve } from "../../model/evolve.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../model/upgrade.ts";
import { CSV_HEADING, csvRow } from "./csv.ts";

/** What an upgrade can be exported as. */
export const EXPORT_FORMATS = ["json", "ndjson", "csv"] as const;

/** The events of a log, and the state they lead to, as one JSON document. */
export async function* exportJson(events: AsyncIterable<ProgressEvent>): AsyncGenerator<string, undefined> {
  let state: UpgradeProgress | undefined;
  for await (const event of events) {
    yield state === undefined ? `{"format":"milepost-export","version":1,"events":[\n` : ",\n";
    yield JSON.stringify(event);
    state = evolve(state ?? emptyUpgrade({ upgradeId: event.upgradeId, planId: "", clusterName: "" }), event);
  }
  yield state === undefined
    ? `{"format":"milepost-export","version":1,"events":[],"upgrade":null}\n`
    : `\n],"upgrade":${JSON.stringify(state)}}\n`;
  return undefined;
}

/** The events of a log as rows, below a row of headings. */
export async function* exportCsv(events: AsyncIterable<ProgressEvent>): AsyncGenerator<string, undefined> {
  const names = new Map<string, string>();
  yield CSV_HEADING;
  for await (const event of events) {
    if (event.type === "task.added") names.set(event.taskId, event.taskName);
    yield csvRow(event, names);
  }
  return undefined;
}
