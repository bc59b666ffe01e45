import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { SignJWT } from "jose";
import { expect, test } from "vitest";

import { createAuthenticator, type Authenticator } from "../../../src/server/auth/authenticator.ts";
import { createPrivateFile, readPrivateFile } from "../../../src/server/auth/private-file.ts";
import { createShareLinks, SHARE_ISSUER, type ShareLinks } from "../../../src/server/auth/share-links.ts";
import { openShareRecord } from "../../../src/server/auth/share-record.ts";
import { manualClock } from "../../manual-clock.ts";
import { tempFolder } from "../../temp-folder.ts";
import { codeOf } from "./issuer.ts";

const HOUR = 3_600_000;

const served = (
  folder?: string,
  clock = manualClock(),
): { links: ShareLinks; authenticator: Authenticator; clock: typeof clock } => {
  const links = createShareLinks({ folder, clock });
  const authenticator = createAuthenticator({ anonymous: ["watch:fleet"], shareLinks: links, clock });
  return { links, authenticator, clock };
};

test("a link shows its upgrade alone, to watch, until it expires", async () => {
  const { links, authenticator, clock } = served();
  const { id, token, expiresAtMs } = await links.createShareToken("prod/1.31 ✓", HOUR);
  expect(expiresAtMs).toBe(clock.now() + HOUR);
  const grant = await authenticator.authenticate(token);
  expect(grant).toEqual({
    subject: `share:${id}`,
    permissions: [{ action: "watch", channel: "upgrade:prod/1.31 ✓" }],
    expiresAtMs,
  });
  clock.pass(HOUR - 1);
  expect(await codeOf(() => authenticator.authenticate(token))).toBe("none");
  clock.pass(1);
  expect(await codeOf(() => authenticator.authenticate(token))).toBe("TOKEN_EXPIRED");
  expect(authenticator.isCurrent(grant)).toBe(false);
});

test("[G4] a link is ended by its id, or with all others of its upgrade, also for those who are connected", async () => {
  const { links, authenticator } = served();
  const [one, two] = [await links.createShareToken("u"), await links.createShareToken("u")];
  const other = await links.createShareToken("v");
  const grants = await Promise.all([one, two, other].map(({ token }) => authenticator.authenticate(token)));
  const current = (): boolean[] => grants.map((grant) => authenticator.isCurrent(grant));
  links.revoke(one.id);
  expect(current()).toEqual([false, true, true]);
  expect(await codeOf(() => authenticator.authenticate(one.token))).toBe("UNAUTHENTICATED");
  links.revokeAll("u");
  expect(current()).toEqual([false, false, true]);
  expect(await codeOf(() => authenticator.authenticate(two.token))).toBe("UNAUTHENTICATED");
  const later = await links.createShareToken("u");
  expect(await codeOf(() => authenticator.authenticate(later.token))).toBe("none");
  links.revokeAll("u");
  expect(await codeOf(() => authenticator.authenticate(later.token))).toBe("UNAUTHENTICATED");
});

test("links and revocations outlive the server, in a file for its owner alone", async () => {
  const folder = join(tempFolder(), "auth");
  const first = served(folder);
  const [kept, ended, all] = [
    await first.links.createShareToken("u"),
    await first.links.createShareToken("u"),
    await first.links.createShareToken("__proto__"),
  ];
  first.links.revoke(ended.id);
  first.links.revokeAll("__proto__");
  const { authenticator } = served(folder);
  const verdicts = [kept, ended, all].map(({ token }) => codeOf(() => authenticator.authenticate(token)));
  expect(await Promise.all(verdicts)).toEqual(["none", "UNAUTHENTICATED", "UNAUTHENTICATED"]);
  expect(readdirSync(folder)).toEqual(["share-links.json"]);
  expect(statSync(join(folder, "share-links.json")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, "share-links.json"), "utf8")).not.toContain(kept.token);
});

test("two servers that start at once on one folder have one key", () => {
  const path = join(tempFolder(), "share-links.json");
  const clock = manualClock();
  const keys = Array.from({ length: 3 }, () => Buffer.from(openShareRecord(path, { clock }).key).toString("hex"));
  expect(new Set(keys).size).toBe(1);
});

test("a private file is made once, whoever makes it", () => {
  const folder = join(tempFolder(), "new");
  const path = join(folder, "x");
  expect([createPrivateFile(path, "first"), createPrivateFile(path, "second")]).toEqual([true, false]);
  expect(readPrivateFile(path)).toBe("first");
  expect([readdirSync(folder), statSync(folder).mode & 0o777]).toEqual([["x"], 0o700]);
});

