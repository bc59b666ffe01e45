/** The lanes of the timeline under their scale, in a box of their own. */

import type { ComponentChild, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { placeIn } from "../../../../src/view/timeline/time-scale.ts";
import { bandsOf, laneOf, type Frame, type LaneRow } from "../../../../src/view/timeline/timeline.ts";
import { isChord } from "../../keys.ts";
import { listen, useSize, closest } from "../../listen.ts";
import { rowsIn, scrollToRow, useRows } from "../../parts/row-window.ts";
import { across, Axis, tickMarks, type Scale } from "./axis.tsx";
import { LaneView } from "./lane.tsx";
import { LaneTip, type TipPlace } from "./lane-tip.tsx";
import type { TimelineModel } from "./timeline-model.ts";

/** Below it a lane's name stands over its bars instead of beside them. In px. */
const NARROW_PX = 640;
const NAME_PX = 224;
const ROW_PX = { wide: 30, narrow: 46 } as const;
const HEAD_PX = 50;
const EDGE_PX = 12;

export interface ChartProps {
  readonly model: TimelineModel;
  readonly frame: Frame;
}

export function Chart({ model, frame }: ChartProps): ComponentChild {
  const box = useRef<HTMLDivElement>(null);
  const scale = useScale(box);
  const [tip, setTip] = useState<TipPlace | undefined>(undefined);
  const [focused, setFocused] = useState(0);
  const rows = model.rows.value;
  const rowPx = scale.isNarrow ? ROW_PX.narrow : ROW_PX.wide;
  const range = useRows(box, { count: rows.length, rowPx, headPx: HEAD_PX });
  const active = Math.min(focused, rows.length - 1);
  useGestures(box, model, scale);
  const move = (index: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    setFocused(next);
    scrollToRow(box, next, { rowPx, headPx: HEAD_PX });
    focusRow(box, next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") setTip(undefined);
    else if (!onKey(event, { model, move, active, rows })) return;
    event.preventDefault();
  };
  return (
    <div
      ref={box}
      class={`chart ${scale.isNarrow ? "chart-narrow" : ""}`}
      role="group"
      aria-label="Lanes: arrow keys move, plus and minus zoom, zero shows all"
      style={{ "--name": scale.isNarrow ? "0px" : `${NAME_PX}px` }}
      onKeyDown={onKeyDown}
      onScroll={() => setTip(undefined)}
    >
      <Axis frame={frame} scale={scale} />
      <div class="chart-rows" role="list" aria-label="Tasks" style={{ height: `${rows.length * rowPx + 8}px` }}>
        <Grid frame={frame} scale={scale} />
        {rowsIn(range, active).map((index) => {
          const row = rows[index] as LaneRow;
          return (
            <LaneView
              key={row.branch.task.taskId}
              row={row}
              lane={laneOf(row.branch, frame)}
              frame={frame}
              scale={scale}
              place={{ index, topPx: index * rowPx, heightPx: rowPx, count: rows.length, isActive: index === active }}
              isDescribed={tip?.taskId === row.branch.task.taskId}
              onToggle={() => model.toggle(row)}
              onFocus={() => setFocused(index)}
              onTip={setTip}
            />
          );
        })}
      </div>
      {tip !== undefined && <LaneTip place={tip} frame={frame} rows={rows} />}
    </div>
  );
}

/** Lines down from the ticks and where phases change, and the line of the present moment. */
function Grid({ frame, scale }: { readonly frame: Frame; readonly scale: Scale }): ComponentChild {
  const { endedMs } = frame.state;
  const nowPlace = endedMs === null ? placeIn(frame.window, frame.now.logMs, frame.now.logMs) : undefined;
  return (
    <div class="chart-grid" aria-hidden="true">
      {bandsOf(frame).map(({ left, width, kind }, index) => (
        <span key={`b${index}`} class={`chart-band chart-band-${kind}`} style={across(left, width)} />
      ))}
      {tickMarks(frame, scale).map(({ left }, index) => (
        <span key={`t${index}`} class="chart-line" style={{ left: `${left * 100}%` }} />
      ))}
      {nowPlace !== undefined && <span class="lane-now" style={{ left: `${nowPlace.left * 100}%` }} />}
    </div>
  );
}

/** How wide the lanes are. */
function useScale(box: RefObject<HTMLElement | null>): Scale {
  const [widthPx, setWidth] = useState(960);
  useSize(box, ({ clientWidth }) => setWidth(clientWidth));
  const isNarrow = widthPx < NARROW_PX;
  return {
    isNarrow,
    namePx: isNarrow ? 0 : NAME_PX,
    widthPx: Math.max(80, widthPx - (isNarrow ? 0 : NAME_PX) - EDGE_PX * 2),
  };
}

interface Keys {
  readonly model: TimelineModel;
  readonly move: (index: number) => void;
  readonly active: number;
  readonly rows: readonly LaneRow[];
}

/** True if the key meant something. */
function onKey(event: KeyboardEvent, { model, move, active, rows }: Keys): boolean {
  if (isChord(event)) return false;
  const steps: Readonly<Record<string, () => void>> = {
    ArrowDown: () => move(active + 1),
    ArrowUp: () => move(active - 1),
    PageDown: () => move(active + 10),
    PageUp: () => move(active - 10),
    Home: () => move(0),
    End: () => move(rows.length - 1),
    ArrowRight: () => model.pan(0.1),
    ArrowLeft: () => model.pan(-0.1),
    "+": () => model.zoom(0.5),
    "=": () => model.zoom(0.5),
    "-": () => model.zoom(2),
    "0": () => model.showWhole(),
  };
  const step = steps[event.key];
  step?.();
  return step !== undefined;
}

/** Once it is drawn. */
function focusRow(box: RefObject<HTMLElement | null>, index: number): void {
  requestAnimationFrame(() =>
    box.current?.querySelector<HTMLElement>(`[data-row="${index}"]`)?.focus({ preventScroll: true }),
  );
}

/** Zooms by wheel with ctrl, pans by wheel sideways and by dragging. */
function useGestures(box: RefObject<HTMLElement | null>, model: TimelineModel, { namePx, widthPx }: Scale): void {
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const partAt = (clientX: number): number =>
      Math.max(0, Math.min(1, (clientX - element.getBoundingClientRect().left - namePx - EDGE_PX) / widthPx));
    const onWheel = (event: WheelEvent): void => {
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      if (event.ctrlKey) model.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 200))), partAt(event.clientX));
      else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) model.pan(sideways / widthPx);
      else return;
      event.preventDefault();
    };
    let lastX: number | undefined;
    const onDown = (event: PointerEvent): void => {
      const isOnLanes = closest(event, ".lane-track, .chart-axis") !== null;
      if (event.button === 0 && event.pointerType === "mouse" && isOnLanes) lastX = event.clientX;
    };
    const onMove = (event: PointerEvent): void => {
      if (lastX === undefined || Math.abs(event.clientX - lastX) < 2) return;
      model.pan((lastX - event.clientX) / widthPx);
      lastX = event.clientX;
    };
    const onUp = (): void => void (lastX = undefined);
    const ends = [
      listen(element, { wheel: onWheel, pointerdown: onDown }),
      listen(window, { pointermove: onMove, pointerup: onUp }),
    ];
    return () => ends.forEach((end) => end());
  }, [box, model, namePx, widthPx]);
}
