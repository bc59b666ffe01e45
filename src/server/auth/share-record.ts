/** What is kept of share links, in one private file: the key that signs them, and what was revoked. Nothing else needs keeping. */

import { randomBytes } from "node:crypto";

import { z } from "zod";

import { isMilepostError, MilepostError, shown } from "../../errors.ts";
import type { Clock } from "../../tracker/clock.ts";
import { createPrivateFile, readPrivateFile, writePrivateFile } from "./private-file.ts";

/** So many links revoked one by one, and so many upgrades with all links revoked. */
const MAX_REVOKED = 10_000;

/** Pairs, not objects: an upgrade may be called `__proto__`. */
const STORED = z.strictObject({
  key: z.base64url().length(43),
  revoked: z.array(z.tuple([z.string(), z.number()])),
  generations: z.array(z.tuple([z.string(), z.string()])),
});

type Stored = z.infer<typeof STORED>;

export interface ShareRecord {
  readonly key: Uint8Array;
  isRevoked(id: string): boolean;
  /** Undefined before the first {@link ShareRecord.setGeneration}. */
  generationOf(upgradeId: string): string | undefined;
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

  const save = (): void => {
    if (path === undefined) return;
    const text = textOf({ key: stored.key, revoked: [...revoked], generations: [...generations] });
    usable(path, () => writePrivateFile(path, text));
  };

  return {
    key,
    isRevoked: (id) => revoked.has(id),
    generationOf: (upgradeId) => generations.get(upgradeId),
    revoke: (id, untilMs) => {
      for (const [known, until] of revoked) if (until <= clock.now()) revoked.delete(known);
      checkRoom(revoked, id, "single share links");
      revoked.set(id, untilMs);
      save();
    },
    setGeneration: (upgradeId, generation) => {
      checkRoom(generations, upgradeId, "the links of upgrades");
      generations.set(upgradeId, generation);
      save();
    },
  };
}

function newRecord(): Stored {
  return { key: randomBytes(32).toString("base64url"), revoked: [], generations: [] };
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
  if (map.has(key) || map.size < MAX_REVOKED) return;
  throw new MilepostError(
    "LIMIT_REACHED",
    `${MAX_REVOKED} revocations of ${what} are kept at most; end all share links by removing share-links.json while the server is stopped`,
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
