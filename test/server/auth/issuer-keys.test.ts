import { exportJWK } from "jose";
import { expect, test } from "vitest";

import { createAuthenticator } from "../../../src/server/auth/authenticator.ts";
import { AUDIENCE, codeOf, ISSUER, keyServer, sign, signingKey, world, type Answer } from "./issuer.ts";

test("[G3] 10,500 unknown keys cost two fetches: the first one, and one half a minute later (X11)", async () => {
  const { authenticator, claims, sign: signed, server, clock } = await world();
  const [, body, seal] = (await signed(claims())).split(".") as [string, string, string];
  const flood = async (from: number): Promise<Set<string>> => {
    const tokens = Array.from({ length: 3_500 }, (_, n) => {
      const head = Buffer.from(JSON.stringify({ alg: "ES256", kid: `k${from + n}` })).toString("base64url");
      return `${head}.${body}.${seal}`;
    });
    return new Set(await Promise.all(tokens.map((token) => codeOf(() => authenticator.authenticate(token)))));
  };
  expect(await flood(0)).toEqual(new Set(["UNAUTHENTICATED"]));
  expect(server.requests).toHaveLength(1);
  clock.pass(29_999);
  expect(await flood(5_000)).toEqual(new Set(["UNAUTHENTICATED"]));
  expect(server.requests).toHaveLength(1);
  clock.pass(1);
  expect(await flood(10_000)).toEqual(new Set(["UNAUTHENTICATED"]));
  expect(server.requests).toHaveLength(2);
  expect(await codeOf(async () => authenticator.authenticate(await signed(claims())))).toBe("none");
});

test("an address that fails is asked once in half a minute, and the answer is to come back (X11)", async () => {
  const { authenticator, claims, sign: signed, server, clock } = await world();
  const token = await signed(claims());
  server.answer = (_request, response) => response.writeHead(500).end();
  for (let n = 0; n < 200; n++) expect(await codeOf(() => authenticator.authenticate(token))).toBe("RATE_LIMITED");
  expect(server.requests).toHaveLength(1);
  server.answer = undefined;
  clock.pass(30_000);
  expect(await codeOf(() => authenticator.authenticate(token))).toBe("none");
});

test("a new key is found when a token names it, and one that was taken away is gone (X11)", async () => {
  const { authenticator, claims, sign: signed, server, clock, key } = await world({ leewaySeconds: 0 });
  const next = await signingKey("key-2");
  expect(await codeOf(async () => authenticator.authenticate(await signed(claims())))).toBe("none");
  server.keys = [next.jwk];
  clock.pass(30_000);
  expect(await codeOf(async () => authenticator.authenticate(await signed(claims(), next)))).toBe("none");
  expect(await codeOf(async () => authenticator.authenticate(await signed(claims(), key)))).toBe("UNAUTHENTICATED");
  expect(server.requests).toHaveLength(2);
});

test("keys are looked after every ten minutes, and nobody waits for that (X11)", async () => {
  const lines: string[] = [];
  const logger = { info: () => undefined, error: () => undefined, warn: (line: string) => void lines.push(line) };
  const { authenticator, claims, sign: signed, server, clock } = await world({ logger });
  const isTaken = async (): Promise<string> => codeOf(async () => authenticator.authenticate(await signed(claims())));
  expect(await isTaken()).toBe("none");
  clock.pass(600_001);
  const asked = new Promise<void>((resolve) => (server.answer = () => resolve()));
  expect(await isTaken()).toBe("none");
  // Whoever had waited would have seen the address fail first.
  expect(lines).toEqual([]);
  await asked;
  expect(server.requests).toHaveLength(2);
});

test("keys known before are good for a day while the address does not answer, then no longer (X11)", async () => {
  const lines: string[] = [];
  const logger = { info: () => undefined, error: () => undefined, warn: (line: string) => void lines.push(line) };
  const { authenticator, claims, sign: signed, server, clock } = await world({ logger });
  const verdict = async (): Promise<string> => codeOf(async () => authenticator.authenticate(await signed(claims())));
  expect(await verdict()).toBe("none");
  server.answer = (_request, response) => response.writeHead(503).end();
  clock.pass(86_400_000);
  expect(await verdict()).toBe("none");
  clock.pass(30_001);
  expect(await verdict()).toBe("RATE_LIMITED");
  expect(lines.at(-1)).toMatch(/keys of "https:\/\/issuer\.example\.com" could not be fetched .*503/);
});

