/** The tasks as a tree: what is well folded away, what asks to be seen open; ten thousand of them as smooth as ten. */

import type { ComponentChild } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { taskKey, type OpenRow } from "../../../src/view/task/open-rows.ts";
import type { Moment } from "../../../src/view/task/task-view.ts";
import { scrollToRow, useRowWindow } from "./row-window.ts";
import { openTask, showTask } from "./task-link.ts";
import { TreeFilter } from "./tree-filter.tsx";
import { treeStep } from "./tree-keys.ts";
import { TreeRow } from "./tree-row.tsx";
import type { TreeState } from "./tree-state.ts";
import type { Shown } from "./page-view.ts";
import "../style/task-tree.css";

export interface TaskTreeProps {
  readonly shown: Shown;
  readonly tree: TreeState;
}

export function TaskTree({ shown, tree }: TaskTreeProps): ComponentChild {
  const rows = tree.rows.value;
  const isEmpty = shown.head.taskCount === 0;
  return (
    <section class="tasks" aria-label="Tasks">
      {!isEmpty && <TreeFilter counts={shown.head.counts} tree={tree} found={rows.filter(isMatch).length} />}
      {isEmpty ? (
        <p class="empty">No tasks yet. They appear here as soon as the agent adds them.</p>
      ) : rows.length === 0 ? (
        <p class="empty">
          No task matches.{" "}
          <button type="button" class="button" onClick={() => tree.clear()}>
            Show all tasks
          </button>
        </p>
      ) : (
        <Rows rows={rows} now={shown.now} tree={tree} />
      )}
    </section>
  );
}

const isMatch = (row: OpenRow): boolean => row.kind === "task" && row.isMatch;

interface RowsProps {
  readonly rows: readonly OpenRow[];
  readonly now: Moment;
  readonly tree: TreeState;
}

function Rows({ rows, now, tree }: RowsProps): ComponentChild {
  const list = useRef<HTMLDivElement>(null);
  const { from, to, page, rowHeight } = useRowWindow({ list, count: rows.length });
  const selected = openTask();
  const found = rows.findIndex(({ key }) => key === tree.active.value);
  const active = Math.max(0, found);
  useWanted(list, { rows, tree, rowHeight });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = treeStep({ key: event.key, rows, at: active, page });
    const row = rows[active];
    if (step === undefined || row === undefined) return;
    event.preventDefault();
    if (step.kind === "go") moveTo(step.to);
    else if (step.kind === "activate" && row.kind === "task") showTask(row.branch.task.taskId);
    else if (row.isOpen !== undefined)
      tree.setOpen(row, step.kind === "open" || (step.kind !== "close" && !row.isOpen));
  };
  const moveTo = (index: number): void => {
    tree.active.value = rows[index]?.key;
    if (list.current !== null) scrollToRow(list.current, index, rowHeight);
  };
  return (
    <div
      ref={list}
      class="tree"
      role="tree"
      aria-label="Tasks"
      tabIndex={0}
      aria-activedescendant={active >= from && active < to ? rowId(active) : undefined}
      onKeyDown={onKeyDown}
    >
      <div class="tree-rows" role="presentation" style={{ blockSize: `${rows.length * rowHeight}px` }}>
        {rows.slice(from, to).map((row, index) => (
          <TreeRow
            key={row.key}
            id={rowId(from + index)}
            row={row}
            now={now}
            top={(from + index) * rowHeight}
            isActive={from + index === active}
            isSelected={row.kind === "task" && row.key === (selected === undefined ? "" : taskKey(selected))}
            onPick={() => pick(row, tree)}
            onToggle={() => toggle(row, tree)}
          />
        ))}
      </div>
    </div>
  );
}

const rowId = (index: number): string => `tree-row-${index}`;

function pick(row: OpenRow, tree: TreeState): void {
  tree.active.value = row.key;
  if (row.kind === "task") showTask(row.branch.task.taskId);
  else toggle(row, tree);
}

function toggle(row: OpenRow, tree: TreeState): void {
  tree.active.value = row.key;
  if (row.isOpen !== undefined && !tree.isFiltered.value) tree.setOpen(row, !row.isOpen);
}

interface WantedRow {
  readonly rows: readonly OpenRow[];
  readonly tree: TreeState;
  readonly rowHeight: number;
}

/** Brings the row that is wanted into view, once it is there. */
function useWanted(list: { readonly current: HTMLElement | null }, { rows, tree, rowHeight }: WantedRow): void {
  const wanted = tree.wanted.value;
  useEffect(() => {
    if (wanted === undefined || list.current === null) return;
    const index = rows.findIndex(({ key }) => key === wanted);
    if (index === -1) return;
    scrollToRow(list.current, index, rowHeight);
    tree.wanted.value = undefined;
  }, [wanted, rows, rowHeight]);
}
