/** What a mail shows, whatever the form. */

import type { InsightLevel } from "../../model/vocabulary.ts";
import type { Fact } from "../wording.ts";

export interface Letter {
  readonly title: string;
  readonly level: InsightLevel;
  /** Of several events, each in its order; empty for one. */
  readonly lines: readonly Line[];
  readonly facts: readonly Fact[];
  readonly link: string | undefined;
  readonly footer: string;
}

export interface Line {
  /** `2026-11-23 12:04:10 UTC`. */
  readonly time: string;
  readonly text: string;
  readonly level: InsightLevel;
}
