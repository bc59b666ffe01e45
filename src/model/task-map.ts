/**
 * The tasks of an upgrade: an immutable map in the order of adding, with the roll-up kept beside it.
 *
 * Replacing one task of 100,000 copies four small arrays and the task's ancestors, so an update costs the same at any size
 * and every earlier version stays valid. Sums are integers: their value depends on the tasks alone, not on the way there.
 */

import { addRollup, leafRollup, NO_ROLLUP, replaceRollup, rollupPercent, type Rollup } from "./rollup.ts";
import type { Task } from "./task.ts";
import type { ProgressStatus } from "./vocabulary.ts";
import { Trie } from "./trie.ts";

/** A task in its place. Another object once the task or anything below it has changed. */
export interface TaskEntry {
  readonly task: Task;
  /** The sums over the leaves below; null for a leaf. */
  readonly rollup: Rollup | null;
}

type Entry = TaskEntry;

/** What is looked for in a few neighbouring tasks. */
export type Look<Found> = (entries: readonly TaskEntry[]) => Found;

/** What was found in blocks of tasks, by what was looked for: a block never changes. */
const found = new WeakMap<Look<unknown>, WeakMap<readonly TaskEntry[], unknown>>();

/** Time passes for it, or somebody waits for it. */
export function isActive({ status, waitingOn }: Task): boolean {
  return waitingOn !== null || status === "in_progress" || status === "paused";
}

const activeAmong: Look<readonly Task[]> = (entries) => entries.map(({ task }) => task).filter(isActive);

/** The places of children by their parents. It grows with the ids that it belongs to, and only for who asks. */
interface Below {
  count: number;
  readonly places: Map<string | null, number[]>;
}

const below = new WeakMap<ReadonlyMap<string, number>, Below>();

/** How many tasks there are of each status, parents included. */
export type StatusCounts = Readonly<Record<ProgressStatus, number>>;

const NO_COUNTS: StatusCounts = Object.freeze({
  not_started: 0,
  in_progress: 0,
  completed: 0,
  failed: 0,
  paused: 0,
  cancelled: 0,
  skipped: 0,
});

interface Parts {
  readonly entries: Trie<Entry>;
  readonly ids: Map<string, number>;
  readonly counts: StatusCounts;
  readonly rollup: Rollup;
}

let empty: TaskMap | undefined;

export class TaskMap implements ReadonlyMap<string, Task> {
  /** The map of no tasks. */
  static get empty(): TaskMap {
    // Not a static field: the compiler lets such a field of this class see it before it is there.
    empty ??= TaskMap.from([]);
    return empty;
  }

  readonly #entries: Trie<Entry>;
  /**
   * Index by id, shared by all versions that grew from one another: it only grows, and a version looks no further than
   * its own size. A version that grows in another direction makes its own copy first.
   */
  readonly #ids: Map<string, number>;
  /** Tasks by status. */
  readonly counts: StatusCounts;
  /** Sums over all leaves. */
  readonly rollup: Rollup;

  private constructor(parts: Parts) {
    this.#entries = parts.entries;
    this.#ids = parts.ids;
    this.counts = parts.counts;
    this.rollup = parts.rollup;
  }