test("an answer that is too long, leads elsewhere or is no key set is none (X11)", async () => {
  const trap = await keyServer();
  const key = await signingKey("key-1");
  const set = JSON.stringify({ keys: [key.jwk] });
  const bad: Record<string, Answer> = {
    "10 MB": (_, response) => response.end(set.padEnd(10_000_000)),
    "64 KiB and one": (_, response) => response.end(set.padEnd(65_537)),
    endless: (_, response) => {
      const more = (): void => {
        if (response.writable) response.write(Buffer.alloc(16_384, " "), more);
      };
      more();
    },
    redirect: (_, response) => response.writeHead(302, { location: trap.url }).end(set),
    "no JSON": (_, response) => response.end("<html>"),
    "no key set": (_, response) => response.end("[1]"),
    cut: (_, response) => {
      response.writeHead(200, { "content-length": 1000 }).write("{");
      response.destroy();
    },
  };
  for (const [name, answer] of Object.entries(bad)) {
    const { authenticator, claims, sign: signed, server } = await world();
    server.answer = answer;
    const token = await signed(claims(), key);
    expect([name, await codeOf(() => authenticator.authenticate(token))]).toEqual([name, "RATE_LIMITED"]);
    expect(server.requests).toHaveLength(1);
  }
  expect(trap.requests).toEqual([]);
  const { authenticator, claims, sign: signed, server } = await world();
  server.answer = (_, response) => response.end(set.padEnd(65_536));
  expect(await codeOf(async () => authenticator.authenticate(await signed(claims(), key)))).toBe("none");
});

test("a key for another use or another algorithm, and a private one, verifies nothing (X11)", async () => {
  const { authenticator, claims, sign: signed, server, key, clock } = await world();
  const faulty = [
    { ...key.jwk, use: "enc" },
    { ...key.jwk, alg: "ES384" },
    { ...key.jwk, key_ops: ["sign"] },
    { ...key.jwk, kty: "RSA" },
    { ...(await exportJWK(key.privateKey)), kid: key.kid },
  ];
  for (const jwk of faulty) {
    server.keys = [jwk];
    clock.pass(30_000);
    expect(await codeOf(async () => authenticator.authenticate(await signed(claims())))).toBe("UNAUTHENTICATED");
  }
  // Two under one name: nobody can say which is meant.
  server.keys = [key.jwk, (await signingKey(key.kid)).jwk];
  clock.pass(30_000);
  expect(await codeOf(async () => authenticator.authenticate(await signed(claims())))).toBe("UNAUTHENTICATED");
});

test("the kid of one issuer says nothing about another's keys (X15)", async () => {
  const one = await signingKey("shared");
  const other = await signingKey("shared");
  const [first, second] = [await keyServer([one.jwk]), await keyServer([other.jwk])];
  const { clock, claims } = await world();
  const authenticator = createAuthenticator({
    issuers: [
      { issuer: ISSUER, audience: AUDIENCE, jwksUri: first.url },
      { issuer: "https://other.example.com", audience: AUDIENCE, jwksUri: second.url },
    ],
    allowedAddresses: ["127.0.0.1"],
    clock,
  });
  const verdict = async (iss: string, key: typeof one): Promise<string> =>
    codeOf(async () => authenticator.authenticate(await sign(claims({ iss }), key)));
  expect(await verdict(ISSUER, one)).toBe("none");
  expect(await verdict("https://other.example.com", other)).toBe("none");
  expect(await verdict(ISSUER, other)).toBe("UNAUTHENTICATED");
  expect(await verdict("https://other.example.com", one)).toBe("UNAUTHENTICATED");
});

test("a forged issuer at an internal address is not asked for anything (X14)", async () => {
  const trap = await keyServer();
  const { authenticator, claims, sign: signed, server, key } = await world();
  for (const iss of [
    "http://169.254.169.254/latest/meta-data",
    trap.url,
    new URL(trap.url).origin,
    `${ISSUER}@169.254.169.254`,
  ]) {
    expect(await codeOf(async () => authenticator.authenticate(await signed(claims({ iss }))))).toBe("UNAUTHENTICATED");
    const head = { alg: "ES256", kid: key.kid, jku: trap.url };
    const token = (await signed(claims())).replace(/^[^.]+/, Buffer.from(JSON.stringify(head)).toString("base64url"));
    expect(await codeOf(() => authenticator.authenticate(token))).toBe("UNAUTHENTICATED");
  }
  expect([...trap.requests, ...server.requests]).toEqual([]);
});
