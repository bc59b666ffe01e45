/**
 * `milepost/client`: watches upgrades on a server, from a browser or from Node.
 *
 * Each event is shown once and in order, with the state it leads to. A connection that is lost is made again and goes on from
 * the last place; what cannot be continued is said (`reset`), never left out in silence.
 */

import { checkWord } from "../model/check.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { MilepostError, shown } from "../errors.ts";
import { FleetFeed, type WatchedFleet } from "./client/fleet-feed.ts";
import { UpgradeFeed, type Watched } from "./client/upgrade-feed.ts";
import { Watching, type ConnectOptions } from "./client/watching.ts";
import { parseChannel } from "./protocol.ts";

export { isMilepostError, MilepostError, type ErrorCode } from "../errors.ts";
export { upgradeFromJson, type UpgradeProgress } from "../model/upgrade.ts";
export type { ProgressEvent } from "../model/event.ts";
export type { UpgradeSummary } from "../view/upgrade/summary.ts";
export type { Backoff } from "./client/backoff.ts";
export type { ClientClock } from "./client/clock.ts";
export type { Connection } from "./client/connection.ts";
export type { ClientSocket, ClientSocketClass } from "./client/socket.ts";
export type { ConnectOptions, Watched, WatchedFleet };

/** What to watch. */
export interface WatchOptions extends ConnectOptions {
  /** `upgrade:<id>`. */
  readonly channel: string;
  /**
   * Where to go on: the `state` of an item, and states go on from it; or only its `cursor`, and events go on while `state` stays
   * undefined until the server tells one. Without it the present state comes first.
   */
  readonly after?: string | UpgradeProgress | undefined;
  /** `logs` (default) is everything; `tasks` leaves out the text of logs, which is not part of the state. */
  readonly level?: "tasks" | "logs" | undefined;
}

/** Which upgrades to watch. */
export interface WatchFleetOptions extends ConnectOptions {
  /** `fleet` (default), all that may be seen, or `cluster:<name>`. */
  readonly channel?: string | undefined;
}

/**
 * Watches one upgrade: its state now, then every event. Connects at the first `next()`, and until the loop is left or `signal`
 * aborts; then the connection is closed at once.
 *
 * @param url - `ws:`, `wss:`, `http:` or `https:`; in a browser also relative to the page.
 * @throws INVALID_ARGUMENT, INVALID_ID at once. The iteration throws what ends it for good: UNAUTHENTICATED, FORBIDDEN,
 * TOKEN_EXPIRED (of a token that is no function), UNKNOWN_UPGRADE, NEWER_FORMAT, CORRUPT, and any other code of the server that
 * says not to come back.
 * @example
 * for await (const { state, event, connection } of watch("ws://localhost:8765", { channel: "upgrade:upgrade-123" })) {
 *   console.log(connection.status, state?.overallPercentage, event?.type);
 * }
 */
export function watch(
  url: string | URL,
  { channel, after, level, ...options }: WatchOptions,
): AsyncIterableIterator<Watched, undefined> {
  checkChannel(channel, ["upgrade"]);
  if (level !== undefined) checkWord(level, "level", ["tasks", "logs"]);
  return new Watching(url, options, new UpgradeFeed({ channel, after, level }));
}

/**
 * Watches the summaries of many upgrades: all of them first, then each that changes. A reader who is late gets the newest of each.
 *
 * @param url - as for {@link watch}.
 * @throws as {@link watch}.
 */
export function watchFleet(
  url: string | URL,
  { channel = "fleet", ...options }: WatchFleetOptions = {},
): AsyncIterableIterator<WatchedFleet, undefined> {
  checkChannel(channel, ["fleet", "cluster"]);
  return new Watching(url, options, new FleetFeed(channel));
}

function checkChannel(channel: unknown, kinds: readonly string[]): void {
  if (kinds.includes(parseChannel(channel).kind)) return;
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `channel ${shown(channel)} is not for this function; watch takes "upgrade:<id>", watchFleet "fleet" and "cluster:<name>"`,
  );
}
