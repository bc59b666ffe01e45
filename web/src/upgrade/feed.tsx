/** What has happened, event by event, in words. */

import type { ComponentChild } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useSignal, type Signal } from "@preact/signals";

import { clockText, dateText } from "../../../src/view/text/duration.ts";
import { FEED_KINDS, type FeedEntry, type FeedKind } from "../../../src/view/log/feed.ts";
import { entriesUntil } from "../../../src/view/log/playing.ts";
import { safeText } from "../../../src/view/text/safe-text.ts";
import { finder, type Finder } from "../../../src/view/text/search.ts";
import { FoundText } from "../parts/found-text.tsx";
import { Glyph } from "../parts/glyph.tsx";
import { ScrollList } from "../parts/scroll-list.tsx";
import { upgradeHref } from "../router.ts";
import { settings } from "../settings.ts";
import "../style/feed.css";
import type { UpgradeStore } from "../upgrade-store.ts";
import { FilteredEntries } from "./feed/filtered-entries.ts";
import { HistoryState } from "./history-state.tsx";

export interface EventFeedProps {
  readonly store: UpgradeStore;
}

/** What the reader has chosen. */
interface Choice {
  readonly text: Signal<string>;
  readonly kinds: Signal<readonly FeedKind[]>;
  readonly taskId: Signal<string | undefined>;
  readonly isNewestFirst: Signal<boolean>;
}

/** All but reports of progress, of which there are many. */
const FIRST_KINDS = FEED_KINDS.filter((kind) => kind !== "progress");
const ROW_PX = { wide: 32, narrow: 56 } as const;

export function EventFeed({ store }: EventFeedProps): ComponentChild {
  const choice: Choice = {
    text: useSignal(""),
    kinds: useSignal<readonly FeedKind[]>(FIRST_KINDS),
    taskId: useSignal<string | undefined>(undefined),
    isNewestFirst: useSignal(true),
  };
  useEffect(() => store.history.load(), [store]);
  const log = store.history.at(store.place.value);
  const [text, kinds, taskId] = [choice.text.value, choice.kinds.value, choice.taskId.value];
  const filtered = useMemo(() => new FilteredEntries({ text, kinds, taskId }), [log, text, kinds, taskId]);
  const find = useMemo(() => finder(text), [text]);
  const all = log?.entries ?? [];
  const matching = filtered.of(all);
  const place = store.place.value;
  const count = place === undefined ? matching.length : entriesUntil(matching, place);
  const hidden = matching.length - count;
  const isNewest = log === store.history.at(undefined);
  return (
    <section class="feed card" aria-label="Events">
      <Toolbar choice={choice} count={count} store={store} />
      {hidden > 0 && (
        <p class="feed-note soft">
          {isNewest && `${hidden} `}later {hidden === 1 ? "event" : "events"} not shown: this is the past.
        </p>
      )}
      <HistoryState store={store} />
      {log !== undefined && count === 0 && <Nothing choice={choice} hasAny={all.length > 0} />}
      {count > 0 && <Rows entries={matching} count={count} choice={choice} find={find} store={store} />}
    </section>
  );
}

interface ToolbarProps {
  readonly choice: Choice;
  readonly count: number;
  readonly store: UpgradeStore;
}

function Toolbar({ choice, count, store }: ToolbarProps): ComponentChild {
  const { text, kinds, taskId, isNewestFirst } = choice;
  const task = taskId.value === undefined ? undefined : store.live.value?.tasks.get(taskId.value);
  const toggle = (kind: FeedKind): void => {
    const isOn = kinds.value.includes(kind);
    kinds.value = FEED_KINDS.filter((each) => (each === kind ? !isOn : kinds.value.includes(each)));
  };
  return (
    <div class="feed-tools">
      <input
        type="search"
        class="field feed-search"
        placeholder="Search events"
        aria-label="Search events"
        maxLength={200}
        value={text.value}
        onInput={({ currentTarget }) => (text.value = currentTarget.value)}
      />
      <div class="feed-kinds" role="group" aria-label="Kinds of events">
        {FEED_KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            class="button button-small"
            aria-pressed={kinds.value.includes(kind)}
            onClick={() => toggle(kind)}
          >
            {kind}
          </button>
        ))}
      </div>
      {taskId.value !== undefined && (
        <button type="button" class="button button-small" onClick={() => (taskId.value = undefined)}>
          Only {safeText(task?.taskName ?? taskId.value)} <span aria-hidden="true">✕</span>
          <span class="visually-hidden"> – show all tasks</span>
        </button>
      )}
      <button type="button" class="button button-small" onClick={() => (isNewestFirst.value = !isNewestFirst.value)}>
        {isNewestFirst.value ? "Newest first" : "Oldest first"}
      </button>
      <span class="feed-count soft" role="status">
        {count} {count === 1 ? "event" : "events"}
      </span>
    </div>
  );
}

