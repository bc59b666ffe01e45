import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { isMilepostError } from "../../../src/errors.ts";
import { readAuthConfig, type AuthSettings } from "../../../src/server/auth/auth-config.ts";
import { createAuthenticator } from "../../../src/server/auth/authenticator.ts";
import { tempFolder } from "../../temp-folder.ts";

const TOKEN = "CANARY-0123456789-0123456789";
const ENVIRONMENT = { CI_TOKEN: TOKEN, EMPTY: "" };

function written(config: unknown, mode = 0o600): string {
  const path = join(tempFolder(), "auth.json");
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  chmodSync(path, mode);
  return path;
}
const read = (config: unknown, mode?: number): AuthSettings => readAuthConfig(written(config, mode), ENVIRONMENT);

const whole = (folder: string) => ({
  tokens: [
    { name: "ci", token: { env: "CI_TOKEN" }, permissions: ["report:cluster:prod"], expiresAt: "2027-01-31T00:00:00Z" },
    { name: "wall", sha256: "a".repeat(64), permissions: ["watch:fleet"] },
    { name: "file", token: { file: "token" }, permissions: [] },
  ],
  issuers: [
    {
      issuer: "https://issuer.example.com",
      audience: "milepost",
      jwksUri: "https://issuer.example.com/keys",
      algorithms: ["ES256"],
      permissionsClaim: "groups",
      permissions: { operators: ["admin:*"] },
      maxLifetimeSeconds: 3600,
    },
  ],
  anonymous: ["watch:fleet"],
  shareLinks: { key: { file: join(folder, "key") }, maxDays: 7 },
  allowedHosts: ["milepost.example.com"],
  allowedOrigins: ["https://ops.example.com"],
  trustedProxies: ["10.0.0.0/8"],
  allowedAddresses: ["10.1.2.3"],
  leewaySeconds: 5,
  allowTokenInUrl: true,
});

test("everything that can be said is read, secrets from where they stand", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "token"), "filetoken-0123456789-x\n", { mode: 0o400 });
  writeFileSync(join(folder, "key"), "k".repeat(40), { mode: 0o440 });
  const path = join(folder, "auth.json");
  // Readable by all: there is no secret in it.
  writeFileSync(path, JSON.stringify(whole(folder)), { mode: 0o644 });
  const settings = readAuthConfig(path, ENVIRONMENT);
  expect(settings.shareLinks).toEqual({ key: "k".repeat(40), maxLifetimeMs: 7 * 86_400_000 });
  expect(settings).toMatchObject({
    allowedHosts: ["milepost.example.com"],
    allowedOrigins: ["https://ops.example.com"],
    trustedProxies: ["10.0.0.0/8"],
    allowTokenInUrl: true,
  });
  const authenticator = createAuthenticator(settings.authenticator);
  expect(await authenticator.authenticate(TOKEN)).toMatchObject({
    subject: "token:ci",
    expiresAtMs: Date.parse("2027-01-31T00:00:00Z"),
  });
  expect((await authenticator.authenticate("filetoken-0123456789-x")).subject).toBe("token:file");
  expect(authenticator.anonymous?.permissions).toEqual([{ action: "watch", channel: "fleet" }]);
  expect(settings.authenticator).toMatchObject({ leewaySeconds: 5, allowedAddresses: ["10.1.2.3"] });
  expect(settings.authenticator.issuers).toMatchObject(whole(folder).issuers);
});

