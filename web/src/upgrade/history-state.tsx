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
  if (held.firstSeq > log.firstSeq)
    return (
      <p class="feed-note soft">
        Here are the events from {held.firstSeq} on.{" "}
        <button type="button" class="button button-small" onClick={() => (store.place.value = held.firstSeq - 1)}>
          Go back to earlier ones
        </button>
      </p>
    );
  return null;
}
