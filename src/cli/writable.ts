/** Whether a storage can be written, found out without writing. */

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import type { Storage } from "../storage/storage.ts";

/** What to tell whoever serves a storage that takes no reports; undefined when it takes them, or keeps no files. */
export function whyNotWritable({ kind, location }: Pick<Storage, "kind" | "location">): string | undefined {
  if (kind !== "jsonl") return undefined;
  // The folders are made with the first report, in the nearest one that is there.
  let path = resolve(location, "upgrades");
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  try {
    if (!statSync(path).isDirectory()) throw Object.assign(new Error("a file"), { code: "ENOTDIR" });
    accessSync(join(path, "."), constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return `${path} cannot be written (${code}): upgrades can be watched, but no report is taken; make it writable, or name another folder`;
  }
}
