/** What is kept of share links, in one private file: the key that signs them, what was revoked, and a list of those that are good. */

import { randomBytes } from "node:crypto";

import { z } from "zod";

import { isMilepostError, MilepostError, shown } from "../../errors.ts";
import type { Clock } from "../../tracker/clock.ts";
import { createPrivateFile, readPrivateFile, writePrivateFile } from "./private-file.ts";

/** So many links revoked one by one, so many upgrades with all links revoked, and so many links in the list. */
const MAX_KEPT = 10_000;

const LINK = {
  id: z.string(),
  upgradeId: z.string(),
  clusterName: z.string(),
  createdBy: z.string(),
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
};

/** Pairs, not objects: an upgrade may be called `__proto__`. */
const STORED = z.strictObject({
  key: z.base64url().length(43),
  revoked: z.array(z.tuple([z.string(), z.number()])),
  generations: z.array(z.tuple([z.string(), z.string()])),
  // Absent in files of versions that kept no list.
  links: z.array(z.strictObject({ ...LINK })).default([]),
});

type Stored = z.infer<typeof STORED>;

/** A link that was made, without its secret. Times are wall times in milliseconds since 1970. */
export interface ShareEntry {
  readonly id: string;
  readonly upgradeId: string;
  readonly clusterName: string;
  /** The subject of whoever made it. */
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface ShareRecord {
  readonly key: Uint8Array;
  isRevoked(id: string): boolean;
  /** Undefined before the first {@link ShareRecord.setGeneration}. */
  generationOf(upgradeId: string): string | undefined;
  /** Those that have not expired, the oldest first. */
  links(): readonly ShareEntry[];
  /** @throws LIMIT_REACHED, STORAGE_UNUSABLE. */
  add(entry: ShareEntry): void;
  /** @param untilMs - wall time from when on the link is expired anyway. @throws LIMIT_REACHED, STORAGE_UNUSABLE. */
  revoke(id: string, untilMs: number): void;
  /** @throws LIMIT_REACHED, STORAGE_UNUSABLE. */
  setGeneration(upgradeId: string, generation: string): void;
}

/**
 * @param path - undefined: kept in memory.
 * @throws STORAGE_UNUSABLE for a file that cannot be read, written or understood.
 */
export function openShareRecord(path: string | undefined, { clock }: { readonly clock: Clock }): ShareRecord {
  const stored = path === undefined ? newRecord() : (load(path) ?? create(path));
  const key = Buffer.from(stored.key, "base64url");
  const revoked = new Map(stored.revoked);
  const generations = new Map(stored.generations);
  const links = new Map(stored.links.map((link) => [link.id, link]));
  const forgetExpired = (): void => {
    for (const { id, expiresAtMs } of links.values()) if (expiresAtMs <= clock.now()) links.delete(id);
  };

  const save = (): void => {
    if (path === undefined) return;
    const { key } = stored;
    const text = textOf({ key, revoked: [...revoked], generations: [...generations], links: [...links.values()] });
    usable(path, () => writePrivateFile(path, text));
  };

  return {
    key,
    isRevoked: (id) => revoked.has(id),
    generationOf: (upgradeId) => generations.get(upgradeId),
    links: () => {
      forgetExpired();
      return [...links.values()];
    },
    add: (entry) => {
      forgetExpired();
      checkRoom(links, entry.id, "share links that are good");
      links.set(entry.id, entry);
      try {
        save();
      } catch (error) {
        // Nobody gets it: it must not stand in the list.
        links.delete(entry.id);
        throw error;
      }
    },
    revoke: (id, untilMs) => {
      for (const [known, until] of revoked) if (until <= clock.now()) revoked.delete(known);
      checkRoom(revoked, id, "revocations of single share links");
      revoked.set(id, untilMs);
      links.delete(id);
      save();
    },
    setGeneration: (upgradeId, generation) => {
      checkRoom(generations, upgradeId, "revocations of the links of upgrades");
      generations.set(upgradeId, generation);
      for (const link of links.values()) if (link.upgradeId === upgradeId) links.delete(link.id);
      save();
    },
  };
}

function newRecord(): Stored {
  return { key: randomBytes(32).toString("base64url"), revoked: [], generations: [], links: [] };
}

/** A new record, or that of a server which was quicker. */
function create(path: string): Stored {
  const made = newRecord();
  return usable(path, () => createPrivateFile(path, textOf(made))) ? made : (load(path) ?? made);
}

function textOf(stored: Stored): string {
  return `${JSON.stringify(stored)}\n`;
}

function load(path: string): Stored | undefined {
  const text = usable(path, () => readPrivateFile(path));
  if (text === undefined) return undefined;
  try {
    return STORED.parse(JSON.parse(text));
  } catch {
    // Neither its text nor the parser's error: both hold parts of the key.
    throw new MilepostError(
      "STORAGE_UNUSABLE",
      `${shown(path)} is not what a server wrote; move it away, and all share links end`,
      { context: { path } },
    );
  }
}

function checkRoom(map: ReadonlyMap<string, unknown>, key: string, what: string): void {
  if (map.has(key) || map.size < MAX_KEPT) return;
  throw new MilepostError(
    "LIMIT_REACHED",
    `${MAX_KEPT} ${what} are kept at most; end all share links by removing share-links.json while the server is stopped`,
  );
}

function usable<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (isMilepostError(error)) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new MilepostError(
      "STORAGE_UNUSABLE",
      `${shown(path)} cannot be used (${code}); check that you may read and write it`,
      { context: { path, code } },
    );
  }
}
