/** The storage that the options name. */

import { openStorage } from "../open-storage.ts";
import type { Storage } from "../storage/storage.ts";
import type { CommonOptions } from "./context.ts";

/** The storage of `--storage <url>`, else of `--storage-path <dir>`. @throws INVALID_ARGUMENT for a URL of a kind that is not known. */
export function storageOf({ storage, storagePath }: Pick<CommonOptions, "storage" | "storagePath">): Storage {
  return openStorage(storage === undefined ? { storagePath } : { storage });
}
