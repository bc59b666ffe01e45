/** The connection to a server as it has been so far, for those who see it. */

import type { Connection } from "../../stream/client.ts";
import { connectionView, type ConnectionView } from "../../view/text/connection-words.ts";

export class ConnectionState {
  readonly #now: () => number;
  #connection: Connection | undefined;
  #changedAtMs = 0;
  #lastLiveMs: number | undefined;

  /** @param now - wall time, epoch ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Undefined while there is none: the upgrades are here. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  take(connection: Connection): void {
    const nowMs = this.#now();
    if (this.#connection?.status === "live") this.#lastLiveMs = nowMs;
    if (connection !== this.#connection) this.#changedAtMs = nowMs;
    this.#connection = connection;
    if (connection.status === "live") this.#lastLiveMs = nowMs;
  }

  view(): ConnectionView | undefined {
    if (this.#connection === undefined) return undefined;
    return connectionView(this.#connection, {
      asOfMs: this.#now(),
      changedAtMs: this.#changedAtMs,
      lastLiveMs: this.#lastLiveMs,
    });
  }
}
