/** An issuer of tokens for one test: real keys, and a real HTTP server that gives them out and counts how often. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from "jose";
import { onTestFinished } from "vitest";

import {
  createAuthenticator,
  type Authenticator,
  type AuthenticatorOptions,
} from "../../../src/server/auth/authenticator.ts";
import { isMilepostError } from "../../../src/errors.ts";
import { manualClock, type ManualClock } from "../../manual-clock.ts";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface KeyServer {
  readonly url: string;
  /** Requests so far. */
  readonly requests: string[];
  /** What it gives out; or `answer`, when there is one. */
  keys: JWK[];
  answer: Answer | undefined;
}

export async function keyServer(keys: JWK[] = []): Promise<KeyServer> {
  const state: { keys: JWK[]; answer: Answer | undefined } = { keys, answer: undefined };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    if (state.answer !== undefined) state.answer(request, response);
    else response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: state.keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  return Object.assign(state, { url, requests });
}

export interface SigningKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export async function signingKey(kid: string, algorithm = "ES256"): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" };
  return { kid, algorithm, privateKey, publicKey, jwk };
}

export const ISSUER = "https://issuer.example.com";
export const AUDIENCE = "milepost";

export interface World {
  readonly clock: ManualClock;
  readonly server: KeyServer;
  readonly key: SigningKey;
  readonly authenticator: Authenticator;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly claims: (changed?: JWTPayload) => JWTPayload;
  readonly sign: (claims: JWTPayload, key?: SigningKey) => Promise<string>;
}

/** One issuer with one key, and an authenticator that takes its tokens. */
export async function world(options: Partial<AuthenticatorOptions> = {}): Promise<World> {
  const clock = manualClock();
  const key = await signingKey("key-1");
  const server = await keyServer([key.jwk]);
  const authenticator = createAuthenticator({
    issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwksUri: server.url }],
    allowedAddresses: ["127.0.0.1"],
    clock,
    ...options,
  });
  const now = (): number => Math.floor(clock.now() / 1000);
  const claims = (changed: JWTPayload = {}): JWTPayload => ({
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "agent-7",
    exp: now() + 600,
    scope: "openid report:cluster:prod",
    ...changed,
  });
  return { clock, server, key, authenticator, now, claims, sign: (payload, signer = key) => sign(payload, signer) };
}

export async function sign(claims: JWTPayload, { kid, algorithm, privateKey }: SigningKey): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid }).sign(privateKey);
}

/** The code of the error that this ends with; "none" when it ends well. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return "none";
  } catch (error) {
    return isMilepostError(error) ? error.code : `not ours: ${String(error)}`;
  }
}
