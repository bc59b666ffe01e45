/** The tasks as a tree: what is well folded away, what asks to be seen open; ten thousand of them as smooth as ten. */

import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { taskKey, type OpenRow } from "../../../src/view/task/open-rows.ts";
import type { Moment } from "../../../src/view/task/task-view.ts";
import { isChord } from "../keys.ts";
import { useSize } from "../listen.ts";
import { scrollToRow, useRows, type ListRef } from "../parts/row-window.ts";
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
  const rowPx = useRowPx(list);
  const [from, to] = useRows(list, { count: rows.length, rowPx });
  const selected = openTask();
  const found = rows.findIndex(({ key }) => key === tree.active.value);
  const active = Math.max(0, found);
  useWanted(list, { rows, tree, rowPx });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isChord(event)) return;
    const page = Math.max(1, Math.floor((list.current?.clientHeight ?? 0) / rowPx));
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
    scrollToRow(list, index, { rowPx });
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
      <div class="tree-rows" role="presentation" style={{ blockSize: `${rows.length * rowPx}px` }}>
        {rows.slice(from, to).map((row, index) => (
          <TreeRow
            key={row.key}
            id={rowId(from + index)}
            row={row}
            now={now}
            top={(from + index) * rowPx}
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

/** As `--row-height` (px) of the list says. It depends on the width alone, and asking at every scroll would cost a layout. */
function useRowPx(list: ListRef): number {
  const [rowPx, setRowPx] = useState(36);
  useSize(list, (element) => setRowPx(parseFloat(getComputedStyle(element).getPropertyValue("--row-height")) || 36));
  return rowPx;
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
  readonly rowPx: number;
}

/** Brings the row that is wanted into view, once it is there. */
function useWanted(list: ListRef, { rows, tree, rowPx }: WantedRow): void {
  const wanted = tree.wanted.value;
  useEffect(() => {
    if (wanted === undefined) return;
    const index = rows.findIndex(({ key }) => key === wanted);
    if (index === -1) return;
    scrollToRow(list, index, { rowPx });
    tree.wanted.value = undefined;
  }, [wanted, rows, rowPx]);
}
