/** Events as rows of CSV: RFC 4180, and harmless when a spreadsheet opens it. */

import type { ProgressEvent } from "../../model/event.ts";

const COLUMNS = [
  "seq",
  "time",
  "type",
  "taskId",
  "taskName",
  "status",
  "percentage",
  "completedSteps",
  "totalSteps",
  "unit",
  "attempt",
  "phase",
  "message",
  "errorMessage",
  "details",
  "id",
] as const;

/** The first row. */
export const CSV_HEADING = `${COLUMNS.join(",")}\r\n`;

/** The row of an event. `names` has the name of each task. */
export function csvRow(event: ProgressEvent, names: ReadonlyMap<string, string>): string {
  const fields: Readonly<Record<string, unknown>> = {
    ...event,
    ...("taskId" in event && { taskName: names.get(event.taskId) }),
  };
  return `${COLUMNS.map((column) => csvCell(fields[column])).join(",")}\r\n`;
}

/** What a spreadsheet takes for the beginning of a formula (CWE-1236). */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const NEEDS_QUOTES = /[",\r\n]/;

/** A cell. Text that a spreadsheet would run as a formula gets an apostrophe before it, which shows that it is text. */
export function csvCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
