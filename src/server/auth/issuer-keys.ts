/**
 * The public keys of one issuer, from its JWKS address, and of no other: what one issuer's `kid` names is never looked up
 * among another's keys.
 *
 * They are fetched when first needed, again (beside the work) when they are ten minutes old, and when a token names a key that is not among them;
 * but never twice within 30 seconds, whatever tokens come and whether it went well or not. While the address does not answer,
 * the keys known before are good for another day.
 */

import {
  createLocalJWKSet,
  errors,
  type CryptoKey,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from "jose";

import { MilepostError, shown } from "../../errors.ts";
import type { AddressList } from "../../ip-addresses.ts";
import { requestOutbound } from "../../outbound.ts";
import type { Clock } from "../../tracker/clock.ts";
import { report, type Logger } from "../../tracker/logger.ts";

const FETCH_INTERVAL_MS = 30_000;
const FRESH_MS = 600_000;
const USABLE_MS = 86_400_000;
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 65_536;

export interface IssuerKeysOptions {
  readonly issuer: string;
  readonly jwksUri: URL;
  readonly allowed: AddressList;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Gives the key for a token's header. */
export type KeyFinder = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

/** @throws (the finder) RATE_LIMITED while there are no keys to check with; jose's errors when no key fits. */
export function issuerKeys(options: IssuerKeysOptions): KeyFinder {
  const { issuer, jwksUri, clock, logger } = options;
  let keys: ReturnType<typeof createLocalJWKSet> | undefined;
  let fetchedAt = -Infinity;
  let attemptedAt = -Infinity;
  let pending: Promise<boolean> | undefined;

  /** True if there are new keys. Never rejects. */
  const refresh = async (): Promise<boolean> => {
    if (pending !== undefined) return pending;
    if (clock.monotonic() - attemptedAt < FETCH_INTERVAL_MS) return false;
    attemptedAt = clock.monotonic();
    pending = fetchKeys(options)
      .then((fetched) => {
        keys = fetched;
        fetchedAt = clock.monotonic();
        return true;
      })
      .catch((error: unknown) => {
        report(
          logger,
          "warn",
          `auth: the keys of ${shown(issuer)} could not be fetched from ${shown(jwksUri.href)}`,
          error,
        );
        return false;
      })
      .finally(() => (pending = undefined));
    return pending;
  };

  return async (header, token) => {
    const age = (): number => clock.monotonic() - fetchedAt;
    if (age() > USABLE_MS) await refresh();
    // Beside the work: nobody waits for keys that are only being looked after.
    else if (age() > FRESH_MS) void refresh();
    if (keys === undefined || age() > USABLE_MS) throw unavailable(issuer);
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await refresh())) throw error;
      return keys(header, token);
    }
  };
}

async function fetchKeys({ jwksUri, allowed }: IssuerKeysOptions): Promise<ReturnType<typeof createLocalJWKSet>> {
  const { status, body } = await requestOutbound(jwksUri, {
    headers: { accept: "application/jwk-set+json, application/json" },
    allowed,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
  });
  if (status !== 200) throw new Error(`it answered ${status}`);
  return createLocalJWKSet(JSON.parse(body.toString("utf8")) as JSONWebKeySet);
}

function unavailable(issuer: string): MilepostError {
  return new MilepostError(
    "RATE_LIMITED",
    `the keys of the token's issuer cannot be fetched at present; try again in ${FETCH_INTERVAL_MS / 1000} seconds`,
    { context: { issuer } },
  );
}
