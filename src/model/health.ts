/** Health: the second axis beside status, computed from (state, writer liveness, now). */

import type { HealthReason } from "./event.ts";
import { taskDurationMs, type Task } from "./task.ts";
import type { UpgradeProgress } from "./upgrade.ts";
import { isFinalUpgradeStatus, type HealthState } from "./vocabulary.ts";

/** What counts as slow or stalled, in milliseconds. */
export interface HealthThresholds {
  /** No sign of life of a running task. */
  readonly stalledAfterMs: number;
  /** Signs of life, but no advance. */
  readonly slowAfterMs: number;
  /** How far beyond its expected time a task may run, as a factor. */
  readonly slowFactor: number;
}

export const HEALTH_THRESHOLDS: HealthThresholds = { stalledAfterMs: 300_000, slowAfterMs: 900_000, slowFactor: 1.5 };

export interface Liveness {
  /** True while somebody holds the log. */
  readonly isWriterAlive: boolean;
  /** Why the storage does not take writes now. */
  readonly trouble?: string | undefined;
}

export interface HealthVerdict {
  readonly state: HealthState;
  readonly reasons: readonly HealthReason[];
}

const WELL: HealthVerdict = Object.freeze({ state: "progressing", reasons: Object.freeze([]) });
const MAX_REASONS = 10;

/**
 * How well an unfinished upgrade is, worst verdict first: lost, degraded, stalled, slow, progressing. An upgrade that has not
 * started, is paused (all its clocks stand still) or has ended is progressing as far as anybody can tell.
 *
 * A writer that closed its log (a shell script between two reports) is lost only when it stays away for `stalledAfterMs`.
 *
 * @param nowMs - log time.
 */
export function assessHealth(
  state: UpgradeProgress,
  { isWriterAlive, trouble }: Liveness,
  nowMs: number,
  thresholds: HealthThresholds = HEALTH_THRESHOLDS,
): HealthVerdict {
  if (state.status === "not_started" || isFinalUpgradeStatus(state.status)) return WELL;
  const lost = lostReasons(state, isWriterAlive, nowMs, thresholds);
  if (lost.length > 0) return { state: "lost", reasons: lost };
  const degraded = degradedReasons(state, trouble);
  if (degraded.length > 0) return { state: "degraded", reasons: degraded };
  if (state.status === "paused") return WELL;
  const stalled: HealthReason[] = [];
  const slow: HealthReason[] = [];
  for (const task of state.tasks.active()) {
    if (task.status !== "in_progress" || state.tasks.hasChildren(task.taskId)) continue;
    const silentMs = nowMs - task.lastSeenMs;
    if (silentMs >= thresholds.stalledAfterMs)
      stalled.push(reason(task, "silent", `no sign of life of ${task.taskName} for ${minutes(silentMs)}`));
    else slow.push(...slowReasons(task, nowMs, thresholds));
  }
  if (stalled.length > 0) return { state: "stalled", reasons: stalled.slice(0, MAX_REASONS) };
  return slow.length > 0 ? { state: "slow", reasons: slow.slice(0, MAX_REASONS) } : WELL;
}

function lostReasons(
  state: UpgradeProgress,
  isWriterAlive: boolean,
  nowMs: number,
  { stalledAfterMs }: HealthThresholds,
): HealthReason[] {
  if (isWriterAlive) return [];
  // Recorded in its stead: it stays so until a writer opens the log again.
  if (state.health?.state === "lost") return [...state.health.reasons];
  if (state.openTerm !== null) return [{ code: "writer_died", message: "its writer ended without closing the log" }];
  const awayMs = nowMs - state.clock.lastMs;
  return awayMs < stalledAfterMs
    ? []
    : [{ code: "writer_gone", message: `nobody has reported for ${minutes(awayMs)}` }];
}

function degradedReasons(state: UpgradeProgress, trouble: string | undefined): HealthReason[] {
  const reasons: HealthReason[] = trouble === undefined ? [] : [{ code: "storage", message: trouble }];
  for (const { id, level, message } of state.insights) {
    if (level === "error") reasons.push({ code: "insight", message: `${id}: ${message}` });
  }
  return reasons.slice(0, MAX_REASONS);
}

function slowReasons(task: Task, nowMs: number, { slowAfterMs, slowFactor }: HealthThresholds): HealthReason[] {
  const ranMs = taskDurationMs(task, nowMs) ?? 0;
  if (task.expectedMs !== null && ranMs > task.expectedMs * slowFactor) {
    return [
      reason(task, "overrun", `${task.taskName} runs for ${minutes(ranMs)}, expected were ${minutes(task.expectedMs)}`),
    ];
  }
  const stuckMs = nowMs - task.lastAdvanceMs;
  if (stuckMs < slowAfterMs) return [];
  return [reason(task, "no_advance", `${task.taskName} has not advanced for ${minutes(stuckMs)}`)];
}

const reason = (task: Task, code: string, message: string): HealthReason => ({ code, message, taskId: task.taskId });

function minutes(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
