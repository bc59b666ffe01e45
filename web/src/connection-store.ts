/** The connection of a page, in words that are true at every second. */

import { computed, signal, type ReadonlySignal } from "@preact/signals";

import { connectionView, type ConnectionFacts, type ConnectionView } from "../../src/view/text/connection-words.ts";
import { now, wallMs } from "./now.ts";
import { settings } from "./settings.ts";

export interface ConnectionStore {
  readonly view: ReadonlySignal<ConnectionView>;
  /**
   * Wall time (epoch ms) for which what is known is true: now, and while the connection is away, when it was last there. Nobody
   * knows what has happened since, so nothing may seem to last, or to have gone silent, because of it.
   */
  readonly asOfMs: ReadonlySignal<number>;
  take(connection: ConnectionFacts): void;
}

interface Known {
  readonly connection: ConnectionFacts;
  readonly changedAtMs: number;
  readonly lastLiveMs: number | undefined;
}

export function createConnectionStore(): ConnectionStore {
  const known = signal<Known>({
    connection: { status: "connecting" },
    changedAtMs: wallMs(),
    lastLiveMs: undefined,
  });
  return {
    view: computed(() => {
      const { connection, ...times } = known.value;
      // A connection that is as it should be says the same at every second.
      const isTimed = connection.status === "waiting";
      return connectionView(connection, {
        ...times,
        asOfMs: isTimed ? now.value : times.changedAtMs,
        zone: settings.zone.value,
      });
    }),
    asOfMs: computed(() => {
      const { connection, lastLiveMs } = known.value;
      return connection.status === "live" || lastLiveMs === undefined ? now.value : lastLiveMs;
    }),
    take: (connection) => {
      const before = known.peek();
      if (connection === before.connection) return;
      const wasLive = before.connection.status === "live";
      if (wasLive && connection.status === "live") return;
      const changedAtMs = wallMs();
      // A server that is stale was last heard some seconds ago.
      const silentMs = connection.status === "stale" ? Math.max(0, Date.now() - connection.sinceMs) : 0;
      const lastLiveMs = wasLive ? changedAtMs - silentMs : before.lastLiveMs;
      known.value = { connection, changedAtMs, lastLiveMs };
    },
  };
}
