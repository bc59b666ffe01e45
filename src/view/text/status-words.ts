/** The words, signs and tones of statuses, health and insights: the same on every surface, and never colour alone. */

import type { HealthState, InsightLevel, ProgressStatus } from "../../model/vocabulary.ts";

/** What a task is shown as: its status, or that it waits. */
export type ShownStatus = ProgressStatus | "waiting";

/** How loud something is; a surface gives each tone a colour of its own, beside the word. */
export type Tone = "good" | "active" | "attention" | "bad" | "quiet";

/** How one status is shown. */
export interface StatusWords {
  readonly word: string;
  /** One column wide. */
  readonly glyph: string;
  /** The same for terminals without Unicode. */
  readonly ascii: string;
  readonly tone: Tone;
  /** How much it asks to be seen; the greatest is kept when there is no room for all. */
  readonly rank: number;
}

const words = (word: string, glyphs: string, tone: Tone, rank: number): StatusWords => ({
  word,
  glyph: glyphs.charAt(0),
  ascii: glyphs.charAt(1),
  tone,
  rank,
});

/** Shown statuses, in the order in which counts are listed. */
export const STATUS_WORDS: Readonly<Record<ShownStatus, StatusWords>> = {
  completed: words("completed", "✓+", "good", 0),
  in_progress: words("running", "●*", "active", 3),
  waiting: words("waiting", "◌~", "attention", 5),
  paused: words("paused", "‖=", "attention", 4),
  failed: words("failed", "✗x", "bad", 6),
  cancelled: words("cancelled", "⊘/", "quiet", 2),
  skipped: words("skipped", "–-", "quiet", 0),
  not_started: words("not started", "○.", "quiet", 1),
};

/** The tone of each health state. Its word is the state itself. */
export const HEALTH_TONES: Readonly<Record<HealthState, Tone>> = {
  progressing: "good",
  slow: "attention",
  stalled: "bad",
  degraded: "attention",
  lost: "bad",
};

/** The sign of each health state, one column wide. */
export const HEALTH_GLYPHS: Readonly<Record<HealthState, string>> = {
  progressing: "✓",
  slow: "!",
  stalled: "!",
  degraded: "!",
  lost: "✗",
};

/** The tone of each insight level. Its word is the level itself. */
export const INSIGHT_TONES: Readonly<Record<InsightLevel, Tone>> = {
  info: "quiet",
  warning: "attention",
  error: "bad",
};
