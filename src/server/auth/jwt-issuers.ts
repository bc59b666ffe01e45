/** Tokens of OIDC providers and other issuers of JSON Web Tokens: which are taken, and what they allow. */

import { createPublicKey, type KeyObject } from "node:crypto";

import { errors, jwtVerify } from "jose";

import { isMilepostError, MilepostError, shown } from "../../errors.ts";
import type { AddressList } from "../../ip-addresses.ts";
import { checkId, checkNumber } from "../../model/check.ts";
import { checkOutboundUrl } from "../../outbound.ts";
import type { Clock } from "../../tracker/clock.ts";
import type { Logger } from "../../tracker/logger.ts";
import { claimedPermissions } from "./claimed-permissions.ts";
import { parsePermission, type Grant, type Permission } from "./grant.ts";
import { issuerKeys, type KeyFinder } from "./issuer-keys.ts";
import { ALGORITHMS, checkSignatureShape, type Algorithm, type UnverifiedJwt } from "./read-jwt.ts";
import { tokenExpired, unauthenticated } from "./refusal.ts";

export interface JwtIssuer {
  /** The `iss` of its tokens, exactly. */
  readonly issuer: string;
  /** What must be in their `aud`. */
  readonly audience: string;
  /** Where its keys are: https, or http on a loopback address that is among the allowed ones. Or {@link publicKey}. */
  readonly jwksUri?: string | undefined;
  /** Its one public key, in PEM ("BEGIN PUBLIC KEY"), instead of an address. */
  readonly publicKey?: string | undefined;
  /** Default RS256, ES256 and EdDSA. */
  readonly algorithms?: readonly Algorithm[] | undefined;
  /** The claim with the permissions: text with spaces between, or an array. Default `scope`. */
  readonly permissionsClaim?: string | undefined;
  /** What values of that claim allow, such as names of groups. A value that is not here is read as a permission itself. */
  readonly permissions?: Readonly<Record<string, readonly string[]>> | undefined;
  /** A token that expires later than this from now is refused. Default 86,400 (a day). */
  readonly maxLifetimeSeconds?: number | undefined;
}

export interface JwtIssuersOptions {
  readonly issuers: readonly JwtIssuer[];
  readonly allowed: AddressList;
  /** By how much clocks may differ: 0 to 60. */
  readonly leewaySeconds: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface KnownIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly key: KeyFinder | KeyObject;
  readonly algorithms: readonly Algorithm[];
  readonly permissionsClaim: string;
  readonly permissions: ReadonlyMap<string, readonly Permission[]>;
  readonly maxLifetimeSeconds: number;
}

const TYPES = new Set(["jwt", "at+jwt", "application/jwt", "application/at+jwt"]);
const YEAR_SECONDS = 31_536_000;

/**
 * Verifies tokens of these issuers. What can be refused without a key is, before anything is fetched.
 *
 * @throws INVALID_ARGUMENT at once for issuers that cannot be used; the function returned, which takes a token and what
 * `readJwt` made of it: UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED while an issuer's keys cannot be fetched.
 */
export function jwtIssuers(options: JwtIssuersOptions): (token: string, read: UnverifiedJwt) => Promise<Grant> {
  const { issuers, leewaySeconds, clock } = options;
  const known = new Map<unknown, KnownIssuer>();
  for (const given of issuers) {
    const issuer = checkIssuer(given, options);
    if (known.has(issuer.issuer)) throw wrong(given, "stands twice among the issuers; leave one out");
    known.set(issuer.issuer, issuer);
  }
  return async (token, { algorithm, type, claims, signature }) => {
    const issuer = known.get(claims["iss"]);
    if (issuer === undefined) throw unauthenticated("issuer");
    const allowed = issuer.algorithms.find((name) => name === algorithm);
    if (allowed === undefined) throw unauthenticated("algorithm");
    if (type !== undefined && !TYPES.has(type.toLowerCase())) throw unauthenticated("header");
    checkSignatureShape(allowed, signature);
    const expiry = checkClaims(issuer, claims, { leewaySeconds, nowMs: clock.now() });
    await verify(token, issuer, { leewaySeconds, nowMs: clock.now() });
    return {
      subject: `jwt:${issuer.issuer}#${checkSubject(claims["sub"])}`,
      permissions: claimedPermissions(claims[issuer.permissionsClaim], issuer.permissions),
      // As long as it is taken: until the whole second after its expiry has passed, and the leeway.
      expiresAtMs: (Math.ceil(expiry) + leewaySeconds) * 1000,
    };
  };
}

