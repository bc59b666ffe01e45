/** Many upgrades as a list: the exceptions first, then what is under way, then what has ended; searched, filtered and sorted. */

import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { sinceMs } from "./log-time.ts";
import { isRehearsal } from "./rehearsal.ts";
import { safeText } from "../text/safe-text.ts";
import { HEALTH_TONES, STATUS_WORDS, type ShownStatus, type Tone } from "../text/status-words.ts";
import type { UpgradeSummary } from "./summary.ts";
import { tellingMessage } from "../task/task-view.ts";

/** Where an upgrade stands in the list. */
export const FLEET_GROUPS = ["attention", "under_way", "ended"] as const;
export type FleetGroup = (typeof FLEET_GROUPS)[number];

/** One upgrade. Texts are safe to show, `upgradeId` is as it is stored. Durations in ms. */
export interface FleetRow {
  readonly upgradeId: string;
  readonly name: string;
  readonly clusterName: string;
  readonly planId: string;
  readonly isRehearsal: boolean;
  readonly group: FleetGroup;
  readonly status: ShownStatus;
  /** The sign of the status, or that it is not well. */
  readonly glyph: string;
  readonly tone: Tone;
  /** 0 to 100; null when nobody knows. */
  readonly percent: number | null;
  readonly phase: string | null;
  /** What it does now, or how it ended. */
  readonly doing: string | null;
  /** Null while all is well, before the start and after the end. */
  readonly health: { readonly word: string; readonly tone: Tone; readonly reason: string | null } | null;
  readonly waitingOn: { readonly on: string; readonly message: string | null; readonly elapsedMs: number } | null;
  /** Worked time, pauses left out; null while it has not begun. */
  readonly elapsedMs: number | null;
  readonly left: {
    readonly lowMs: number;
    readonly likelyMs: number;
    readonly highMs: number;
    readonly isHeld: boolean;
  } | null;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
}

export const FLEET_SORTS = ["attention", "name", "cluster", "started", "percent", "left"] as const;
export type FleetSort = (typeof FLEET_SORTS)[number];

/** What is asked of the list. */
export interface FleetQuery {
  /** Words that must all be found, in any letter case. */
  readonly search?: string | undefined;
  /** A status, or a group of the list. */
  readonly status?: string | undefined;
  readonly clusterName?: string | undefined;
  readonly health?: string | undefined;
  /** `attention` when left out: by group. */
  readonly sort?: FleetSort | undefined;
}

export interface FleetView {
  /** In the order of the list. */
  readonly rows: readonly FleetRow[];
  /** How many there are of each group, whatever is asked for. */
  readonly counts: Readonly<Record<FleetGroup, number>>;
  readonly total: number;
  /** Sorted. As they are stored. */
  readonly clusterNames: readonly string[];
}

/** The list at a wall time (epoch ms). */
export function fleetView(
  summaries: Iterable<UpgradeSummary>,
  query: FleetQuery,
  { asOfMs }: { readonly asOfMs: number },
): FleetView {
  const counts = { attention: 0, under_way: 0, ended: 0 };
  const clusterNames = new Set<string>();
  const rows: FleetRow[] = [];
  const words = (query.search ?? "")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  let total = 0;
  for (const summary of summaries) {
    const row = rowOf(summary, asOfMs);
    total += 1;
    counts[row.group] += 1;
    clusterNames.add(summary.clusterName);
    if (isAskedFor(row, summary, query) && isFound(row, words)) rows.push(row);
  }
  return { rows: rows.sort(ORDERS[query.sort ?? "attention"]), counts, total, clusterNames: [...clusterNames].sort() };
}

/** Rows that time does not change any more: most of a long list. */
const settled = new WeakMap<UpgradeSummary, FleetRow>();

/** The same row for the same summary, where that is true, so that who draws it can see that nothing has changed. */
function rowOf(summary: UpgradeSummary, asOfMs: number): FleetRow {
  const before = settled.get(summary);
  if (before !== undefined) return before;
  const row = fleetRow(summary, asOfMs);
  if (row.group === "ended") settled.set(summary, row);
  return row;
}

