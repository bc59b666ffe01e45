/** Rows of two durations and their difference. */

import type { ComponentChild, ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { differenceText, sideNotes, type ComparedRow, type ComparedSide } from "../../../src/view/upgrade/compare.ts";
import { durationText } from "../../../src/view/text/duration.ts";
import { STATUS_WORDS } from "../../../src/view/text/status-words.ts";

export interface CompareTableProps {
  readonly title: string;
  readonly unit: string;
  readonly rows: readonly ComparedRow[];
  readonly children?: ComponentChildren;
}

const ROWS_AT_ONCE = 100;

export function CompareTable({ title, unit, rows, children }: CompareTableProps): ComponentChild {
  const [count, setCount] = useState(ROWS_AT_ONCE);
  const mostMs = rows.reduce((most, { moreMs }) => Math.max(most, Math.abs(moreMs ?? 0)), 0);
  const left = rows.length - count;
  return (
    <section class="compare-part card" aria-label={title}>
      <header class="compare-part-head">
        <h2>{title}</h2>
        {children}
      </header>
      <div class="compare-scroll" role="region" aria-label={`${title}: table`} tabIndex={0}>
        <table class="compare-table">
          <thead>
            <tr>
              <th scope="col">{unit}</th>
              <th scope="col">Before</th>
              <th scope="col">Now</th>
              <th scope="col">Difference</th>
              <th scope="col" class="compare-chart-head" aria-hidden="true" />
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, count).map((row, index) => (
              <Row key={`${row.id} ${index}`} row={row} mostMs={mostMs} />
            ))}
          </tbody>
        </table>
      </div>
      {left > 0 && (
        <button type="button" class="button compare-more" onClick={() => setCount(count + ROWS_AT_ONCE)}>
          {left} more
        </button>
      )}
    </section>
  );
}

function Row({ row, mostMs }: { readonly row: ComparedRow; readonly mostMs: number }): ComponentChild {
  const { name, earlier, later, moreMs, hasChildren } = row;
  const difference = earlier === null ? "new" : later === null ? "gone" : (differenceText(moreMs) ?? "–");
  const isMore = (moreMs ?? 0) >= 1000;
  const isLess = (moreMs ?? 0) <= -1000;
  const tone = isMore ? "attention" : isLess ? "good" : "quiet";
  return (
    <tr>
      <th scope="row" class={hasChildren ? "compare-group" : ""}>
        {name}
      </th>
      <SideCell side={earlier} />
      <SideCell side={later} />
      <td class={`compare-more-ms tone-${tone}`}>{difference}</td>
      <td class="compare-chart" aria-hidden="true">
        {(isMore || isLess) && (
          <span
            class={`compare-bar compare-bar-${isMore ? "more" : "less"} tone-${tone}`}
            style={{ "--part": String(Math.abs(moreMs ?? 0) / mostMs) }}
          />
        )}
      </td>
    </tr>
  );
}

function SideCell({ side }: { readonly side: ComparedSide | null }): ComponentChild {
  if (side === null) return <td class="faint">–</td>;
  const { workedMs, status } = side;
  const notes = sideNotes(side);
  return (
    <td>
      {workedMs === null ? <span class="faint">{STATUS_WORDS[status].word}</span> : durationText(workedMs)}
      {notes.length > 0 && <span class="compare-note soft"> {notes.join(", ")}</span>}
    </td>
  );
}
