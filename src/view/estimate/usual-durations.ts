/** How long things usually take: what earlier upgrades tell about the tasks of this one. Pauses are left out of every number. */

import { parseCursor } from "../../model/cursor.ts";
import { taskDurationMs, type Task } from "../../model/task.ts";
import { upgradeDurationMs, type UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";

/** A usual duration (ms): half of the runs took no longer than `p50`, nine of ten no longer than `p90`. */
interface Usual {
  readonly p50: number;
  readonly p90: number;
  /** The number of earlier upgrades that it is taken from; 1 at least. */
  readonly runs: number;
}

/** What makes a task the same as one of an earlier upgrade: its id, else its name and type. */
type TaskKey = Pick<Task, "taskId" | "taskName" | "taskType">;

/** What earlier upgrades tell. What none of them tells is undefined. */
export interface UsualDurations {
  /** The number of earlier upgrades. */
  readonly upgrades: number;
  /** How long the whole upgrade takes, from those that completed. */
  readonly whole: Usual | undefined;
  usualMs(task: TaskKey): Usual | undefined;
  /** How long after the upgrade the task usually starts (ms), from upgrades that were never paused. */
  usualStartMs(task: TaskKey): number | undefined;
}

/** Nothing is known of any earlier upgrade. */
export const NOTHING_USUAL: UsualDurations = {
  upgrades: 0,
  whole: undefined,
  usualMs: () => undefined,
  usualStartMs: () => undefined,
};

/**
 * Of the upgrades found, those to learn from: finished, and begun before this one; of the same cluster, or when there is none,
 * of the same plan.
 */
export function earlierUpgrades(state: UpgradeProgress, found: readonly UpgradeProgress[]): readonly UpgradeProgress[] {
  const before = found.filter(
    (other) =>
      isFinalUpgradeStatus(other.status) &&
      logOf(other) !== logOf(state) &&
      Date.parse(other.startedAt ?? "") < Date.parse(state.startedAt ?? new Date(8.64e15).toISOString()),
  );
  const ofCluster = before.filter(({ clusterName }) => clusterName === state.clusterName);
  return ofCluster.length > 0 ? ofCluster : before.filter(({ planId }) => planId === state.planId);
}

/** A log has a name of its own; a state that no log gave is named by its upgrade and run. */
function logOf({ cursor, upgradeId, run }: UpgradeProgress): string {
  try {
    return parseCursor(cursor).logId;
  } catch {
    return `${upgradeId}@${run}`;
  }
}

interface Samples {
  readonly workedMs: number[];
  readonly startsMs: number[];
  upgrades: number;
  last: UpgradeProgress | undefined;
  usual: Usual | undefined;
}

/** What these upgrades tell. Only completed tasks count: how long a task took that failed says little. */
export function usualDurations(earlier: readonly UpgradeProgress[]): UsualDurations {
  const byId = new Map<string, Samples>();
  /** By type, then by name: a key of both would have to be made for each question. */
  const byName = new Map<string, Map<string, Samples>>();
  const wholeMs: number[] = [];
  for (const upgrade of earlier) {
    const whole = upgrade.status === "completed" ? upgradeDurationMs(upgrade, 0) : null;
    if (whole !== null) wholeMs.push(whole);
    for (const task of upgrade.tasks.values()) {
      if (task.status !== "completed") continue;
      note(samplesOf(byId, task.taskId), task, upgrade);
      note(samplesOf(namesOf(byName, task.taskType), task.taskName), task, upgrade);
    }
  }
  const find = (task: TaskKey): Samples | undefined =>
    byId.get(task.taskId) ?? byName.get(task.taskType)?.get(task.taskName);
  return {
    upgrades: earlier.length,
    whole: usualOf(wholeMs, wholeMs.length),
    usualMs(task) {
      const samples = find(task);
      return samples === undefined ? undefined : (samples.usual ??= usualOf(samples.workedMs, samples.upgrades));
    },
    usualStartMs(task) {
      const samples = find(task);
      return samples === undefined || samples.startsMs.length === 0 ? undefined : quantile(samples.startsMs, 0.5);
    },
  };
}

function namesOf(byName: Map<string, Map<string, Samples>>, taskType: string): Map<string, Samples> {
  const known = byName.get(taskType);
  if (known !== undefined) return known;
  const names = new Map<string, Samples>();
  byName.set(taskType, names);
  return names;
}

function samplesOf(map: Map<string, Samples>, key: string): Samples {
  const known = map.get(key);
  if (known !== undefined) return known;
  const samples: Samples = { workedMs: [], startsMs: [], upgrades: 0, last: undefined, usual: undefined };
  map.set(key, samples);
  return samples;
}

function note(samples: Samples, task: Task, upgrade: UpgradeProgress): void {
  const workedMs = taskDurationMs(task, 0);
  if (workedMs === null) return;
  samples.workedMs.push(workedMs);
  if (samples.last !== upgrade) samples.upgrades += 1;
  samples.last = upgrade;
  const firstMs = task.attempts[0]?.startedMs ?? task.startedMs;
  // Where a pause lay is not in a state, so what began after one has no place that could be compared.
  if (upgrade.pausedMs === 0 && upgrade.startedMs !== null && firstMs !== null)
    samples.startsMs.push(Math.max(0, firstMs - upgrade.startedMs));
}

function usualOf(samplesMs: readonly number[], runs: number): Usual | undefined {
  if (samplesMs.length === 0) return undefined;
  return { p50: quantile(samplesMs, 0.5), p90: quantile(samplesMs, 0.9), runs };
}

/** The value that a part of the samples does not pass, linear between two of them. */
function quantile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}
