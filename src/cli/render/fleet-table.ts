/** Upgrades as a table that fits a window: columns that have no room are left out, the name last. */

import { shortDateText } from "../../view/text/duration.ts";
import type { FleetRow } from "../../view/upgrade/fleet-view.ts";
import type { Line, Pen } from "./pen.ts";
import { SUMMARY_HEADING, summaryCells } from "./summary-cells.ts";
import { tableLines } from "./table.ts";

/** Columns that a window of so many columns shows, by their place in the heading. */
function columnsOf(width: number): readonly number[] {
  if (width >= 100) return [0, 1, 2, 3, 4, 5, 6];
  if (width >= 72) return [0, 1, 2, 3, 5, 6];
  if (width >= 56) return [0, 2, 3, 6];
  return width >= 36 ? [0, 2, 3] : [0, 3];
}

export function fleetTable(
  rows: readonly FleetRow[],
  { asOfMs }: { readonly asOfMs: number },
  by: Pen,
): { readonly heading: Line; readonly lines: readonly Line[] } {
  const inner = { ...by, width: Math.max(1, by.width - 2) };
  const columns = columnsOf(inner.width);
  const startedText = (time: string): string => shortDateText(time, asOfMs);
  const cells = rows.map((row) => {
    const all = summaryCells(row, startedText, by);
    return columns.map((column) => all[column] ?? { text: "" });
  });
  const headings = columns.map((column) => SUMMARY_HEADING[column] ?? "");
  const [heading = [], ...lines] = tableLines(headings, cells, inner, {
    maxColumn: Math.max(12, Math.floor(by.width / 4)),
  });
  return { heading, lines };
}
