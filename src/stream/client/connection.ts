/** What a page can say of the connection behind what it shows. */

import type { ErrorCode } from "../../errors.ts";

/** The connection: one member per state. */
export type Connection =
  | { readonly status: "connecting" }
  /** Connected and subscribed; events are shown as they come. */
  | { readonly status: "live" }
  /** Connected; a state or a stretch is coming that can only be shown whole. */
  | { readonly status: "catching_up" }
  /** Not connected. `attempt` 1, 2, 3 … begins in `retryInMs`; 0 once the reader has taken what waits for it. */
  | {
      readonly status: "waiting";
      readonly retryInMs: number;
      readonly attempt: number;
      /** Why the last connection ended, for people. */
      readonly reason: string;
    }
  /** Connected as far as is known, but the server, last heard at `sinceMs` (wall time), does not answer. */
  | { readonly status: "stale"; readonly sinceMs: number }
  /** Ended for good; the iteration throws a MilepostError of this code next. */
  | { readonly status: "closed"; readonly code: ErrorCode; readonly reason: string };

/** True if both say the same. */
export function isSameConnection(one: Connection, other: Connection): boolean {
  return one === other || (one.status === other.status && Object.keys(one).length === 1);
}
