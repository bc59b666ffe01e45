/** What shows an upgrade while it goes on. */

import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { CommonOptions } from "../context.ts";
import type { Leave } from "../terminal.ts";

/** What a verb tells its presenter. */
export interface Presenter {
  /** The present state, and the event that made it, if one did. */
  show(state: UpgradeProgress, event?: ProgressEvent): void;
  /** Whether somebody writes the upgrade now. */
  setWriter(hasWriter: boolean): void;
  /** Shows the last state for good. */
  end(): void;
  /** Gives the terminal back. */
  close(): void;
}

export interface PresenterOptions {
  readonly common: Pick<CommonOptions, "ascii" | "color" | "quiet">;
  readonly leave: Leave;
  /** The wall time for which things are shown, epoch ms. */
  readonly now: () => number;
  /** Lines even on a terminal. */
  readonly isPlain?: boolean | undefined;
  /** After how long without a line one is printed that says what is waited for (ms). */
  readonly signOfLifeMs?: number | undefined;
  /** How to leave; shown below the tree. */
  readonly hint: string;
  readonly banner?: string | undefined;
}
