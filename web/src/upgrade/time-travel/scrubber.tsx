/** The slider over the log, with a mark for what should be seen. */

import type { ComponentChild } from "preact";

import { clockText } from "../../../../src/view/text/duration.ts";
import { entryAt, placeText, type Mark } from "../../../../src/view/log/playing.ts";
import { now } from "../../now.ts";
import { settings } from "../../settings.ts";
import type { UpgradeStore } from "../../upgrade-store.ts";
import type { TravelModel } from "./travel-model.ts";

export interface ScrubberProps {
  readonly model: TravelModel;
  readonly store: UpgradeStore;
}

const KEY_STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
};

export function Scrubber({ model, store }: ScrubberProps): ComponentChild {
  const { fromMs, toMs } = model.range.value;
  const atMs = model.atMs.value;
  const part = toMs > fromMs ? (atMs - fromMs) / (toMs - fromMs) : 1;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = KEY_STEPS[event.key];
    if (step !== undefined) model.step(step);
    else if (event.key === "Home") model.goToMoment(fromMs);
    else if (event.key === "End") model.goLive();
    else if (event.key === " ") model.toggle();
    else return;
    event.preventDefault();
  };
  return (
    <div class="travel-scrubber" style={{ "--at": String(Math.max(0, Math.min(1, part))) }}>
      <div class="travel-track" aria-hidden="true">
        <span class="travel-passed" />
        {model.marks.value.map((mark) => (
          <MarkView key={mark.entry.seq} mark={mark} />
        ))}
      </div>
      <input
        type="range"
        class="travel-slider"
        aria-label="Moment of the upgrade"
        aria-valuetext={valueText(store)}
        min={fromMs}
        max={Math.max(fromMs + 1, toMs)}
        step="any"
        value={atMs}
        onPointerDown={() => store.history.load()}
        onInput={({ currentTarget }) => model.goToMoment(Number(currentTarget.value))}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}

function MarkView({ mark: { entry, left } }: { readonly mark: Mark }): ComponentChild {
  const kind = entry.tone === "bad" ? "bad" : entry.kind === "phase" ? "phase" : "other";
  return (
    <span
      class={`travel-mark travel-mark-${kind} tone-${entry.tone}`}
      style={{ left: `${left * 100}%` }}
      title={`${clockText(entry.time, settings.zone.value)} ${entry.text}`}
    />
  );
}

/** What the slider stands at, for who cannot see it. */
function valueText(store: UpgradeStore): string {
  const place = store.place.value;
  const state = store.shown.value;
  if (place === undefined || state === undefined) return "live";
  const { time, position } = placeText(state, {
    nowMs: now.value,
    lastSeq: store.history.grown.value.log?.lastSeq ?? place,
    zone: settings.zone.value,
  });
  const entry = entryAt(store.history.at(place)?.entries ?? [], place);
  return `${time}, ${position}${entry?.seq === place ? `: ${entry.text}` : ""}`;
}
