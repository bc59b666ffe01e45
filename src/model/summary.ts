/** An upgrade in a few numbers, at a moment: what every door tells of it. */

import type { Task } from "./task.ts";
import { upgradeDurationMs, type UpgradeProgress } from "./upgrade.ts";
import { isFinalUpgradeStatus, type ProgressStatus } from "./vocabulary.ts";

/** A task in one line. */
interface CurrentTask {
  readonly taskId: string;
  readonly taskName: string;
  readonly status: ProgressStatus;
  readonly percentage: number;
}

/** Where the upgrade stands, at the moment `asOf`. Durations in milliseconds, pauses left out. */
export interface ProgressSummary {
  readonly upgradeId: string;
  readonly planId: string;
  readonly clusterName: string;
  readonly status: ProgressStatus;
  readonly overallPercentage: number;
  /** The same number as `overallPercentage`. */
  readonly progressPercentage: number;
  readonly currentPhase: string | null;
  readonly currentTask: CurrentTask | null;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  /** ISO 8601, as "PT1H2M3.5S"; null while it has not started. */
  readonly duration: string | null;
  readonly durationMs: number | null;
  readonly totalTasks: number;
  readonly activeTasks: number;
  readonly failedTasks: number;
  readonly completedTasks: number;
  /** The first 100 of each. */
  readonly activeTaskNames: readonly string[];
  readonly failedTaskNames: readonly string[];
  readonly asOf: string;
}

/** The moment of a report. */
export interface ReportMoment {
  readonly time: string;
  readonly logMs: number;
}

const MAX_NAMES = 100;

export function progressSummary(state: UpgradeProgress, { time, logMs }: ReportMoment): ProgressSummary {
  const { counts } = state.tasks;
  const durationMs = upgradeDurationMs(state, logMs);
  return {
    upgradeId: state.upgradeId,
    planId: state.planId,
    clusterName: state.clusterName,
    status: state.status,
    overallPercentage: state.overallPercentage,
    progressPercentage: state.overallPercentage,
    currentPhase: state.currentPhase,
    currentTask: currentOf(state),
    startedAt: state.startedAt,
    completedAt: state.completedAt,
    duration: isoDuration(durationMs),
    durationMs,
    totalTasks: state.tasks.size,
    activeTasks: counts.in_progress,
    failedTasks: counts.failed,
    completedTasks: counts.completed,
    activeTaskNames: firstOf(state, "in_progress", MAX_NAMES).map(({ taskName }) => taskName),
    failedTaskNames: firstOf(state, "failed", MAX_NAMES).map(({ taskName }) => taskName),
    asOf: time,
  };
}

/** The first running task in the order of adding; tasks without children come before groups. */
export function currentTask(state: UpgradeProgress): Task | undefined {
  const running = firstOf(state, "in_progress", MAX_NAMES);
  return running.find(({ taskId }) => !state.tasks.hasChildren(taskId)) ?? running[0];
}

function currentOf(state: UpgradeProgress): CurrentTask | null {
  const task = currentTask(state) ?? firstOf(state, "failed", Number.POSITIVE_INFINITY).at(-1);
  if (task === undefined) return null;
  const { taskId, taskName, status, percentage } = task;
  return { taskId, taskName, status, percentage };
}

/** The first tasks of a status; stops as soon as it has them all. */
function firstOf(state: UpgradeProgress, status: ProgressStatus, limit: number): Task[] {
  const wanted = Math.min(limit, state.tasks.counts[status]);
  const found: Task[] = [];
  if (wanted === 0) return found;
  for (const task of state.tasks.values()) {
    if (task.status !== status) continue;
    found.push(task);
    if (found.length === wanted) break;
  }
  return found;
}

/**
 * When the upgrade would end at the pace it has kept so far, pauses left out; null while there is nothing to go by, and
 * when it has ended. ISO 8601, UTC.
 *
 * @param epochMs - wall time now.
 */
export function estimatedCompletion(state: UpgradeProgress, logMs: number, epochMs: number): string | null {
  const workedMs = upgradeDurationMs(state, logMs);
  const percent = state.overallPercentage;
  if (workedMs === null || workedMs === 0 || percent <= 0 || isFinalUpgradeStatus(state.status)) return null;
  const end = new Date(epochMs + (workedMs * (100 - percent)) / percent);
  return Number.isNaN(end.getTime()) ? null : end.toISOString();
}

/** Milliseconds as ISO 8601, such as "PT1H2M3.5S"; null stays null. */
export function isoDuration(ms: number | null): string | null {
  if (ms === null) return null;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return `PT${hours > 0 ? `${hours}H` : ""}${minutes > 0 ? `${minutes}M` : ""}${seconds}S`;
}
