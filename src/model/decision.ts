/** What a decision is, and the limits it keeps. */

import type { EventDraft } from "./event.ts";

/** The moment of a decision: wall time (ISO 8601) and log time. */
export interface Now {
  readonly time: string;
  readonly logMs: number;
}

/**
 * Either the events to append (the last one is the answer to the caller), or, when what is asked already holds, the seq
 * of the event that made it so.
 */
export type Decision = { readonly drafts: readonly EventDraft[] } | { readonly repeats: number };

/** Limits of one upgrade. */
export const UPGRADE_LIMITS = { maxTasks: 1_000_000, maxDepth: 32, maxInsights: 1000, maxListedIds: 1000 } as const;
