/** Signatures by Standard Webhooks: one for each secret, so that a receiver may know the old one or the new one. */

import { createPrivateKey, sign, type KeyObject } from "node:crypto";

import { Webhook } from "standardwebhooks";

import { MilepostError } from "../../errors.ts";

/** What is signed: the text `id.timestamp.body`. */
interface Signed {
  readonly id: string;
  /** Of the attempt. */
  readonly time: Date;
  readonly body: string;
}

/** Signs; the answer is the header `webhook-signature`. */
export type Signer = (signed: Signed) => string;

const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;
const SEED_BYTES = 32;
/** What stands before the seed in a private key of ed25519 (PKCS #8, RFC 8410). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * @param secrets - each `whsec_` and 24 to 64 bytes in base64 (HMAC-SHA256), or `whsk_` and an ed25519 private key: its seed of 32
 * bytes, or seed and public key of 64.
 * @throws INVALID_ARGUMENT.
 */
export function createSigner(secrets: readonly string[]): Signer {
  if (!Array.isArray(secrets) || secrets.length === 0) throw unusable("must hold at least one secret");
  const signers = secrets.map((secret, place) => signerOf(secret, `[${place}]`));
  return (signed) => signers.map((one) => one(signed)).join(" ");
}

function signerOf(secret: unknown, place: string): Signer {
  const [, prefix, text = ""] =
    /^(whsec_|whsk_)([A-Za-z0-9+/]+={0,2})$/.exec(typeof secret === "string" ? secret : "") ?? [];
  if (prefix === undefined) throw unusable(`${place} must be whsec_ or whsk_ and base64`);
  const key = Buffer.from(text, "base64");
  // Both sides have to read the same bytes from it.
  if (key.toString("base64") !== text) throw unusable(`${place} is not whole base64: its padding is missing or wrong`);
  return prefix === "whsec_" ? hmacSigner(key, place) : ed25519Signer(key, place);
}

function hmacSigner(key: Buffer, place: string): Signer {
  if (key.length < MIN_KEY_BYTES || key.length > MAX_KEY_BYTES) {
    throw unusable(`${place} must be of ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes, not ${key.length}`);
  }
  const webhook = new Webhook(key, { format: "raw" });
  return ({ id, time, body }) => webhook.sign(id, time, body);
}

/** The package signs with HMAC only; this is version `v1a` of the same rule. */
function ed25519Signer(key: Buffer, place: string): Signer {
  if (key.length !== SEED_BYTES && key.length !== SEED_BYTES * 2) {
    throw unusable(`${place} must be an ed25519 key of ${SEED_BYTES} or ${SEED_BYTES * 2} bytes, not ${key.length}`);
  }
  const der = Buffer.concat([PKCS8_HEAD, key.subarray(0, SEED_BYTES)]);
  const privateKey: KeyObject = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return ({ id, time, body }) => {
    const text = `${id}.${Math.floor(time.getTime() / 1000)}.${body}`;
    return `v1a,${sign(null, Buffer.from(text), privateKey).toString("base64")}`;
  };
}

/** A secret is never shown, not even a wrong one. */
function unusable(what: string): MilepostError {
  return new MilepostError(
    "INVALID_ARGUMENT",
    `secrets ${what}; make one with "echo whsec_$(openssl rand -base64 32)"`,
  );
}
