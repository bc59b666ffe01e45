import { createHmac } from "node:crypto";

import { exportPKCS8, exportSPKI } from "jose";
import { describe, expect, test } from "vitest";

import { isMilepostError } from "../../../src/errors.ts";
import { createAuthenticator } from "../../../src/server/auth/authenticator.ts";
import { AUDIENCE, codeOf, ISSUER, sign, signingKey, world, type World } from "./issuer.ts";

const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token of these parts with a signature of the right shape and no meaning. */
const crafted = (header: unknown, claims: unknown, signature: Uint8Array = new Uint8Array(64).fill(7)): string =>
  `${encode(header)}.${encode(claims)}.${Buffer.from(signature).toString("base64url")}`;

const ES = { alg: "ES256", kid: "key-1" };

/** X10: each of them forged, broken or not for us. */
async function craftedTokens({ claims, now, sign: signed, key }: World): Promise<Record<string, string>> {
  const good = await signed(claims());
  const [head, body, seal] = good.split(".") as [string, string, string];
  const hmac = async (): Promise<string> => {
    const input = `${encode({ alg: "HS256", kid: "key-1" })}.${encode(claims())}`;
    return `${input}.${createHmac("sha256", await exportSPKI(key.publicKey))
      .update(input)
      .digest("base64url")}`;
  };
  const without = (name: string): object =>
    Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name));
  const json = JSON.stringify(claims());
  return {
    "alg none": `${encode({ alg: "none" })}.${encode(claims())}.`,
    "alg None": `${encode({ alg: "None" })}.${encode(claims())}.`,
    "alg missing": crafted({ kid: "key-1" }, claims()),
    "alg a list": crafted({ alg: ["ES256"], kid: "key-1" }, claims()),
    "alg not allowed": crafted({ alg: "RS512", kid: "key-1" }, claims(), new Uint8Array(256).fill(7)),
    "public key as HMAC secret": await hmac(),
    "empty signature": `${head}.${body}.`,
    "short signature": crafted(ES, claims(), new Uint8Array(63).fill(7)),
    "r = s = 0": crafted(ES, claims(), new Uint8Array(64)),
    "r = 0": crafted(ES, claims(), new Uint8Array(64).fill(7, 32)),
    "wrong audience": await signed(claims({ aud: "other" })),
    "audience missing": await signed(without("aud") as never),
    "wrong issuer": await signed(claims({ iss: "https://evil.example.com" })),
    "issuer with a slash more": await signed(claims({ iss: `${ISSUER}/` })),
    "issuer in capitals": await signed(claims({ iss: ISSUER.toUpperCase() })),
    "issuer an internal address": await signed(claims({ iss: "http://169.254.169.254/latest" })),
    "no exp": await signed(without("exp") as never),
    "exp as text": crafted(ES, { ...claims(), exp: String(now() + 60) }),
    "exp far": await signed(claims({ exp: now() + 10 * 365 * 86_400 })),
    "exp past": await signed(claims({ exp: now() - 3600 })),
    "nbf future": await signed(claims({ nbf: now() + 3600 })),
    "iat future": await signed(claims({ iat: now() + 3600 })),
    "no sub": await signed(without("sub") as never),
    crit: crafted({ ...ES, crit: ["exp"] }, claims()),
    jku: crafted({ ...ES, jku: "https://evil.example.com/keys" }, claims()),
    x5u: crafted({ ...ES, x5u: "https://evil.example.com/cert" }, claims()),
    x5c: crafted({ ...ES, x5c: ["MIIB"] }, claims()),
    jwk: crafted({ ...ES, jwk: key.jwk }, claims()),
    "b64 false": crafted({ ...ES, b64: false }, claims()),
    "kid a path": crafted({ ...ES, kid: "../../dev/null" }, claims()),
    "kid SQL": crafted({ ...ES, kid: "1' OR '1'='1" }, claims()),
    "kid 1 MB": crafted({ ...ES, kid: "k".repeat(1_000_000) }, claims()),
    "kid a number": crafted({ ...ES, kid: 1 }, claims()),
    "typ of a logout token": crafted({ ...ES, typ: "logout+jwt" }, claims()),
    "claim twice": crafted(ES, `${json.slice(0, -1)},"scope":"admin:*"}`),
    "claim twice, escaped": crafted(ES, `${json.slice(0, -1)},"\\u0073cope":"admin:*"}`),
    "header field twice": crafted('{"alg":"none","alg":"ES256"}', claims()),
    "claim twice, nested": crafted(ES, `${json.slice(0, -1)},"x":{"a":1,"a":2}}`),
    "token in a token": crafted({ ...ES, cty: "JWT" }, good),
    "claims a list": crafted(ES, [claims()]),
    "trailing part": `${good}.${seal}`,
    "trailing line end": `${good}\n`,
    padding: `${head}.${body}.${seal}==`,
    "base64 for base64url": crafted(ES, claims(), new Uint8Array(64).fill(0xfb))
      .replaceAll("-", "+")
      .replaceAll("_", "/"),
    "bits behind the last byte": `${head}.${body}.${seal.slice(0, -1)}${seal.endsWith("B") ? "C" : "B"}`,
    "bytes that are no UTF-8": `${head}.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.${seal}`,
    "token of 1 MB": crafted(ES, { ...claims(), fill: "x".repeat(1_000_000) }),
    "two parts": `${head}.${body}`,
    "five parts (encrypted)": `${head}.${body}.${seal}.${seal}.${seal}`,
    "no token": "not-a-token-at-all-but-long-enough",
    empty: "",
  };
}