test("what was revoked is forgotten when it has expired anyway, and there is room for 10,000", async () => {
  const clock = manualClock();
  const record = openShareRecord(undefined, { clock });
  for (let n = 0; n < 10_000; n++) record.revoke(`r${n}`, clock.now() + HOUR);
  expect(await codeOf(() => record.revoke("one more", clock.now() + HOUR))).toBe("LIMIT_REACHED");
  clock.pass(HOUR);
  record.revoke("one more", clock.now() + HOUR);
  expect([record.isRevoked("r1"), record.isRevoked("one more")]).toEqual([false, true]);
  for (let n = 0; n < 10_000; n++) record.setGeneration(`u${n}`, "g");
  expect(await codeOf(() => record.setGeneration("one more", "g"))).toBe("LIMIT_REACHED");
  expect(await codeOf(() => record.setGeneration("u5", "h"))).toBe("none");
});

test("nobody else makes links, nor turns one into another", async () => {
  const { links, authenticator, clock } = served();
  const { token } = await links.createShareToken("u");
  const claims = { iss: SHARE_ISSUER, jti: `0.${"0".repeat(32)}`, upgrade: "u", exp: clock.now() / 1000 + 60 };
  const forge = (changed: object, header: object, key: Uint8Array): Promise<string> =>
    new SignJWT({ ...claims, ...changed })
      .setProtectedHeader({ alg: "HS256", typ: "milepost-share+jwt", ...header })
      .sign(key);
  const [head, , seal] = token.split(".") as [string, string, string];
  const forged = [
    await forge({}, {}, new Uint8Array(32)),
    await forge({}, { typ: "JWT" }, new Uint8Array(32)),
    `${head}.${Buffer.from(JSON.stringify({ ...claims, upgrade: "v" })).toString("base64url")}.${seal}`,
    `${Buffer.from('{"alg":"none","typ":"milepost-share+jwt"}').toString("base64url")}.${token.split(".")[1] as string}.`,
  ];
  for (const text of forged) expect(await codeOf(() => authenticator.authenticate(text))).toBe("UNAUTHENTICATED");
  const elsewhere = served();
  expect(await codeOf(() => elsewhere.authenticator.authenticate(token))).toBe("UNAUTHENTICATED");
  const without = createAuthenticator({ anonymous: ["watch:fleet"] });
  expect(await codeOf(() => without.authenticate(token))).toBe("UNAUTHENTICATED");

  // With the right key, what is missing or for something else is still nothing.
  const key = "k".repeat(32);
  const keyed = createShareLinks({ key, clock });
  const bytes = new TextEncoder().encode(key);
  expect((await keyed.verify(await forge({}, {}, bytes))).subject).toBe(`share:${claims.jti}`);
  for (const [changed, header] of [
    [{ exp: undefined }, {}],
    [{ jti: undefined }, {}],
    [{ upgrade: undefined }, {}],
    [{ iss: "x" }, {}],
    [{}, { typ: "JWT" }],
    [{}, { alg: "HS512" }],
  ] as const) {
    const text = await forge(changed, header, header && "alg" in header ? new Uint8Array(64) : bytes);
    expect(await codeOf(() => keyed.verify(text))).toBe("UNAUTHENTICATED");
  }
});

test("servers with one key know each other's links", async () => {
  const key = "0123456789abcdef0123456789abcdef";
  const [one, two] = [createShareLinks({ key }), createShareLinks({ key })];
  const { token } = await one.createShareToken("u");
  expect((await two.verify(token)).permissions).toEqual([{ action: "watch", channel: "upgrade:u" }]);
});

test("what cannot be is refused, and no message shows a key", async () => {
  const { links } = served();
  expect(await codeOf(() => links.createShareToken(""))).toBe("INVALID_ID");
  for (const ms of [0, 59_999, 31 * 24 * HOUR, Number.NaN, Infinity]) {
    expect(await codeOf(() => links.createShareToken("u", ms))).toBe("INVALID_ARGUMENT");
  }
  for (const id of ["", "x", `0.${"0".repeat(33)}`])
    expect(await codeOf(() => links.revoke(id))).toBe("INVALID_ARGUMENT");
  expect(() => createShareLinks({ key: "CANARY" })).toThrow(/^(?!.*CANARY).*32/);

  const folder = tempFolder();
  const path = join(folder, "share-links.json");
  for (const text of ['{"key":"CANARY"}', "CANARY", '{"key":"CANARY","revoked":[],"generations":[]}', ""]) {
    writeFileSync(path, text, { mode: 0o600 });
    expect(() => createShareLinks({ folder })).toThrow(/^(?!.*CANARY).*is not what a server wrote/);
  }
  chmodSync(path, 0o644);
  expect(await codeOf(() => createShareLinks({ folder }))).toBe("INVALID_ARGUMENT");
  expect(await codeOf(() => createShareLinks({ folder: join(path, "below") }))).toBe("STORAGE_UNUSABLE");
});
