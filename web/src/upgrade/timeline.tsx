/** The timeline of an upgrade: what ran when, beside when it usually runs. */

import type { ComponentChild } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";

import { behindText } from "../../../src/view/estimate/plan.ts";
import type { Frame } from "../../../src/view/timeline/timeline.ts";
import "../style/timeline.css";
import type { UpgradeStore } from "../upgrade-store.ts";
import { usualOf } from "../usual-store.ts";
import { Chart } from "./timeline/chart.tsx";
import { Legend } from "./timeline/legend.tsx";
import { LaneTable } from "./timeline/lane-table.tsx";
import { timelineModel, type TimelineModel } from "./timeline/timeline-model.ts";

export interface TimelineProps {
  readonly store: UpgradeStore;
}

export function Timeline({ store }: TimelineProps): ComponentChild {
  const model = useMemo(() => timelineModel(store), [store]);
  const isTable = useSignal(false);
  useEffect(() => store.history.load(), [store]);
  const frame = model.frame.value;
  if (frame === undefined) return <p class="timeline-empty soft">Nothing is known of this upgrade yet.</p>;
  const hasRows = model.rows.value.length > 0;
  return (
    <section class="timeline card" aria-label="Timeline">
      <header class="timeline-head">
        <Standing frame={frame} upgrades={usualOf(store).value.upgrades} />
        <Controls model={model} isTable={isTable.value} onTable={() => (isTable.value = !isTable.value)} />
      </header>
      {!hasRows && <p class="timeline-empty soft">No task was added yet. Each task gets a lane here when it is.</p>}
      {hasRows &&
        (isTable.value ? <LaneTable frame={frame} rows={model.rows.value} /> : <Chart model={model} frame={frame} />)}
      {hasRows && !isTable.value && (
        <Legend hasPlan={usualOf(store).value.upgrades > 0} hasNow={frame.state.endedMs === null} />
      )}
    </section>
  );
}

/** How it stands to the plan. */
function Standing({ frame: { plan }, upgrades }: { readonly frame: Frame; readonly upgrades: number }): ComponentChild {
  if (upgrades === 0)
    return <p class="timeline-standing soft">No earlier upgrade to compare with: plans come from what tasks expect.</p>;
  const behindMs = plan.behindMs();
  const tone = behindMs === null || Math.abs(behindMs) < 1000 ? "quiet" : behindMs > 0 ? "attention" : "good";
  return (
    <p class="timeline-standing">
      {behindMs !== null && <strong class={`timeline-behind tone-${tone}`}>{behindText(behindMs)}</strong>}
      <span class="soft">
        {behindMs === null ? "Plan from" : "by"} {upgrades} earlier {upgrades === 1 ? "upgrade" : "upgrades"}
      </span>
    </p>
  );
}

interface ControlsProps {
  readonly model: TimelineModel;
  readonly isTable: boolean;
  readonly onTable: () => void;
}

function Controls({ model, isTable, onTable }: ControlsProps): ComponentChild {
  const isWhole = model.isWhole.value;
  const hasGroups = model.rows.value.some(({ hasChildren }) => hasChildren);
  return (
    <div class="timeline-controls">
      {hasGroups && (
        <>
          <Button label="Fold all groups" text="Fold all" onClick={() => model.foldAll(true)} />
          <Button label="Unfold all groups" text="Unfold all" onClick={() => model.foldAll(false)} />
        </>
      )}
      {!isTable && (
        <span class="timeline-zoom" role="group" aria-label="What is seen of the time">
          <Button label="Earlier" text="◂" isDisabled={isWhole} onClick={() => model.pan(-0.25)} />
          <Button label="Later" text="▸" isDisabled={isWhole} onClick={() => model.pan(0.25)} />
          <Button label="Zoom out" text="−" isDisabled={isWhole} onClick={() => model.zoom(2)} />
          <Button label="Zoom in" text="+" onClick={() => model.zoom(0.5)} />
          <Button label="Show all of the time" text="All" isDisabled={isWhole} onClick={() => model.showWhole()} />
        </span>
      )}
      <button type="button" class="button button-small" aria-pressed={isTable} onClick={onTable}>
        As a table
      </button>
    </div>
  );
}

interface ButtonProps {
  readonly label: string;
  readonly text: string;
  readonly isDisabled?: boolean;
  readonly onClick: () => void;
}

function Button({ label, text, isDisabled = false, onClick }: ButtonProps): ComponentChild {
  const named = label.startsWith(text) ? {} : { "aria-label": label, title: label };
  return (
    <button type="button" class="button button-small" {...named} disabled={isDisabled} onClick={onClick}>
      {text}
    </button>
  );
}