describe("tokens of an issuer (X10)", () => {
  test("[G3] 50 crafted tokens are refused before anything is fetched", async () => {
    const here = await world();
    const tokens = Object.entries(await craftedTokens(here));
    expect(tokens.length).toBeGreaterThanOrEqual(50);
    const verdicts: Record<string, string> = {};
    for (const [name, token] of tokens) verdicts[name] = await codeOf(() => here.authenticator.authenticate(token));
    const expected = tokens.map(([name]) => [name, name === "exp past" ? "TOKEN_EXPIRED" : "UNAUTHENTICATED"]);
    expect(verdicts).toEqual(Object.fromEntries(expected));
    expect(here.server.requests).toEqual([]);
  });

  test("the same tokens are refused when the keys are there", async () => {
    const here = await world();
    await here.authenticator.authenticate(await here.sign(here.claims()));
    for (const [name, token] of Object.entries(await craftedTokens(here))) {
      expect([name, await codeOf(() => here.authenticator.authenticate(token))]).not.toContain("none");
    }
  });

  test("a good one tells who it is, what it allows and until when", async () => {
    const { authenticator, claims, sign: signed, now, server } = await world({ leewaySeconds: 0 });
    const grant = await authenticator.authenticate(await signed(claims({ aud: ["other", AUDIENCE] })));
    expect(grant).toEqual({
      subject: `jwt:${ISSUER}#agent-7`,
      permissions: [{ action: "report", channel: "cluster:prod" }],
      expiresAtMs: (now() + 600) * 1000,
    });
    expect(server.requests).toEqual(["/keys"]);
  });

  test("a good one with one bit of it changed is refused", async () => {
    const { authenticator, claims, sign: signed } = await world();
    const [head, , seal] = (await signed(claims())).split(".") as [string, string, string];
    const changed = `${head}.${encode(claims({ scope: "admin:*" }))}.${seal}`;
    expect(await codeOf(() => authenticator.authenticate(changed))).toBe("UNAUTHENTICATED");
    const stranger = await signingKey("key-1");
    expect(await codeOf(async () => authenticator.authenticate(await signed(claims(), stranger)))).toBe(
      "UNAUTHENTICATED",
    );
  });

  test("every algorithm that is offered works, with a public key in place of an address", async () => {
    for (const algorithm of ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"] as const) {
      const key = await signingKey("k", algorithm);
      const { claims, clock } = await world();
      const authenticator = createAuthenticator({
        issuers: [
          { issuer: ISSUER, audience: AUDIENCE, publicKey: await exportSPKI(key.publicKey), algorithms: [algorithm] },
        ],
        clock,
      });
      expect(await codeOf(async () => authenticator.authenticate(await sign(claims(), key)))).toBe("none");
      const wrong = await signingKey("k", algorithm);
      expect(await codeOf(async () => authenticator.authenticate(await sign(claims(), wrong)))).toBe("UNAUTHENTICATED");
    }
  });

  test("values of a claim are mapped to permissions, and what means nothing here is passed over", async () => {
    const { server, clock, claims, sign: signed } = await world();
    const authenticator = createAuthenticator({
      issuers: [
        {
          issuer: ISSUER,
          audience: AUDIENCE,
          jwksUri: server.url,
          permissionsClaim: "groups",
          permissions: { "Cluster Operators": ["admin:cluster:prod", "watch:fleet"] },
        },
      ],
      allowedAddresses: ["127.0.0.1"],
      clock,
    });
    const of = async (groups: unknown): Promise<unknown> =>
      (await authenticator.authenticate(await signed(claims({ groups, scope: "admin:*" })))).permissions;
    expect(await of(["Cluster Operators", "Everyone", 7, "watch:upgrade:a b"])).toEqual([
      { action: "admin", channel: "cluster:prod" },
      { action: "watch", channel: "fleet" },
      { action: "watch", channel: "upgrade:a b" },
    ]);
    expect(await of("__proto__ constructor watch:nonsense")).toEqual([]);
    expect(await of({ admin: "*" })).toEqual([]);
    expect(await of(Array(400).fill("watch:fleet"))).toHaveLength(256);
  });
});

