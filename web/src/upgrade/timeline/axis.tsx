/** The scale of the timeline: times of day, and the phases below them. */

import type { ComponentChild } from "preact";

import { durationText } from "../../../../src/view/text/duration.ts";
import { placeIn, ticksApart, ticksOf, type Tick } from "../../../../src/view/timeline/time-scale.ts";
import { bandsOf, type Frame } from "../../../../src/view/timeline/timeline.ts";
import { settings } from "../../settings.ts";

/** How wide the lanes are on the screen. */
export interface Scale {
  readonly isNarrow: boolean;
  /** The column of names; 0 when they stand over the bars. */
  readonly namePx: number;
  readonly widthPx: number;
}

const TICK_PX = 96;
const NOW_PX = 52;
/** What a phase's name needs at least. */
const NAME_LEAST_PX = 36;

/** The style of what goes over a part of the lanes; both from 0 to 1. */
export function across(left: number, width: number): { readonly left: string; readonly width: string } {
  return { left: `${left * 100}%`, width: `${width * 100}%` };
}

/** The ticks of the window, at the reader's own times of day. */
export function tickMarks({ window, now }: Frame, { widthPx }: Scale): readonly Tick[] {
  const isUtc = settings.zone.value === "utc";
  return ticksOf(window, {
    count: Math.max(2, Math.floor(widthPx / TICK_PX)),
    wallOffsetMs: now.asOfMs - now.logMs,
    utcOffsetMs: (wallMs) => (isUtc ? 0 : -new Date(wallMs).getTimezoneOffset() * 60_000),
  });
}

export function Axis({ frame, scale }: { readonly frame: Frame; readonly scale: Scale }): ComponentChild {
  const nowAt =
    frame.state.endedMs === null ? placeIn(frame.window, frame.now.logMs, frame.now.logMs)?.left : undefined;
  const ticks = ticksApart(tickMarks(frame, scale), nowAt, NOW_PX / scale.widthPx);
  return (
    <div class="chart-axis" aria-hidden="true">
      <div class="chart-scale">
        {ticks.map(({ left, text }, index) => (
          <span key={index} class={`chart-tick ${edgeOf(left, scale)}`} style={{ left: `${left * 100}%` }}>
            {text}
          </span>
        ))}
        {nowAt !== undefined && (
          <span class={`chart-tick chart-now-word ${edgeOf(nowAt, scale)}`} style={{ left: `${nowAt * 100}%` }}>
            now
          </span>
        )}
      </div>
      <div class="chart-phases">
        {bandsOf(frame).map(({ left, width, text, kind, lengthMs }, index) => (
          <span
            key={index}
            class={`chart-phase chart-phase-${kind}`}
            style={across(left, width)}
            title={`${text}: ${durationText(lengthMs)}`}
          >
            {width * scale.widthPx >= NAME_LEAST_PX && kind === "phase" ? text : ""}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Words at an edge stand within it. */
function edgeOf(left: number, { widthPx }: Scale): string {
  if (left * widthPx < NOW_PX / 2) return "chart-tick-first";
  return (1 - left) * widthPx < NOW_PX / 2 ? "chart-tick-last" : "";
}