interface RowsProps {
  readonly entries: readonly FeedEntry[];
  readonly count: number;
  readonly choice: Choice;
  readonly find: Finder;
  readonly store: UpgradeStore;
}

function Rows({ entries, count, choice, find, store }: RowsProps): ComponentChild {
  const isNewestFirst = choice.isNewestFirst.value;
  const at = (index: number): FeedEntry => entries[isNewestFirst ? count - 1 - index : index] as FeedEntry;
  return (
    <ScrollList
      class="feed-rows"
      count={count}
      rowPx={ROW_PX.wide}
      narrowRowPx={ROW_PX.narrow}
      label={isNewestFirst ? "Events, the newest first" : "Events, the oldest first"}
      newsAt={isNewestFirst ? "start" : "end"}
      keyOf={(index) => at(index).seq}
      render={(index) => <Row entry={at(index)} find={find} choice={choice} store={store} />}
    />
  );
}

/** By its tone: what is bad has another shape than what is good. */
const GLYPHS: Readonly<Record<FeedEntry["tone"], string>> = {
  good: "✓",
  active: "●",
  attention: "!",
  bad: "✗",
  quiet: "○",
};

interface RowProps {
  readonly entry: FeedEntry;
  readonly find: Finder;
  readonly choice: Choice;
  readonly store: UpgradeStore;
}

function Row(props: RowProps): ComponentChild {
  const { entry, find, choice, store } = props;
  // What has happened does not change: it is drawn once.
  return useMemo(
    () => <Line {...props} />,
    [entry, find, store.place.value === entry.seq, settings.zone.value, choice.taskId.value],
  );
}

function Line({ entry, find, choice, store }: RowProps): ComponentChild {
  const { seq, time, text, tone, kind, taskId } = entry;
  const isHere = store.place.value === seq;
  const zone = settings.zone.value;
  return (
    <div class={`feed-row tone-${tone}`} aria-current={isHere ? "true" : undefined}>
      <a
        class="feed-time"
        href={upgradeHref(store.upgradeId, { tab: "events", at: seq })}
        title={`${dateText(time, zone)}: show this moment`}
      >
        <span class="visually-hidden">Show the moment </span>
        {clockText(time, zone)}
      </a>
      <Glyph glyph={GLYPHS[tone]} />
      <span class="feed-text" title={text}>
        <FoundText text={text} find={find} />
      </span>
      {taskId !== null && choice.taskId.value === undefined && (
        <button
          type="button"
          class="feed-only button button-bare button-small"
          onClick={() => (choice.taskId.value = taskId)}
        >
          only this task
        </button>
      )}
      <span class="feed-kind faint">{kind}</span>
    </div>
  );
}

function Nothing({ choice, hasAny }: { readonly choice: Choice; readonly hasAny: boolean }): ComponentChild {
  if (!hasAny) return <p class="feed-note soft">Nothing has happened yet.</p>;
  const showAll = (): void => {
    choice.text.value = "";
    choice.kinds.value = FEED_KINDS;
    choice.taskId.value = undefined;
  };
  return (
    <p class="feed-note soft">
      No event here is of this kind.{" "}
      <button type="button" class="button button-small" onClick={showAll}>
        Show all events
      </button>
    </p>
  );
}