describe("clocks that differ (X12)", () => {
  test.each([0, 1, 30, 60])(
    "a token is taken until its expiry and %i seconds, and not a second longer",
    async (leeway) => {
      const { authenticator, claims, sign: signed, clock, now } = await world({ leewaySeconds: leeway });
      const exp = now() + 10;
      const token = await signed(claims({ exp }));
      const { expiresAtMs } = await authenticator.authenticate(token);
      expect(expiresAtMs).toBe((exp + leeway) * 1000);
      const grant = { subject: "", permissions: [], expiresAtMs };
      clock.pass((10 + leeway) * 1000 - 1);
      expect(await codeOf(() => authenticator.authenticate(token))).toBe("none");
      expect(authenticator.isCurrent(grant)).toBe(true);
      clock.pass(1);
      expect(await codeOf(() => authenticator.authenticate(token))).toBe("TOKEN_EXPIRED");
      expect(authenticator.isCurrent(grant)).toBe(false);
    },
  );

  test.each([0, 60])("a token is taken %i seconds before its beginning, and not a second earlier", async (leeway) => {
    const { authenticator, claims, sign: signed, now } = await world({ leewaySeconds: leeway });
    for (const name of ["nbf", "iat"]) {
      const begins = (at: number) => async () => authenticator.authenticate(await signed(claims({ [name]: at })));
      expect(await codeOf(begins(now() + leeway))).toBe("none");
      expect(await codeOf(begins(now() + leeway + 1))).toBe("UNAUTHENTICATED");
    }
  });

  test("more than a minute is not given", async () => {
    for (const leewaySeconds of [61, -1, Number.NaN]) {
      expect(await codeOf(() => createAuthenticator({ anonymous: ["watch:*"], leewaySeconds }))).toBe(
        "INVALID_ARGUMENT",
      );
    }
  });

  test("a part of a second counts as the whole, and the two verdicts agree", async () => {
    const { authenticator, claims, sign: signed, clock, now } = await world({ leewaySeconds: 0 });
    const exp = now() + 10.5;
    const token = await signed(claims({ exp }));
    const { expiresAtMs } = await authenticator.authenticate(token);
    clock.pass((expiresAtMs as number) - clock.now() - 1);
    expect(await codeOf(() => authenticator.authenticate(token))).toBe("none");
    clock.pass(1);
    expect(await codeOf(() => authenticator.authenticate(token))).toBe("TOKEN_EXPIRED");
  });
});

test("issuers that cannot be used are refused at once, by name", async () => {
  const privateKey = await exportPKCS8((await signingKey("k")).privateKey);
  const good = { issuer: ISSUER, audience: AUDIENCE, jwksUri: "https://issuer.example.com/keys" };
  const faults: [string, object][] = [
    ["audience", { ...good, audience: "" }],
    ["jwksUri", { issuer: ISSUER, audience: AUDIENCE }],
    ["publicKey", { ...good, publicKey: "x" }],
    ["publicKey", { issuer: ISSUER, audience: AUDIENCE, publicKey: privateKey }],
    ["HS256", { ...good, algorithms: ["HS256"] }],
    ["none", { ...good, algorithms: ["none"] }],
    ["https", { ...good, jwksUri: "http://issuer.example.com/keys" }],
    ["URL", { ...good, jwksUri: "issuer" }],
    ["name or password", { ...good, jwksUri: "https://u:CANARY@issuer.example.com/keys" }],
    ["169.254.169.254", { ...good, jwksUri: "https://169.254.169.254/keys" }],
    ["127.0.0.1", { ...good, jwksUri: "http://127.0.0.1/keys" }],
    ["own", { ...good, issuer: "milepost:share" }],
  ];
  for (const [word, issuer] of faults) {
    try {
      createAuthenticator({ issuers: [issuer as never] });
      expect.unreachable(word);
    } catch (error) {
      expect(isMilepostError(error, "INVALID_ARGUMENT") || isMilepostError(error, "FORBIDDEN")).toBe(true);
      expect((error as Error).message).toContain(word);
      expect((error as Error).message).not.toContain("CANARY");
      expect((error as Error).message).not.toContain(privateKey.slice(40, 80));
    }
  }
  expect(() => createAuthenticator({ issuers: [good, good] })).toThrow("twice");
});
