/** A task tree that is looked through: what is open, what is looked for, and which row is selected. */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import { branchesOf } from "../../view/task/branches.ts";
import {
  choicesToSee,
  isFiltering,
  NO_FILTER,
  openRows,
  statusesIn,
  type OpenRow,
  type TreeChoices,
  type TreeFilter,
} from "../../view/task/open-rows.ts";
import { STATUS_WORDS, type ShownStatus } from "../../view/text/status-words.ts";
import type { Key } from "./keys.ts";
import { typed } from "./line-input.ts";
import { Selection, type Viewport } from "./selection.ts";

export interface TreeInView extends Viewport {
  readonly rows: readonly OpenRow[];
  /** The task of the selected row; undefined for a row of many, and when there is none. */
  readonly taskId: string | undefined;
}

export class TreeBrowser {
  /** False: the tree is shown as it fits best, and nothing is selected. */
  isActive = false;
  /** True while a text to look for is typed. */
  isTyping = false;
  filter: TreeFilter = NO_FILTER;
  #choices: TreeChoices = new Map();
  readonly #selection = new Selection();
  #made:
    | {
        readonly tasks: UpgradeProgress["tasks"];
        readonly choices: TreeChoices;
        readonly filter: TreeFilter;
        readonly rows: readonly OpenRow[];
      }
    | undefined;

  get isFiltering(): boolean {
    return isFiltering(this.filter);
  }

  /** What is in view in so many lines. */
  view(state: UpgradeProgress, lines: number): TreeInView {
    const rows = this.#rows(state);
    const port = this.#selection.view(keysOf(rows), lines);
    return { ...port, rows: rows.slice(port.top, port.top + port.count), taskId: taskIdOf(rows[port.selected]) };
  }

  /** How many tasks match the filter. */
  matches(state: UpgradeProgress): number {
    return this.#rows(state).filter((row) => row.kind === "task" && row.isMatch).length;
  }

  /** Takes a key; false when it is none of the tree's. */
  key(key: Key, state: UpgradeProgress): boolean {
    if (this.isTyping) return this.#type(key);
    const action = key.name === "char" ? CHARS[key.char] : NAMES[key.name];
    if (key.name === "escape" && this.isActive) return this.#goBack();
    if (action === undefined) return false;
    const wasActive = this.isActive;
    this.isActive = true;
    const rows = this.#rows(state);
    if (!wasActive) this.#selection.select(keysOf(rows), mostUrgent(rows));
    // The first arrow shows what is selected; only then there is something to move.
    if (wasActive || !isMove(action)) this.#act(action, rows, state);
    return true;
  }

  #type(key: Key): boolean {
    if (key.name === "enter" || key.name === "escape") {
      this.isTyping = false;
      if (key.name === "escape") this.filter = { ...this.filter, text: "" };
      return true;
    }
    const text = typed(this.filter.text, key);
    if (text !== undefined) this.filter = { ...this.filter, text };
    return true;
  }

  #goBack(): boolean {
    if (this.isFiltering) this.filter = NO_FILTER;
    else this.isActive = false;
    return true;
  }

  #rows(state: UpgradeProgress): readonly OpenRow[] {
    const rows = this.#openRows(state);
    const { key } = this.#selection;
    if (key?.startsWith("task ") !== true || rows.some((row) => row.key === key)) return rows;
    // What is selected keeps its row, also when all round it is folded away because it is well.
    this.#choices = choicesToSee(branchesOf(state.tasks), key.slice("task ".length), this.#choices);
    return this.#openRows(state);
  }

  /** Made once for a tree and what is asked of it: keys and drawings ask often, and there may be many tasks. */
  #openRows({ tasks }: UpgradeProgress): readonly OpenRow[] {
    const { filter } = this;
    const choices = this.#choices;
    const made = this.#made;
    if (made !== undefined && made.tasks === tasks && made.choices === choices && made.filter === filter)
      return made.rows;
    const rows = openRows(branchesOf(tasks), { choices, filter });
    this.#made = { tasks, choices, filter, rows };
    return rows;
  }

  #act(action: Action, rows: readonly OpenRow[], state: UpgradeProgress): void {
    const keys = keysOf(rows);
    const row = rows[this.#selection.find(keys)];
    if (action.kind === "move") this.#selection.move(keys, action);
    else if (action.kind === "go") this.#selection.select(keys, action.to === "first" ? 0 : keys.length - 1);
    else if (action.kind === "next") this.#selection.select(keys, nextUrgent(rows, this.#selection.find(keys)));
    else if (action.kind === "type") this.isTyping = true;
    else if (action.kind === "status") this.filter = { ...this.filter, statuses: nextStatus(this.filter, state) };
    else if (row !== undefined) this.#open(action.how, row, rows);
  }

  #open(how: "open" | "close" | "toggle", row: OpenRow, rows: readonly OpenRow[]): void {
    const keys = keysOf(rows);
    const at = keys.indexOf(row.key);
    const canChange = row.isOpen !== undefined && !this.isFiltering;
    if (canChange && (how === "toggle" || row.isOpen !== (how === "open")))
      this.#choices = new Map(this.#choices).set(row.key, row.isOpen !== true);
    else if (how === "open" && row.isOpen === true) this.#selection.select(keys, at + 1);
    else if (how === "close") this.#selection.select(keys, parentOf(rows, at));
  }
}

