/**
 * Reads a JSON Web Token without believing it: the shape alone, so that whatever is malformed, ambiguous or dangerous is
 * refused before a key is looked for. Whether the signature holds is for `jose` to say, afterwards.
 */

import { scanJson } from "../../scan-json.ts";
import { unauthenticated } from "./refusal.ts";

/** A longer token is refused unread. In characters. */
export const MAX_TOKEN_LENGTH = 16_384;

/** The signatures that issuers may use, asymmetric all, and how long each is in bytes (RSA: at least, with a key of 2048 bits). */
export const ALGORITHMS = {
  RS256: 256,
  RS384: 256,
  RS512: 256,
  PS256: 256,
  PS384: 256,
  PS512: 256,
  ES256: 64,
  ES384: 96,
  ES512: 132,
  EdDSA: 64,
  Ed25519: 64,
} as const;
export type Algorithm = keyof typeof ALGORITHMS;

/** What a token says of itself. Not verified. */
export interface UnverifiedJwt {
  readonly algorithm: string;
  readonly type: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signature: Buffer;
}

/** Header fields that bring a key along or change what the others mean. None is ever followed: a token with one is refused. */
const REFUSED_FIELDS = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty"];

/** Kids are only compared, yet one that looks like a path or a query is nobody's. */
const KID = /^(?!.*\.\.)[\w.~:/+=@#-]{1,256}$/;

/** @param token - at most {@link MAX_TOKEN_LENGTH} long. @throws UNAUTHENTICATED. */
export function readJwt(token: string): UnverifiedJwt {
  const [head, body, seal, ...rest] = token.split(".");
  if (head === undefined || body === undefined || seal === undefined || rest.length > 0)
    throw unauthenticated("malformed");
  const header = objectIn(decoded(head));
  const { alg: algorithm, kid, typ: type } = header;
  if (typeof algorithm !== "string") throw unauthenticated("header");
  if (REFUSED_FIELDS.some((field) => Object.hasOwn(header, field))) throw unauthenticated("header");
  if (kid !== undefined && !(typeof kid === "string" && KID.test(kid))) throw unauthenticated("header");
  if (type !== undefined && typeof type !== "string") throw unauthenticated("header");
  return { algorithm, type, claims: objectIn(decoded(body)), signature: decoded(seal) };
}

/** Whether a signature can be one of this algorithm at all: of its length, and for ECDSA with neither half zero. @throws UNAUTHENTICATED. */
export function checkSignatureShape(algorithm: Algorithm, signature: Buffer): void {
  const wanted = ALGORITHMS[algorithm];
  const isRsa = /^[RP]S/.test(algorithm);
  if (isRsa ? signature.length < wanted : signature.length !== wanted) throw unauthenticated("signature");
  if (!algorithm.startsWith("ES")) return;
  const halves = [signature.subarray(0, wanted / 2), signature.subarray(wanted / 2)];
  if (halves.some((half) => half.every((byte) => byte === 0))) throw unauthenticated("signature");
}

/** Base64url as it must be written: no padding, no foreign characters, no bits behind the last byte. */
function decoded(part: string): Buffer {
  const bytes = Buffer.from(part, "base64url");
  if (bytes.toString("base64url") !== part) throw unauthenticated("malformed");
  return bytes;
}

/** A JSON object in UTF-8 in which no name stands twice: readers differ on which of two counts. */
function objectIn(bytes: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  let isTwofold: boolean;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
    isTwofold = scanJson(bytes) !== undefined;
  } catch {
    throw unauthenticated("malformed");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || isTwofold)
    throw unauthenticated("malformed");
  return value as Readonly<Record<string, unknown>>;
}
