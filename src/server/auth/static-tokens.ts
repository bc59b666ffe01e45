/** Bearer tokens that an operator hands out: long random texts, kept as hashes only. */

import { createHash, timingSafeEqual } from "node:crypto";

import { MilepostError } from "../../errors.ts";
import { checkId } from "../../model/check.ts";
import { parsePermission, type Grant } from "./grant.ts";

/** One token, as itself or as its hash. */
export interface StaticToken {
  /** Who has it, for logs. */
  readonly name: string;
  /** At least 20 characters, each a letter, a digit or one of `-._~`: so it fits a header, a subprotocol and a cookie as it is. */
  readonly token?: string | undefined;
  /** The SHA-256 of the token, as 64 hexadecimal digits, instead of it. */
  readonly sha256?: string | undefined;
  /** As `watch:fleet` or `report:cluster:prod`. */
  readonly permissions: readonly string[];
  /** Wall time in milliseconds since 1970; never when left out. */
  readonly expiresAtMs?: number | undefined;
}

const TOKEN = /^[A-Za-z0-9._~-]{20,4096}$/;
const HASH = /^[0-9a-f]{64}$/i;

/**
 * Finds the grant of a token. All hashes are compared, each in constant time, so the time tells nothing about what is right.
 *
 * @throws INVALID_ARGUMENT, INVALID_ID for tokens that cannot be used.
 */
export function staticTokens(tokens: readonly StaticToken[]): (token: string) => Grant | undefined {
  const known = tokens.map((given) => ({ hash: hashOf(given), grant: grantOf(given) }));
  refuseTwice(
    tokens.map(({ name }) => name),
    "name",
  );
  refuseTwice(
    known.map(({ hash }) => hash.toString("hex")),
    "token",
  );
  return (token) => {
    const hash = sha256(token);
    let found: Grant | undefined;
    for (const entry of known) if (timingSafeEqual(entry.hash, hash)) found = entry.grant;
    return found;
  };
}

function hashOf({ name, token, sha256: hash }: StaticToken): Buffer {
  if ((token === undefined) === (hash === undefined)) throw wrong(name, "needs either `token` or `sha256`");
  if (hash !== undefined) {
    if (!HASH.test(hash)) throw wrong(name, "has a `sha256` that is not 64 hexadecimal digits");
    return Buffer.from(hash, "hex");
  }
  // Its text is never shown, also where it is wrong: half a secret is one too.
  if (!TOKEN.test(token as string)) {
    throw wrong(
      name,
      "must have 20 to 4096 characters, each a letter, a digit or one of -._~ (try `openssl rand -hex 32`)",
    );
  }
  return sha256(token as string);
}

function grantOf({ name, permissions, expiresAtMs }: StaticToken): Grant {
  return {
    subject: `token:${checkId(name, "the name of a token")}`,
    permissions: permissions.map(parsePermission),
    expiresAtMs: expiresAtMs ?? null,
  };
}

function refuseTwice(values: readonly string[], what: string): void {
  if (new Set(values).size < values.length) {
    throw new MilepostError("INVALID_ARGUMENT", `two tokens have the same ${what}; give each its own`);
  }
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function wrong(name: string, fault: string): MilepostError {
  return new MilepostError("INVALID_ARGUMENT", `the token of ${JSON.stringify(name)} ${fault}`);
}
