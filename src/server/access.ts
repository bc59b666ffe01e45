/** Who may connect to a server, and how much they may send: what it asks of every request before anything else. */

import type { IncomingMessage } from "node:http";

import type { Authenticator } from "./auth/authenticator.ts";
import type { Grant } from "./auth/grant.ts";

export interface Admission {
  /** Undefined for a client that has not said yet who it is. */
  readonly grant: Grant | undefined;
  /** To be called when the connection has gone, once. */
  leave(): void;
  /** Who it is by a token that came in a message. @throws UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED. */
  authenticate(token: string): Promise<Grant>;
}

export interface Access {
  readonly authenticator: Authenticator;
  /** @throws FORBIDDEN, UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED. */
  admit(request: IncomingMessage): Promise<Admission>;
  /** True if this client may send another message now. */
  mayMessage(client: object): boolean;
  /** The subprotocol to answer with. */
  chooseProtocol(offered: ReadonlySet<string>): string | false;
}
