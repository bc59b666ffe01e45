/** The port of the verbs that read: upgrades in a storage, or on a server that gives the same answers from afar. */

import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { ProgressStatus } from "../../model/vocabulary.ts";
import type { LogHolder } from "../../storage/storage.ts";
import type { Connection } from "../../stream/client.ts";
import type { UpgradeSummary } from "../../view/upgrade/summary.ts";

/** An upgrade as it stands. */
export interface Standing {
  readonly state: UpgradeProgress;
  /** False if it is known that nobody writes it now. */
  readonly hasWriter: boolean;
  /** Who writes it; undefined when nobody does, and null when that is not to be known: a server does not tell it. */
  readonly holder: LogHolder | undefined | null;
}

/** A change of what is watched: another state, or another connection to it. */
export interface Change {
  readonly state: UpgradeProgress | undefined;
  /** What led to this state; absent with a state told whole. */
  readonly event?: ProgressEvent;
  /** The events that this one stands for, itself among them. */
  readonly events?: readonly ProgressEvent[];
  /** How the state comes here; absent where nothing lies in between. */
  readonly connection?: Connection;
}

/** An upgrade of a list: readable or not. */
export type Listed =
  | { readonly ref: string; readonly summary: UpgradeSummary; readonly holder: Standing["holder"] }
  | { readonly ref: string; readonly upgradeId: string; readonly error: Error };

export interface ListOptions {
  readonly withRuns?: boolean | undefined;
  readonly status?: ProgressStatus | undefined;
  readonly clusterName?: string | undefined;
}

/** A change among many upgrades. */
export interface FleetChange {
  /** The newest summary of each, by its id. */
  readonly upgrades: ReadonlyMap<string, UpgradeSummary>;
  /** Those that have changed. */
  readonly changed: readonly UpgradeSummary[];
  /** The ids of those that were deleted. */
  readonly removed: readonly string[];
  readonly connection?: Connection;
}

export interface LinesOptions {
  readonly after?: string | undefined;
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What verbs read from. All of it throws UNKNOWN_UPGRADE, CORRUPT, NEWER_FORMAT; a server's also TIMEOUT and what it says of the caller. */
export interface Source {
  /** What it is called in messages. */
  readonly location: string;
  /** Wall time, epoch ms, by the clock of whoever keeps the upgrades. */
  now(): number;
  /** The upgrades, the newest first; what cannot be read comes last. */
  list(options?: ListOptions): Promise<readonly Listed[]>;
  read(ref: string): Promise<Standing>;
  /** Whether somebody writes an upgrade, as far as is known. */
  hasWriter(state: UpgradeProgress): Promise<boolean>;
  /** The present state, then one for each event, until `signal` ends it. */
  watch(ref: string, options: { readonly signal: AbortSignal }): AsyncIterable<Change>;
  /** All upgrades, then those that change, until `signal` ends it. */
  watchAll(options: { readonly signal: AbortSignal }): AsyncIterable<FleetChange>;
  /** The stored bytes, whole lines at a time. @throws CURSOR_GONE. */
  lines(ref: string, options?: LinesOptions): AsyncIterable<Uint8Array>;
}

/** As a server lists them: those that have not started after the others, what cannot be read last. */
export function newestFirst(a: Listed, b: Listed): number {
  const [startA, startB] = [startOf(a), startOf(b)];
  if (startA !== startB) return startA > startB ? -1 : 1;
  return a.ref === b.ref ? 0 : a.ref < b.ref ? -1 : 1;
}

const startOf = (listed: Listed): string => ("error" in listed ? "" : `1 ${listed.summary.startedAt ?? ""}`);
