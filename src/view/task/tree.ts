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
import { STATUS_WORDS, type ShownStatus } from "../text/status-words.ts";
import { taskView, type Moment, type TaskView } from "./task-view.ts";
import type { TaskMap } from "../../model/task-map.ts";
import { safeText } from "../text/safe-text.ts";

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

/** A row before it is made: a task, or siblings in one row. `above` is the place of the task that it is part of. */
interface Item {
  readonly status: ShownStatus;
  readonly depth: number;
  readonly above: number | undefined;
  readonly content: Branch | Group;
}

/** Siblings of one status in one row. */
interface Group {
  readonly count: number;
  readonly of: number;
  readonly unit: string | null;
}

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

/** The rows of the tree that fit into the limits. A row takes a line at least, and a brief one takes one. */
export function treeRows(
  tasks: TaskMap,
  now: Moment,
  { maxLines = Infinity, linesOf = () => 1 }: TreeLimits = {},
): readonly TreeRow[] {
  const roots = branchesOf(tasks);
  let items: readonly Item[] = [];
  for (const folding of LEVELS) {
    // Rows are made when they can fit, not before: there may be a hundred thousand.
    items = unfold(roots, folding, folding === LEVELS.at(-1) ? Infinity : maxLines + 1);
    if (items.length > maxLines) continue;
    const rows = items.map((item) => rowOf(item, now));
    if (linesIn(rows, linesOf) <= maxLines) return rows;
  }
  if (items.length > maxLines) return mostImportant(items, now, maxLines);
  return withDetails(items, now, { maxLines, linesOf });
}

const linesIn = (rows: readonly TreeRow[], linesOf: (row: TreeRow) => number): number =>
  rows.reduce((sum, row) => sum + linesOf(row), 0);

/** The first `limit` items of the tree, each after the task that it is part of. */
function unfold(roots: readonly Branch[], folding: Folding, limit: number): readonly Item[] {
  const items: Item[] = [];
  const add = (siblings: readonly Branch[], above: number | undefined, depth: number, unit: string | null): void => {
    const grouped = depth >= folding.groupsFrom ? groupsIn(siblings) : NO_GROUPS;
    const said = new Set<ShownStatus>();
    for (const branch of siblings) {
      if (items.length >= limit) return;
      const { status, isQuiet, children, task } = branch;
      const count = isQuiet ? grouped.get(status) : undefined;
      if (count === undefined) {
        items.push({ status, depth, above, content: branch });
        if (!(folding.hidesQuiet && isQuiet)) add(children, items.length - 1, depth + 1, task.unit);
      } else if (!said.has(status)) {
        said.add(status);
        items.push({ status, depth, above, content: { count, of: siblings.length, unit } });
      }
    }
  };
  add(roots, undefined, 0, null);
  return items;
}

const NO_GROUPS: ReadonlyMap<ShownStatus, number> = new Map();

/** The statuses that two or more quiet siblings share. */
function groupsIn(siblings: readonly Branch[]): ReadonlyMap<ShownStatus, number> {
  const counts = new Map<ShownStatus, number>();
  for (const { isQuiet, status } of siblings) if (isQuiet) counts.set(status, (counts.get(status) ?? 0) + 1);
  for (const [status, count] of counts) if (count < 2) counts.delete(status);
  return counts;
}

function rowOf({ status, depth, content }: Item, now: Moment, isBrief = false): TaskRow | GroupRow {
  if ("task" in content) return { kind: "task", depth, task: taskView(content, now), isBrief };
  const { count, of, unit } = content;
  return { kind: "group", depth, status, count, of, unit: unit === null ? null : safeText(unit) };
}

/** Places of the items, the one that asks most to be seen first. */
function byRank(items: readonly Item[]): readonly number[] {
  const ranks = new Map<number, number[]>();
  for (const [index, item] of items.entries()) {
    const rank = rankOf(item);
    const places = ranks.get(rank);
    if (places === undefined) ranks.set(rank, [index]);
    else places.push(index);
  }
  return [...ranks].sort(([a], [b]) => b - a).flatMap(([, places]) => places);
}

function rankOf({ status, content }: Item): number {
  const { rank } = STATUS_WORDS[status];
  // A row for many says more than one of them would.
  return "task" in content ? rank : rank + 0.5;
}

/** Brief rows for all, and as many of those that ask most to be seen in full as there is room for. */
function withDetails(
  items: readonly Item[],
  now: Moment,
  { maxLines, linesOf }: Required<TreeLimits>,
): readonly TreeRow[] {
  const rows: TreeRow[] = items.map((item) => rowOf(item, now, true));
  let room = maxLines - rows.length;
  for (const index of byRank(items)) {
    const row = rowOf(items[index] as Item, now);
    const more = linesOf(row) - 1;
    if (more > room) continue;
    room -= more;
    rows[index] = row;
  }
  return rows;
}

/** As many brief rows as fit, those that ask most to be seen first, never one without the tasks above it; the rest is counted in a last row. */
function mostImportant(items: readonly Item[], now: Moment, maxLines: number): readonly TreeRow[] {
  const kept = new Set<number>();
  for (const index of byRank(items)) {
    if (kept.size >= maxLines - 1) break;
    const missing: number[] = [];
    for (let at: number | undefined = index; at !== undefined && !kept.has(at); at = items[at]?.above) missing.push(at);
    if (kept.size + missing.length <= maxLines - 1) for (const at of missing) kept.add(at);
  }
  const rows = [...kept].sort((a, b) => a - b).map((index) => rowOf(items[index] as Item, now, true));
  return [...rows, moreRow(items.filter((_, index) => !kept.has(index)))];
}

function moreRow(left: readonly Item[]): MoreRow {
  const counts: Partial<Record<ShownStatus, number>> = {};
  let total = 0;
  for (const { status, content } of left) {
    const count = "task" in content ? 1 : content.count;
    counts[status] = (counts[status] ?? 0) + count;
    total += count;
  }
  return { kind: "more", depth: 0, count: total, counts };
}
