/** Two upgrades side by side: what took longer, what is new, what is gone. Pauses are kept apart from every duration. */

import { taskDurationMs, type Task } from "../../model/task.ts";
import { upgradeDurationMs, type UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus, type ProgressStatus } from "../../model/vocabulary.ts";
import { durationText } from "../text/duration.ts";
import { safeText } from "../text/safe-text.ts";
import { STATUS_WORDS } from "../text/status-words.ts";
import type { Moment } from "../task/task-view.ts";
import { workMoment } from "./work-moment.ts";

/** One side of a row. Durations in ms; null when it has not begun. */
export interface ComparedSide {
  readonly status: ProgressStatus;
  /** All attempts, pauses of the last one left out. */
  readonly workedMs: number | null;
  readonly pausedMs: number;
  readonly attempts: number;
  /** False while it still runs: its duration is what it is so far. What an ended upgrade left unfinished has ended with it. */
  readonly hasEnded: boolean;
}

/** A task or a phase of either upgrade. Texts are safe to show. */
export interface ComparedRow {
  /** The id in the upgrade that has it, the later one first; of a phase its name. */
  readonly id: string;
  readonly name: string;
  readonly depth: number;
  readonly hasChildren: boolean;
  readonly earlier: ComparedSide | null;
  readonly later: ComparedSide | null;
  /** How much longer the later one took (ms); null when either has no duration, and while one that runs may still get longer than the other. */
  readonly moreMs: number | null;
}

export interface Comparison {
  readonly whole: ComparedRow;
  /** In the order of the later upgrade; a phase that only the earlier one had comes last. */
  readonly phases: readonly ComparedRow[];
  /** What cost the most more first, then what is new, then what is gone, each the longest first. */
  readonly tasks: readonly ComparedRow[];
  readonly counts: { readonly both: number; readonly onlyLater: number; readonly onlyEarlier: number };
}

/** An upgrade that is compared. */
export interface ComparedUpgrade extends Pick<
  UpgradeProgress,
  "upgradeId" | "run" | "clusterName" | "status" | "startedAt"
> {
  readonly hasEnded: boolean;
}

/** An upgrade beside the one that it is compared with, as it goes over the wire; without one there are no rows. */
export interface ComparedPair extends Omit<Comparison, "whole"> {
  readonly later: ComparedUpgrade;
  readonly earlier: ComparedUpgrade | null;
  /** What else the later one could be compared with, the newest first. */
  readonly choices: readonly string[];
  readonly whole: ComparedRow | null;
}

/** Two upgrades, or one that there is nothing to compare with, at a wall time (epoch ms). */
export function comparePair(
  earlier: UpgradeProgress | null,
  later: UpgradeProgress,
  { choices, asOfMs }: { readonly choices: readonly string[]; readonly asOfMs: number },
): ComparedPair {
  const sides = { later: comparedUpgrade(later), earlier: earlier && comparedUpgrade(earlier), choices };
  if (earlier === null)
    return { ...sides, whole: null, phases: [], counts: { both: 0, onlyLater: 0, onlyEarlier: 0 }, tasks: [] };
  return { ...sides, ...compareUpgrades(earlier, later, asOfMs) };
}

function comparedUpgrade({ upgradeId, run, clusterName, status, startedAt }: UpgradeProgress): ComparedUpgrade {
  return { upgradeId, run, clusterName, status, startedAt, hasEnded: isFinalUpgradeStatus(status) };
}

/** Compares two upgrades, each at a wall time (epoch ms): what has ended stays as it ended. */
export function compareUpgrades(earlier: UpgradeProgress, later: UpgradeProgress, asOfMs: number): Comparison {
  const [early, late] = [workMoment(earlier, asOfMs), workMoment(later, asOfMs)];
  const tasks = taskRows({ state: earlier, now: early }, { state: later, now: late });
  return {
    whole: row({ id: "", name: "Whole upgrade" }, upgradeSide(earlier, early), upgradeSide(later, late)),
    phases: phaseRows({ state: earlier, now: early }, { state: later, now: late }),
    tasks: tasks.toSorted(byCost),
    counts: {
      both: tasks.filter((task) => task.earlier !== null && task.later !== null).length,
      onlyLater: tasks.filter((task) => task.earlier === null).length,
      onlyEarlier: tasks.filter((task) => task.later === null).length,
    },
  };
}

interface At {
  readonly state: UpgradeProgress;
  readonly now: Moment;
}

type Named = Pick<ComparedRow, "id" | "name"> & Partial<Pick<ComparedRow, "depth" | "hasChildren">>;

function row(named: Named, earlier: ComparedSide | null, later: ComparedSide | null): ComparedRow {
  return { depth: 0, hasChildren: false, ...named, earlier, later, moreMs: moreOf(earlier, later) };
}

/** A smaller difference is none. */
const ALIKE_MS = 1_000;

function moreOf(earlier: ComparedSide | null, later: ComparedSide | null): number | null {
  const [before, after] = [earlier?.workedMs ?? null, later?.workedMs ?? null];
  if (before === null || after === null) return null;
  const more = after - before;
  // Whoever runs gets longer: only what is longer already stays so.
  const isOpen = (later?.hasEnded === false && more < ALIKE_MS) || (earlier?.hasEnded === false && -more < ALIKE_MS);
  return isOpen ? null : more;
}

function upgradeSide(state: UpgradeProgress, { logMs }: Moment): ComparedSide {
  return {
    status: state.status,
    workedMs: upgradeDurationMs(state, logMs),
    pausedMs: state.pausedMs + standing(state.pausedSinceMs, logMs),
    attempts: 1,
    hasEnded: isFinalUpgradeStatus(state.status),
  };
}

