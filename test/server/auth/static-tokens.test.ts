import { createHash } from "node:crypto";

import { expect, test } from "vitest";

import { createAuthenticator, openAuthenticator } from "../../../src/server/auth/authenticator.ts";
import type { StaticToken } from "../../../src/server/auth/static-tokens.ts";
import { manualClock } from "../../manual-clock.ts";
import { codeOf } from "./issuer.ts";

const TOKEN = "tok_0123456789-abcdefghij.~";
const HASHED = "another-token-0123456789";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test("a token, or the one of a hash, gives what was written beside it", async () => {
  const clock = manualClock();
  const authenticator = createAuthenticator({
    tokens: [
      { name: "ci", token: TOKEN, permissions: ["report:cluster:prod"] },
      {
        name: "wall",
        sha256: sha256(HASHED).toUpperCase(),
        permissions: ["watch:fleet"],
        expiresAtMs: clock.now() + 1000,
      },
    ],
    clock,
  });
  expect(await authenticator.authenticate(TOKEN)).toEqual({
    subject: "token:ci",
    permissions: [{ action: "report", channel: "cluster:prod" }],
    expiresAtMs: null,
  });
  const wall = await authenticator.authenticate(HASHED);
  expect(wall.subject).toBe("token:wall");
  expect(authenticator.isCurrent(wall)).toBe(true);
  expect(authenticator.anonymous).toBeUndefined();
  for (const wrong of [
    "",
    TOKEN.slice(1),
    `${TOKEN} `,
    TOKEN.toUpperCase(),
    sha256(TOKEN),
    sha256(HASHED),
    "x".repeat(1e6),
  ]) {
    expect(await codeOf(() => authenticator.authenticate(wrong))).toBe("UNAUTHENTICATED");
  }
  clock.pass(1000);
  expect(authenticator.isCurrent(wall)).toBe(false);
  expect(await codeOf(() => authenticator.authenticate(HASHED))).toBe("TOKEN_EXPIRED");
});

test("tokens that cannot be used are refused at once, without being shown", () => {
  const good: StaticToken = { name: "a", token: TOKEN, permissions: ["watch:*"] };
  const faults: [string, readonly StaticToken[]][] = [
    ["20 to 4096", [{ ...good, token: "CANARY" }]],
    ["20 to 4096", [{ ...good, token: "CANARY with spaces in it, long" }]],
    ["either", [{ ...good, sha256: sha256(TOKEN) }]],
    ["either", [{ name: "a", permissions: ["watch:*"] }]],
    ["64 hexadecimal", [{ name: "a", sha256: "CANARY", permissions: [] }]],
    ["same name", [good, { ...good, token: `${TOKEN}2` }]],
    ["same token", [good, { ...good, name: "b" }]],
    ["action", [{ ...good, permissions: ["all"] }]],
  ];
  for (const [word, tokens] of faults) {
    try {
      createAuthenticator({ tokens });
      expect.unreachable(word);
    } catch (error) {
      expect((error as Error).message).toContain(word);
      expect((error as Error).message).not.toContain("CANARY");
    }
  }
});

test("without anything that lets somebody in there is no authenticator; what is for all is said", async () => {
  expect(await codeOf(() => createAuthenticator({}))).toBe("INVALID_ARGUMENT");
  const authenticator = createAuthenticator({ anonymous: ["watch:fleet"] });
  expect(authenticator.anonymous).toEqual({
    subject: "anonymous",
    permissions: [{ action: "watch", channel: "fleet" }],
    expiresAtMs: null,
  });
  expect(await codeOf(() => authenticator.authenticate(TOKEN))).toBe("UNAUTHENTICATED");
  expect((await openAuthenticator.authenticate("anything")).permissions).toEqual([{ action: "admin", channel: "*" }]);
});
