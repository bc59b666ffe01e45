/**
 * The plan of an upgrade: when each task is due and how long it should take, and how far from it the upgrade is.
 *
 * How long: what the task was added with (`expectedMs`), else what is usual. When: where it usually lies after the start, moved
 * by the pauses of this upgrade; what nothing tells is not planned.
 */

import { taskDurationMs, type Task } from "../../model/task.ts";
import { upgradeDurationMs, type UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { durationText } from "../text/duration.ts";
import type { Stretch } from "../timeline/stretches.ts";
import type { Moment } from "../task/task-view.ts";
import { plannedMs, type PlanSource } from "./usual.ts";
import type { UsualDurations } from "./usual-durations.ts";

/** How long a task should take (ms), and when it is due (log time, ms). */
export interface PlannedTask {
  readonly source: PlanSource;
  readonly durationMs: number;
  /** Nine of ten earlier ones took no longer; null when it is only expected. */
  readonly p90Ms: number | null;
  /** Earlier upgrades that say so; 0 when it is only expected. */
  readonly runs: number;
  /** Null when nothing tells when it should start. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

export interface Plan {
  of(task: Task): PlannedTask | undefined;
  /** When the upgrade is usually through (log time, ms); null when nothing tells. */
  readonly endMs: number | null;
  /** How far behind the plan the upgrade is (ms), negative when it is ahead; null when nothing tells. */
  behindMs(): number | null;
}

export interface PlanOptions {
  readonly usual: UsualDurations;
  readonly now: Moment;
  /** The pauses of the upgrade, in order, as far as they are known (`stretchesOf(state, null, …)`). */
  readonly pauses?: readonly Stretch[];
}

export function planOf(state: UpgradeProgress, { usual, now, pauses = [] }: PlanOptions): Plan {
  const due = (workedMs: number): number | null =>
    state.startedMs === null ? null : state.startedMs + workedMs + pausedBefore(workedMs, state, { now, pauses });
  const of = (task: Task): PlannedTask | undefined => plannedTask(task, usual, due);
  const endMs = usual.whole === undefined ? null : due(usual.whole.p50);
  return { of, endMs, behindMs: () => behindMs(state, { usual, now, of }) };
}

function plannedTask(
  task: Task,
  usual: UsualDurations,
  due: (workedMs: number) => number | null,
): PlannedTask | undefined {
  const planned = plannedMs(task, usual);
  if (planned === undefined) return undefined;
  const { p50, p90, source } = planned;
  const startMs = usual.usualStartMs(task);
  // Without a usual place it is due when it has begun, and nobody knows before.
  const fromMs = startMs === undefined ? (task.attempts[0]?.startedMs ?? task.startedMs) : due(startMs);
  return {
    source,
    durationMs: p50,
    p90Ms: source === "usual" ? p90 : null,
    runs: source === "usual" ? (usual.usualMs(task)?.runs ?? 0) : 0,
    fromMs,
    toMs: fromMs === null ? null : fromMs + p50,
  };
}

/** How long the upgrade was paused before it had worked so long. A sum of pauses without their places lies before everything. */
function pausedBefore(
  workedMs: number,
  { startedMs, pausedMs, pausedSinceMs }: UpgradeProgress,
  { now, pauses }: { readonly now: Moment; readonly pauses: readonly Stretch[] },
): number {
  let known = 0;
  let before = 0;
  for (const { fromMs, toMs, kind } of pauses) {
    if (kind !== "paused") continue;
    const lengthMs = Math.max(0, (toMs ?? now.logMs) - fromMs);
    if (fromMs - (startedMs ?? 0) - known <= workedMs) before += lengthMs;
    known += lengthMs;
  }
  const standing = pausedSinceMs === null ? 0 : Math.max(0, now.logMs - pausedSinceMs);
  return before + Math.max(0, pausedMs + standing - known);
}

interface Schedule {
  readonly usual: UsualDurations;
  readonly now: Moment;
  readonly of: (task: Task) => PlannedTask | undefined;
}

/**
 * Of an ended upgrade, what it took beyond what is usual. Else what is overdue the longest; when nothing is, how the task that
 * ended last stood to its plan.
 */
function behindMs(state: UpgradeProgress, { usual, now, of }: Schedule): number | null {
  if (isFinalUpgradeStatus(state.status)) {
    const workedMs = upgradeDurationMs(state, now.logMs);
    const isComparable = state.status === "completed" && usual.whole !== undefined && workedMs !== null;
    return isComparable ? workedMs - usual.whole.p50 : null;
  }
  // Only earlier upgrades tell when something is due.
  if (state.startedMs === null || usual.upgrades === 0) return null;
  let overdueMs = 0;
  let newest: { readonly endedMs: number; readonly lateMs: number } | undefined;
  for (const task of state.tasks.values()) {
    if (state.tasks.hasChildren(task.taskId)) continue;
    const { fromMs, toMs } = of(task) ?? {};
    if (fromMs == null || toMs == null) continue;
    if (task.status === "completed") {
      if (task.endedMs !== null && task.endedMs >= (newest?.endedMs ?? 0))
        newest = { endedMs: task.endedMs, lateMs: task.endedMs - toMs };
    } else if (task.status === "not_started") overdueMs = Math.max(overdueMs, now.logMs - fromMs);
    else if (task.status === "in_progress") overdueMs = Math.max(overdueMs, now.logMs - toMs);
  }
  return overdueMs > 0 ? overdueMs : (newest?.lateMs ?? null);
}

/** How far a task is over what it should take (ms), negative under it; null when nothing tells, or it has not begun. */
export function overPlanMs(task: Task, planned: PlannedTask | undefined, now: Moment): number | null {
  const workedMs = taskDurationMs(task, now.logMs);
  if (planned === undefined || workedMs === null) return null;
  if (task.status === "completed" || workedMs > planned.durationMs) return workedMs - planned.durationMs;
  return null;
}

/** Below it a difference is not worth a word. */
const NOTABLE_MS = 1000;

/** "12m 05s over usual", "3m 00s under what was expected", "as usual". */
export function overPlanText(overMs: number, source: PlanSource): string {
  const than = source === "usual" ? "usual" : "expected";
  if (Math.abs(overMs) < NOTABLE_MS) return `as ${than}`;
  return `${durationText(Math.abs(overMs))} ${overMs > 0 ? "over" : "under"} ${than}`;
}

/** "12m 05s behind the usual", "3m 00s ahead of the usual", "as usual". */
export function behindText(ms: number): string {
  if (Math.abs(ms) < NOTABLE_MS) return "as usual";
  return ms > 0 ? `${durationText(ms)} behind the usual` : `${durationText(-ms)} ahead of the usual`;
}

/** What the plan is taken from, in words; undefined for a plan from nothing. */
export function basisText(planned: PlannedTask): string {
  if (planned.source === "expected") return `expected ${durationText(planned.durationMs)}`;
  const { runs, durationMs, p90Ms } = planned;
  const range = p90Ms === null || p90Ms - durationMs < NOTABLE_MS ? "" : `, nine of ten within ${durationText(p90Ms)}`;
  return `usually ${durationText(durationMs)}${range} (${runs} earlier ${runs === 1 ? "upgrade" : "upgrades"})`;
}
