/** Chooses a storage: an object, a URL, or a folder. */

import { MilepostError, shown } from "./errors.ts";
import { jsonLines } from "./storage/json-lines.ts";
import { memory } from "./storage/memory.ts";
import type { Storage } from "./storage/storage.ts";

/** The default folder. */
export const DEFAULT_STORAGE_PATH = "./data";

const SCHEMES: Readonly<Record<string, (rest: string) => Storage>> = {
  jsonl: (path) => jsonLines({ path: path === "" ? DEFAULT_STORAGE_PATH : path }),
  memory: () => memory(),
};

/**
 * The storage of a URL such as `jsonl:./data` or `memory:`, the given one, or JSON lines in `storagePath`.
 *
 * @throws INVALID_ARGUMENT for an unknown scheme, an empty path, or when both are given.
 */
export function openStorage({
  storage,
  storagePath,
}: {
  readonly storage?: Storage | string | undefined;
  readonly storagePath?: string | undefined;
}): Storage {
  // As from a variable that is not set: the present folder is not what was meant.
  if (storagePath === "")
    throw new MilepostError(
      "INVALID_ARGUMENT",
      'the storage path is empty; name a folder, or leave it out for "./data"',
    );
  if (storage === undefined) return jsonLines({ path: storagePath ?? DEFAULT_STORAGE_PATH });
  if (storagePath !== undefined) throw new MilepostError("INVALID_ARGUMENT", "pass storage or storagePath, not both");
  if (typeof storage !== "string") return storage;
  const colon = storage.indexOf(":");
  const open = SCHEMES[storage.slice(0, colon)];
  if (open === undefined || !Object.hasOwn(SCHEMES, storage.slice(0, colon))) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `unknown storage ${shown(storage)}; use ${Object.keys(SCHEMES)
        .map((scheme) => `${scheme}:`)
        .join(" or ")}…`,
    );
  }
  return open(storage.slice(colon + 1));
}
