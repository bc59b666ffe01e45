/** The storage that the options name. */

import { MilepostError } from "../errors.ts";
import { openStorage } from "../open-storage.ts";
import type { Storage } from "../storage/storage.ts";
import type { CommonOptions } from "./context.ts";

/** The storage of `--storage <url>`, else of `--storage-path <dir>`. @throws INVALID_ARGUMENT for a URL of a kind that is not known. */
export function storageOf({ storage, storagePath }: Pick<CommonOptions, "storage" | "storagePath">): Storage {
  return openStorage(storage === undefined ? { storagePath } : { storage });
}

/** The folder of a storage that keeps files, for verbs that look into them. @throws INVALID_ARGUMENT for another kind. */
export function jsonLinesPath({ kind, location }: Storage, verb: string): string {
  if (kind === "jsonl") return location;
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `${verb} looks into files, and a storage of kind ${kind}: has none; pass --storage-path <dir>`,
  );
}
