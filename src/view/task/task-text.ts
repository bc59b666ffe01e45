/** A row of the task tree in words: for those who hear it, and in short beside its name. */

import { durationText, percentText } from "../text/duration.ts";
import { overWords } from "../estimate/eta-text.ts";
import { STATUS_WORDS } from "../text/status-words.ts";
import type { StepsView, TaskView } from "./task-view.ts";
import type { OpenGroupRow } from "./open-rows.ts";

/** "3/5 nodes". */
export function stepsText({ completed, total, unit }: StepsView): string {
  return `${completed}/${total}${unit === null ? "" : ` ${unit}`}`;
}

/** True while a task's percentage tells something that its status does not. */
export function isMeasurable({ status, percent }: TaskView): boolean {
  if (status === "in_progress" || status === "waiting") return true;
  return (status === "paused" || status === "failed") && percent !== null;
}

/** What stands beside the name: what is waited for, else what was said last. */
export function remarkText({ waitingOn, message }: TaskView): string | null {
  if (waitingOn === null) return message;
  return `waits ${durationText(waitingOn.elapsedMs)} on ${waitingOn.on}${waitingOn.message === null ? "" : `: ${waitingOn.message}`}`;
}

/** All that a row of one task shows. */
export function taskText(task: TaskView): string {
  const { name, status, percent, steps, attempt, elapsedMs, over, grown } = task;
  const parts = [
    name,
    STATUS_WORDS[status].word,
    ...(isMeasurable(task) && percent !== null ? [percentText(percent)] : []),
    ...(steps === null ? [] : [stepsText(steps)]),
    ...(grown === null ? [] : [`grew from ${grown.from} to ${grown.to}`]),
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(elapsedMs === null ? [] : [durationText(elapsedMs)]),
    ...(over === null ? [] : [overWords(over)]),
  ];
  const remark = remarkText(task);
  return remark === null ? parts.join(", ") : `${parts.join(", ")}: ${remark}`;
}

/** "14 of 20 nodes completed". */
export function groupText({ count, of, unit, status }: OpenGroupRow): string {
  return `${count} of ${of} ${unit ?? "tasks"} ${STATUS_WORDS[status].word}`;
}
