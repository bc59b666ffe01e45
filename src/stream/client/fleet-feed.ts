/** The summaries of many upgrades, each the newest one. */

import type { UpgradeSummary } from "../../view/upgrade/summary.ts";
import type { Received } from "../protocol.ts";
import type { Asked } from "./address.ts";
import type { Connection } from "./connection.ts";
import { broken, type Feed, type Shown } from "./feed.ts";

/** What `watchFleet` gives, each time something has changed. */
export interface WatchedFleet {
  /** The newest summary of each upgrade, by its id; empty until the server has told them. Never changed once it is given out. */
  readonly upgrades: ReadonlyMap<string, UpgradeSummary>;
  /** Those that were told since the item before: all after a connection, then what changes. Empty when only the connection has changed. */
  readonly changed: readonly UpgradeSummary[];
  /** The ids of those that were deleted since the item before. */
  readonly removed: readonly string[];
  readonly connection: Connection;
}

interface Change {
  readonly changed: readonly UpgradeSummary[];
  readonly removed: readonly string[];
}
const NOTHING: Change = { changed: [], removed: [] };

export class FleetFeed implements Feed<WatchedFleet, Change> {
  readonly channel: string;
  #upgrades = new Map<string, UpgradeSummary>();
  /** The reader has this map: the next change is made in a copy. */
  #isShown = false;
  #progress: "connecting" | "live" = "connecting";

  constructor(channel: string) {
    this.channel = channel;
  }

  get progress(): "connecting" | "live" {
    return this.#progress;
  }

  begin(): Asked {
    this.#progress = "connecting";
    return { channel: this.channel };
  }

  take(message: Received): Shown<Change> | undefined {
    if (!("channel" in message) || message.channel !== this.channel) return undefined;
    if (message.type === "snapshot" && "upgrades" in message) return this.#takeAll(message.upgrades);
    if (message.type !== "summary" && message.type !== "removed") return undefined;
    if (this.#progress !== "live") throw broken("a summary came before all of them");
    if (this.#isShown) this.#replace(new Map(this.#upgrades));
    if (message.type === "removed") {
      this.#upgrades.delete(message.upgradeId);
      return { change: { changed: [], removed: [message.upgradeId] }, sizeChars: 0 };
    }
    this.#upgrades.set(message.summary.upgradeId, message.summary);
    return { change: { changed: [message.summary], removed: [] }, sizeChars: 0 };
  }

  item(connection: Connection, change: Change = NOTHING): WatchedFleet {
    return { upgrades: this.#upgrades, ...change, connection };
  }

  /** A reader who is late gets the newest of each: what they missed in between is no history. */
  merge(unread: WatchedFleet, next: WatchedFleet): WatchedFleet {
    const changed = new Map([...unread.changed, ...next.changed].map((summary) => [summary.upgradeId, summary]));
    const removed = new Set([...unread.removed, ...next.removed]);
    return {
      ...next,
      changed: [...changed.values()].filter(({ upgradeId }) => next.upgrades.has(upgradeId)),
      removed: [...removed].filter((upgradeId) => !next.upgrades.has(upgradeId)),
    };
  }

  taken(): void {
    this.#isShown = true;
  }

  #takeAll(upgrades: readonly UpgradeSummary[]): Shown<Change> {
    const before = this.#upgrades;
    this.#replace(new Map(upgrades.map((summary) => [summary.upgradeId, summary])));
    this.#progress = "live";
    // Also what was deleted while there was no connection.
    const removed = [...before.keys()].filter((upgradeId) => !this.#upgrades.has(upgradeId));
    return { change: { changed: upgrades, removed }, sizeChars: 0 };
  }

  #replace(upgrades: Map<string, UpgradeSummary>): void {
    this.#upgrades = upgrades;
    this.#isShown = false;
  }
}
