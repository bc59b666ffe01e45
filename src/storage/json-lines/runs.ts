/** Finished runs of an upgrade: `<name>@<n>` beside `<name>`, set aside when the next run begins. */

import { join } from "node:path";

import { fileNameOf, makeDirectory, syncDirectory, type FileSystem } from "../files.ts";

/** How many runs of the upgrade have been set aside. */
export function finishedRuns(fs: FileSystem, upgrades: string, upgradeId: string): number {
  let run = 0;
  while (fs.existsSync(join(upgrades, `${fileNameOf(upgradeId)}@${run + 1}`, "journal"))) run += 1;
  return run;
}

/** What moves with the log of a finished run; the locks and what deliveries keep are of all runs, and stay. */
const BELONGINGS = ["snapshot.json"] as const;

/**
 * Sets the log aside as run `run`. The move of `journal` is the one step that counts: before it nothing has happened, after
 * it the upgrade has an empty log, and what is left behind belongs to no log that exists.
 */
export function archiveRun(
  fs: FileSystem,
  {
    upgrades,
    paths,
    upgradeId,
    run,
  }: { upgrades: string; paths: { root: string; journal: string }; upgradeId: string; run: number },
): void {
  const target = join(upgrades, `${fileNameOf(upgradeId)}@${run}`);
  makeDirectory(fs, target);
  for (const name of BELONGINGS) {
    if (fs.existsSync(join(paths.root, name))) fs.renameSync(join(paths.root, name), join(target, name));
  }
  fs.renameSync(paths.journal, join(target, "journal"));
  try {
    syncDirectory(fs, target);
    syncDirectory(fs, paths.root);
  } catch (error) {
    // So that the same may be asked again; a move that cannot be taken back has happened.
    fs.renameSync(join(target, "journal"), paths.journal);
    throw error;
  }
}