const standing = (sinceMs: number | null, logMs: number): number =>
  sinceMs === null ? 0 : Math.max(0, logMs - sinceMs);

function taskSide(task: Task, { state, now: { logMs } }: At): ComparedSide {
  const lastMs = taskDurationMs(task, logMs);
  const earlierAttempts = task.status === "failed" ? task.attempts.slice(0, -1) : task.attempts;
  const before = earlierAttempts.reduce((sum, { startedMs, endedMs }) => sum + (endedMs - (startedMs ?? endedMs)), 0);
  return {
    status: task.status,
    workedMs: lastMs === null ? null : lastMs + before,
    pausedMs: task.pausedMs + standing(task.pausedSinceMs, logMs),
    attempts: task.attempt,
    hasEnded: task.endedMs !== null || isFinalUpgradeStatus(state.status),
  };
}

/** Tasks are matched by id; what is left, by name and type in the order of adding. */
function taskRows(earlier: At, later: At): readonly ComparedRow[] {
  const unmatched = new Map<string, Task[]>();
  for (const task of earlier.state.tasks.values()) {
    if (later.state.tasks.has(task.taskId)) continue;
    const key = nameKey(task);
    const alike = unmatched.get(key);
    if (alike === undefined) unmatched.set(key, [task]);
    else alike.push(task);
  }
  for (const alike of unmatched.values()) alike.reverse();
  const rows: ComparedRow[] = [];
  for (const task of later.state.tasks.values()) {
    const match = earlier.state.tasks.get(task.taskId) ?? unmatched.get(nameKey(task))?.pop();
    rows.push(
      row(namedTask(task, later.state), match === undefined ? null : taskSide(match, earlier), taskSide(task, later)),
    );
  }
  for (const alike of unmatched.values())
    for (const task of alike) rows.push(row(namedTask(task, earlier.state), taskSide(task, earlier), null));
  return rows;
}

const nameKey = ({ taskName, taskType }: Task): string => `${taskType}\n${taskName}`;

function namedTask({ taskId, taskName }: Task, { tasks }: UpgradeProgress): Named {
  return {
    id: taskId,
    name: safeText(taskName),
    depth: tasks.ancestors(taskId).length,
    hasChildren: tasks.hasChildren(taskId),
  };
}

function byCost(a: ComparedRow, b: ComparedRow): number {
  return rank(a) - rank(b) || longest(b) - longest(a) || 0;
}

/** Both, then those of which one side has not begun, then new, then gone. */
function rank({ earlier, later, moreMs }: ComparedRow): number {
  if (later === null) return 3;
  if (earlier === null) return 2;
  return moreMs === null ? 1 : 0;
}

const longest = ({ earlier, later, moreMs }: ComparedRow): number =>
  moreMs ?? Math.max(earlier?.workedMs ?? 0, later?.workedMs ?? 0);

type PhaseSides = ReadonlyMap<string, ComparedSide>;

/** Stays in one phase are added up; pauses in a phase cannot be told apart from it in a state. */
function phaseSides(state: UpgradeProgress, { logMs }: Moment): PhaseSides {
  const sides = new Map<string, ComparedSide>();
  for (const { phase, startedMs, endedMs } of state.phases) {
    const before = sides.get(phase);
    const workedMs = (before?.workedMs ?? 0) + Math.max(0, (endedMs ?? Math.max(logMs, startedMs)) - startedMs);
    const hasEnded = endedMs !== null;
    const status = hasEnded ? "completed" : state.status;
    sides.set(phase, { status, workedMs, pausedMs: 0, attempts: (before?.attempts ?? 0) + 1, hasEnded });
  }
  return sides;
}

function phaseRows(...sides: readonly [earlier: At, later: At]): readonly ComparedRow[] {
  const [earlier, later] = sides.map(({ state, now }) => phaseSides(state, now)) as [PhaseSides, PhaseSides];
  const [notEarlier, notLater] = sides.map(({ state }) => (isFinalUpgradeStatus(state.status) ? null : NOT_YET));
  const names = new Set([...later.keys(), ...earlier.keys()]);
  return [...names].map((name) =>
    row(
      { id: name, name: safeText(name) },
      earlier.get(name) ?? notEarlier ?? null,
      later.get(name) ?? notLater ?? null,
    ),
  );
}

/** A phase to which an upgrade that has not ended may still come. */
const NOT_YET: ComparedSide = { status: "not_started", workedMs: null, pausedMs: 0, attempts: 0, hasEnded: false };

/** What is to be said of a side beside its duration: how it ended when that was not well, pauses, attempts. */
export function sideNotes({ status, workedMs, pausedMs, attempts, hasEnded }: ComparedSide): readonly string[] {
  const notes: string[] = [];
  if (workedMs !== null && status !== "completed") {
    const isOpen = status === "in_progress" || status === "paused" || status === "not_started";
    notes.push(!hasEnded ? "so far" : isOpen ? "left unfinished" : STATUS_WORDS[status].word);
  }
  if (pausedMs >= 1000) notes.push(`paused ${durationText(pausedMs)}`);
  if (attempts > 1) notes.push(`${attempts} times`);
  return notes;
}

/** "+12m 05s", "−3s", "same"; null stays null. Less than a second is the same. */
export function differenceText(moreMs: number | null): string | null {
  if (moreMs === null) return null;
  if (Math.abs(moreMs) < ALIKE_MS) return "same";
  return `${moreMs > 0 ? "+" : "−"}${durationText(Math.abs(moreMs))}`;
}
