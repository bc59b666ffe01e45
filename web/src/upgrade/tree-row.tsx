/** One row of the task tree. */

import type { ComponentChild } from "preact";

import { durationText, percentText } from "../../../src/view/text/duration.ts";
import { overWords } from "../../../src/view/estimate/eta-text.ts";
import type { OpenGroupRow, OpenRow, OpenTaskRow } from "../../../src/view/task/open-rows.ts";
import { STATUS_WORDS } from "../../../src/view/text/status-words.ts";
import { groupText, isMeasurable, remarkText, stepsText, taskText } from "../../../src/view/task/task-text.ts";
import { taskView, type Moment, type TaskView } from "../../../src/view/task/task-view.ts";
import { Bar } from "../parts/bar.tsx";
import { Glyph } from "../parts/glyph.tsx";
import { Icon } from "../parts/icon.tsx";

export interface TreeRowProps {
  readonly id: string;
  readonly row: OpenRow;
  readonly now: Moment;
  /** Px from the top of the tree. */
  readonly top: number;
  readonly isActive: boolean;
  readonly isSelected: boolean;
  readonly onPick: () => void;
  readonly onToggle: () => void;
}

export function TreeRow(props: TreeRowProps): ComponentChild {
  const { row, now } = props;
  if (row.kind === "group") return <GroupRow {...props} row={row} />;
  return <TaskRow {...props} row={row} task={taskView(row.branch, now)} />;
}

/** What is said of a row is one sentence of its own; what is seen is for eyes only. */
function rowAttributes({ id, row, top, isActive, isSelected, onPick }: TreeRowProps) {
  return {
    id,
    role: "treeitem",
    "aria-level": row.depth + 1,
    "aria-posinset": row.position,
    "aria-setsize": row.siblings,
    "aria-expanded": row.isOpen,
    "aria-selected": row.kind === "task" ? isSelected : undefined,
    "data-active": isActive,
    style: { "--depth": String(row.depth), transform: `translateY(${top}px)` },
    onClick: onPick,
  } as const;
}

function TaskRow(props: TreeRowProps & { readonly row: OpenTaskRow; readonly task: TaskView }): ComponentChild {
  const { row, task } = props;
  const { status, name, attempt, grown, steps, elapsedMs, over } = task;
  const { glyph, tone } = STATUS_WORDS[status];
  const remark = remarkText(task);
  const isFaint = status === "not_started" || status === "skipped" || status === "cancelled" || !row.isMatch;
  return (
    <div
      {...rowAttributes(props)}
      class={`row tone-${tone} ${isFaint ? "row-faint" : ""} ${remark === null ? "row-plain" : ""}`}
    >
      <span class="visually-hidden row-said">{taskText(task)}</span>
      <span class="row-name" aria-hidden="true">
        <Toggle {...props} />
        <Glyph glyph={glyph} />
        <span class="ellipsis row-title" title={name}>
          {name}
        </span>
        {attempt > 1 && <span class="badge tone-attention">attempt {attempt}</span>}
        {grown !== null && (
          <span class="badge">
            grew {grown.from} to {grown.to}
          </span>
        )}
      </span>
      <span
        aria-hidden="true"
        class={`row-remark ellipsis ${status === "waiting" || status === "failed" ? "row-loud" : ""}`}
        title={remark ?? undefined}
      >
        {remark}
      </span>
      <span class="row-steps ellipsis" aria-hidden="true">
        {steps !== null && stepsText(steps)}
      </span>
      <Progress task={task} />
      <span class="row-time" aria-hidden="true" title={over === null ? undefined : overWords(over)}>
        {elapsedMs !== null && durationText(elapsedMs)}
        {over !== null && <span class="row-over"> +{durationText(over.ms)}</span>}
      </span>
    </div>
  );
}

function Progress({ task }: { readonly task: TaskView }): ComponentChild {
  if (!isMeasurable(task)) return <span class="row-progress" />;
  return (
    <span class="row-progress" aria-hidden="true">
      <Bar percent={task.percent} tone={STATUS_WORDS[task.status].tone} label={task.name} />
      <span class="row-percent">{task.percent === null ? "" : percentText(task.percent)}</span>
    </span>
  );
}

function GroupRow(props: TreeRowProps & { readonly row: OpenGroupRow }): ComponentChild {
  const { row } = props;
  const { glyph, tone } = STATUS_WORDS[row.status];
  const text = groupText(row);
  return (
    <div {...rowAttributes(props)} class={`row row-group tone-${tone}`}>
      <span class="visually-hidden row-said">{text}</span>
      <span class="row-name" aria-hidden="true">
        <Toggle {...props} />
        <Glyph glyph={glyph} />
        <span class="ellipsis row-title">{text}</span>
      </span>
    </div>
  );
}

/** The arrow that opens and closes. The keyboard and screen readers do it on the row. */
function Toggle({ row, onToggle }: TreeRowProps): ComponentChild {
  if (row.isOpen === undefined) return <span class="row-toggle" />;
  return (
    <span
      class={`row-toggle ${row.isOpen ? "row-open" : ""}`}
      aria-hidden="true"
      onClick={(event) => {
        event.stopPropagation();
        onToggle();
      }}
    >
      <Icon name="fold" />
    </span>
  );
}
