/** What is known of a lane, beside it while it is pointed at or has the focus. */

import type { ComponentChild } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { laneText } from "../../../../src/view/timeline/lane-text.ts";
import { STATUS_WORDS } from "../../../../src/view/text/status-words.ts";
import { laneOf, type Frame, type LaneRow } from "../../../../src/view/timeline/timeline.ts";
import { StatusMark } from "../../parts/status-mark.tsx";
import { settings } from "../../settings.ts";

export const TIP_ID = "timeline-tip";

/** The lane it speaks of, and where that is in the window, in px. */
export interface TipPlace {
  readonly taskId: string;
  readonly topPx: number;
  readonly bottomPx: number;
  readonly leftPx: number;
}

export interface LaneTipProps {
  readonly place: TipPlace;
  readonly frame: Frame;
  readonly rows: readonly LaneRow[];
}

const GAP_PX = 6;
const EDGE_PX = 8;

export function LaneTip({ place, frame, rows }: LaneTipProps): ComponentChild {
  const tip = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState({ left: 0, top: 0 });
  useLayoutEffect(() => {
    if (tip.current === null) return;
    const { width, height } = tip.current.getBoundingClientRect();
    const isBelow = place.bottomPx + GAP_PX + height < innerHeight;
    setAt({
      left: Math.max(EDGE_PX, Math.min(place.leftPx, document.documentElement.clientWidth - width - EDGE_PX)),
      top: isBelow ? place.bottomPx + GAP_PX : Math.max(EDGE_PX, place.topPx - GAP_PX - height),
    });
  }, [place]);
  const row = rows.find(({ branch }) => branch.task.taskId === place.taskId);
  if (row === undefined) return null;
  const { branch } = row;
  const lane = laneOf(branch, frame);
  const text = laneText(branch, {
    now: frame.now,
    planned: frame.plan.of(branch.task),
    stretches: lane.stretches,
    zone: settings.zone.value,
  });
  const facts: readonly (readonly [string, string | null])[] = [
    ["Started", text.started],
    ["Ended", text.ended],
    ["Worked", text.worked],
    ["Paused", text.paused],
    ["Plan", text.plan],
    ["To plan", text.difference],
  ];
  const { glyph, tone, word } = STATUS_WORDS[branch.status];
  return (
    <div ref={tip} id={TIP_ID} class="lane-tip" role="tooltip" style={{ left: `${at.left}px`, top: `${at.top}px` }}>
      <p class="lane-tip-head">
        <strong>{text.name}</strong> <StatusMark tone={tone} glyph={glyph} word={word} />
      </p>
      <dl>
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      {text.more.map((line, index) => (
        <p key={index} class="lane-tip-more">
          {line}
        </p>
      ))}
    </div>
  );
}
