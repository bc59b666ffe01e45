/** Makes the files of an export out of what the API gives: the stored lines, page by page. */

import type { ProgressEvent } from "../../../src/model/event.ts";
import { evolve } from "../../../src/model/evolve.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../../src/model/upgrade.ts";
import { CSV_HEADING, csvRow } from "../../../src/view/csv.ts";
import { fetchApi } from "../access.ts";

export type ExportFormat = "json" | "ndjson" | "csv";

/** What there is to choose from: the same as `milepost export` writes. */
export const EXPORTS = [
  { format: "json", name: "JSON", about: "events and state" },
  { format: "ndjson", name: "NDJSON", about: "one event per line, as stored" },
  { format: "csv", name: "CSV", about: "one row per event" },
] as const satisfies readonly { readonly format: ExportFormat; readonly name: string; readonly about: string }[];

const TYPES = { json: "application/json", ndjson: "application/x-ndjson", csv: "text/csv" } as const;

/** @throws an Error that says why there is none. */
export async function exportFile(
  upgradeId: string,
  format: ExportFormat,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly blob: Blob }> {
  const pages: string[] = [];
  for await (const page of pagesOf(upgradeId, signal)) pages.push(page);
  const parts = format === "ndjson" ? pages : format === "csv" ? asCsv(pages) : asJson(pages, upgradeId);
  // What a file system takes as a name everywhere.
  const name = upgradeId.replace(/[^\w.-]+/g, "_").slice(0, 100);
  return { name: `${name}.${format}`, blob: new Blob([...parts], { type: TYPES[format] }) };
}

async function* pagesOf(upgradeId: string, signal: AbortSignal): AsyncGenerator<string, undefined> {
  const address = `/api/v1/upgrades/${encodeURIComponent(upgradeId)}/events`;
  for (let after: string | undefined; ;) {
    const query = new URLSearchParams({ limit: "10000", ...(after !== undefined && { after }) });
    const answer = await fetchApi(`${address}?${query.toString()}`, {
      headers: { Accept: "application/x-ndjson" },
      signal,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    if (text === "") return undefined;
    yield text;
    const last = JSON.parse(text.slice(text.lastIndexOf("\n", text.length - 2) + 1)) as ProgressEvent;
    after = last.cursor;
  }
}

const eventsOf = (page: string): readonly ProgressEvent[] =>
  page
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ProgressEvent);

function* asCsv(pages: readonly string[]): Generator<string, undefined> {
  const names = new Map<string, string>();
  yield CSV_HEADING;
  for (const page of pages) {
    for (const event of eventsOf(page)) {
      if (event.type === "task.added") names.set(event.taskId, event.taskName);
      yield csvRow(event, names);
    }
  }
  return undefined;
}

function* asJson(pages: readonly string[], upgradeId: string): Generator<string, undefined> {
  let state: UpgradeProgress = emptyUpgrade({ upgradeId, planId: "", clusterName: "" });
  let before = `{"format":"milepost-export","version":1,"events":[\n`;
  for (const page of pages) {
    for (const event of eventsOf(page)) {
      state = evolve(state, event);
      yield `${before}${JSON.stringify(event)}`;
      before = ",\n";
    }
  }
  yield `\n],"upgrade":${JSON.stringify(state)}}\n`;
  return undefined;
}
