/**
 * Tickets: what may stand in a URL where nothing else can carry credentials, as `?ticket=`. Each is good once and for seconds,
 * so one that ends in a log or a history is worth nothing.
 */

import { createHash, randomBytes } from "node:crypto";

import { MilepostError } from "../../errors.ts";
import { checkNumber } from "../../model/check.ts";
import { systemClock, type Clock } from "../../tracker/clock.ts";
import type { Grant } from "./grant.ts";
import { unauthenticated } from "./refusal.ts";

const LONGEST_MS = 30_000;

export interface TicketsOptions {
  /** At most, and by default, 30,000. */
  readonly lifetimeMs?: number;
  /** Unused tickets at a time. Default 10,000. */
  readonly maxTickets?: number;
  /** Unused tickets at a time of one subject. Default 100. */
  readonly maxPerSubject?: number;
  readonly clock?: Clock;
}

export interface Tickets {
  readonly lifetimeMs: number;
  /** A ticket for what the grant allows: 43 characters that need no escaping in a URL. @throws RATE_LIMITED when too many are unused. */
  issue(grant: Grant): string;
  /** The grant, once. @throws UNAUTHENTICATED for a ticket that is unknown, used or too old: nobody is told which. */
  redeem(ticket: string): Grant;
}

/** @throws INVALID_ARGUMENT. */
export function createTickets(options: TicketsOptions = {}): Tickets {
  const { lifetimeMs = LONGEST_MS, maxTickets = 10_000, maxPerSubject = 100, clock = systemClock } = options;
  checkNumber(lifetimeMs, "lifetimeMs", LONGEST_MS);
  // By hash, oldest first: all live equally long.
  const unused = new Map<string, { readonly grant: Grant; readonly endsAt: number }>();
  const perSubject = new Map<string, number>();

  const take = (hash: string): Grant | undefined => {
    const found = unused.get(hash);
    if (found === undefined) return undefined;
    unused.delete(hash);
    const { subject } = found.grant;
    const left = (perSubject.get(subject) as number) - 1;
    if (left === 0) perSubject.delete(subject);
    else perSubject.set(subject, left);
    return found.endsAt > clock.monotonic() ? found.grant : undefined;
  };
  const forgetOld = (): void => {
    for (const [hash, { endsAt }] of unused) {
      if (endsAt > clock.monotonic()) return;
      take(hash);
    }
  };

  return {
    lifetimeMs,
    issue: (grant) => {
      forgetOld();
      const ofSubject = perSubject.get(grant.subject) ?? 0;
      if (unused.size >= maxTickets || ofSubject >= maxPerSubject) {
        throw new MilepostError(
          "RATE_LIMITED",
          `too many tickets are unused; try again in ${lifetimeMs / 1000} seconds`,
        );
      }
      const ticket = randomBytes(32).toString("base64url");
      unused.set(hashOf(ticket), { grant, endsAt: clock.monotonic() + lifetimeMs });
      perSubject.set(grant.subject, ofSubject + 1);
      return ticket;
    },
    redeem: (ticket) => {
      const grant = ticket.length > 64 ? undefined : take(hashOf(ticket));
      if (grant === undefined) throw unauthenticated("used-or-expired-ticket");
      return grant;
    },
  };
}

/** Tickets are looked up by their hash, so neither the time of a look-up nor the memory of the process tells one. */
function hashOf(ticket: string): string {
  return createHash("sha256").update(ticket).digest("base64url");
}
