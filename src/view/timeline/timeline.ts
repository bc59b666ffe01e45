/**
 * The timeline: a lane for each task, with a bar for each attempt, its pauses and waits, and its plan. Lanes are put in order once
 * for all tasks; what lies in a lane is worked out for those that are in sight.
 */

import type { Attempt } from "../../model/task.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { Branch } from "../task/branches.ts";
import type { PlannedTask, Plan } from "../estimate/plan.ts";
import { isRehearsal } from "../upgrade/rehearsal.ts";
import { safeText } from "../text/safe-text.ts";
import type { ShownStatus } from "../text/status-words.ts";
import { stretchesOf, type Stretches } from "./stretches.ts";
import type { Moment } from "../task/task-view.ts";
import { placeIn, windowRound, type Placed, type TimeWindow } from "./time-scale.ts";

/** A task in its place among the lanes. */
export interface LaneRow {
  readonly branch: Branch;
  readonly depth: number;
  readonly hasChildren: boolean;
  readonly isFolded: boolean;
}

/** One attempt, or the time in which a group had something to do. Wall times are ISO 8601. */
export interface Bar extends Placed {
  readonly kind: "attempt" | "group";
  readonly attempt: number;
  readonly status: ShownStatus;
  readonly fromMs: number;
  readonly toMs: number;
  /** True while it lasts: it ends at the present moment. */
  readonly isOpen: boolean;
  /** Of an attempt that failed; safe to show. */
  readonly error: string | null;
}

/** A pause or a wait in the window. */
export interface PlacedStretch extends Placed {
  readonly kind: "paused" | "waiting";
  readonly lengthMs: number;
  readonly on: string | null;
}

/** Where the plan of a task lies: its usual or expected time, and after it up to what nine of ten took. */
export interface PlanBar extends Placed {
  readonly planned: PlannedTask;
  readonly late: Placed | null;
}

/** What is drawn of a task. */
export interface Lane {
  readonly bars: readonly Bar[];
  readonly stretches: readonly PlacedStretch[];
  readonly plan: PlanBar | null;
}

/** A stay in a phase, or a pause of the whole upgrade. */
export interface Band extends Placed {
  readonly kind: "phase" | "paused";
  /** Safe to show. */
  readonly text: string;
  readonly isOpen: boolean;
  readonly lengthMs: number;
}

/** For what lanes are worked out. */
export interface Frame {
  readonly state: UpgradeProgress;
  /** `workMoment` of the state. */
  readonly now: Moment;
  readonly window: TimeWindow;
  readonly stretches: Stretches;
  readonly plan: Plan;
}

/** The lanes in order, tasks below what they are part of; those below a folded one are left out. */
export function laneRows(roots: readonly Branch[], isFolded: (branch: Branch) => boolean): readonly LaneRow[] {
  const rows: LaneRow[] = [];
  const add = (branches: readonly Branch[], depth: number): void => {
    for (const branch of branches) {
      const hasChildren = branch.children.length > 0;
      const folded = hasChildren && isFolded(branch);
      rows.push({ branch, depth, hasChildren, isFolded: folded });
      if (!folded) add(branch.children, depth + 1);
    }
  };
  add(roots, 0);
  return rows;
}

/** What is drawn in the lane of a task. */
export function laneOf(branch: Branch, frame: Frame): Lane {
  const { window, now, plan } = frame;
  const bars: Bar[] = [];
  for (const bar of barsOf(branch, now, frame.state.endedMs === null)) {
    const placed = placeIn(window, bar.fromMs, bar.toMs);
    if (placed !== undefined) bars.push({ ...bar, ...placed });
  }
  return { bars, stretches: placedStretches(frame, branch.task.taskId), plan: planBar(plan.of(branch.task), window) };
}

type UnplacedBar = Omit<Bar, keyof Placed>;

