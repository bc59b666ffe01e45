/** The newest lines that a task printed. */

import type { ComponentChild } from "preact";
import { useEffect } from "preact/hooks";

import { clockText } from "../../../src/view/text/duration.ts";
import { newestLines } from "../../../src/view/log/log-text.ts";
import { settings } from "../settings.ts";
import type { UpgradeStore } from "../upgrade-store.ts";
import { earlierEvents } from "./history-state.tsx";

/** More of them are in the log itself. */
const MAX_LINES = 200;

export function TaskLog({ store, taskId }: { readonly store: UpgradeStore; readonly taskId: string }): ComponentChild {
  useEffect(() => store.history.load(), [store]);
  const held = store.history.at(store.place.value);
  const all = held?.logText.lines ?? [];
  const { lines, more } = newestLines(all, { taskId, untilSeq: store.place.value, maxLines: MAX_LINES });
  const task = store.shown.value?.tasks.get(taskId);
  const firstSeq = held?.firstSeq ?? 0;
  const isPart = (task?.startedSeq ?? firstSeq) < firstSeq;
  if (lines.length === 0 && !isPart) return null;
  const zone = settings.zone.value;
  return (
    <div class="panel-part panel-log">
      <h3 class="panel-part-title">Log{more > 0 && ` (the newest ${MAX_LINES} of ${lines.length + more} lines)`}</h3>
      {isPart && earlierEvents(store, firstSeq, Math.min(task?.lastSeq ?? 0, firstSeq - 1))}
      {lines.length > 0 && (
        <pre class="panel-json" tabIndex={0} aria-label="Log of the task">
          {lines.map(({ time, text }) => `${clockText(time, zone)} ${text}\n`).join("")}
        </pre>
      )}
    </div>
  );
}
