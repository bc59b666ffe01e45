/** Time travel: a scrubber over the log of an upgrade. Wherever it stands, the whole page shows what was so then. */

import type { ComponentChild } from "preact";
import { useEffect, useMemo } from "preact/hooks";

import { entryAt, placeText } from "../../../src/view/log/playing.ts";
import { safeText } from "../../../src/view/text/safe-text.ts";
import { StatusMark } from "../parts/status-mark.tsx";
import { now } from "../now.ts";
import { settings } from "../settings.ts";
import "../style/time-travel.css";
import type { UpgradeStore } from "../upgrade-store.ts";
import { Scrubber } from "./time-travel/scrubber.tsx";
import { TravelModel } from "./time-travel/travel-model.ts";
import { TravelControls } from "./time-travel/travel-controls.tsx";

export interface TimeTravelProps {
  readonly store: UpgradeStore;
}

export function TimeTravel({ store }: TimeTravelProps): ComponentChild {
  const model = useMemo(() => new TravelModel(store), [store]);
  useEffect(() => model.begin(), [model]);
  if (store.live.value === undefined) return null;
  const isLive = store.place.value === undefined;
  return (
    <section class={`travel ${isLive ? "" : "travel-past"}`} aria-label="Time travel">
      {!isLive && <PastBanner store={store} model={model} />}
      <div class="travel-bar card">
        <TravelControls model={model} store={store} />
        <Scrubber model={model} store={store} />
      </div>
      <Trouble store={store} />
    </section>
  );
}

/** Says that this is not now: nobody may take what was for what is. */
function PastBanner({ store, model }: TimeTravelProps & { readonly model: TravelModel }): ComponentChild {
  const state = store.shown.value;
  const place = store.place.value ?? 0;
  const { history } = store;
  const { log } = history.grown.value;
  const held = history.at(place);
  const back = (
    <button type="button" class="button button-primary" onClick={() => model.goLive()}>
      Back to live
    </button>
  );
  const isNowhere = history.lacks(place);
  if (state === undefined || log === undefined || held === undefined || isNowhere)
    return (
      <div class="travel-banner notice tone-attention">
        <div class="travel-text" role="status">
          {state === undefined && <h1>{safeText(store.upgradeId)}</h1>}
          <p>
            {log !== undefined && isNowhere
              ? `Event ${place} is not there: the log ends with event ${log.lastSeq} so far. This is live.`
              : `Reading the log up to event ${place} …`}
          </p>
        </div>
        {back}
      </div>
    );
  const { time, ago, position } = placeText(state, {
    nowMs: now.value,
    lastSeq: log.lastSeq,
    zone: settings.zone.value,
  });
  const entry = entryAt(held.entries, place);
  const isSaid = entry?.seq === place;
  return (
    <div class="travel-banner notice tone-attention">
      <p class="travel-text" role="status" aria-live={model.isPlaying.value ? "off" : "polite"}>
        <StatusMark tone="attention" glyph="◍" word="The past" />
        <span>
          As it was at <strong>{time}</strong>
          {ago !== null && `, ${ago}`} <span class="soft">({position})</span>
        </span>
        {isSaid && <span class="travel-event">{entry.text}</span>}
      </p>
      {back}
    </div>
  );
}

function Trouble({ store }: TimeTravelProps): ComponentChild {
  const status = store.history.status.value;
  if (status.kind !== "failed") return null;
  return <p class="travel-trouble soft">The log could not be read and is tried again: {status.reason}</p>;
}
