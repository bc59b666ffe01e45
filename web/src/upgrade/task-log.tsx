/** The newest lines that a task printed. */

import type { ComponentChild } from "preact";
import { useEffect } from "preact/hooks";

import { clockText } from "../../../src/view/text/duration.ts";
import { newestLines } from "../../../src/view/log/log-text.ts";
import { settings } from "../settings.ts";
import type { UpgradeStore } from "../upgrade-store.ts";

/** More of them are in the log itself. */
const MAX_LINES = 200;

export function TaskLog({ store, taskId }: { readonly store: UpgradeStore; readonly taskId: string }): ComponentChild {
  useEffect(() => store.history.load(), [store]);
  const all = store.history.at(store.place.value)?.logText.lines ?? [];
  const { lines, more } = newestLines(all, { taskId, untilSeq: store.place.value, maxLines: MAX_LINES });
  if (lines.length === 0) return null;
  const zone = settings.zone.value;
  return (
    <div class="panel-part panel-log">
      <h3 class="panel-part-title">Log{more > 0 && ` (the newest ${MAX_LINES} of ${lines.length + more} lines)`}</h3>
      <pre class="panel-json" tabIndex={0} aria-label="Log of the task">
        {lines.map(({ time, text }) => `${clockText(time, zone)} ${text}\n`).join("")}
      </pre>
    </div>
  );
}