  /** The map of these tasks, each after its parent. */
  static from(tasks: readonly Task[]): TaskMap {
    const ids = new Map<string, number>(tasks.map((task, index) => [task.taskId, index]));
    const sums: (Rollup | null)[] = tasks.map(() => null);
    const counts: Record<ProgressStatus, number> = { ...NO_COUNTS };
    let rollup = NO_ROLLUP;
    for (let index = tasks.length - 1; index >= 0; index--) {
      const task = tasks[index] as Task;
      counts[task.status] += 1;
      const own = sums[index] ?? leafRollup(task);
      const parent = task.parentTaskId === null ? undefined : ids.get(task.parentTaskId);
      if (parent === undefined) rollup = addRollup(rollup, own);
      else sums[parent] = addRollup(sums[parent] ?? NO_ROLLUP, own);
    }
    const entries = tasks.map((task, index) => entry(task, sums[index] ?? null));
    return new TaskMap({ entries: Trie.from(entries), ids, counts: Object.freeze(counts), rollup });
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The percentage over all leaves that count, 0 to 100. */
  get percentage(): number {
    return rollupPercent(this.rollup);
  }

  get(taskId: string): Task | undefined {
    return this.#entry(taskId)?.task;
  }

  has(taskId: string): boolean {
    return this.#index(taskId) !== undefined;
  }

  /** The task at a place in the order of adding. */
  at(index: number): Task | undefined {
    return this.#entries.get(index)?.task;
  }

  /** True if the task has children, so that its percentage is rolled up. */
  hasChildren(taskId: string): boolean {
    return this.#entry(taskId)?.rollup != null;
  }

  /** The ids of the task's ancestors, nearest first. */
  ancestors(taskId: string): string[] {
    const found: string[] = [];
    for (let id = this.get(taskId)?.parentTaskId; id != null; id = this.get(id)?.parentTaskId) found.push(id);
    return found;
  }

  /** This map with `task` added at the end, or in the place of the one that has its id. */
  with(task: Task): TaskMap {
    const index = this.#index(task.taskId);
    return index === undefined ? this.#add(task) : this.#replace(index, task);
  }

  *values(): MapIterator<Task> {
    for (const block of this.#entries.blocks()) for (const { task } of block) yield task;
  }

  /**
   * What `look` finds in all tasks, a few at a time, in order. Who asks again, of a later version and with the same `look`, pays
   * for what has changed since, not for all that there is.
   */
  findAll<Found>(look: Look<Found>): Found[] {
    let known = found.get(look) as WeakMap<readonly TaskEntry[], Found> | undefined;
    if (known === undefined) found.set(look, (known = new WeakMap()));
    const all: Found[] = [];
    for (const block of this.#entries.blocks()) {
      let one = known.get(block);
      if (one === undefined) known.set(block, (one = look(block)));
      all.push(one);
    }
    return all;
  }

  /** The tasks for which time passes, or of which somebody waits, in order (`isActive`). */
  active(): readonly Task[] {
    return this.findAll(activeAmong).flat();
  }

  /** The children of a task, or of none: those at the top. In order. */
  childrenOf(taskId: string | null): readonly TaskEntry[] {
    const children: TaskEntry[] = [];
    for (const place of this.#below().get(taskId) ?? []) {
      // Later versions have more of them.
      if (place >= this.size) break;
      children.push(this.#entries.get(place) as TaskEntry);
    }
    return children;
  }

  #below(): ReadonlyMap<string | null, readonly number[]> {
    let known = below.get(this.#ids);
    if (known === undefined) below.set(this.#ids, (known = { count: 0, places: new Map() }));
    for (; known.count < this.size; known.count++) {
      const parentTaskId = this.at(known.count)?.parentTaskId ?? null;
      const siblings = known.places.get(parentTaskId);
      if (siblings === undefined) known.places.set(parentTaskId, [known.count]);
      else siblings.push(known.count);
    }
    return known.places;
  }

  *keys(): MapIterator<string> {
    for (const { task } of this.#entries) yield task.taskId;
  }

  *entries(): MapIterator<[string, Task]> {
    for (const { task } of this.#entries) yield [task.taskId, task];
  }

  [Symbol.iterator](): MapIterator<[string, Task]> {
    return this.entries();
  }

  forEach(visit: (task: Task, taskId: string, map: ReadonlyMap<string, Task>) => void): void {
    for (const { task } of this.#entries) visit(task, task.taskId, this);
  }

  /** The tasks in order, as they stand in JSON. */
  toJSON(): Task[] {
    return [...this.values()];
  }

  #index(taskId: string): number | undefined {
    const index = this.#ids.get(taskId);
    return index !== undefined && index < this.size ? index : undefined;
  }

  #entry(taskId: string): Entry | undefined {
    const index = this.#index(taskId);
    return index === undefined ? undefined : this.#entries.get(index);
  }

  #replace(index: number, task: Task): TaskMap {
    const old = this.#entries.get(index) as Entry;
    const counts = old.task.status === task.status ? this.counts : moveCount(this.counts, old.task.status, task.status);
    const entries = this.#entries.set(index, entry(task, old.rollup));
    // A report on a group changes no sum: those above it only learn that something below them is another.
    const [before, after] = old.rollup === null ? [leafRollup(old.task), leafRollup(task)] : [NO_ROLLUP, NO_ROLLUP];
    return this.#shift(entries, this.#ids, counts, task.parentTaskId, before, after);
  }

  #add(task: Task): TaskMap {
    const ids = this.#idsToGrow();
    ids.set(task.taskId, this.size);
    const counts = moveCount(this.counts, undefined, task.status);
    const parent = task.parentTaskId === null ? undefined : this.#entry(task.parentTaskId);
    // A leaf that gets its first child stops counting itself: its children count from now on.
    const before = parent?.rollup === null ? leafRollup(parent.task) : NO_ROLLUP;
    return this.#shift(
      this.#entries.push({ task, rollup: null }),
      ids,
      counts,
      task.parentTaskId,
      before,
      leafRollup(task),
    );
  }

  /** The first task gets a map of its own: the empty version is everybody's, and would keep the ids of whoever came first. */
  #idsToGrow(): Map<string, number> {
    if (this.size === 0) return new Map();
    return this.#ids.size === this.size ? this.#ids : new Map([...this.#ids].slice(0, this.size));
  }

  /** Takes `before` from, and adds `after` to, the sums of the ancestors from `parentTaskId` up. */
  // eslint-disable-next-line max-params -- one step of #replace and #add, with their unfinished parts
  #shift(
    entries: Trie<Entry>,
    ids: Map<string, number>,
    counts: StatusCounts,
    parentTaskId: string | null,
    before: Rollup,
    after: Rollup,
  ): TaskMap {
    if (
      before.weight === after.weight &&
      before.done === after.done &&
      before.leaves === after.leaves &&
      before.finished === after.finished &&
      parentTaskId === null
    ) {
      return new TaskMap({ entries, ids, counts, rollup: this.rollup });
    }
    let next = entries;
    for (let id = parentTaskId; id !== null;) {
      const index = ids.get(id) as number;
      const parent = next.get(index) as Entry;
      // The first child takes the place of the parent's own share, which the ancestors above still hold.
      const base = parent.rollup ?? before;
      next = next.set(index, entry(parent.task, replaceRollup(base, before, after)));
      id = parent.task.parentTaskId;
    }
    return new TaskMap({ entries: next, ids, counts, rollup: replaceRollup(this.rollup, before, after) });
  }
}

/** An entry whose task shows the percentage of its sums. */
function entry(task: Task, rollup: Rollup | null): Entry {
  if (rollup === null) return { task, rollup };
  const percentage = rollupPercent(rollup);
  if (task.percentage === percentage && task.isMeasured) return { task, rollup };
  return { task: Object.freeze({ ...task, percentage, isMeasured: true }), rollup };
}

function moveCount(counts: StatusCounts, from: ProgressStatus | undefined, to: ProgressStatus): StatusCounts {
  const next = { ...counts };
  if (from !== undefined) next[from] -= 1;
  next[to] += 1;
  return Object.freeze(next);
}
