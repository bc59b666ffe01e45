/** The lines of one row of the task tree. */

import { fitToWidth, textWidth } from "../../view/text/column-width.ts";
import { durationText, percentText } from "../../view/text/duration.ts";
import { STATUS_WORDS, type ShownStatus } from "../../view/text/status-words.ts";
import type { StepsView, TaskView } from "../../view/task/task-view.ts";
import type { GroupRow, MoreRow, TreeRow } from "../../view/task/tree.ts";
import { cutLine, glyph, lineWidth, span, spread, wrapText, type Line, type Pen } from "./pen.ts";

/** Columns of a row that depend on the width of the window: what has no room is left out, the name last. */
interface Columns {
  readonly status: number;
  readonly bar: number;
  /** Steps, and percentage where there is a column for it, else whichever there is in one. */
  readonly steps: number;
  readonly percent: number;
  readonly elapsed: number;
}

const WORD_WIDTH = Math.max(...Object.values(STATUS_WORDS).map(({ word }) => word.length));
const INDENT = 2;

function columnsOf(width: number): Columns {
  const isWide = width >= 100;
  const status = width < 40 ? 2 : WORD_WIDTH + 4;
  return {
    status,
    bar: isWide ? 12 : 0,
    steps: width < 50 ? 0 : isWide ? 13 : 11,
    percent: isWide ? 9 : 0,
    elapsed: width < 60 ? 0 : 9,
  };
}

/** The lines of a row, the first one with its numbers, the others with what it waits on or why it failed. */
export function rowLines(row: TreeRow, by: Pen): readonly Line[] {
  const columns = columnsOf(by.width);
  if (row.kind === "more") return [moreLine(row, by)];
  if (row.kind === "group")
    return [cutLine([...statusPart(row.status, columns, by), indent(row.depth, by), groupText(row, by)], by.width, by)];
  const { task, depth } = row;
  const left = [...statusPart(task.status, columns, by), indent(depth, by), ...namePart(task, by)];
  const first = spread(left, numbersPart(task, columns, by), by.width, by);
  if (row.isBrief) return [withMessage(first, left, briefly(task), by)];
  return [
    withMessage(first, left, saidWhileWorking(task), by),
    ...detailLines(task, columns.status + depth * INDENT, by),
  ];
}

const indent = (depth: number, by: Pen) => span(by, " ".repeat(depth * INDENT));

function statusPart(status: ShownStatus, { status: width }: Columns, by: Pen): Line {
  const words = STATUS_WORDS[status];
  const text = width === 2 ? glyph(by, words) : `${glyph(by, words)} ${words.word}`;
  return [span(by, fitToWidth(text, width), words.tone)];
}

function namePart({ name, status, attempt }: TaskView, by: Pen): Line {
  const isFaint = status === "not_started" || status === "skipped" || status === "cancelled";
  return [
    span(by, name, isFaint ? "quiet" : undefined),
    ...(attempt > 1 ? [span(by, ` (attempt ${attempt})`, "attention")] : []),
  ];
}

function groupText({ status, count, of, unit }: GroupRow, by: Pen) {
  return span(by, `${count} of ${of} ${unit ?? "tasks"}`, status === "completed" ? undefined : "quiet");
}

function moreLine({ count, counts }: MoreRow, by: Pen): Line {
  const parts = Object.entries(STATUS_WORDS).flatMap(([status, { word }]) => {
    const number = counts[status as ShownStatus];
    return number === undefined ? [] : [`${number} ${word}`];
  });
  return cutLine(
    [span(by, `${by.mark} ${count} more${parts.length > 0 ? ` (${parts.join(", ")})` : ""}`, "quiet")],
    by.width,
    by,
  );
}

/** "3/5 nodes", and the numbers alone where there is no room for the unit. */
function stepsText({ completed, total, unit }: StepsView, { steps: width }: Columns): string {
  const numbers = `${completed}/${total}`;
  const withUnit = unit === null ? numbers : `${numbers} ${unit}`;
  return textWidth(withUnit) <= width ? withUnit : numbers;
}

