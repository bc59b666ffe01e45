/** The groups of the list in words. */

import type { FleetGroup } from "../../../src/view/upgrade/fleet-view.ts";
import type { Tone } from "../../../src/view/text/status-words.ts";

interface GroupWords {
  readonly word: string;
  readonly glyph: string;
  readonly tone: Tone;
}

export const GROUPS: Readonly<Record<FleetGroup, GroupWords>> = {
  attention: { word: "Needs attention", glyph: "!", tone: "bad" },
  under_way: { word: "Under way", glyph: "●", tone: "active" },
  ended: { word: "Ended", glyph: "✓", tone: "good" },
};
