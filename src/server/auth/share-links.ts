/**
 * Share links: a token that shows one upgrade to whoever holds it, until it expires or is revoked. It is signed with a key of
 * the server's own, and says all there is to know: what is kept besides is what was revoked, and a list for people.
 *
 * An id is `<generation>.<random>`. An upgrade has one generation at a time: revoking all its links begins the next.
 */

import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { errors, jwtVerify, SignJWT } from "jose";

import { MilepostError, shown } from "../../errors.ts";
import { checkId } from "../../model/check.ts";
import { systemClock, type Clock } from "../../tracker/clock.ts";
import type { Grant } from "./grant.ts";
import { tokenExpired, unauthenticated } from "./refusal.ts";
import { openShareRecord, type ShareEntry, type ShareRecord } from "./share-record.ts";

/** The `iss` of share tokens. No other issuer can have it. */
export const SHARE_ISSUER = "milepost:share";

const TYPE = "milepost-share+jwt";
const FIRST_GENERATION = "0";
const ID = /^(?:0|[0-9a-f]{16})\.[0-9a-f]{32}$/;
const DAY_MS = 86_400_000;
const SHORTEST_MS = 60_000;

export interface ShareLinksOptions {
  /** Folder where the key and what was revoked are kept, in `share-links.json`. Without it both are gone with the process. */
  readonly folder?: string | undefined;
  /** The key, of at least 32 characters, for servers that share one; otherwise a random one is made and kept. */
  readonly key?: string | undefined;
  /** No link is made for longer. Default 30 days. */
  readonly maxLifetimeMs?: number | undefined;
  readonly clock?: Clock;
}

interface ShareLink {
  /** To revoke it by. Not a secret. */
  readonly id: string;
  /** The secret: put it behind the `#` of a URL, which browsers do not send. */
  readonly token: string;
  /** Wall time in milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** What a link is made for, as far as the list of links shows it. */
interface SharedUpgrade {
  readonly clusterName?: string;
  /** The subject of whoever makes it. */
  readonly createdBy?: string;
}

export interface ShareLinks {
  /**
   * @param about - for the list.
   * @throws INVALID_ID; INVALID_ARGUMENT for a lifetime below a minute or above the longest; LIMIT_REACHED, STORAGE_UNUSABLE.
   *   Default lifetime: 7 days.
   */
  createShareToken(upgradeId: string, lifetimeMs?: number, about?: SharedUpgrade): Promise<ShareLink>;
  /** The links that were made with this server's record and are good, the oldest first. */
  list(): readonly ShareEntry[];
  /** @throws UNAUTHENTICATED, TOKEN_EXPIRED. */
  verify(token: string): Promise<Grant>;
  /** True for the grant of a share link that was revoked since. */
  isRevoked(grant: Grant): boolean;
  /** True for text that can be the id of a link. */
  isId(text: string): boolean;
  /** Ends one link. @throws INVALID_ARGUMENT for what is no id of a link; LIMIT_REACHED, STORAGE_UNUSABLE. */
  revoke(id: string): void;
  /** Ends all links of an upgrade that there are; new ones can be made. @throws INVALID_ID, LIMIT_REACHED, STORAGE_UNUSABLE. */
  revokeAll(upgradeId: string): void;
}

/** @throws INVALID_ARGUMENT, STORAGE_UNUSABLE. */
export function createShareLinks(options: ShareLinksOptions = {}): ShareLinks {
  const { folder, key: givenKey, maxLifetimeMs = 30 * DAY_MS, clock = systemClock } = options;
  if (givenKey !== undefined && givenKey.length < 32) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      "the key of share links must have at least 32 characters (try `openssl rand -hex 32`)",
    );
  }
  const record = openShareRecord(folder === undefined ? undefined : join(folder, "share-links.json"), { clock });
  const key = givenKey === undefined ? record.key : Buffer.from(givenKey);
  const generationOf = (upgradeId: string): string => record.generationOf(upgradeId) ?? FIRST_GENERATION;

  return {
    list: () => record.links(),
    createShareToken: async (upgradeId, lifetimeMs = Math.min(7 * DAY_MS, maxLifetimeMs), about = {}) => {
      checkId(upgradeId, "upgradeId");
      checkLifetime(lifetimeMs, maxLifetimeMs);
      const id = `${generationOf(upgradeId)}.${randomBytes(16).toString("hex")}`;
      const expiresAt = Math.floor((clock.now() + lifetimeMs) / 1000);
      const token = await new SignJWT({ upgrade: upgradeId })
        .setProtectedHeader({ alg: "HS256", typ: TYPE })
        .setIssuer(SHARE_ISSUER)
        .setJti(id)
        .setExpirationTime(expiresAt)
        .sign(key);
      const { clusterName = "unknown", createdBy = "unknown" } = about;
      const expiresAtMs = expiresAt * 1000;
      record.add({ id, upgradeId, clusterName, createdBy, createdAtMs: clock.now(), expiresAtMs });
      return { id, token, expiresAtMs };
    },
    verify: async (token) => verifyShare(token, { key, record, clock, generationOf }),
    isRevoked: ({ subject, permissions }) => {
      if (!subject.startsWith("share:")) return false;
      const id = subject.slice("share:".length);
      const upgradeId = permissions[0]?.channel.slice("upgrade:".length) ?? "";
      return isRevoked(id, upgradeId, { record, generationOf });
    },
    isId: (text) => ID.test(text),
    revoke: (id) => {
      if (!ID.test(id)) throw new MilepostError("INVALID_ARGUMENT", `${shown(id)} is not the id of a share link`);
      record.revoke(id, clock.now() + maxLifetimeMs);
    },
    revokeAll: (upgradeId) => {
      record.setGeneration(checkId(upgradeId, "upgradeId"), randomBytes(8).toString("hex"));
    },
  };
}

interface Known {
  readonly record: ShareRecord;
  readonly generationOf: (upgradeId: string) => string;
}

async function verifyShare(
  token: string,
  { key, clock, ...known }: Known & { readonly key: Uint8Array; readonly clock: Clock },
): Promise<Grant> {
  let claims: { readonly jti?: unknown; readonly exp?: unknown; readonly upgrade?: unknown };
  try {
    const verified = await jwtVerify(token, key, {
      algorithms: ["HS256"],
      issuer: SHARE_ISSUER,
      typ: TYPE,
      requiredClaims: ["exp", "jti", "upgrade"],
      currentDate: new Date(clock.now()),
    });
    claims = verified.payload;
  } catch (error) {
    throw error instanceof errors.JWTExpired ? tokenExpired() : unauthenticated("signature");
  }
  const { jti: id, exp, upgrade } = claims as { jti: string; exp: number; upgrade: string };
  if (isRevoked(id, upgrade, known)) throw unauthenticated("revoked");
  return {
    subject: `share:${id}`,
    permissions: [{ action: "watch", channel: `upgrade:${upgrade}` }],
    expiresAtMs: exp * 1000,
  };
}

function isRevoked(id: string, upgradeId: string, { record, generationOf }: Known): boolean {
  return record.isRevoked(id) || id.split(".")[0] !== generationOf(upgradeId);
}

function checkLifetime(lifetimeMs: number, mostMs: number): void {
  if (lifetimeMs >= SHORTEST_MS && lifetimeMs <= mostMs) return;
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `a share link lives from a minute to ${mostMs / DAY_MS} days, not ${shown(lifetimeMs)} ms`,
  );
}
