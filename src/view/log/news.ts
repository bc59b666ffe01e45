/** Which events are news in a plain list, and what to say when there are none for long. */

import type { EventOf, ProgressEvent } from "../../model/event.ts";
import { durationText, percentText } from "../text/duration.ts";
import type { TaskView } from "../task/task-view.ts";
import type { UpgradeView } from "../upgrade/upgrade-view.ts";

/** A report is news when it is this many points from the last one told of its task, or this long after it. */
const NEWS_POINTS = 25;
const NEWS_MS = 60_000;

interface Told {
  readonly percentage: number;
  readonly message: string | undefined;
  readonly timeMs: number;
}

/**
 * A filter that passes every change of status and, of the reports of progress, those that say something new: a list of
 * changes stays readable when a task reports a hundred times a second. One filter per list.
 */
export function newsFilter(): (event: ProgressEvent) => boolean {
  const told = new Map<string, Told>();
  return (event) => {
    if (event.type === "task.progressed") return isNews(event, told);
    if ("taskId" in event && "percentage" in event) {
      if (event.status === "in_progress")
        told.set(event.taskId, { percentage: event.percentage, message: undefined, timeMs: Date.parse(event.time) });
      else told.delete(event.taskId);
    }
    return true;
  };
}

function isNews(event: EventOf<"task.progressed">, told: Map<string, Told>): boolean {
  const { taskId, percentage, message } = event;
  const last = told.get(taskId);
  const timeMs = Date.parse(event.time);
  const isFirst = last === undefined;
  const hasMoved = !isFirst && Math.abs(percentage - last.percentage) >= NEWS_POINTS;
  const isLate =
    !isFirst && timeMs - last.timeMs >= NEWS_MS && (percentage !== last.percentage || message !== last.message);
  if (!isFirst && !hasMoved && !isLate) return false;
  told.set(taskId, { percentage, message, timeMs });
  return true;
}

const MAX_NAMED = 3;

/** What is going on while nothing changes, in one line: what is waited for, else what runs. */
export function stillText(view: UpgradeView): string {
  const tasks = view.rows.flatMap((row) => (row.kind === "task" && !isGroupAtWork(row.task) ? [row.task] : []));
  const waiting = tasks.filter(({ status }) => status === "waiting");
  if (waiting.length > 0) return `still waiting: ${named(waiting, waitingText)}`;
  const running = tasks.filter(({ status }) => status === "in_progress");
  if (running.length > 0) return `still running: ${named(running, runningText)}`;
  const paused = view.status === "paused" || view.counts.paused > 0;
  return `still ${paused ? "paused" : "here"}: no event for ${durationText(view.silentMs)}`;
}

/** A group works by its children, which are named themselves. */
const isGroupAtWork = ({ hasChildren, status }: TaskView): boolean => hasChildren && status === "in_progress";

function named(tasks: readonly TaskView[], text: (task: TaskView) => string): string {
  const more = tasks.length - MAX_NAMED;
  return `${tasks.slice(0, MAX_NAMED).map(text).join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}

function waitingText({ name, waitingOn }: TaskView): string {
  return waitingOn === null ? name : `${name} on ${waitingOn.on} (${durationText(waitingOn.elapsedMs)})`;
}

function runningText({ name, percent, elapsedMs }: TaskView): string {
  const facts = [
    ...(percent === null ? [] : [percentText(percent)]),
    ...(elapsedMs === null ? [] : [durationText(elapsedMs)]),
  ];
  return facts.length === 0 ? name : `${name} (${facts.join(", ")})`;
}
