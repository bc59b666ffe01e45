/** Where the words of a lane go, so that they cover no bar and no bar covers them. */

import type { Lane } from "./timeline.ts";

/** A label of a lane: `at` is the part of the width at which it begins (`after`), ends (`before`) or is centred (`inside`). */
export interface LaneLabel {
  readonly place: "inside" | "after" | "before";
  readonly at: number;
}

export interface LabelRoom {
  /** How wide the lane is, in px. */
  readonly widthPx: number;
  /** How wide the label is, in px, with the space round it. */
  readonly labelPx: number;
}

/** The place of the label of the newest bar: behind all that is in the lane, else in the bar, else before the first; null when there is none. */
export function labelPlace({ bars, plan, stretches }: Lane, { widthPx, labelPx }: LabelRoom): LaneLabel | null {
  const bar = bars.at(-1);
  if (bar === undefined || widthPx <= 0) return null;
  const need = labelPx / widthPx;
  const others = [...stretches, ...(plan === null ? [] : [plan, ...(plan.late === null ? [] : [plan.late])])];
  const end = [...bars, ...others].reduce((most, { left, width }) => Math.max(most, left + width), 0);
  if (end + need <= 1) return { place: "after", at: end };
  const isCovered = stretches.some(({ left, width }) => left < bar.left + need && left + width > bar.left);
  if (bar.width >= need && !isCovered) return { place: "inside", at: bar.left };
  const begin = [...bars, ...others].reduce((least, { left }) => Math.min(least, left), 1);
  return begin >= need ? { place: "before", at: begin } : null;
}
