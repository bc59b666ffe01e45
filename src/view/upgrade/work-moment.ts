/** The moment up to which an upgrade worked: nothing in it goes on after its end, also not what it left unfinished. */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import { logTimeAt } from "./log-time.ts";
import type { Moment } from "../task/task-view.ts";

/**
 * The moment at a wall time (epoch ms), or that of the upgrade's end when it was before. Its two times are of the same instant, so
 * that any log time can be told as a time of day; a reader's clock that is behind the newest event is taken to be at it.
 */
export function workMoment(state: UpgradeProgress, asOfMs: number): Moment {
  const logMs = logTimeAt(state, asOfMs);
  const wallMs = Math.max(asOfMs, Date.parse(state.clock.lastTime ?? "") || 0);
  if (state.endedMs === null || logMs <= state.endedMs) return { asOfMs: wallMs, logMs };
  return { asOfMs: wallMs - (logMs - state.endedMs), logMs: state.endedMs };
}