/** One upgrade of the list. */
export function fleetRow(summary: UpgradeSummary, asOfMs: number): FleetRow {
  const { status, waitingOn, currentTask, startedAt, completedAt } = summary;
  const ageMs = sinceMs(summary.asOf, asOfMs);
  const isRunning = status === "in_progress";
  const shownStatus: ShownStatus =
    isRunning && waitingOn !== null && summary.activeTasks <= summary.waitingTasks ? "waiting" : status;
  const health = healthOf(summary);
  return {
    upgradeId: summary.upgradeId,
    name: summary.upgradeId.trim() === "" ? `"${summary.upgradeId}"` : safeText(summary.upgradeId),
    clusterName: safeText(summary.clusterName),
    planId: safeText(summary.planId),
    isRehearsal: isRehearsal(summary),
    group: groupOf(summary, asOfMs),
    status: shownStatus,
    glyph: health === null ? STATUS_WORDS[shownStatus].glyph : "!",
    tone: health?.tone ?? STATUS_WORDS[shownStatus].tone,
    percent: summary.isMeasured ? summary.overallPercentage : null,
    phase: summary.currentPhase === null ? null : safeText(summary.currentPhase),
    doing: isFinalUpgradeStatus(status)
      ? tellingMessage(summary.errorMessage)
      : currentTask === null
        ? null
        : safeText(currentTask.taskName),
    health,
    waitingOn: waitingOn && {
      on: safeText(`${waitingOn.kind} ${waitingOn.name}`),
      message: tellingMessage(waitingOn.message),
      elapsedMs: sinceMs(waitingOn.since, asOfMs),
    },
    elapsedMs: summary.durationMs === null ? null : summary.durationMs + (isRunning ? ageMs : 0),
    left: leftOf(summary, ageMs),
    startedAt,
    completedAt,
  };
}

/** While something is waited for, the time left does not get less. */
function leftOf({ timeLeft }: UpgradeSummary, ageMs: number): FleetRow["left"] {
  if (timeLeft === null || timeLeft.isHeld) return timeLeft;
  const after = (ms: number): number => Math.max(0, ms - ageMs);
  return {
    ...timeLeft,
    lowMs: after(timeLeft.lowMs),
    likelyMs: after(timeLeft.likelyMs),
    highMs: after(timeLeft.highMs),
  };
}

function healthOf({ health, status }: UpgradeSummary): FleetRow["health"] {
  if (health === null || health.state === "progressing" || status === "paused") return null;
  return { word: health.state, tone: HEALTH_TONES[health.state], reason: health.reasons[0] ?? null };
}

/** A failure is news for a day. */
const NEWS_MS = 24 * 3_600_000;

function groupOf({ status, health, failedTasks, completedAt }: UpgradeSummary, asOfMs: number): FleetGroup {
  if (status === "failed" && sinceMs(completedAt, asOfMs) < NEWS_MS) return "attention";
  if (isFinalUpgradeStatus(status)) return "ended";
  const isWell = health === null || health.state === "progressing";
  return isWell && failedTasks === 0 ? "under_way" : "attention";
}

function isAskedFor({ group, health, status }: FleetRow, summary: UpgradeSummary, query: FleetQuery): boolean {
  const { status: asked, clusterName, health: askedHealth } = query;
  if (asked !== undefined && asked !== group && asked !== summary.status && asked !== status) return false;
  if (clusterName !== undefined && clusterName !== summary.clusterName) return false;
  return askedHealth === undefined || askedHealth === (health?.word ?? summary.health?.state);
}

function isFound({ name, clusterName, planId, phase, doing, waitingOn }: FleetRow, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = [name, clusterName, planId, phase, doing, waitingOn?.on].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

type Order = (a: FleetRow, b: FleetRow) => number;

const TONES: readonly Tone[] = ["bad", "attention", "active", "good", "quiet"];

const byName: Order = (a, b) => compareText(a.name, b.name);
const newestFirst: Order = (a, b) =>
  compareText(b.completedAt ?? b.startedAt ?? "", a.completedAt ?? a.startedAt ?? "") || byName(a, b);

const ORDERS: Readonly<Record<FleetSort, Order>> = {
  attention: (a, b) =>
    FLEET_GROUPS.indexOf(a.group) - FLEET_GROUPS.indexOf(b.group) ||
    (a.group === "attention" ? TONES.indexOf(a.tone) - TONES.indexOf(b.tone) : 0) ||
    newestFirst(a, b),
  name: byName,
  cluster: (a, b) => compareText(a.clusterName, b.clusterName) || newestFirst(a, b),
  started: (a, b) => compareText(b.startedAt ?? "", a.startedAt ?? "") || byName(a, b),
  percent: (a, b) => (b.percent ?? -1) - (a.percent ?? -1) || byName(a, b),
  left: (a, b) => (a.left?.likelyMs ?? Infinity) - (b.left?.likelyMs ?? Infinity) || newestFirst(a, b),
};

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
