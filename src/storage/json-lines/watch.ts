/** Tells when journals have grown: the kernel says so at once where it can, and a look now and then catches what it missed. */

import type { FSWatcher } from "node:fs";
import { join } from "node:path";

import { nodeFs } from "../../node-modules.ts";

const { readdirSync, statSync, watch } = nodeFs;

const LOOK_INTERVAL_MS = 500;

/** Calls `onChange` soon after files in `journal` (in every journal below `upgrades` when undefined) have changed. */
export function watchJournals(upgrades: string, journal: string | undefined, onChange: () => void): () => void {
  const watchers: Watchers = new Map();
  let seen = "";
  const look = (): void => {
    const journals = journal === undefined ? journalsIn(upgrades) : [journal];
    for (const path of journals) listen(watchers, path, onChange);
    const now = journals.map(signature).join("\n");
    if (now !== seen) onChange();
    seen = now;
  };
  seen = (journal === undefined ? journalsIn(upgrades) : [journal]).map(signature).join("\n");
  look();
  const timer = setInterval(look, LOOK_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    for (const { watcher } of watchers.values()) watcher.close();
    watchers.clear();
  };
}

/** By path, with the directory that each is on: the next run puts another one there. */
type Watchers = Map<string, { readonly watcher: FSWatcher; readonly ino: number }>;

function listen(watchers: Watchers, path: string, onChange: () => void): void {
  try {
    const ino = statSync(path, { throwIfNoEntry: false })?.ino;
    const known = watchers.get(path);
    if (known?.ino === ino) return;
    known?.watcher.close();
    watchers.delete(path);
    if (ino === undefined) return;
    const watcher = watch(path, { persistent: false }, onChange);
    watcher.on("error", () => {
      watcher.close();
      watchers.delete(path);
    });
    watchers.set(path, { watcher, ino });
  } catch {
    // Not there yet, or the kernel has no watch to give: the looks will do.
  }
}

function journalsIn(upgrades: string): string[] {
  try {
    return readdirSync(upgrades).map((name) => join(upgrades, name, "journal"));
  } catch {
    return [];
  }
}

/** What changes when a journal does: its files, and the size and identity of each. */
function signature(journal: string): string {
  try {
    return readdirSync(journal)
      .map((name) => {
        const { ino, size } = statSync(join(journal, name));
        return `${name}:${ino}:${size}`;
      })
      .join(",");
  } catch {
    return "";
  }
}
