/** Access to a server with credentials and limits. */

import { SUBPROTOCOL } from "../../stream/protocol.ts";
import { systemClock, type Clock } from "../../tracker/clock.ts";
import type { Access, Admission } from "../access.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Grant } from "./grant.ts";
import { createTokenBucket, type ConnectionLimit, type TokenBucket, type TokenBucketOptions } from "./limits.ts";
import type { Caller, RequestGuard } from "./request-guard.ts";

export interface GuardedAccessOptions {
  readonly authenticator: Authenticator;
  readonly guard: RequestGuard;
  readonly connections: ConnectionLimit;
  /** Limits of one client's messages. */
  readonly messages?: Omit<TokenBucketOptions, "clock">;
  readonly clock?: Clock;
}

/** There are as many as clients, so it is fields and no closures. */
class GuardedAdmission implements Admission {
  readonly grant: Grant | undefined;
  readonly #address: string;
  readonly #options: GuardedAccessOptions;

  constructor({ address, grant }: Caller, options: GuardedAccessOptions) {
    this.grant = grant;
    this.#address = address;
    this.#options = options;
  }

  leave(): void {
    this.#options.connections.leave(this.#address);
  }

  /** Refusals count against the client's address. */
  authenticate(token: string): Promise<Grant> {
    return this.#options.guard.authenticate(this.#address, token);
  }
}

export function guardedAccess(options: GuardedAccessOptions): Access {
  const { authenticator, guard, connections, messages, clock = systemClock } = options;
  const buckets = new WeakMap<object, TokenBucket>();
  return {
    authenticator,
    admit: async (request) => {
      const caller = await guard.check(request);
      connections.enter(caller.address);
      return new GuardedAdmission(caller, options);
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
