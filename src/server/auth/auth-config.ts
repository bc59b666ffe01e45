/**
 * The file in which an operator says who may do what: its shape, and how it is read. Secrets may stand in the environment or in
 * files of their own; no message shows one, also where it is wrong.
 */

import { dirname, resolve } from "node:path";

import { z } from "zod";

import { parseConfigJson } from "../../config-json.ts";
import { isMilepostError, MilepostError, shown } from "../../errors.ts";
import type { AuthenticatorOptions } from "./authenticator.ts";
import { parsePermission } from "./grant.ts";
import { readPrivateFile } from "./private-file.ts";
import { ALGORITHMS, type Algorithm } from "./read-jwt.ts";
import type { ShareLinksOptions } from "./share-links.ts";

const TEXT = z.string({ error: "must be text" }).min(1, { error: "must not be empty" });
const LIST_OF_TEXT = z.array(TEXT, { error: 'must be a list of texts, as ["…", "…"]' });

/** Text as it is, or where it stands. */
const ELSEWHERE = z.union([TEXT, z.strictObject({ env: TEXT }), z.strictObject({ file: TEXT })], {
  error: 'must be text, {"env": "NAME"} or {"file": "path"}',
});

const PERMISSION = TEXT.superRefine((text, context) => {
  try {
    parsePermission(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message, params: { isWhole: true } });
  }
});
const PERMISSIONS = z.array(PERMISSION, { error: 'must be a list of permissions, as ["watch:fleet"]' });

const TOKEN = z.strictObject(
  {
    name: TEXT,
    token: ELSEWHERE.optional(),
    sha256: z
      .string({ error: "must be 64 hexadecimal digits" })
      .regex(/^[0-9a-f]{64}$/i, { error: "must be 64 hexadecimal digits" })
      .optional(),
    permissions: PERMISSIONS,
    expiresAt: z.iso.datetime({ offset: true, error: "must be a time, as 2027-01-31T00:00:00Z" }).optional(),
  },
  { error: "must be an object with name, permissions, and token or sha256" },
);

const ISSUER = z.strictObject(
  {
    issuer: TEXT,
    audience: TEXT,
    jwksUri: TEXT.optional(),
    publicKey: ELSEWHERE.optional(),
    algorithms: z
      .array(
        z.enum(Object.keys(ALGORITHMS) as Algorithm[], {
          error: `must be one of ${Object.keys(ALGORITHMS).join(", ")}`,
        }),
      )
      .optional(),
    permissionsClaim: TEXT.optional(),
    permissions: z.record(TEXT, PERMISSIONS, { error: "must be an object of lists of permissions" }).optional(),
    maxLifetimeSeconds: z.number({ error: "must be a number of seconds" }).positive().optional(),
  },
  { error: "must be an object with issuer, audience, and jwksUri or publicKey" },
);

/** The shape of the file. */
export const AUTH_CONFIG = z.strictObject(
  {
    tokens: z.array(TOKEN, { error: "must be a list of tokens" }).optional(),
    issuers: z.array(ISSUER, { error: "must be a list of issuers" }).optional(),
    anonymous: PERMISSIONS.optional(),
    shareLinks: z
      .strictObject({
        key: ELSEWHERE.optional(),
        maxDays: z
          .number({ error: "must be a number of days" })
          .min(1, { error: "must be at least 1" })
          .max(365, { error: "must be at most 365" })
          .optional(),
      })
      .optional(),
    allowedHosts: LIST_OF_TEXT.optional(),
    allowedOrigins: LIST_OF_TEXT.optional(),
    trustedProxies: LIST_OF_TEXT.optional(),
    allowedAddresses: LIST_OF_TEXT.optional(),
    leewaySeconds: z
      .number({ error: "must be a number from 0 to 60" })
      .min(0, { error: "must be a number from 0 to 60" })
      .max(60, { error: "must be a number from 0 to 60" })
      .optional(),
    allowTokenInUrl: z.boolean({ error: "must be true or false" }).optional(),
  },
  { error: "must be an object" },
);

type AuthConfig = z.infer<typeof AUTH_CONFIG>;
type Elsewhere = z.infer<typeof ELSEWHERE>;

