/** What is shown of an upgrade at a moment: one view-model for terminal, dashboard and messages. Pure: the same state and moment give the same view. */

import type { Insight } from "../../model/event.ts";
import { assessHealth } from "../../model/health.ts";
import { upgradeDurationMs, type UpgradeProgress } from "../../model/upgrade.ts";
import {
  isFinalUpgradeStatus,
  type HealthState,
  type InsightLevel,
  type ProgressStatus,
} from "../../model/vocabulary.ts";
import { logTimeAt, sinceMs } from "./log-time.ts";
import { safeText } from "../text/safe-text.ts";
import { HEALTH_TONES, STATUS_WORDS, type ShownStatus, type Tone } from "../text/status-words.ts";
import { tellingMessage, type Moment } from "../task/task-view.ts";
import { treeRows, type TreeLimits, type TreeRow } from "../task/tree.ts";
import type { UsualDurations } from "../estimate/usual-durations.ts";

export interface InsightView {
  readonly id: string;
  readonly level: InsightLevel;
  readonly message: string;
  readonly impact: string | null;
  readonly remedy: string | null;
  readonly reference: string | null;
  readonly resources: readonly string[];
  readonly elapsedMs: number;
}

export interface HealthView {
  readonly state: HealthState;
  readonly reasons: readonly string[];
}

/** What is shown of the whole upgrade. Texts are safe to show; ids are as they are stored. Durations are in ms. */
export interface HeadView {
  readonly upgradeId: string;
  readonly planId: string;
  readonly clusterName: string;
  readonly run: number;
  readonly cursor: string;
  /** The wall time for which this is true, ISO 8601. */
  readonly asOf: string;
  readonly status: ProgressStatus;
  readonly hasEnded: boolean;
  /** 0 to 100; null when unknown, and before the start. */
  readonly percent: number | null;
  readonly phase: string | null;
  readonly phaseElapsedMs: number | null;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  /** Worked time, pauses left out. */
  readonly elapsedMs: number | null;
  /** All pauses, one that still lasts included. */
  readonly pausedMs: number;
  /** How long the pause that still lasts has lasted; null when none does. */
  readonly pausedSinceMs: number | null;
  /** Since the newest event. */
  readonly silentMs: number;
  readonly health: HealthView | null;
  readonly message: string | null;
  readonly taskCount: number;
  /** How many tasks have each status, one that waits counted as waiting; the sum is `taskCount`. */
  readonly counts: Readonly<Record<ShownStatus, number>>;
  /** The worst first, then the oldest. */
  readonly insights: readonly InsightView[];
}

/** The whole and its tasks. */
export interface UpgradeView extends HeadView {
  readonly rows: readonly TreeRow[];
}

export interface HeadOptions {
  /** Wall time, epoch ms. */
  readonly asOfMs: number;
  /** False if it is known that nobody holds the log now. */
  readonly hasWriter?: boolean | undefined;
}

export function upgradeView(
  state: UpgradeProgress,
  { asOfMs, hasWriter, ...limits }: HeadOptions & TreeLimits,
): UpgradeView {
  return { ...headView(state, { asOfMs, hasWriter }), rows: taskRows(state, asOfMs, limits) };
}

/** The rows of the task tree at a wall time (epoch ms). */
export function taskRows(state: UpgradeProgress, asOfMs: number, limits: TreeLimits = {}): readonly TreeRow[] {
  return treeRows(state.tasks, momentAt(state, asOfMs), limits);
}

/** The moment of a wall time (epoch ms) in the log of `state`. When an upgrade has ended, nothing in it takes any longer. */
export function momentAt(state: UpgradeProgress, asOfMs: number, usual?: UsualDurations): Moment {
  return { asOfMs, logMs: state.endedMs ?? logTimeAt(state, asOfMs), usual };
}

export function headView(state: UpgradeProgress, { asOfMs, hasWriter }: HeadOptions): HeadView {
  const now = momentAt(state, asOfMs);
  const stay = state.phases.at(-1);
  return {
    upgradeId: state.upgradeId,
    planId: state.planId,
    clusterName: state.clusterName,
    run: state.run,
    cursor: state.cursor,
    asOf: new Date(asOfMs).toISOString(),
    status: state.status,
    hasEnded: isFinalUpgradeStatus(state.status),
    percent: overallPercent(state),
    phase: state.currentPhase === null ? null : safeText(state.currentPhase),
    phaseElapsedMs: stay === undefined ? null : Math.max(0, (stay.endedMs ?? now.logMs) - stay.startedMs),
    startedAt: state.startedAt,
    completedAt: state.completedAt,
    elapsedMs: upgradeDurationMs(state, now.logMs),
    ...pauses(state, now.logMs),
    silentMs: sinceMs(state.clock.lastTime, asOfMs),
    health: healthView(state, now.logMs, hasWriter ?? true),
    message: endMessage(state),
    taskCount: state.tasks.size,
    counts: shownCounts(state),
    insights: [...state.insights].sort(byUrgency).map((insight) => insightView(insight, asOfMs)),
  };
}

