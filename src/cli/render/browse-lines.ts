/** The lines of a task tree that is looked through: one for each row, and what is known of the selected task. */

import { clockText, durationText, percentText } from "../../view/text/duration.ts";
import type { OpenRow } from "../../view/task/open-rows.ts";
import type { TaskDetailsView } from "../../view/task/task-details.ts";
import { taskView, type Moment } from "../../view/task/task-view.ts";
import { cutLine, span, type Line, type Look, type Pen } from "./pen.ts";
import { rowLines } from "./task-lines.ts";
import { paragraph } from "./upgrade-lines.ts";

/** What stands before a row that can be selected. */
const GUTTER = 2;

/** A row in one line, marked when it is selected, and when it can be opened. */
export function browseLine(row: OpenRow, now: Moment, by: Pen, isSelected: boolean): Line {
  const inner = { ...by, width: Math.max(1, by.width - GUTTER) };
  return selectable(rowLine(row, now, inner), by, isSelected);
}

/** A line of which one can be selected. */
export function selectable(line: Line, by: Pen, isSelected: boolean): Line {
  if (!isSelected) return [span(by, " ".repeat(GUTTER)), ...line];
  return [
    span(by, "❯ ", "active"),
    ...line.map(({ text, look }) => ({
      text,
      look: look === undefined || look === "quiet" ? ("strong" as const) : look,
    })),
  ];
}

function rowLine(row: OpenRow, now: Moment, by: Pen): Line {
  const { depth, isOpen } = row;
  const mark = isOpen === false ? " ▸" : "";
  const [line = []] =
    row.kind === "group"
      ? rowLines({ ...row, unit: `${row.unit ?? "tasks"}${mark}` }, by)
      : rowLines({ kind: "task", depth, task: marked(taskView(row.branch, now), mark), isBrief: true }, by);
  return line;
}

const marked = <T extends { readonly name: string }>(task: T, mark: string): T =>
  mark === "" ? task : { ...task, name: `${task.name}${mark}` };

/** What is out of view, in one line; none when all is in view. */
export function moreLines(
  { above, below }: { readonly above: number; readonly below: number },
  by: Pen,
): readonly Line[] {
  if (above === 0 && below === 0) return [];
  const parts = [...(below > 0 ? [`${below} more below`] : []), ...(above > 0 ? [`${above} above`] : [])];
  return [cutLine([span(by, `  ${by.mark} ${parts.join(", ")}`, "quiet")], by.width, by)];
}

/** What is known of a task, in at most `maxLines` lines: first what asks for somebody, then what happened. */
export function detailLines(details: TaskDetailsView, by: Pen, maxLines: number): readonly Line[] {
  const lines = [
    cutLine([span(by, details.task.name, "strong"), span(by, `  ${factsOf(details)}`, "quiet")], by.width, by),
    ...said(details).flatMap(([text, look]) => paragraph(text, look, by, 2)),
  ];
  return lines.slice(0, maxLines);
}

function factsOf({ task, above, startedAt, completedAt, plan, silentMs, sinceAdvanceMs }: TaskDetailsView): string {
  const facts = [
    ...(above.length === 0 ? [] : [`in ${above.map(({ name }) => name).join(" / ")}`]),
    ...(startedAt === null ? [] : [`started ${clockText(startedAt)}`]),
    ...(completedAt === null ? [] : [`ended ${clockText(completedAt)}`]),
    ...(plan === null ? [] : [`planned ${durationText(plan.p50)}`]),
    ...(task.attempt > 1 ? [`attempt ${task.attempt}`] : []),
    // A group is heard of by its parts.
    ...(silentMs === null || task.hasChildren ? [] : [`last heard of ${durationText(silentMs)} ago`]),
    ...(sinceAdvanceMs === null || task.hasChildren ? [] : [`advanced ${durationText(sinceAdvanceMs)} ago`]),
  ];
  return facts.join(" · ");
}

function said({ task, failedAttempts }: TaskDetailsView): readonly (readonly [text: string, look: Look | undefined])[] {
  const { waitingOn, status, message } = task;
  const why = waitingOn?.message == null ? "" : `: ${waitingOn.message}`;
  return [
    ...(waitingOn === null
      ? []
      : [[`waits ${durationText(waitingOn.elapsedMs)} on ${waitingOn.on}${why}`, "attention"] as const]),
    ...(waitingOn?.remedy == null ? [] : [[`remedy: ${waitingOn.remedy}`, undefined] as const]),
    ...(message === null ? [] : [[message, status === "failed" ? "bad" : undefined] as const]),
    ...failedAttempts
      .slice(status === "failed" ? 1 : 0)
      .map(
        ({ attempt, percent, errorMessage }) =>
          [`attempt ${attempt} failed at ${percentText(percent)}: ${errorMessage}`, "quiet"] as const,
      ),
  ];
}
