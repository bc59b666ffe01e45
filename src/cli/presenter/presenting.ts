/** What shows an upgrade while it goes on. */

import type { CiSystem } from "../ci/system.ts";
import type { CommonOptions } from "../context.ts";
import type { Change } from "../source/port.ts";
import type { Leave } from "../terminal.ts";

/** What a verb tells its presenter. */
export interface Presenter {
  /** The present state and what led to it. */
  show(change: Change): void;
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
  /** Whose log the lines are for. */
  readonly ci?: CiSystem | undefined;
  /** How to leave; shown below the tree. */
  readonly hint: string;
  readonly banner?: string | undefined;
}
