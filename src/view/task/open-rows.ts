/**
 * The rows of a task tree that is opened and closed by its reader, as far as it has to be known to draw any part of it.
 *
 * As on every surface what is well is folded away and what asks to be seen is open: a group is open unless it is quiet (ended well,
 * or not begun), and four or more quiet siblings of one status stand in one row, which can be opened; at the top, where the stages of
 * an upgrade are, ten or more. The reader's own choices go before that. While a filter is set, what matches is shown with the tasks above it, all open, nothing folded.
 *
 * A row is cheap, and refers to its branch: what a task shows is worked out (`taskView`) for the rows that are in view.
 */

import type { Task } from "../../model/task.ts";
import type { Branch } from "./branches.ts";
import { STATUS_WORDS, type ShownStatus } from "../text/status-words.ts";
import { safeText } from "../text/safe-text.ts";

interface Place {
  /** Unique among the rows, and the same for the same task or group at every moment. */
  readonly key: string;
  readonly depth: number;
  /** The place among its siblings, from 1, and how many there are. */
  readonly position: number;
  readonly siblings: number;
  /** Undefined when there is nothing to open. */
  readonly isOpen: boolean | undefined;
}

/** One task. */
export interface OpenTaskRow extends Place {
  readonly kind: "task";
  readonly branch: Branch;
  /** False for a task that stands here for what is below it, while a filter is set. */
  readonly isMatch: boolean;
}

/** Quiet siblings of one status. */
export interface OpenGroupRow extends Place {
  readonly kind: "group";
  readonly status: ShownStatus;
  readonly count: number;
  /** How many siblings there are in all. */
  readonly of: number;
  readonly unit: string | null;
}

export type OpenRow = OpenTaskRow | OpenGroupRow;

/** What the reader has opened (true) and closed (false), by the keys of rows. */
export type TreeChoices = ReadonlyMap<string, boolean>;

/** What is looked for; an empty text and no statuses is no filter. */
export interface TreeFilter {
  readonly text: string;
  readonly statuses: ReadonlySet<ShownStatus>;
}

export const NO_FILTER: TreeFilter = { text: "", statuses: new Set() };

const MIN_GROUP = { top: 10, below: 4 } as const;

/** A filter on several words asks for all of them. */
export function isFiltering({ text, statuses }: TreeFilter): boolean {
  return text.trim() !== "" || statuses.size > 0;
}

/** The rows, from top to bottom. */
export function openRows(
  roots: readonly Branch[],
  { choices, filter = NO_FILTER }: { readonly choices: TreeChoices; readonly filter?: TreeFilter },
): readonly OpenRow[] {
  return isFiltering(filter) ? matchingRows(roots, filter) : foldedRows(roots, choices);
}

function foldedRows(roots: readonly Branch[], choices: TreeChoices): readonly OpenRow[] {
  const rows: OpenRow[] = [];
  const addTask = (branch: Branch, depth: number, position: number, siblings: number): void => {
    const { task, children, isQuiet } = branch;
    const isOpen = children.length === 0 ? undefined : (choices.get(taskKey(task.taskId)) ?? !isQuiet);
    const key = taskKey(task.taskId);
    rows.push({ kind: "task", key, depth, position, siblings, isOpen, branch, isMatch: true });
    if (isOpen === true) addAll(children, task, depth + 1);
  };
  const addGroup = (members: readonly Branch[], parent: Task | null, depth: number, shape: Shape): void => {
    const status = (members[0] as Branch).status;
    const key = groupKey(parent?.taskId ?? null, status);
    const isOpen = choices.get(key) ?? false;
    const unit = parent?.unit == null ? null : safeText(parent.unit);
    rows.push({ kind: "group", key, depth, ...shape.place, isOpen, status, count: members.length, of: shape.of, unit });
    if (isOpen) members.forEach((branch, index) => addTask(branch, depth + 1, index + 1, members.length));
  };
  const addAll = (siblings: readonly Branch[], parent: Task | null, depth: number): void => {
    const parts = partsOf(siblings, parent === null);
    parts.forEach((part, index) => {
      const place = { position: index + 1, siblings: parts.length };
      if (Array.isArray(part)) addGroup(part, parent, depth, { place, of: siblings.length });
      else addTask(part as Branch, depth, place.position, place.siblings);
    });
  };
  addAll(roots, null, 0);
  return rows;
}

interface Shape {
  readonly place: { readonly position: number; readonly siblings: number };
  readonly of: number;
}