function pauses({ pausedMs, pausedSinceMs }: UpgradeProgress, logMs: number) {
  const lastsMs = pausedSinceMs === null ? null : Math.max(0, logMs - pausedSinceMs);
  return { pausedMs: pausedMs + (lastsMs ?? 0), pausedSinceMs: lastsMs };
}

/** "9 of 23 tasks completed, 2 running, 1 waiting". */
export function countsText({ counts, taskCount }: Pick<HeadView, "counts" | "taskCount">): string {
  if (taskCount === 0) return "no tasks yet";
  const others = (["in_progress", "waiting", "paused", "failed", "cancelled", "skipped"] satisfies ShownStatus[])
    .filter((status) => counts[status] > 0)
    .map((status) => `${counts[status]} ${STATUS_WORDS[status].word}`);
  return [`${counts.completed} of ${taskCount} ${taskCount === 1 ? "task" : "tasks"} completed`, ...others].join(", ");
}

/** How loud the whole is: its status, and louder while its health is bad. */
export function toneOf({ status, health }: Pick<HeadView, "status" | "health">): Tone {
  const tone = health === null ? "good" : HEALTH_TONES[health.state];
  return status === "in_progress" && tone !== "good" ? tone : STATUS_WORDS[status].tone;
}

/** Unknown while all that works says nothing of how far it is: nought would be an invented number. */
function overallPercent({ status, overallPercentage, tasks }: UpgradeProgress): number | null {
  if (status === "not_started") return null;
  if (overallPercentage > 0 || isFinalUpgradeStatus(status)) return overallPercentage;
  if (tasks.size === 0) return null;
  for (const task of tasks.active()) {
    if (task.status === "in_progress" && !task.isMeasured && !tasks.hasChildren(task.taskId)) return null;
  }
  return overallPercentage;
}

/** Only what works has a health. Trouble with the storage is known to the writer alone, so what it recorded of it stands. */
export function healthView(state: UpgradeProgress, logMs: number, hasWriter: boolean): HealthView | null {
  if (state.status === "not_started" || isFinalUpgradeStatus(state.status)) return null;
  const trouble = state.health?.reasons.find(({ code }) => code === "storage")?.message;
  const verdict = assessHealth(state, { isWriterAlive: hasWriter, trouble }, logMs);
  return { state: verdict.state, reasons: verdict.reasons.map(({ message }) => safeText(message)) };
}

function endMessage({ message, errorMessage, status }: UpgradeProgress): string | null {
  return tellingMessage(status === "failed" ? (errorMessage ?? message) : message);
}

function shownCounts({ tasks }: UpgradeProgress): Record<ShownStatus, number> {
  let waiting = 0;
  let waitingToStart = 0;
  for (const { status, waitingOn } of tasks.active()) {
    if (waitingOn === null) continue;
    if (status === "in_progress") waiting += 1;
    else if (status === "not_started") waitingToStart += 1;
  }
  return {
    ...tasks.counts,
    waiting: waiting + waitingToStart,
    in_progress: tasks.counts.in_progress - waiting,
    not_started: tasks.counts.not_started - waitingToStart,
  };
}

const URGENCY: Readonly<Record<InsightLevel, number>> = { error: 0, warning: 1, info: 2 };

function byUrgency(a: Insight, b: Insight): number {
  return URGENCY[a.level] - URGENCY[b.level] || a.since.localeCompare(b.since);
}

export function insightView(insight: Insight, asOfMs: number): InsightView {
  const optional = (text: string | null): string | null => (text === null || text === "" ? null : safeText(text));
  return {
    id: insight.id,
    level: insight.level,
    message: safeText(insight.message),
    impact: optional(insight.impact),
    remedy: optional(insight.remedy),
    reference: optional(insight.reference),
    resources: insight.resources.map(safeText),
    elapsedMs: sinceMs(insight.since, asOfMs),
  };
}
