/** The state of one upgrade: what a log folds to. Immutable; `evolve` makes the next one. */

import type { HealthReason, Insight } from "./event.ts";
import type { Task } from "./task.ts";
import { TaskMap } from "./task-map.ts";
import type { HealthState, ProgressStatus } from "./vocabulary.ts";

/** The version of this state's shape. A snapshot of another version is ignored and made anew. */
export const MODEL_VERSION = 1;

/** A stay in a phase; the current one has no end. */
export interface PhaseStay {
  readonly phase: string;
  readonly startedAt: string;
  readonly startedMs: number;
  readonly endedMs: number | null;
}

/** An insight that stands, with the seq of the event that said it as it is. */
export interface StandingInsight extends Insight {
  readonly seq: number;
}

/** The recorded health and since when it holds. */
export interface Health {
  readonly state: HealthState;
  readonly reasons: readonly HealthReason[];
  readonly since: string;
}

/**
 * The log's own clock. Log time is `baseMs + event.ms`: within a term it is monotonic, and between terms the wall
 * difference is added when it is positive.
 */
export interface LogClock {
  readonly baseMs: number;
  readonly lastMs: number;
  readonly lastTime: string | null;
}

/** The log time of a wall time (ms since 1970) outside any term: the wall difference is added, and never taken away. */
export function logTimeAt({ lastMs, lastTime }: LogClock, wallMs: number): number {
  return lastMs + (lastTime === null ? 0 : Math.max(0, wallMs - Date.parse(lastTime)) || 0);
}

/** The whole state of an upgrade at a seq. Times as in {@link Task}. */
export interface UpgradeProgress {
  readonly upgradeId: string;
  readonly planId: string;
  readonly clusterName: string;
  /** 1 for the first run; `startUpgrade` on a finished upgrade begins the next one, in a log of its own. */
  readonly run: number;
  readonly seq: number;
  readonly cursor: string;
  readonly status: ProgressStatus;
  readonly currentPhase: string | null;
  readonly phases: readonly PhaseStay[];
  readonly overallPercentage: number;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  readonly pausedMs: number;
  readonly pausedSinceMs: number | null;
  readonly message: string | null;
  readonly errorMessage: string | null;
  readonly health: Health | null;
  readonly insights: readonly StandingInsight[];
  readonly startedSeq: number | null;
  readonly statusSeq: number;
  readonly phaseSeq: number;
  /** The term that writes; null when its writer has closed. */
  readonly openTerm: string | null;
  readonly clock: LogClock;
  /** The tasks, in the order in which they were added. */
  readonly tasks: TaskMap;
}

/** The state of a log with no events. `cursor` names its beginning. */
export function emptyUpgrade(
  ids: { readonly upgradeId: string; readonly planId: string; readonly clusterName: string },
  { cursor = "", run = 1 }: { readonly cursor?: string; readonly run?: number } = {},
): UpgradeProgress {
  return Object.freeze({
    upgradeId: ids.upgradeId,
    planId: ids.planId,
    clusterName: ids.clusterName,
    run,
    seq: 0,
    cursor,
    status: "not_started",
    currentPhase: null,
    phases: [],
    overallPercentage: 0,
    startedAt: null,
    completedAt: null,
    startedMs: null,
    endedMs: null,
    pausedMs: 0,
    pausedSinceMs: null,
    message: null,
    errorMessage: null,
    health: null,
    insights: [],
    startedSeq: null,
    statusSeq: 0,
    phaseSeq: 0,
    openTerm: null,
    clock: { baseMs: 0, lastMs: 0, lastTime: null },
    tasks: TaskMap.empty,
  });
}

/** The JSON form of a state: tasks as an array in their order (an object would reorder ids such as "10" and "2"). */
export type UpgradeJson = Omit<UpgradeProgress, "tasks"> & { readonly tasks: readonly Task[] };

/** The state from its JSON form. Sums are rebuilt, not read, so they cannot disagree with the tasks. */
export function upgradeFromJson(json: UpgradeJson): UpgradeProgress {
  return Object.freeze({ ...json, tasks: TaskMap.from(json.tasks) });
}

/** How long the upgrade has worked, pauses left out; null while it has not started. */
export function upgradeDurationMs(upgrade: UpgradeProgress, nowMs: number): number | null {
  if (upgrade.startedMs === null) return null;
  const until = upgrade.endedMs ?? upgrade.pausedSinceMs ?? Math.max(nowMs, upgrade.startedMs);
  return Math.max(0, until - upgrade.startedMs - upgrade.pausedMs);
}
