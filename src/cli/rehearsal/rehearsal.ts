/** What each part of a rehearsal needs. */

import type { ProgressTracker } from "../../progress-tracker.ts";

export interface Rehearsal {
  readonly tracker: ProgressTracker;
  /** Lets so many minutes of the real upgrade pass, at the speed of the rehearsal. Rejects when it is cancelled. */
  readonly pass: (minutes: number) => Promise<void>;
  /** Minutes of the real upgrade as milliseconds of this one. */
  readonly toMs: (minutes: number) => number;
}

/** The upgrade that a server rehearses; each time it is its next run. */
export const REHEARSAL_ID = "rehearsal";
