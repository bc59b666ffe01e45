/** One lane: the name of a task, and its bars over its plan. */

import type { ComponentChild } from "preact";

import { durationText, percentText } from "../../../../src/view/text/duration.ts";
import { labelPlace } from "../../../../src/view/timeline/lane-label.ts";
import { laneSentence, laneText } from "../../../../src/view/timeline/lane-text.ts";
import { safeText } from "../../../../src/view/text/safe-text.ts";
import { STATUS_WORDS } from "../../../../src/view/text/status-words.ts";
import type { Bar, Frame, Lane, LaneRow, PlacedStretch, PlanBar } from "../../../../src/view/timeline/timeline.ts";
import { taskView } from "../../../../src/view/task/task-view.ts";
import { Glyph } from "../../parts/glyph.tsx";
import { settings } from "../../settings.ts";
import { across, type Scale } from "./axis.tsx";
import { TIP_ID, type TipPlace } from "./lane-tip.tsx";

interface LanePlace {
  readonly index: number;
  readonly topPx: number;
  readonly heightPx: number;
  readonly count: number;
  /** True for the one lane that the tab key comes to. */
  readonly isActive: boolean;
}

export interface LaneViewProps {
  readonly row: LaneRow;
  readonly lane: Lane;
  readonly frame: Frame;
  readonly scale: Scale;
  readonly place: LanePlace;
  readonly isDescribed: boolean;
  readonly onToggle: () => void;
  readonly onFocus: () => void;
  readonly onTip: (tip: TipPlace | undefined) => void;
}

/** About the width of a digit in a label, and the space round it, in px. */
const CHAR_PX = 6.6;
const LABEL_SPACE_PX = 14;

export function LaneView({
  row,
  lane,
  frame,
  scale,
  place,
  isDescribed,
  onToggle,
  onFocus,
  onTip,
}: LaneViewProps): ComponentChild {
  const { branch, depth } = row;
  const { taskId } = branch.task;
  const showTip = (event: { readonly currentTarget: EventTarget | null; readonly clientX?: number }): void => {
    if (!(event.currentTarget instanceof Element)) return;
    const { top, bottom, left } = event.currentTarget.getBoundingClientRect();
    onTip({ taskId, topPx: top, bottomPx: bottom, leftPx: event.clientX ?? left + scale.namePx });
  };
  const style = { "--y": `${place.topPx}px`, height: `${place.heightPx}px`, "--depth": String(Math.min(depth, 8)) };
  return (
    <div
      class={`lane ${row.hasChildren ? "lane-group" : ""}`}
      role="listitem"
      aria-setsize={place.count}
      aria-posinset={place.index + 1}
      style={style}
      onPointerEnter={showTip}
      onPointerLeave={() => onTip(undefined)}
      onFocusIn={(event) => {
        onFocus();
        if (event.target instanceof Element && event.target.matches(":focus-visible"))
          showTip({ currentTarget: event.currentTarget });
      }}
      onFocusOut={() => onTip(undefined)}
    >
      <Name row={row} frame={frame} lane={lane} place={place} isDescribed={isDescribed} onToggle={onToggle} />
      <Track lane={lane} row={row} frame={frame} scale={scale} />
    </div>
  );
}

type NameProps = Pick<LaneViewProps, "row" | "frame" | "lane" | "place" | "isDescribed" | "onToggle">;

function Name({ row, frame, lane, place, isDescribed, onToggle }: NameProps): ComponentChild {
  const { branch, hasChildren, isFolded } = row;
  const { glyph, tone } = STATUS_WORDS[branch.status];
  const text = laneText(branch, {
    now: frame.now,
    planned: lane.plan?.planned,
    stretches: lane.stretches,
    zone: settings.zone.value,
  });
  return (
    <button
      type="button"
      class="lane-name"
      data-row={place.index}
      tabIndex={place.isActive ? 0 : -1}
      aria-label={laneSentence(text)}
      aria-expanded={hasChildren ? !isFolded : undefined}
      aria-describedby={isDescribed ? TIP_ID : undefined}
      onClick={hasChildren ? onToggle : undefined}
    >
      <span
        class={`lane-fold ${hasChildren ? "" : "lane-fold-none"} ${isFolded ? "lane-folded" : ""}`}
        aria-hidden="true"
      />
      <span class={`lane-mark tone-${tone}`}>
        <Glyph glyph={glyph} />
      </span>
      <span class="ellipsis">{safeText(branch.task.taskName)}</span>
    </button>
  );
}

type TrackProps = Pick<LaneViewProps, "lane" | "row" | "frame" | "scale">;

function Track({ lane, row, frame, scale }: TrackProps): ComponentChild {
  const label = labelOf(row, frame);
  const place =
    label === null
      ? null
      : labelPlace(lane, { widthPx: scale.widthPx, labelPx: label.length * CHAR_PX + LABEL_SPACE_PX });
  return (
    <div class="lane-track" aria-hidden="true">
      {lane.plan !== null && <PlanView plan={lane.plan} />}
      {lane.bars.map((bar) => (
        <BarView
          key={`${bar.attempt} ${bar.fromMs}`}
          bar={bar}
          percent={lane.bars.at(-1) === bar ? percentOf(row, frame) : null}
        />
      ))}
      {lane.stretches.map((stretch, index) => (
        <StretchView key={index} stretch={stretch} />
      ))}
      {place !== null && (
        <span class={`lane-label lane-label-${place.place}`} style={{ "--at": `${place.at * 100}%` }}>
          {label}
        </span>
      )}
    </div>
  );
}

/** Of what runs how far it is and how long it has, of what has ended how long it took. */
function labelOf({ branch }: LaneRow, { now }: Frame): string | null {
  const { elapsedMs, percent, status } = taskView(branch, now);
  if (elapsedMs === null) return null;
  const isAtWork = status === "in_progress" || status === "waiting";
  return isAtWork && percent !== null
    ? `${percentText(percent)} · ${durationText(elapsedMs)}`
    : durationText(elapsedMs);
}

function percentOf({ branch }: LaneRow, { now }: Frame): number | null {
  const { percent, status } = taskView(branch, now);
  return status === "in_progress" || status === "waiting" || status === "paused" ? percent : null;
}

function BarView({ bar, percent }: { readonly bar: Bar; readonly percent: number | null }): ComponentChild {
  const { kind, status, isOpen, left, width } = bar;
  const look = [
    kind === "group" ? "lane-bar-group" : "",
    isOpen ? "lane-bar-open" : "",
    status === "failed" ? "lane-bar-failed" : "",
    percent === null ? "" : "lane-bar-part",
  ];
  const style = { ...across(left, width), ...(percent !== null && { "--done": `${percent}%` }) };
  // Where it waited and was paused is drawn over it: the bar is the time in which it was at it.
  const shown = status === "waiting" || status === "paused" ? "in_progress" : status;
  return <span class={`lane-bar tone-${STATUS_WORDS[shown].tone} ${look.join(" ")}`} style={style} />;
}

function StretchView({ stretch: { kind, left, width } }: { readonly stretch: PlacedStretch }): ComponentChild {
  return (
    <span
      class={`lane-stretch lane-stretch-${kind} ${kind === "waiting" ? "tone-attention" : ""}`}
      style={across(left, width)}
    />
  );
}

function PlanView({ plan: { left, width, late } }: { readonly plan: PlanBar }): ComponentChild {
  return (
    <>
      {late !== null && late.width > 0 && (
        <span class="lane-plan lane-plan-late" style={across(late.left, late.width)} />
      )}
      {width > 0 && <span class="lane-plan" style={across(left, width)} />}
    </>
  );
}