function numbersPart(task: TaskView, columns: Columns, by: Pen): Line {
  const { status, percent, steps, elapsedMs } = task;
  const isWorking = status === "in_progress" || status === "waiting" || status === "paused" || status === "failed";
  const percentage = isWorking && (percent !== null || status === "in_progress") ? percentText(percent) : "";
  const counted = steps !== null && (task.hasChildren || isWorking) ? stepsText(steps, columns) : "";
  const right = (text: string, width: number) => fitToWidth(text, width, { align: "right", mark: by.mark });
  const numbers =
    columns.percent > 0
      ? right(counted, columns.steps) + right(percentage, columns.percent)
      : right(counted || percentage, columns.steps);
  const elapsed = right(elapsedMs === null ? "" : durationText(elapsedMs), columns.elapsed);
  return [...barPart(isWorking ? percent : null, columns.bar, by), span(by, numbers), span(by, elapsed, "quiet")];
}

function barPart(percent: number | null, width: number, by: Pen): Line {
  if (width === 0) return [];
  if (percent === null) return [span(by, " ".repeat(width))];
  return [...bar(percent, width - 1, by, "active"), span(by, " ")];
}

/** A bar of `width` columns. What is done and what is not differ by character, not by colour alone. */
export function bar(
  percent: number,
  width: number,
  by: Pen,
  look: "good" | "active" | "attention" | "bad" | "quiet",
): Line {
  const filled = percent >= 100 ? width : Math.min(width - 1, Math.floor((percent / 100) * width));
  return [
    span(by, (by.isAscii ? "#" : "━").repeat(Math.max(0, filled)), look),
    span(by, (by.isAscii ? "." : "╌").repeat(Math.max(0, width - filled)), "quiet"),
  ];
}

/** What a task said is told beside its name, unless lines of its own tell more. */
function saidWhileWorking({ status, message }: TaskView): string | null {
  return status === "failed" || status === "waiting" ? null : message;
}

const briefly = ({ waitingOn, message }: TaskView): string | null =>
  waitingOn === null ? message : `on ${waitingOn.on}`;

/** Puts the message into the gap between name and numbers when there is room for enough of it to be read. */
function withMessage(first: Line, left: Line, message: string | null, by: Pen): Line {
  if (message === null) return first;
  const gap = first[left.length];
  const room = gap === undefined || first.length <= left.length ? 0 : textWidth(gap.text) - 3;
  const said = span(by, `  ${message}`, "quiet");
  if (room < Math.min(12, lineWidth([said]))) return first;
  const cut = cutLine([said], room, by);
  return [...left, ...cut, span(by, " ".repeat(room + 3 - lineWidth(cut))), ...first.slice(left.length + 1)];
}

const MAX_DETAIL_LINES = 2;

function detailLines({ waitingOn, status, message }: TaskView, margin: number, by: Pen): readonly Line[] {
  const details: Line[] = [];
  const add = (text: string, look: "attention" | "bad" | undefined) => {
    const start = Math.min(margin, Math.floor(by.width / 3));
    const { text: safe } = span(by, text);
    for (const line of wrapText(safe, Math.max(1, by.width - start), MAX_DETAIL_LINES, by.mark))
      details.push([span(by, " ".repeat(start)), span(by, line, look)]);
  };
  if (status === "failed" && message !== null) add(message, "bad");
  if (waitingOn !== null) {
    add(
      `waits ${durationText(waitingOn.elapsedMs)} on ${waitingOn.on}${waitingOn.message === null ? "" : `: ${waitingOn.message}`}`,
      "attention",
    );
    if (waitingOn.remedy !== null) add(`remedy: ${waitingOn.remedy}`, undefined);
  }
  return details;
}