/** Siblings as they stand in rows: each by itself, or in the place of the first one all that are folded into one. */
function partsOf(siblings: readonly Branch[], isTop: boolean): readonly (Branch | readonly Branch[])[] {
  const least = isTop ? MIN_GROUP.top : MIN_GROUP.below;
  if (siblings.length < least) return siblings;
  const quiet = new Map<ShownStatus, Branch[]>();
  for (const branch of siblings) {
    if (!branch.isQuiet) continue;
    const alike = quiet.get(branch.status);
    if (alike === undefined) quiet.set(branch.status, [branch]);
    else alike.push(branch);
  }
  const parts: (Branch | readonly Branch[])[] = [];
  for (const branch of siblings) {
    const alike = branch.isQuiet ? (quiet.get(branch.status) as Branch[]) : [];
    if (alike.length < least) parts.push(branch);
    else if (alike[0] === branch) parts.push(alike);
  }
  return parts;
}

function matchingRows(roots: readonly Branch[], filter: TreeFilter): readonly OpenRow[] {
  const rows: OpenRow[] = [];
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const isMatch = ({ task, status }: Branch): boolean =>
    (filter.statuses.size === 0 || filter.statuses.has(status)) &&
    words.every((word) => searchText(task).includes(word));
  /** Adds what matches among siblings, and says how many rows that were. */
  const addAll = (siblings: readonly Branch[], depth: number): number => {
    const own: number[] = [];
    for (const branch of siblings) {
      const at = rows.length;
      const key = taskKey(branch.task.taskId);
      const row: OpenTaskRow = {
        kind: "task",
        key,
        depth,
        position: own.length + 1,
        siblings: 0,
        isOpen: undefined,
        branch,
        isMatch: isMatch(branch),
      };
      rows.push(row);
      const below = addAll(branch.children, depth + 1);
      if (below === 0 && !row.isMatch) rows.length = at;
      else {
        own.push(at);
        if (below > 0) rows[at] = { ...row, isOpen: true };
      }
    }
    for (const at of own) rows[at] = { ...(rows[at] as OpenTaskRow), siblings: own.length };
    return own.length;
  };
  addAll(roots, 0);
  return rows;
}

const searchTexts = new WeakMap<Task, string>();

/** What is searched of a task, in lower case. Made once for a task, which never changes. */
function searchText(task: Task): string {
  let text = searchTexts.get(task);
  if (text === undefined) {
    const { taskId, taskName, message, errorMessage, waitingOn } = task;
    const waits = waitingOn === null ? "" : `${waitingOn.kind} ${waitingOn.name} ${waitingOn.message ?? ""}`;
    text = [taskName, taskId, message ?? "", errorMessage ?? "", waits].join("\n").toLowerCase();
    searchTexts.set(task, text);
  }
  return text;
}

/** The key of a task's row. */
export function taskKey(taskId: string): string {
  return `task ${taskId}`;
}

/** No id holds a line break, so no two groups share a key. */
function groupKey(parentTaskId: string | null, status: ShownStatus): string {
  return `group ${status}\n${parentTaskId ?? ""}`;
}

/**
 * The reader's choices with all opened that a task stands in, so that it has a row.
 *
 * @returns the same map when nothing has to be opened.
 */
export function choicesToSee(roots: readonly Branch[], taskId: string, choices: TreeChoices): TreeChoices {
  const path = pathTo(roots, taskId);
  if (path === undefined) return choices;
  const next = new Map(choices);
  let siblings = roots;
  let parent: Task | null = null;
  for (const branch of path) {
    const group = partsOf(siblings, parent === null).find((part) => Array.isArray(part) && part.includes(branch));
    if (group !== undefined) next.set(groupKey(parent?.taskId ?? null, branch.status), true);
    if (branch.task.taskId !== taskId) next.set(taskKey(branch.task.taskId), true);
    siblings = branch.children;
    parent = branch.task;
  }
  const isAsBefore = [...next].every(([key, isOpen]) => choices.get(key) === isOpen);
  return isAsBefore ? choices : next;
}

/** The branches from the top to a task, that of the task the last one; undefined when there is no such task. */
export function pathTo(branches: readonly Branch[], taskId: string): readonly Branch[] | undefined {
  for (const branch of branches) {
    if (branch.task.taskId === taskId) return [branch];
    const below = pathTo(branch.children, taskId);
    if (below !== undefined) return [branch, ...below];
  }
  return undefined;
}

/** Statuses of which an upgrade has tasks, in the order in which counts are listed. */
export function statusesIn(counts: Readonly<Record<ShownStatus, number>>): readonly ShownStatus[] {
  return (Object.keys(STATUS_WORDS) as ShownStatus[]).filter((status) => counts[status] > 0);
}
