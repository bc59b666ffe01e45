/** How much one caller may do, and all together. Each limit takes a bounded amount of memory, whoever calls how often. */

import { isMilepostError, MilepostError } from "../../errors.ts";
import { isLoopback, networkOf } from "../../ip-addresses.ts";
import { sha256Hex } from "../../node-modules.ts";
import { systemClock, type Clock } from "../../tracker/clock.ts";

export interface ConnectionLimitOptions {
  /** Connections at a time of one address (of one /64 network of IPv6). Default 20. Loopback addresses may have as many as there are. */
  readonly perAddress?: number;
  /** Default 10,000. */
  readonly total?: number;
}

/** Counts connections that are open. */
export interface ConnectionLimit {
  readonly count: number;
  /** Takes a place. @throws RATE_LIMITED when there is none. */
  enter(address: string): void;
  /** Gives a place back that was taken. */
  leave(address: string): void;
}

export function createConnectionLimit({
  perAddress = 20,
  total = 10_000,
}: ConnectionLimitOptions = {}): ConnectionLimit {
  const open = new Map<string, number>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    enter: (address) => {
      const caller = networkOf(address);
      const ofCaller = open.get(caller) ?? 0;
      if (count >= total) throw limited(`the server has ${total} connections, its most; try again later`);
      if (ofCaller >= perAddress && !isLoopback(address)) {
        throw limited(`your address has ${perAddress} connections, the most for one; close some, then try again`);
      }
      count++;
      open.set(caller, ofCaller + 1);
    },
    leave: (address) => {
      const caller = networkOf(address);
      const ofCaller = open.get(caller) ?? 0;
      if (ofCaller === 0) return;
      count--;
      if (ofCaller === 1) open.delete(caller);
      else open.set(caller, ofCaller - 1);
    },
  };
}

export interface TokenBucketOptions {
  /** Default 100. */
  readonly perMinute?: number;
  /** So many at once after a silence. Default 50. */
  readonly burst?: number;
  readonly clock?: Clock;
}

/** The limit of one connection's messages: a bucket of `burst` tokens that fills up evenly. Takes no timer. */
export interface TokenBucket {
  /** True if one more may pass now. */
  take(): boolean;
}

export function createTokenBucket({
  perMinute = 100,
  burst = 50,
  clock = systemClock,
}: TokenBucketOptions = {}): TokenBucket {
  const intervalMs = 60_000 / perMinute;
  // When the bucket will be full again: one number says how full it is, and adding to it loses nothing to rounding.
  let fullAt = -Infinity;
  return {
    take: () => {
      const now = clock.monotonic();
      const next = Math.max(fullAt, now) + intervalMs;
      if (next - now > burst * intervalMs) return false;
      fullAt = next;
      return true;
    },
  };
}

export interface FailureLimitOptions {
  /** Refused credentials of one address within any 60 seconds that are told so. Default 10. */
  readonly perMinute?: number;
  /** Addresses that are remembered; the one that failed least recently is forgotten for another. Default 10,000. */
  readonly maxAddresses?: number;
  readonly clock?: Clock;
}

/** The limit of wrong credentials. */
export interface FailureLimit {
  /**
   * Runs `authenticate`, and counts it against the address if the credentials are refused. All are looked at, whatever came
   * before from there: many may share an address, and the right ones among them pass.
   *
   * @param unasked - asked after a refusal: what was refused, if it was sent by itself, as a browser sends an old cookie with
   *   each request. The same again is no further mistake.
   * @throws RATE_LIMITED for wrong credentials beyond the limit; what `authenticate` throws.
   */
  guard<T>(address: string, authenticate: () => T | Promise<T>, unasked?: () => string | undefined): Promise<T>;
}

const WINDOW_MS = 60_000;

interface Failure {
  readonly at: number;
  /** Hash of what was refused, if it was sent by itself. */
  readonly unasked: string | undefined;
}

export function createFailureLimit(options: FailureLimitOptions = {}): FailureLimit {
  const { perMinute = 10, maxAddresses = 10_000, clock = systemClock } = options;
  // Refusals, the oldest first; the callers in the order of their last one.
  const failures = new Map<string, readonly Failure[]>();

  /** False when there are too many already. */
  const count = (caller: string, text: string | undefined): boolean => {
    const now = clock.monotonic();
    const unasked = text === undefined ? undefined : sha256Hex(text);
    const recent = (failures.get(caller) ?? []).filter(({ at }) => now - at < WINDOW_MS);
    if (unasked !== undefined && recent.some((failure) => failure.unasked === unasked)) return true;
    if (recent.length >= perMinute) return false;
    failures.delete(caller);
    failures.set(caller, [...recent, { at: now, unasked }]);
    if (failures.size > maxAddresses) failures.delete(failures.keys().next().value as string);
    return true;
  };

  return {
    guard: async (address, authenticate, unasked) => {
      try {
        return await authenticate();
      } catch (error) {
        if (!isMilepostError(error, "UNAUTHENTICATED")) throw error;
        if (!count(networkOf(address), unasked?.())) throw tooManyFailures();
        throw error;
      }
    },
  };
}

function tooManyFailures(): MilepostError {
  return limited("too many credentials from your address were refused; try again in a minute");
}

function limited(message: string): MilepostError {
  return new MilepostError("RATE_LIMITED", message);
}
