/** Who is it? Turns a token into a grant: one that an operator handed out, one of an OIDC provider, or a share link. */

import { MilepostError } from "../../errors.ts";
import { addressList } from "../../ip-addresses.ts";
import { checkNumber } from "../../model/check.ts";
import { systemClock, type Clock } from "../../tracker/clock.ts";
import { silentLogger, type Logger } from "../../tracker/logger.ts";
import { parsePermission, type Grant } from "./grant.ts";
import { jwtIssuers, type JwtIssuer } from "./jwt-issuers.ts";
import { MAX_TOKEN_LENGTH, readJwt } from "./read-jwt.ts";
import { tokenExpired, unauthenticated } from "./refusal.ts";
import { SHARE_ISSUER, type ShareLinks } from "./share-links.ts";
import { staticTokens, type StaticToken } from "./static-tokens.ts";

export interface Authenticator {
  /** What someone without credentials may do; undefined: nothing. */
  readonly anonymous: Grant | undefined;
  /**
   * The same for a token of any kind, from whatever it was carried in.
   *
   * @throws UNAUTHENTICATED, TOKEN_EXPIRED; RATE_LIMITED while the keys of an issuer cannot be fetched.
   */
  authenticate(token: string): Promise<Grant>;
  /** False once the grant has expired or was revoked: a server asks every few seconds while a connection lives on it. */
  isCurrent(grant: Grant): boolean;
}

export interface AuthenticatorOptions {
  readonly tokens?: readonly StaticToken[] | undefined;
  readonly issuers?: readonly JwtIssuer[] | undefined;
  readonly shareLinks?: ShareLinks | undefined;
  /** What someone without credentials may do, as `watch:fleet`. Default nothing. */
  readonly anonymous?: readonly string[] | undefined;
  /** Addresses and subnets where issuers' keys may be fetched though they are not public. */
  readonly allowedAddresses?: readonly string[] | undefined;
  /** By how much the clocks of issuers may differ. 0 to 60; default 60. */
  readonly leewaySeconds?: number | undefined;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

const ANONYMOUS = "anonymous";

/**
 * For a server that only this machine reaches: everybody may do everything, with or without a token.
 * `checkBind` sees to it that it is not used for any other.
 */
export const openAuthenticator: Authenticator = openToAll();

function openToAll(): Authenticator {
  const everything: Grant = {
    subject: ANONYMOUS,
    permissions: [{ action: "admin", channel: "*" }],
    expiresAtMs: null,
  };
  return { anonymous: everything, authenticate: async () => everything, isCurrent: () => true };
}

/**
 * @throws INVALID_ARGUMENT, INVALID_ID for options that contradict each other or cannot be used. No message holds a secret.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { tokens = [], issuers = [], shareLinks, anonymous = [], allowedAddresses = [], leewaySeconds = 60 } = options;
  const { clock = systemClock, logger = silentLogger } = options;
  if (tokens.length === 0 && issuers.length === 0 && anonymous.length === 0) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      "nobody could get in: give at least one of tokens, issuers or anonymous",
    );
  }
  if (issuers.some(({ issuer }) => issuer === SHARE_ISSUER)) {
    throw new MilepostError("INVALID_ARGUMENT", `no issuer may be called "${SHARE_ISSUER}": it is this server's own`);
  }
  checkNumber(leewaySeconds, "leewaySeconds", 60);
  const allowed = addressList(allowedAddresses, "allowedAddresses");
  const grantOfToken = staticTokens(tokens);
  const grantOfJwt = jwtIssuers({ issuers, allowed, leewaySeconds, clock, logger });
  const isExpired = ({ expiresAtMs }: Grant): boolean => expiresAtMs !== null && clock.now() >= expiresAtMs;

  return {
    anonymous:
      anonymous.length === 0
        ? undefined
        : { subject: ANONYMOUS, permissions: anonymous.map(parsePermission), expiresAtMs: null },
    authenticate: async (token) => {
      if (token.length > MAX_TOKEN_LENGTH) throw unauthenticated("too-long");
      const known = grantOfToken(token);
      if (known !== undefined) {
        if (isExpired(known)) throw tokenExpired();
        return known;
      }
      const read = readJwt(token);
      if (read.claims["iss"] !== SHARE_ISSUER) return grantOfJwt(token, read);
      if (shareLinks === undefined) throw unauthenticated("issuer");
      return shareLinks.verify(token);
    },
    isCurrent: (grant) => !isExpired(grant) && shareLinks?.isRevoked(grant) !== true,
  };
}