/** What the file says, with its secrets in place: never to be shown. */
export interface AuthSettings {
  /** For `createAuthenticator`, which gets `shareLinks`, the clock and the logger besides. */
  readonly authenticator: AuthenticatorOptions;
  /** For `createShareLinks`, which gets the folder besides. */
  readonly shareLinks: Pick<ShareLinksOptions, "key" | "maxLifetimeMs">;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** For `addressList`. */
  readonly trustedProxies: readonly string[];
  readonly allowTokenInUrl: boolean;
}

/**
 * Reads the file. Paths in it are from its own folder.
 *
 * @param environment - where `{"env": "NAME"}` is looked up.
 * @throws INVALID_ARGUMENT that names the file, the field, the value (unless it may be a secret) and what to do.
 */
export function readAuthConfig(path: string, environment: Readonly<Record<string, string | undefined>>): AuthSettings {
  const config = parsed(path, readText(path, { mayAllRead: true }));
  // Readable by all is well for a file that only says where its secrets are.
  const secrets = [config.shareLinks?.key, ...(config.tokens ?? []).map(({ token }) => token)];
  if (secrets.some((secret) => typeof secret === "string")) readText(path, {});

  const find = (value: Elsewhere | undefined, field: string, isSecret = true): string | undefined => {
    if (value === undefined || typeof value === "string") return value;
    const at = `${shown(path)}: ${field}`;
    if ("env" in value) {
      const text = environment[value.env];
      if (text !== undefined && text !== "") return text;
      throw invalid(`${at} is to be in the variable ${shown(value.env)} of the environment, which is not set; set it`);
    }
    return readText(resolve(dirname(path), value.file), { mayAllRead: !isSecret }, at).trim();
  };
  return settingsOf(config, find);
}

type Find = (value: Elsewhere | undefined, field: string, isSecret?: boolean) => string | undefined;

function settingsOf(config: AuthConfig, find: Find): AuthSettings {
  const { tokens = [], issuers = [], anonymous, shareLinks = {}, allowedAddresses, leewaySeconds } = config;
  const { allowedHosts = [], allowedOrigins = [], trustedProxies = [], allowTokenInUrl = false } = config;
  return {
    authenticator: {
      tokens: tokens.map(({ expiresAt, token, ...given }, at) => ({
        ...given,
        token: find(token, `tokens[${at}].token`),
        expiresAtMs: expiresAt === undefined ? undefined : Date.parse(expiresAt),
      })),
      issuers: issuers.map(({ publicKey, ...given }, at) => ({
        ...given,
        publicKey: find(publicKey, `issuers[${at}].publicKey`, false),
      })),
      anonymous,
      allowedAddresses,
      leewaySeconds,
    },
    shareLinks: {
      key: find(shareLinks.key, "shareLinks.key"),
      maxLifetimeMs: shareLinks.maxDays === undefined ? undefined : shareLinks.maxDays * 86_400_000,
    },
    allowedHosts,
    allowedOrigins,
    trustedProxies,
    allowTokenInUrl,
  };
}

function readText(path: string, options: { readonly mayAllRead?: boolean }, at = "the auth file"): string {
  let text: string | undefined;
  try {
    text = readPrivateFile(path, options);
  } catch (error) {
    if (isMilepostError(error)) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw invalid(`${at}: ${shown(path)} cannot be read (${code}); check its path and permissions`);
  }
  if (text === undefined) throw invalid(`${at}: there is no file ${shown(path)}; check the path`);
  return text;
}

function parsed(path: string, text: string): AuthConfig {
  const json = parseConfigJson(path, text);
  const result = AUTH_CONFIG.safeParse(json);
  if (result.success) return result.data;
  throw invalid(
    `${shown(path)}: ${result.error.issues
      .slice(0, 5)
      .map((issue) => faultOf(issue, json))
      .join("; ")}`,
  );
}

function faultOf(issue: z.core.$ZodIssue, json: unknown): string {
  const field = issue.path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`),
    "",
  );
  const name = field === "" ? "it" : field;
  if (issue.code === "unrecognized_keys") {
    return `${name} has the field ${shown(issue.keys[0])}, which means nothing here; see docs/auth.md for those that do`;
  }
  if (issue.code === "custom" && issue.params?.["isWhole"] === true) return `${name}: ${issue.message}`;
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], json);
  const isSecret = issue.path.some((key) => key === "token" || key === "key" || key === "sha256");
  return `${name} ${issue.message}${isSecret ? "" : `, not ${shown(value)}`}`;
}

function invalid(message: string): MilepostError {
  return new MilepostError("INVALID_ARGUMENT", message);
}
