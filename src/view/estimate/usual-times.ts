/** What earlier upgrades tell of how long things take, as data. Pauses are left out of every number. */

import { parseCursor } from "../../model/cursor.ts";
import { taskDurationMs, type Task } from "../../model/task.ts";
import { upgradeDurationMs, type UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";

/** A usual duration (ms): half of the runs took no longer than `p50`, nine of ten no longer than `p90`. */
export interface Usual {
  readonly p50: number;
  readonly p90: number;
  /** The number of earlier upgrades that it is taken from; 1 at least. */
  readonly runs: number;
}

/** Of tasks that are taken to be the same one. */
export interface UsualTask extends Usual {
  /** How long after the upgrade it starts (ms), from upgrades that were never paused; null when there was none. */
  readonly startMs: number | null;
}

/** What earlier upgrades tell, as it goes over the wire. */
export interface UsualTimes {
  /** The number of earlier upgrades. */
  readonly upgrades: number;
  /** How long the whole upgrade takes, from those that completed. */
  readonly whole: Usual | null;
  /** By type and name: for a task whose id no earlier upgrade had. */
  readonly names: readonly (UsualTask & Pick<Task, "taskType" | "taskName">)[];
  readonly tasks: readonly (UsualTask & Pick<Task, "taskId">)[];
}

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
  /** One of the tasks: all have in common what they are found by. */
  readonly task: Task;
  readonly workedMs: number[];
  readonly startsMs: number[];
  upgrades: number;
  last: UpgradeProgress | undefined;
}

/** Counts what upgrades tell, one by one: thousands of tasks each are too much for one go. */
export class UsualTally {
  readonly #byId = new Map<string, Samples>();
  readonly #byName = new Map<string, Samples>();
  readonly #wholeMs: number[] = [];
  #upgrades = 0;

  /** Only completed tasks count: how long a task took that failed says little. */
  take(upgrade: UpgradeProgress): void {
    this.#upgrades += 1;
    const whole = upgrade.status === "completed" ? upgradeDurationMs(upgrade, 0) : null;
    if (whole !== null) this.#wholeMs.push(whole);
    for (const task of upgrade.tasks.values()) {
      if (task.status !== "completed") continue;
      note(this.#byId, task.taskId, { task, upgrade });
      note(this.#byName, `${task.taskType}\n${task.taskName}`, { task, upgrade });
    }
  }

  /** What the upgrades that were taken tell. */
  times(): UsualTimes {
    return {
      upgrades: this.#upgrades,
      whole: this.#wholeMs.length === 0 ? null : usual(this.#wholeMs, this.#wholeMs.length),
      names: Array.from(this.#byName.values(), (samples) => {
        const { taskType, taskName } = samples.task;
        return { taskType, taskName, ...usualTask(samples) };
      }),
      tasks: Array.from(this.#byId.values(), (samples) => ({ taskId: samples.task.taskId, ...usualTask(samples) })),
    };
  }
}

interface Found {
  readonly task: Task;
  readonly upgrade: UpgradeProgress;
}

function note(map: Map<string, Samples>, key: string, { task, upgrade }: Found): void {
  const workedMs = taskDurationMs(task, 0);
  if (workedMs === null) return;
  let samples = map.get(key);
  if (samples === undefined)
    map.set(key, (samples = { task, workedMs: [], startsMs: [], upgrades: 0, last: undefined }));
  samples.workedMs.push(workedMs);
  if (samples.last !== upgrade) samples.upgrades += 1;
  samples.last = upgrade;
  const firstMs = task.attempts[0]?.startedMs ?? task.startedMs;
  // Where a pause lay is not in a state, so what began after one has no place that could be compared.
  if (upgrade.pausedMs === 0 && upgrade.startedMs !== null && firstMs !== null)
    samples.startsMs.push(Math.max(0, firstMs - upgrade.startedMs));
}

function usualTask({ workedMs, startsMs, upgrades }: Samples): UsualTask {
  return { ...usual(workedMs, upgrades), startMs: startsMs.length === 0 ? null : quantile(startsMs, 0.5) };
}

function usual(samplesMs: readonly number[], runs: number): Usual {
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