/** What an upgrade left unfinished does not last beyond it. */
function barsOf(branch: Branch, { logMs }: Moment, isUnderWay: boolean): readonly UnplacedBar[] {
  const { task, status } = branch;
  if (task.startedMs === null) {
    if (branch.startedMs === null) return [];
    const toMs = branch.endedMs ?? Math.max(logMs, branch.startedMs);
    const isOpen = isUnderWay && branch.endedMs === null;
    return [{ kind: "group", attempt: 1, status, fromMs: branch.startedMs, toMs, isOpen, error: null }];
  }
  const kind = branch.children.length > 0 ? "group" : "attempt";
  const bars: UnplacedBar[] = task.attempts.map((attempt) => failedBar(attempt, kind));
  // The attempt that has failed is the last of those that have.
  if (task.status === "failed") return bars;
  const toMs = task.endedMs ?? Math.max(logMs, task.startedMs);
  const isOpen = isUnderWay && task.endedMs === null;
  bars.push({ kind, attempt: task.attempt, status, fromMs: task.startedMs, toMs, isOpen, error: null });
  return bars;
}

function failedBar({ attempt, startedMs, endedMs, errorMessage }: Attempt, kind: Bar["kind"]): UnplacedBar {
  const fromMs = startedMs ?? endedMs;
  return { kind, attempt, status: "failed", fromMs, toMs: endedMs, isOpen: false, error: safeText(errorMessage) };
}

function placedStretches({ state, now, window, stretches }: Frame, taskId: string | null): readonly PlacedStretch[] {
  const found: PlacedStretch[] = [];
  for (const { kind, fromMs, toMs, on } of stretchesOf(state, taskId, { stretches, now })) {
    const endMs = Math.max(fromMs, toMs ?? now.logMs);
    const placed = placeIn(window, fromMs, endMs);
    if (placed !== undefined) found.push({ ...placed, kind, on, lengthMs: endMs - fromMs });
  }
  return found;
}

function planBar(planned: PlannedTask | undefined, window: TimeWindow): PlanBar | null {
  if (planned === undefined || planned.fromMs === null || planned.toMs === null) return null;
  const { fromMs, toMs, p90Ms } = planned;
  const late = p90Ms === null ? undefined : placeIn(window, toMs, fromMs + p90Ms);
  const placed = placeIn(window, fromMs, toMs);
  if (placed === undefined && late === undefined) return null;
  return { ...(placed ?? { left: late?.left ?? 0, width: 0 }), planned, late: late ?? null };
}

/** The rehearsal says of every phase what it is; a page has one label for it. */
const REHEARSED = /^Rehearsal: /;

/** The phases in the window, and the pauses of the upgrade over them. */
export function bandsOf(frame: Frame): readonly Band[] {
  const { state, now, window } = frame;
  const bands: Band[] = [];
  for (const { phase, startedMs, endedMs } of state.phases) {
    const toMs = endedMs ?? Math.max(now.logMs, startedMs);
    const placed = placeIn(window, startedMs, toMs);
    if (placed === undefined) continue;
    const lengthMs = toMs - startedMs;
    const text = safeText(isRehearsal(state) ? phase.replace(REHEARSED, "") : phase);
    bands.push({ ...placed, kind: "phase", text, isOpen: endedMs === null, lengthMs });
  }
  for (const { left, width, lengthMs } of placedStretches(frame, null))
    bands.push({ left, width, kind: "paused", text: "paused", isOpen: false, lengthMs });
  return bands;
}

/** The window of all that there is: from the start to now, and to the end of the plan while the upgrade runs. */
export function wholeWindow(state: UpgradeProgress, now: Moment, plan: Plan): TimeWindow {
  const fromMs = state.startedMs ?? firstStart(state) ?? now.logMs;
  return windowRound(fromMs, state.endedMs ?? Math.max(now.logMs, plan.endMs ?? 0));
}

/** Of tasks that have begun before their upgrade. */
function firstStart({ tasks }: UpgradeProgress): number | undefined {
  let first: number | undefined;
  for (const { startedMs, attempts } of tasks.values()) {
    const ms = attempts[0]?.startedMs ?? startedMs;
    if (ms !== null) first = Math.min(first ?? ms, ms);
  }
  return first;
}