interface Moment {
  readonly leewaySeconds: number;
  readonly nowMs: number;
}

/** The claims that decide before the signature does; jose checks them again. Returns the expiry. */
function checkClaims(
  { audience, maxLifetimeSeconds }: KnownIssuer,
  claims: Readonly<Record<string, unknown>>,
  { leewaySeconds, nowMs }: Moment,
): number {
  const { aud, exp, nbf, iat } = claims;
  if (aud !== audience && !(Array.isArray(aud) && aud.includes(audience))) throw unauthenticated("audience");
  checkSubject(claims["sub"]);
  const now = Math.floor(nowMs / 1000);
  if (typeof exp !== "number" || !(exp <= now + maxLifetimeSeconds + leewaySeconds)) throw unauthenticated("lifetime");
  for (const begin of [nbf, iat]) {
    if (begin === undefined) continue;
    if (typeof begin !== "number" || !(begin <= now + leewaySeconds)) throw unauthenticated("not-yet-valid");
  }
  if (exp <= now - leewaySeconds) throw tokenExpired();
  return exp;
}

async function verify(token: string, issuer: KnownIssuer, { leewaySeconds, nowMs }: Moment): Promise<void> {
  const { key, audience, algorithms } = issuer;
  const options = {
    issuer: issuer.issuer,
    audience,
    algorithms: [...algorithms],
    clockTolerance: leewaySeconds,
    currentDate: new Date(nowMs),
    requiredClaims: ["exp", "sub"],
  };
  try {
    await (typeof key === "function" ? jwtVerify(token, key, options) : jwtVerify(token, key, options));
  } catch (error) {
    if (isMilepostError(error)) throw error;
    if (error instanceof errors.JWTExpired) throw tokenExpired();
    // Not as the cause: jose's errors carry the claims.
    throw unauthenticated("signature");
  }
}

function checkSubject(sub: unknown): string {
  try {
    return checkId(sub, "sub");
  } catch {
    throw unauthenticated("subject");
  }
}

function checkIssuer(given: JwtIssuer, { allowed, clock, logger }: JwtIssuersOptions): KnownIssuer {
  const { issuer, audience, algorithms = ["RS256", "ES256", "EdDSA"], permissionsClaim = "scope" } = given;
  const { permissions = {}, maxLifetimeSeconds = 86_400 } = given;
  if (typeof issuer !== "string" || issuer === "") throw wrong(given, "needs a name: the `iss` of its tokens");
  if (typeof audience !== "string" || audience === "")
    throw wrong(given, "needs an `audience`: what its tokens are for");
  const unknown = algorithms.find((name) => !Object.hasOwn(ALGORITHMS, name));
  if (unknown !== undefined || algorithms.length === 0) {
    throw wrong(given, `has the algorithm ${shown(unknown)}; known are ${Object.keys(ALGORITHMS).join(", ")}`);
  }
  checkNumber(maxLifetimeSeconds, "maxLifetimeSeconds", YEAR_SECONDS);
  const mapped = Object.entries(permissions).map(([value, texts]) => [value, texts.map(parsePermission)] as const);
  return {
    issuer,
    audience,
    algorithms,
    permissionsClaim,
    permissions: new Map(mapped),
    maxLifetimeSeconds,
    key: keyOf(given, { allowed, clock, logger }),
  };
}

function keyOf(given: JwtIssuer, at: Pick<JwtIssuersOptions, "allowed" | "clock" | "logger">): KeyFinder | KeyObject {
  const { issuer, jwksUri, publicKey } = given;
  if ((jwksUri === undefined) === (publicKey === undefined))
    throw wrong(given, "needs either `jwksUri` or `publicKey`");
  if (jwksUri !== undefined) {
    return issuerKeys({ issuer, jwksUri: checkOutboundUrl(jwksUri, at.allowed, "jwksUri"), ...at });
  }
  try {
    // Of a private key Node would make the public one; it has no business here.
    if (!(publicKey as string).includes("BEGIN PUBLIC KEY")) throw new TypeError("no public key");
    return createPublicKey(publicKey as string);
  } catch {
    throw wrong(given, 'has a `publicKey` that is not one in PEM ("BEGIN PUBLIC KEY")');
  }
}

function wrong({ issuer }: JwtIssuer, fault: string): MilepostError {
  return new MilepostError("INVALID_ARGUMENT", `the issuer ${shown(issuer)} ${fault}`);
}
