/** One upgrade as its page sees it: the live state, the connection behind it, and the place in history that is shown instead. */

import { computed, effect, signal, untracked, type ReadonlySignal, type Signal } from "@preact/signals";

import { isMilepostError } from "../../src/errors.ts";
import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import { watch, type Watched } from "../../src/stream/client.ts";
import { upgradeChannel } from "../../src/stream/protocol.ts";
import type { ConnectionView } from "../../src/view/text/connection-words.ts";
import { connectOptions, SERVER } from "./access.ts";
import { createConnectionStore } from "./connection-store.ts";
import { frames } from "./frames.ts";
import { createHistoryStore, type HistoryStore } from "./history-store.ts";
import { parseRoute, currentAddress, setQuery } from "./router.ts";

export interface UpgradeStore {
  readonly upgradeId: string;
  /** The newest state known; undefined until the first snapshot. Changes at most once per animation frame (less often for large states). */
  readonly live: ReadonlySignal<UpgradeProgress | undefined>;
  /** What is said of the connection. */
  readonly connection: ReadonlySignal<ConnectionView>;
  /** Seq that time travel has stopped at; undefined: live. Part of the address (?at=<seq>). */
  readonly place: Signal<number | undefined>;
  /** What every part shows: the live state, or the fold at `place`; what was shown before while that is read. Live when there is no such place. */
  readonly shown: ReadonlySignal<UpgradeProgress | undefined>;
  /** Wall time (epoch ms) for which `live` is true: now (ticks each second); while the server is away, when it was last there. */
  readonly liveAsOfMs: ReadonlySignal<number>;
  /** Wall time (epoch ms) for which `shown` is true: that of `live`, or the time of the event at `place`. */
  readonly asOfMs: ReadonlySignal<number>;
  /** All events of the log, read when first asked for. */
  readonly history: HistoryStore;
  /** Calls `listener` with every item of the live stream, in order, none left out. Returns what ends that. */
  onEvent(listener: (item: Watched) => void): () => void;
  readonly close: () => void;
}

/** Milliseconds between two changes of a state with so many tasks: what is shown of a large one takes longer to make. */
function pauseMs({ tasks }: UpgradeProgress): number {
  return tasks.size < 500 ? 0 : tasks.size < 3_000 ? 100 : 250;
}

/** Watches an upgrade until it is closed. */
export function createUpgradeStore(upgradeId: string): UpgradeStore {
  const live = signal<UpgradeProgress | undefined>(undefined);
  const connection = createConnectionStore();
  const listeners = new Set<(item: Watched) => void>();
  const leaving = new AbortController();
  const onEvent = (listener: (item: Watched) => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const place = signal(placeInAddress());
  const history = createHistoryStore({ upgradeId, onEvent, onOtherLog: () => (place.value = undefined) });
  const shown = shownOf({ live, place, history });
  const asOfMs = computed(() => {
    const lastTime = place.value === undefined ? undefined : shown.value?.clock.lastTime;
    return lastTime == null ? connection.asOfMs.value : Date.parse(lastTime);
  });
  const showLater = frames<UpgradeProgress>((state) => (live.value = state), pauseMs);
  const take = (item: Watched): void => {
    connection.take(item.connection);
    if (item.state !== undefined) showLater.set(item.state);
    for (const listener of listeners) listener(item);
  };
  void follow(upgradeId, leaving.signal, take);
  const stopBinding = bindPlace(place, history);
  return {
    upgradeId,
    live,
    connection: connection.view,
    place,
    shown,
    liveAsOfMs: connection.asOfMs,
    asOfMs,
    history,
    onEvent,
    close: () => {
      leaving.abort();
      showLater.cancel();
      stopBinding();
      history.close();
    },
  };
}

function shownOf({ live, place, history }: Pick<UpgradeStore, "live" | "place" | "history">): UpgradeStore["shown"] {
  let before: UpgradeProgress | undefined;
  return computed(() => {
    const seq = place.value;
    if (seq === undefined || history.lacks(seq)) before = live.value;
    else before = history.at(seq)?.stateAt(seq) ?? before;
    return before;
  });
}

/** Never rejects: what ends it for good was told as the connection's end before. */
async function follow(upgradeId: string, signal: AbortSignal, take: (item: Watched) => void): Promise<void> {
  try {
    for await (const item of watch(SERVER, { ...connectOptions(), channel: upgradeChannel(upgradeId), signal })) {
      take(item);
    }
  } catch (error) {
    if (!isMilepostError(error)) throw error;
  }
}

function placeInAddress(): number | undefined {
  const route = parseRoute(currentAddress.value);
  return route.page === "upgrade" ? route.at : undefined;
}

/** Keeps the place and the address the same, whichever of them changes. */
function bindPlace(place: Signal<number | undefined>, history: HistoryStore): () => void {
  const stops = [
    effect(() => {
      const seq = place.value;
      untracked(() => {
        history.seek(seq);
        setQuery({ at: seq === undefined ? undefined : String(seq) });
      });
    }),
    effect(() => {
      const at = placeInAddress();
      untracked(() => (place.value = at));
    }),
  ];
  return () => stops.forEach((stop) => stop());
}
