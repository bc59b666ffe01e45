/**
 * When an upgrade will be done, as a range: never one time that pretends to be exact.
 *
 * What its own log tells is one range, the same wherever it is shown. What earlier upgrades tell is another beside it, since not
 * every surface has read them.
 *
 * With plans (what tasks were added with, or what earlier upgrades took): the time that the open leaves are still planned to take,
 * divided by how many hours of plan this upgrade does in an hour, which is the number of things it does at once and its speed in one.
 * That rate is known from what it has done; before that, from how long the whole usually takes, else one thing at a time. Leaves
 * without a plan are taken to need what the others need for their weight. Without any plan: the pace so far, once there is some. No
 * range ends before the leaf that needs longest.
 */

import { taskDurationMs, type Task } from "../../model/task.ts";
import { isActive, type Look } from "../../model/task-map.ts";
import { upgradeDurationMs, type UpgradeProgress } from "../../model/upgrade.ts";
import type { Moment } from "../task/task-view.ts";
import { overPlan, plannedMs, type OverView, type PlanSource } from "./usual.ts";
import type { UsualDurations } from "./usual-durations.ts";

/** Time left (ms) and the wall times (ISO 8601) that come of it. */
export interface EtaRange {
  readonly lowMs: number;
  readonly likelyMs: number;
  readonly highMs: number;
  readonly lowAt: string;
  readonly likelyAt: string;
  readonly highAt: string;
  /** What it was worked out from. */
  readonly from: PlanSource | "pace";
  /** True while something is waited for: how long that lasts is in no plan, so these times are the earliest ones. */
  readonly isHeld: boolean;
}

export interface EtaView {
  /** From its own log: null while there is nothing to go by, while it is paused, before the start and after the end. */
  readonly range: EtaRange | null;
  /** From earlier upgrades: null also where none is known. */
  readonly usual: EtaRange | null;
  /** How far the whole is over what it usually takes. */
  readonly over: OverView | null;
}

/** The end as it can be foreseen at a moment. */
export function etaView(state: UpgradeProgress, now: Moment): EtaView {
  const workedMs = upgradeDurationMs(state, now.logMs);
  const { usual } = now;
  const over = usual?.whole === undefined ? null : overPlan(workedMs, { ...usual.whole, source: "usual" });
  if (state.status !== "in_progress" || workedMs === null) return { range: null, usual: null, over };
  const alone = { ...now, usual: undefined };
  const left = leftByPlan(state, alone, workedMs) ?? leftByPace(state.overallPercentage, workedMs);
  const byUsual = usual === undefined ? null : leftByPlan(state, now, workedMs);
  return {
    range: left === null ? null : rangeOf(state, left, now),
    usual: byUsual?.from === "usual" ? rangeOf(state, byUsual, now) : null,
    over,
  };
}

/** Below this many percent the pace so far says nothing of the rest. */
const MIN_PACE_PERCENT = 5;

interface Left {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
  readonly from: EtaRange["from"];
}

function rangeOf(state: UpgradeProgress, { low, likely, high, from }: Left, { asOfMs }: Moment): EtaRange | null {
  const at = (ms: number): string => new Date(asOfMs + ms).toISOString();
  // A date of more years than there are cannot be written.
  if (!(asOfMs + high < 8.64e15)) return null;
  return {
    lowMs: low,
    likelyMs: likely,
    highMs: high,
    lowAt: at(low),
    likelyAt: at(likely),
    highAt: at(high),
    from,
    isHeld: isHeld(state),
  };
}

function isHeld({ tasks }: UpgradeProgress): boolean {
  for (const { status, waitingOn } of tasks.active())
    if (waitingOn !== null && (status === "in_progress" || status === "not_started")) return true;
  return false;
}

/** The pace so far holds for the rest, the more surely the less there is left. */
function leftByPace(percent: number, workedMs: number): Left | null {
  if (percent < MIN_PACE_PERCENT || workedMs <= 0) return null;
  const likely = (workedMs * (100 - percent)) / percent;
  const spread = 1.1 + 0.5 * (1 - percent / 100);
  return { low: likely / spread, likely, high: likely * spread, from: "pace" };
}

/** Sums over the leaves that count, in ms of plan. */
interface Sums {
  total: number;
  left: number;
  leftHigh: number;
  /** The leaf that needs longest. */
  longest: number;
  /** Weight of the leaves with a plan, and of those without: all, and what is left of them. */
  weight: number;
  bareWeight: number;
  bareLeft: number;
  isUsual: boolean;
}

