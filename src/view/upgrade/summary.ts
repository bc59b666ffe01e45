/** The summary of an upgrade as every reader from outside gets it: command line, HTTP, the fleet. */

import type { WaitingOn } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { progressSummary, type ProgressSummary } from "../../model/summary.ts";
import { logTimeAt } from "./log-time.ts";
import { etaView } from "../estimate/eta.ts";
import { headView, momentAt, type HealthView } from "./upgrade-view.ts";

/** What a task waits for; of several tasks that wait, the one that has waited longest. */
interface WaitingSummary extends WaitingOn {
  readonly taskId: string;
  readonly taskName: string;
}

/** How long it will take from `asOf` on (ms), as a range. */
interface TimeLeft {
  readonly lowMs: number;
  readonly likelyMs: number;
  readonly highMs: number;
  /** True while something is waited for: nobody knows how long that lasts, so this is the least. */
  readonly isHeld: boolean;
}

/** What the tracker's own summary says, and what a reader from outside wants besides. */
export interface UpgradeSummary extends ProgressSummary {
  readonly run: number;
  readonly cursor: string;
  /** False while all that works says nothing of how far it is: the percentage is then unknown, not nought. */
  readonly isMeasured: boolean;
  /** Null before the start and after the end. */
  readonly health: HealthView | null;
  readonly waitingTasks: number;
  readonly waitingOn: WaitingSummary | null;
  /** Null while there is nothing to go by, while it is paused, before the start and after the end. */
  readonly timeLeft: TimeLeft | null;
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
    waitingOn: view.counts.waiting === 0 ? null : longestWait(state),
    timeLeft: timeLeft(state, asOfMs),
    errorMessage: state.errorMessage,
  };
}

function longestWait({ tasks }: UpgradeProgress): WaitingSummary | null {
  let longest: WaitingSummary | null = null;
  for (const { taskId, taskName, status, waitingOn } of tasks.active()) {
    if (waitingOn === null || (status !== "in_progress" && status !== "not_started")) continue;
    if (longest === null || waitingOn.since < longest.since) longest = { taskId, taskName, ...waitingOn };
  }
  return longest;
}

function timeLeft(state: UpgradeProgress, asOfMs: number): TimeLeft | null {
  const { range } = etaView(state, momentAt(state, asOfMs));
  if (range === null) return null;
  const { lowMs, likelyMs, highMs, isHeld } = range;
  return { lowMs: Math.round(lowMs), likelyMs: Math.round(likelyMs), highMs: Math.round(highMs), isHeld };
}
