/** Where an upgrade's files are. */

import { join } from "node:path";

import { fileNameOf } from "../files.ts";

/** The files of one upgrade, or of one of its finished runs. */
export interface UpgradePaths {
  readonly root: string;
  readonly journal: string;
  readonly snapshot: string;
  readonly lock: string;
  readonly holder: string;
}

/** A log that there is. */
export interface LogPlace {
  readonly paths: UpgradePaths;
  readonly upgradeId: string;
  /** The number of a finished run; absent for the newest. */
  readonly run?: number;
}

/** The folder that holds one folder per upgrade. */
export const upgradesIn = (path: string): string => join(path, "upgrades");

export function pathsOf(upgrades: string, upgradeId: string, run?: number): UpgradePaths {
  const name = fileNameOf(upgradeId);
  return pathsIn(upgrades, run === undefined ? name : `${name}@${run}`);
}

/** The same by the folder's name. */
export function pathsIn(upgrades: string, folder: string): UpgradePaths {
  const root = join(upgrades, folder);
  return {
    root,
    journal: join(root, "journal"),
    snapshot: join(root, "snapshot.json"),
    lock: join(root, "lock"),
    holder: join(root, "holder.json"),
  };
}