type Action =
  | { readonly kind: "move"; readonly rows?: number; readonly pages?: number }
  | { readonly kind: "go"; readonly to: "first" | "last" }
  | { readonly kind: "open"; readonly how: "open" | "close" | "toggle" }
  | { readonly kind: "next" }
  | { readonly kind: "type" }
  | { readonly kind: "status" };

const NAMES: Readonly<Partial<Record<Key["name"], Action>>> = {
  up: { kind: "move", rows: -1 },
  down: { kind: "move", rows: 1 },
  "page-up": { kind: "move", pages: -1 },
  "page-down": { kind: "move", pages: 1 },
  home: { kind: "go", to: "first" },
  end: { kind: "go", to: "last" },
  right: { kind: "open", how: "open" },
  left: { kind: "open", how: "close" },
  enter: { kind: "open", how: "toggle" },
};

const CHARS: Readonly<Record<string, Action>> = {
  k: { kind: "move", rows: -1 },
  j: { kind: "move", rows: 1 },
  g: { kind: "go", to: "first" },
  G: { kind: "go", to: "last" },
  l: { kind: "open", how: "open" },
  h: { kind: "open", how: "close" },
  " ": { kind: "open", how: "toggle" },
  n: { kind: "next" },
  "/": { kind: "type" },
  f: { kind: "status" },
};

const isMove = ({ kind }: Action): boolean => kind === "move" || kind === "open";

const keysOf = (rows: readonly OpenRow[]): readonly string[] => rows.map(({ key }) => key);

const taskIdOf = (row: OpenRow | undefined): string | undefined =>
  row?.kind === "task" ? row.branch.task.taskId : undefined;

function parentOf(rows: readonly OpenRow[], at: number): number {
  const depth = rows[at]?.depth ?? 0;
  for (let index = at; index >= 0; index--) if ((rows[index] as OpenRow).depth < depth) return index;
  return at;
}

/** A leaf that fails, waits or is paused, else one that runs, else the first row. */
function mostUrgent(rows: readonly OpenRow[]): number {
  let [best, bestRank] = [0, STATUS_WORDS.cancelled.rank];
  for (const [index, row] of rows.entries()) {
    const rank = row.kind === "task" && row.branch.children.length === 0 ? STATUS_WORDS[row.branch.status].rank : 0;
    if (rank > bestRank) [best, bestRank] = [index, rank];
  }
  return best;
}

const isUrgent = (row: OpenRow | undefined): boolean =>
  row?.kind === "task" && STATUS_WORDS[row.branch.status].rank >= STATUS_WORDS.paused.rank;

/** The next row below that asks to be seen, else the first one above. */
function nextUrgent(rows: readonly OpenRow[], from: number): number {
  for (let step = 1; step < rows.length; step++) {
    const index = (from + step) % rows.length;
    if (isUrgent(rows[index])) return index;
  }
  return from;
}

/** One status after the other of those that there are, the loudest first, then all again. */
function nextStatus({ statuses }: TreeFilter, { tasks }: UpgradeProgress): ReadonlySet<ShownStatus> {
  const counts = { ...tasks.counts, waiting: 0 };
  for (const { waitingOn } of tasks.values()) if (waitingOn !== null) counts.waiting += 1;
  const there = [...statusesIn(counts)].sort((a, b) => STATUS_WORDS[b].rank - STATUS_WORDS[a].rank);
  const [now] = statuses;
  const next = there[now === undefined ? 0 : there.indexOf(now) + 1];
  return new Set(next === undefined ? [] : [next]);
}
