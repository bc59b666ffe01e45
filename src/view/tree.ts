/**
 * The rows of the task tree. When there are more than fit, what is well is folded away first and what asks to be seen stays:
 *
 * 1. all tasks;
 * 2. without the children of quiet tasks (ended well, or not begun);
 * 3. quiet siblings of one status in one row, "14 of 20 nodes completed", below the top level, then also on it;
 * 4. the same with one line for each task;
 * 5. the rows that ask most to be seen, each with the tasks above it, and one last row for the rest.
 */

import { branchesOf, type Branch } from "./branches.ts";
import { STATUS_WORDS, type ShownStatus } from "./status-words.ts";
import { taskView, type Moment, type TaskView } from "./task-view.ts";
import type { TaskMap } from "../model/task-map.ts";
import { safeText } from "./safe-text.ts";

/** One task. */
export interface TaskRow {
  readonly kind: "task";
  readonly depth: number;
  readonly task: TaskView;
  /** True if there is room for one line of it only. */
  readonly isBrief: boolean;
}

/** Siblings of one status in one row. */
export interface GroupRow {
  readonly kind: "group";
  readonly depth: number;
  readonly status: ShownStatus;
  readonly count: number;
  /** How many siblings there are in all. */
  readonly of: number;
  readonly unit: string | null;
}

/** What there is no room for: how many tasks of each status. */
export interface MoreRow {
  readonly kind: "more";
  readonly depth: 0;
  readonly count: number;
  readonly counts: Readonly<Partial<Record<ShownStatus, number>>>;
}

export type TreeRow = TaskRow | GroupRow | MoreRow;

export interface TreeLimits {
  /** The most lines that the rows may take; no limit when left out. */
  readonly maxLines?: number;
  /** The lines that a row takes on this surface; 1 when left out. */
  readonly linesOf?: (row: TreeRow) => number;
}

type Item = { readonly branch: Branch; readonly depth: number } | GroupRow;

interface Folding {
  readonly hidesQuiet: boolean;
  /** Siblings from this depth on are put together. */
  readonly groupsFrom: number;
}

const LEVELS: readonly Folding[] = [
  { hidesQuiet: false, groupsFrom: Infinity },
  { hidesQuiet: true, groupsFrom: Infinity },
  { hidesQuiet: true, groupsFrom: 1 },
  { hidesQuiet: true, groupsFrom: 0 },
];

/** The rows of the tree that fit into the limits. */
export function treeRows(
  tasks: TaskMap,
  now: Moment,
  { maxLines = Infinity, linesOf = () => 1 }: TreeLimits = {},
): readonly TreeRow[] {
  const roots = branchesOf(tasks);
  let rows: readonly TreeRow[] = [];
  for (const folding of LEVELS) {
    const items = [...unfold(roots, 0, folding, null)];
    // Each row takes a line at least, so what cannot fit is not made.
    if (items.length > maxLines && folding !== LEVELS.at(-1)) continue;
    rows = items.map((item) => rowOf(item, now));
    if (linesIn(rows, linesOf) <= maxLines) return rows;
  }
  const brief = rows.map((row) => (row.kind === "task" ? { ...row, isBrief: true } : row));
  return linesIn(brief, linesOf) <= maxLines
    ? withDetails(brief, maxLines, linesOf)
    : mostImportant(brief, maxLines, linesOf);
}

/** Gives the rows that ask most to be seen their other lines back, as far as there is room. */
function withDetails(
  brief: readonly TreeRow[],
  maxLines: number,
  linesOf: (row: TreeRow) => number,
): readonly TreeRow[] {
  const rows = [...brief];
  let room = maxLines - linesIn(rows, linesOf);
  for (const index of byRank(rows)) {
    const row = rows[index] as TreeRow;
    if (row.kind !== "task") continue;
    const whole = { ...row, isBrief: false };
    const more = linesOf(whole) - linesOf(row);
    if (more > room) continue;
    room -= more;
    rows[index] = whole;
  }
  return rows;
}

