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
  readonly deliveries: string;
  readonly deadLetters: string;
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

const FOLDER = /^([^@]+)(?:@([1-9]\d{0,14}))?$/;

/** The name of the upgrade, and the number of the finished run, in the name of a folder; undefined for any other name. */
export function partsOfFolder(folder: string): { readonly name: string; readonly run: number | undefined } | undefined {
  const [, name, run] = FOLDER.exec(folder) ?? [];
  return name === undefined ? undefined : { name, run: run === undefined ? undefined : Number(run) };
}

/** The upgrade id and the number of a finished run that a ref names, if it is not an id itself. */
export function runOfRef(ref: string): { readonly upgradeId: string; readonly run: number } | undefined {
  const match = /^(.+)@([1-9]\d{0,14})$/s.exec(ref);
  return match === null ? undefined : { upgradeId: match[1] as string, run: Number(match[2]) };
}

/** The folders that a ref may name: an upgrade's own, or a finished run's. */
export function foldersOf(ref: string): readonly string[] {
  const finished = runOfRef(ref);
  return finished === undefined
    ? [fileNameOf(ref)]
    : [fileNameOf(ref), `${fileNameOf(finished.upgradeId)}@${finished.run}`];
}

/** The same as {@link pathsOf}, by the folder's name. */
export function pathsIn(upgrades: string, folder: string): UpgradePaths {
  const root = join(upgrades, folder);
  return {
    root,
    journal: join(root, "journal"),
    snapshot: join(root, "snapshot.json"),
    lock: join(root, "lock"),
    holder: join(root, "holder.json"),
    deliveries: join(root, "deliveries"),
    deadLetters: join(root, "dead-letters.jsonl"),
  };
}