function leftByPlan(state: UpgradeProgress, now: Moment, workedMs: number): Left | null {
  const sums = planSums(state, now);
  if (sums === null) return null;
  const perWeight = sums.weight > 0 ? sums.total / sums.weight : 0;
  const total = sums.total + sums.bareWeight * perWeight;
  const left = sums.left + sums.bareLeft * perWeight;
  const leftHigh = sums.leftHigh + sums.bareLeft * perWeight * 1.5;
  if (total <= 0) return null;
  const rate = rateOf({ total, done: total - left, workedMs, usual: now.usual });
  const likely = Math.max(left / rate, sums.longest);
  return {
    low: Math.max((left / rate) * 0.85, Math.min(likely, sums.longest)),
    likely,
    high: Math.max(leftHigh / rate, likely * 1.15),
    from: sums.isUsual ? "usual" : "expected",
  };
}

/** Null when less than half of the weight has a plan: then it says less than the pace. */
function planSums({ tasks }: UpgradeProgress, now: Moment): Sums | null {
  const sums = noSums();
  for (const still of tasks.findAll(stillSums(now.usual))) addSums(sums, still);
  for (const task of tasks.active()) if (!tasks.hasChildren(task.taskId)) addLeaf(sums, task, now);
  return sums.weight > 0 && sums.weight >= sums.bareWeight ? sums : null;
}

const noSums = (): Sums => ({
  total: 0,
  left: 0,
  leftHigh: 0,
  longest: 0,
  weight: 0,
  bareWeight: 0,
  bareLeft: 0,
  isUsual: false,
});

function addSums(sums: Sums, more: Sums): void {
  sums.total += more.total;
  sums.left += more.left;
  sums.leftHigh += more.leftHigh;
  sums.longest = Math.max(sums.longest, more.longest);
  sums.weight += more.weight;
  sums.bareWeight += more.bareWeight;
  sums.bareLeft += more.bareLeft;
  sums.isUsual ||= more.isUsual;
}

const NO_USUAL = {};
const known = new WeakMap<object, Look<Sums>>();

/** Sums over the leaves for which no time passes: of them only what has changed is looked at again. */
function stillSums(usual: UsualDurations | undefined): Look<Sums> {
  const key = usual ?? NO_USUAL;
  let look = known.get(key);
  if (look === undefined) {
    look = (entries) => {
      const sums = noSums();
      for (const { task, rollup } of entries)
        if (rollup === null && !isActive(task)) addLeaf(sums, task, { logMs: 0, usual });
      return sums;
    };
    known.set(key, look);
  }
  return look;
}

function addLeaf(sums: Sums, task: Task, { logMs, usual }: Pick<Moment, "logMs" | "usual">): void {
  if (task.status === "skipped" || task.status === "cancelled") return;
  const plan = plannedMs(task, usual);
  const open = openShare(task);
  if (plan === undefined) {
    sums.bareWeight += task.weight;
    sums.bareLeft += task.weight * open;
    return;
  }
  sums.weight += task.weight;
  sums.total += plan.p50;
  sums.isUsual ||= plan.source === "usual";
  if (open === 0) return;
  const ranMs = taskDurationMs(task, logMs) ?? 0;
  const p90 = plan.source === "expected" ? plan.p50 * 1.5 : plan.p90;
  // Of a task that tells no percentage the clock is all there is to go by.
  const left = task.isMeasured ? plan.p50 * open : Math.max(0, plan.p50 - ranMs);
  const leftHigh = task.isMeasured ? p90 * open : Math.max(left, p90 - ranMs, 0.1 * p90);
  sums.left += left;
  sums.leftHigh += leftHigh;
  sums.longest = Math.max(sums.longest, left);
}

/** The part of a leaf that is still to be done, 0 to 1. */
function openShare({ status, percentage }: Task): number {
  return status === "completed" ? 0 : 1 - percentage / 100;
}

interface Done {
  readonly total: number;
  readonly done: number;
  readonly workedMs: number;
  readonly usual: UsualDurations | undefined;
}

/** Time of plan per time: what is known beforehand gives way to what is seen, wholly when a quarter is done. */
function rateOf({ total, done, workedMs, usual }: Done): number {
  const before = usual?.whole === undefined || usual.whole.p50 <= 0 ? 1 : total / usual.whole.p50;
  if (workedMs <= 0 || done <= 0) return before;
  const seen = Math.min(1, (4 * done) / total);
  return Math.max(0.05, seen * (done / workedMs) + (1 - seen) * before);
}