test("what is wrong is named by field and value, with what to do, and no secret is shown", () => {
  const token = { name: "ci", token: TOKEN, permissions: ["watch:*"] };
  const faults: [unknown, ...string[]][] = [
    ["{ CANARY", "is not JSON", "jq"],
    ["", "is empty"],
    ['{ "anonymous": ["watch:fleet"], "anonymous": [] }', 'has "anonymous" twice', "give it once"],
    ["[]", "it must be an object", "an array"],
    [{ tokens: {} }, "tokens must be a list", "an object"],
    [{ tokens: [token, { ...token, permissions: "watch:*" }] }, "tokens[1].permissions must be a list", '"watch:*"'],
    [{ tokens: [{ ...token, permissions: ["all:*"] }] }, "tokens[0].permissions[0]", "watch, report, admin", '"all:*"'],
    [{ tokens: [{ ...token, permission: [] }] }, 'tokens[0] has the field "permission"', "docs/auth.md"],
    [{ tokens: [{ ...token, token: ["CANARY"] }] }, "tokens[0].token must be text, {"],
    [{ tokens: [{ ...token, token: { enw: "CANARY" } }] }, "tokens[0].token must be text, {"],
    [{ tokens: [{ ...token, sha256: "CANARY" }] }, "tokens[0].sha256 must be 64 hexadecimal digits"],
    [{ tokens: [{ ...token, token: { env: "MISSING" } }] }, "tokens[0].token", '"MISSING"', "set it"],
    [{ tokens: [{ ...token, token: { env: "EMPTY" } }] }, "tokens[0].token", '"EMPTY"'],
    [{ tokens: [{ ...token, token: { file: "nowhere" } }] }, "tokens[0].token", "nowhere", "check the path"],
    [{ tokens: [{ ...token, expiresAt: "soon" }] }, "tokens[0].expiresAt must be a time", '"soon"'],
    [{ issuers: [{ issuer: "x" }] }, "issuers[0].audience must be text", "undefined"],
    [
      { issuers: [{ issuer: "x", audience: "y", algorithms: ["HS256"] }] },
      "issuers[0].algorithms[0] must be one of RS256",
      '"HS256"',
    ],
    [{ issuers: [{ issuer: "x", audience: "y", permissions: { ops: ["x"] } }] }, "issuers[0].permissions.ops[0]"],
    [{ leewaySeconds: 61 }, "leewaySeconds must be a number from 0 to 60", "61"],
    [{ shareLinks: { maxDays: 0 } }, "shareLinks.maxDays must be at least 1", "0"],
    [{ allowedHosts: "x" }, "allowedHosts must be a list", '"x"'],
    [{ allowTokenInUrl: "yes" }, "allowTokenInUrl must be true or false", '"yes"'],
  ];
  for (const [config, ...words] of faults) {
    try {
      read(config);
      expect.unreachable(JSON.stringify(config));
    } catch (error) {
      expect(isMilepostError(error, "INVALID_ARGUMENT"), String(error)).toBe(true);
      for (const word of ["auth.json", ...words]) expect((error as Error).message).toContain(word);
      expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toContain("CANARY");
    }
  }
});

test("a file that others may read holds no secret, and none that others may write says who may do what", () => {
  const secret = { tokens: [{ name: "ci", token: TOKEN, permissions: [] }] };
  const harmless = { anonymous: ["watch:fleet"] };
  for (const mode of [0o600, 0o400, 0o440, 0o640]) expect(() => read(secret, mode)).not.toThrow();
  for (const mode of [0o604, 0o644, 0o664, 0o602, 0o620]) expect(() => read(secret, mode)).toThrow(/chmod 600/);
  expect(() => read(harmless, 0o644)).not.toThrow();
  for (const mode of [0o664, 0o646, 0o666]) expect(() => read(harmless, mode)).toThrow(/written by others/);
  expect(() => read({ shareLinks: { key: "k".repeat(40) }, ...harmless }, 0o644)).toThrow(/read by others/);
  expect(() => readAuthConfig("/nowhere/auth.json", {})).toThrow(/there is no file/);
  expect(() => readAuthConfig(tempFolder(), {})).toThrow(/cannot be read \(EISDIR\)/);

  const folder = tempFolder();
  writeFileSync(join(folder, "t"), TOKEN, { mode: 0o644 });
  const path = join(folder, "auth.json");
  writeFileSync(path, JSON.stringify({ tokens: [{ name: "ci", token: { file: "t" }, permissions: [] }] }), {
    mode: 0o644,
  });
  expect(() => readAuthConfig(path, {})).toThrow(/^(?!.*CANARY).*read by others/);
});
