/** How far the log was read, where that is worth a word. */

import type { ComponentChild } from "preact";

import type { UpgradeStore } from "../upgrade-store.ts";

export function HistoryState({ store }: { readonly store: UpgradeStore }): ComponentChild {
  const status = store.history.status.value;
  const { log } = store.history.grown.value;
  const held = store.history.at(store.place.value);
  const liveSeq = store.live.value?.seq ?? 0;
  if (status.kind === "failed")
    return <p class="feed-note tone-attention">The log could not be read and is tried again: {status.reason}</p>;
  if (log === undefined || held === undefined) return <p class="feed-note soft">Reading the log …</p>;
  if (status.kind === "reading" && liveSeq - log.lastSeq > 100)
    return (
      <p class="feed-note soft">
        Reading the log: event {log.lastSeq} of {liveSeq} …
      </p>
    );
  return held.firstSeq > log.firstSeq ? earlierEvents(store, held.firstSeq, held.firstSeq - 1) : null;
}

/** What is held begins at `firstSeq`; a place before it shows what was earlier. */
export function earlierEvents({ place }: UpgradeStore, firstSeq: number, earlierSeq: number): ComponentChild {
  return (
    <p class="feed-note soft">
      Here are the events from {firstSeq} on.{" "}
      <button type="button" class="button button-small" onClick={() => (place.value = earlierSeq)}>
        Go back to earlier ones
      </button>
    </p>
  );
}
