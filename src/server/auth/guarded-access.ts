/** Access to a server with credentials and limits: what `loopbackAccess` is to a server of this machine alone. */

import { SUBPROTOCOL } from "../../stream/protocol.ts";
import { systemClock, type Clock } from "../../tracker/clock.ts";
import type { Access, Admission } from "../access.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Grant } from "./grant.ts";
import { createTokenBucket, type ConnectionLimit, type TokenBucket, type TokenBucketOptions } from "./limits.ts";
import type { RequestGuard } from "./request-guard.ts";

export interface GuardedAccessOptions {
  readonly authenticator: Authenticator;
  readonly guard: RequestGuard;
  readonly connections: ConnectionLimit;
  /** Limits of one client's messages. */
  readonly messages?: Omit<TokenBucketOptions, "clock">;
  readonly clock?: Clock;
}

/** An admission whose token may yet come in a message. */
interface GuardedAdmission extends Admission {
  /** @throws UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED: refusals count against the client's address. */
  readonly authenticate: (token: string) => Promise<Grant>;
}

export interface GuardedAccess extends Access {
  admit(...of: Parameters<Access["admit"]>): Promise<GuardedAdmission>;
}

export function guardedAccess(options: GuardedAccessOptions): GuardedAccess {
  const { authenticator, guard, connections, messages, clock = systemClock } = options;
  const buckets = new WeakMap<object, TokenBucket>();
  return {
    authenticator,
    admit: async (request) => {
      const { address, grant } = await guard.check(request);
      const leave = connections.admit(address);
      return { grant, leave, authenticate: (token) => guard.authenticate(address, token) };
    },
    mayMessage: (client) => {
      const bucket = buckets.get(client) ?? createTokenBucket({ ...messages, clock });
      buckets.set(client, bucket);
      return bucket.take();
    },
    // The other one that a client may offer is its token.
    chooseProtocol: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  };
}
