/** The timeline as a table, for who does not see bars or wants to copy numbers. */

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";

import { laneText } from "../../../../src/view/timeline/lane-text.ts";
import { laneOf, type Frame, type LaneRow } from "../../../../src/view/timeline/timeline.ts";
import { settings } from "../../settings.ts";

const ROWS_AT_ONCE = 200;

export interface LaneTableProps {
  readonly frame: Frame;
  readonly rows: readonly LaneRow[];
}

export function LaneTable({ frame, rows }: LaneTableProps): ComponentChild {
  const [shown, setShown] = useState(ROWS_AT_ONCE);
  const left = rows.length - shown;
  return (
    <div class="timeline-table" role="region" aria-label="Timeline as a table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {["Task", "Status", "Started", "Ended", "Worked", "Paused", "Plan", "To plan", "More"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row) => (
            <Row key={row.branch.task.taskId} row={row} frame={frame} />
          ))}
        </tbody>
      </table>
      {left > 0 && (
        <button type="button" class="button" onClick={() => setShown(shown + ROWS_AT_ONCE)}>
          {left} more
        </button>
      )}
    </div>
  );
}

function Row({ row: { branch, depth }, frame }: { readonly row: LaneRow; readonly frame: Frame }): ComponentChild {
  const { stretches } = laneOf(branch, { ...frame, window: { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER } });
  const planned = frame.plan.of(branch.task);
  const text = laneText(branch, { now: frame.now, planned, stretches, zone: settings.zone.value });
  const cells = [text.status, text.started, text.ended, text.worked, text.paused, text.plan, text.difference];
  return (
    <tr>
      <th scope="row" style={{ "--depth": depth }}>
        {text.name}
      </th>
      {cells.map((cell, index) => (
        <td key={index}>{cell ?? "–"}</td>
      ))}
      <td>{text.more.length === 0 ? "–" : text.more.join("; ")}</td>
    </tr>
  );
}
