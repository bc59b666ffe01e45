/** The summary of an upgrade as every reader from outside gets it: command line, HTTP, the fleet. */

import type { UpgradeProgress } from "../model/upgrade.ts";
import { progressSummary, type ProgressSummary } from "../model/summary.ts";
import { logTimeAt } from "./log-time.ts";
import { headView, type HealthView } from "./upgrade-view.ts";

/** What the tracker's own summary says, and what a reader from outside wants besides. */
export interface UpgradeSummary extends ProgressSummary {
  readonly run: number;
  readonly cursor: string;
  /** False while all that works says nothing of how far it is: the percentage is then unknown, not nought. */
  readonly isMeasured: boolean;
  /** Null before the start and after the end. */
  readonly health: HealthView | null;
  readonly waitingTasks: number;
  readonly errorMessage: string | null;
}

/** The summary at a wall time (epoch ms). */
export function summaryAt(
  state: UpgradeProgress,
  { asOfMs, hasWriter }: { readonly asOfMs: number; readonly hasWriter: boolean },
): UpgradeSummary {
  const view = headView(state, { asOfMs, hasWriter });
  return {
    ...progressSummary(state, { time: view.asOf, logMs: logTimeAt(state, asOfMs) }),
    run: state.run,
    cursor: state.cursor,
    isMeasured: view.percent !== null,
    health: view.health,
    waitingTasks: view.counts.waiting,
    errorMessage: state.errorMessage,
  };
}
