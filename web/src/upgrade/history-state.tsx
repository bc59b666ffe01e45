/** How far the log was read, where that is worth a word. */

import type { ComponentChild } from "preact";

import type { UpgradeStore } from "../upgrade-store.ts";

export function HistoryState({ store }: { readonly store: UpgradeStore }): ComponentChild {
  const status = store.history.status.value;
  const { log } = store.history.grown.value;
  const liveSeq = store.live.value?.seq ?? 0;
  if (status.kind === "failed")
    return <p class="feed-note tone-attention">The log could not be read and is tried again: {status.reason}</p>;
  if (log === undefined) return <p class="feed-note soft">Reading the log …</p>;
  if (status.kind === "reading" && liveSeq - log.lastSeq > 100)
    return (
      <p class="feed-note soft">
        Reading the log: event {log.lastSeq} of {liveSeq} …
      </p>
    );
  if (log.firstSeq > 1)
    return (
      <p class="feed-note soft">
        The log is too long for this page: it holds the events from {log.firstSeq} on. All of them: milepost export{" "}
        {"<id>"}
      </p>
    );
  return null;
}