/** Places of the rows, the one that asks most to be seen first. */
function byRank(rows: readonly TreeRow[]): number[] {
  return [...rows.keys()].sort((a, b) => rankOf(rows[b] as TreeRow) - rankOf(rows[a] as TreeRow) || a - b);
}

const linesIn = (rows: readonly TreeRow[], linesOf: (row: TreeRow) => number): number =>
  rows.reduce((sum, row) => sum + linesOf(row), 0);

function* unfold(
  siblings: readonly Branch[],
  depth: number,
  folding: Folding,
  unit: string | null,
): Generator<Item, undefined> {
  const grouped = depth >= folding.groupsFrom ? groupsIn(siblings) : new Map<ShownStatus, number>();
  const said = new Set<ShownStatus>();
  for (const branch of siblings) {
    const count = branch.isQuiet ? grouped.get(branch.status) : undefined;
    if (count === undefined) {
      yield { branch, depth };
      if (!(folding.hidesQuiet && branch.isQuiet)) yield* unfold(branch.children, depth + 1, folding, branch.task.unit);
    } else if (!said.has(branch.status)) {
      said.add(branch.status);
      yield {
        kind: "group",
        depth,
        status: branch.status,
        count,
        of: siblings.length,
        unit: unit === null ? null : safeText(unit),
      };
    }
  }
  return undefined;
}

/** The statuses that two or more quiet siblings share. */
function groupsIn(siblings: readonly Branch[]): Map<ShownStatus, number> {
  const counts = new Map<ShownStatus, number>();
  for (const { isQuiet, status } of siblings) if (isQuiet) counts.set(status, (counts.get(status) ?? 0) + 1);
  for (const [status, count] of counts) if (count < 2) counts.delete(status);
  return counts;
}

function rowOf(item: Item, now: Moment): TaskRow | GroupRow {
  return "kind" in item ? item : { kind: "task", depth: item.depth, task: taskView(item.branch, now), isBrief: false };
}

/** As many rows as fit, those of the highest rank first, never a row without the tasks above it; the rest is counted in a last row. */
function mostImportant(
  rows: readonly TreeRow[],
  maxLines: number,
  linesOf: (row: TreeRow) => number,
): readonly TreeRow[] {
  const kept = new Set<number>();
  let room = maxLines - 1;
  for (const index of byRank(rows)) {
    const missing = [index, ...above(rows, index)].filter((at) => !kept.has(at));
    const lines = missing.reduce((sum, at) => sum + linesOf(rows[at] as TreeRow), 0);
    if (lines > room) continue;
    room -= lines;
    for (const at of missing) kept.add(at);
  }
  const left = rows.filter((_, index) => !kept.has(index));
  return [...rows.filter((_, index) => kept.has(index)), moreRow(left)];
}

function rankOf(row: TreeRow): number {
  if (row.kind === "more") return 0;
  const { rank } = STATUS_WORDS[row.kind === "task" ? row.task.status : row.status];
  // A row for many says more than one of them would.
  return row.kind === "group" ? rank + 0.5 : rank;
}

/** The places of the tasks above a row, nearest first. */
function above(rows: readonly TreeRow[], index: number): number[] {
  const found: number[] = [];
  let depth = (rows[index] as TreeRow).depth;
  for (let at = index - 1; at >= 0 && depth > 0; at--) {
    const row = rows[at] as TreeRow;
    if (row.kind !== "task" || row.depth >= depth) continue;
    found.push(at);
    depth = row.depth;
  }
  return found;
}

function moreRow(left: readonly TreeRow[]): MoreRow {
  const counts: Partial<Record<ShownStatus, number>> = {};
  let total = 0;
  for (const row of left) {
    if (row.kind === "more") continue;
    const status = row.kind === "task" ? row.task.status : row.status;
    const count = row.kind === "task" ? 1 : row.count;
    counts[status] = (counts[status] ?? 0) + count;
    total += count;
  }
  return { kind: "more", depth: 0, count: total, counts };
}
