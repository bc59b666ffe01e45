/** The port of a server: the upgrades that it serves, and how their logs are followed and written. */

import type { ProgressEvent } from "../model/event.ts";
import type { LogHolder, LogReader, LogRef } from "../storage/storage.ts";

/** One log, to be followed. */
export interface LogSource {
  /** The upgrade id, or `<id>@<n>` for a finished run. */
  readonly ref: string;
  /** A reader at the beginning; undefined while there is no such log. */
  openReader(): Promise<LogReader | undefined>;
  /** Lines after `seq` that have happened and are not stored yet: a tracker in this process, whose disk is in trouble. */
  waitingLines(seq: number): readonly Uint8Array[];
  /** Calls `onChange` soon after the log has grown. Returns the function that stops it. */
  watch(onChange: () => void): () => void;
  /** Who writes it now. */
  holder(): Promise<LogHolder | undefined>;
}

/** Who a new upgrade belongs to. */
export interface UpgradeIdentity {
  readonly planId?: string | undefined;
  readonly clusterName?: string | undefined;
}

export interface Upgrades {
  /** The upgrade of a server of one tracker; undefined for a server of a storage. */
  readonly only?: string | undefined;
  /** The logs there are, finished runs included. @throws STORAGE_UNUSABLE. */
  list(): Promise<readonly LogRef[]>;
  log(ref: string): LogSource;
  /** Calls `onChange` soon after any log has grown, come or gone, with its ref; with undefined when any may have. Returns the function that stops it. */
  watch(onChange: (changed?: string) => void): () => void;
  /** Executes commands in order, here or through the process that holds the upgrade, and flushes. @throws as the library does. */
  execute(
    upgradeId: string,
    commands: readonly unknown[],
    identity?: UpgradeIdentity,
  ): Promise<readonly ProgressEvent[]>;
  /** Removes an upgrade with its finished runs, for good. @throws LOCKED while somebody else writes it. */
  delete(upgradeId: string): Promise<void>;
}
