/** What tasks printed. */

import type { ComponentChild } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useSignal, type Signal } from "@preact/signals";

import { clockText } from "../../../src/view/text/duration.ts";
import { linesUntil, logFile, type LogLine } from "../../../src/view/log/log-text.ts";
import { finder } from "../../../src/view/text/search.ts";
import { download } from "../download.ts";
import { FoundText } from "../parts/found-text.tsx";
import { ScrollList } from "../parts/scroll-list.tsx";
import { settings } from "../settings.ts";
import "../style/feed.css";
import type { UpgradeStore } from "../upgrade-store.ts";
import { HistoryState } from "./history-state.tsx";

export interface LogPaneProps {
  readonly store: UpgradeStore;
}

interface Choice {
  readonly text: Signal<string>;
  readonly taskId: Signal<string>;
  readonly isFollowing: Signal<boolean>;
}

const ROW_PX = 20;

export function LogPane({ store }: LogPaneProps): ComponentChild {
  const choice: Choice = { text: useSignal(""), taskId: useSignal(""), isFollowing: useSignal(true) };
  useEffect(() => store.history.load(), [store]);
  const log = store.history.at(store.place.value);
  const all = log?.logText.lines ?? [];
  const place = store.place.value;
  const count = place === undefined ? all.length : linesUntil(all, place);
  const [text, taskId] = [choice.text.value, choice.taskId.value];
  const find = useMemo(() => finder(text), [text]);
  const lines = useMemo(
    () => wanted(all, count, (line) => (taskId === "" || line.taskId === taskId) && find.matches(line.text)),
    [all, all[0], count, taskId, find],
  );
  const tasks = useMemo(() => tasksOf(all, count), [all, all[0], count]);
  return (
    <section class="feed card" aria-label="Log">
      <Toolbar choice={choice} tasks={tasks} lines={lines} upgradeId={store.upgradeId} />
      {place !== undefined && count < all.length && (
        <p class="feed-note soft">
          {log === store.history.at(undefined) && `${all.length - count} `}later lines not shown: this is the past.
        </p>
      )}
      <HistoryState store={store} />
      {log !== undefined && lines.length === 0 && (
        <p class="feed-note soft">
          {count > 0 || log.firstSeq > (store.history.grown.value.log?.firstSeq ?? 0)
            ? "No line here is of this kind."
            : "No task has printed anything. What a command prints comes here: milepost run -- <command>"}
        </p>
      )}
      {lines.length > 0 && (
        <ScrollList
          class="log-rows"
          count={lines.length}
          rowPx={ROW_PX}
          label="Lines of the log"
          newsAt="end"
          isFollowing={choice.isFollowing.value}
          keyOf={(index) => index}
          onFollow={(isFollowing) => (choice.isFollowing.value = isFollowing)}
          render={(index) => {
            const line = lines[index] as LogLine;
            const isSameTask = lines[index - 1]?.taskId === line.taskId;
            return (
              <div class="log-row">
                <span class="log-time faint">{clockText(line.time, settings.zone.value)}</span>
                {tasks.size > 1 && taskId === "" && (
                  <span class={`log-task ${isSameTask ? "log-task-same" : ""}`} title={line.taskName}>
                    {line.taskName}
                  </span>
                )}
                <span class="log-text">
                  <FoundText text={line.text} find={find} />
                </span>
              </div>
            );
          }}
        />
      )}
    </section>
  );
}

function wanted(all: readonly LogLine[], count: number, isWanted: (line: LogLine) => boolean): readonly LogLine[] {
  return all.slice(0, count).filter(isWanted);
}

/** The tasks that have printed, with their names. */
function tasksOf(all: readonly LogLine[], count: number): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (let index = 0; index < count; index += 1) {
    const { taskId, taskName } = all[index] as LogLine;
    if (!names.has(taskId)) names.set(taskId, taskName);
  }
  return names;
}

interface ToolbarProps {
  readonly choice: Choice;
  readonly tasks: ReadonlyMap<string, string>;
  readonly lines: readonly LogLine[];
  readonly upgradeId: string;
}

function Toolbar({ choice: { text, taskId, isFollowing }, tasks, lines, upgradeId }: ToolbarProps): ComponentChild {
  return (
    <div class="feed-tools">
      <input
        type="search"
        class="field feed-search"
        placeholder="Search the log"
        aria-label="Search the log"
        maxLength={200}
        value={text.value}
        onInput={({ currentTarget }) => (text.value = currentTarget.value)}
      />
      {tasks.size > 1 && (
        <select
          class="field"
          aria-label="Task"
          value={taskId.value}
          onChange={({ currentTarget }) => (taskId.value = currentTarget.value)}
        >
          <option value="">All tasks</option>
          {[...tasks].map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      )}
      <button
        type="button"
        class="button button-small"
        aria-pressed={isFollowing.value}
        onClick={() => (isFollowing.value = !isFollowing.value)}
      >
        Follow
      </button>
      <button
        type="button"
        class="button button-small"
        disabled={lines.length === 0}
        onClick={() => download(upgradeId, "log", new Blob([logFile(lines)], { type: "text/plain" }))}
      >
        Download these lines
      </button>
      <span class="feed-count soft" role="status">
        {lines.length} {lines.length === 1 ? "line" : "lines"}
      </span>
    </div>
  );
}
