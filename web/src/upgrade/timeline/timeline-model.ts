/** What the timeline shows of an upgrade, kept up as it goes on. */

import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";

import type { UpgradeProgress } from "../../../../src/model/upgrade.ts";
import { branchesOf, type Branch } from "../../../../src/view/task/branches.ts";
import { planOf } from "../../../../src/view/estimate/plan.ts";
import { NO_STRETCHES, stretchesOf } from "../../../../src/view/timeline/stretches.ts";
import { panned, zoomed, type TimeWindow } from "../../../../src/view/timeline/time-scale.ts";
import { laneRows, wholeWindow, type Frame, type LaneRow } from "../../../../src/view/timeline/timeline.ts";
import { workMoment } from "../../../../src/view/upgrade/work-moment.ts";
import type { UpgradeStore } from "../../upgrade-store.ts";
import { usualOf } from "../../usual-store.ts";

export interface TimelineModel {
  /** Undefined while there is no state. */
  readonly frame: ReadonlySignal<Frame | undefined>;
  readonly rows: ReadonlySignal<readonly LaneRow[]>;
  /** True while all of the time is in the window. */
  readonly isWhole: ReadonlySignal<boolean>;
  zoom(factor: number, at?: number): void;
  pan(part: number): void;
  showWhole(): void;
  toggle(row: LaneRow): void;
  foldAll(isFolded: boolean): void;
}

/** More tasks than these are shown with what is well folded away. */
const MANY = 60;

export function timelineModel(store: UpgradeStore): TimelineModel {
  /** What the reader has chosen to see; undefined for all of it. */
  const chosen = signal<TimeWindow | undefined>(undefined);
  const folds = signal<ReadonlyMap<string, boolean>>(new Map());
  const whole = computed(() => {
    const state = store.shown.value;
    return state === undefined ? undefined : wholeFrame(store, state);
  });
  const frame = computed(() => {
    const all = whole.value;
    return all === undefined || chosen.value === undefined ? all : { ...all, window: chosen.value };
  });
  const rows = computed(() => {
    const state = store.shown.value;
    return state === undefined ? [] : laneRows(branchesOf(state.tasks), foldedBy(folds.value, state.tasks.size));
  });
  const move = (next: (window: TimeWindow, bounds: TimeWindow) => TimeWindow): void => {
    const [now, all] = [frame.peek(), whole.peek()];
    if (now === undefined || all === undefined) return;
    const moved = next(now.window, all.window);
    const isAll = moved.fromMs <= all.window.fromMs && moved.toMs >= all.window.toMs;
    chosen.value = isAll ? undefined : moved;
  };
  return {
    frame,
    rows,
    isWhole: computed(() => chosen.value === undefined),
    zoom: (factor, at = 0.5) => move((window, bounds) => zoomed(window, factor, { at, bounds })),
    pan: (part) => move((window, bounds) => panned(window, part, bounds)),
    showWhole: () => (chosen.value = undefined),
    toggle: ({ branch, isFolded }) => (folds.value = new Map(folds.peek()).set(branch.task.taskId, !isFolded)),
    foldAll: (isFolded) => foldAll(folds, store.shown.peek(), isFolded),
  };
}

function wholeFrame(store: UpgradeStore, state: UpgradeProgress): Frame {
  const now = workMoment(state, store.asOfMs.value);
  const stretches = store.history.grown.value.log?.stretches ?? NO_STRETCHES;
  const pauses = stretchesOf(state, null, { stretches, now });
  const plan = planOf(state, { usual: usualOf(store).value, now, pauses });
  return { state, now, stretches, plan, window: wholeWindow(state, now, plan) };
}

function foldedBy(folds: ReadonlyMap<string, boolean>, count: number): (branch: Branch) => boolean {
  return ({ task, isQuiet }) => folds.get(task.taskId) ?? (count > MANY && isQuiet);
}

function foldAll(
  folds: Signal<ReadonlyMap<string, boolean>>,
  state: UpgradeProgress | undefined,
  isFolded: boolean,
): void {
  const next = new Map<string, boolean>();
  for (const task of state?.tasks.values() ?? [])
    if (state?.tasks.hasChildren(task.taskId) === true) next.set(task.taskId, isFolded);
  folds.value = next;
}
