/** Closed by default: what others can reach needs authentication. */

import { MilepostError, shown } from "../../errors.ts";
import type { Authenticator } from "./authenticator.ts";
import { isLoopbackHost } from "./origin.ts";

export interface Bind {
  /** What the server is to listen on: an address or a name. Empty is every address. */
  readonly host: string;
  readonly authenticator: Authenticator;
  /** The operator's word that it is meant so. */
  readonly allowUnauthenticated: boolean;
}

/**
 * Refuses a server that other machines reach and in which anybody may report. One whose anonymous callers may only watch
 * was configured to be so, and passes.
 *
 * @throws INVALID_ARGUMENT.
 */
export function checkBind({ host, authenticator, allowUnauthenticated }: Bind): void {
  if (allowUnauthenticated || isLoopbackHost(host)) return;
  const isOpen = authenticator.anonymous?.permissions.some(({ action }) => action !== "watch") ?? false;
  if (!isOpen) return;
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `host ${shown(host)} can be reached from other machines, and anybody could report there: give --auth-file, or bind to 127.0.0.1, or say --allow-unauthenticated if you mean it`,
    { context: { host } },
  );
}
