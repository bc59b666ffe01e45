/** An upgrade as a row of a table, from its summary. */

import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { durationText, percentText } from "../../view/text/duration.ts";
import type { FleetRow } from "../../view/upgrade/fleet-view.ts";
import { STATUS_WORDS } from "../../view/text/status-words.ts";
import { glyph, type Pen } from "./pen.ts";
import type { Cell } from "./table.ts";

export const SUMMARY_HEADING = ["UPGRADE", "CLUSTER", "STATUS", "DONE", "STARTED", "DURATION", "NOTE"];

/** The cells below the heading; `startedText` says how a time is written. */
export function summaryCells(row: FleetRow, startedText: (time: string) => string, by: Pen): readonly Cell[] {
  const { status, percent, startedAt, elapsedMs } = row;
  const words = STATUS_WORDS[status];
  return [
    { text: row.name },
    { text: row.clusterName },
    { text: `${glyph(by, words)} ${words.word}`, look: words.tone },
    { text: status === "not_started" ? "" : percentText(percent) },
    { text: startedAt === null ? "" : startedText(startedAt) },
    { text: elapsedMs === null ? "" : durationText(elapsedMs) },
    noteOf(row),
  ];
}

/** What asks for somebody, else what goes on. */
function noteOf({ status, health, waitingOn, doing, phase }: FleetRow): Cell {
  if (status !== "waiting" && isFinalUpgradeStatus(status)) return { text: doing ?? "" };
  if (health !== null)
    return { text: `${health.word}${health.reason === null ? "" : `: ${health.reason}`}`, look: health.tone };
  if (waitingOn !== null)
    return { text: `waits ${durationText(waitingOn.elapsedMs)} on ${waitingOn.on}`, look: "attention" };
  return { text: phase ?? "" };
}
