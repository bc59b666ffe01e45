/** A lane of the timeline in words: for tooltips, and for those who do not see bars. */

import { taskDurationMs } from "../../model/task.ts";
import type { Branch } from "../task/branches.ts";
import { clockText, durationText, type TimeZone } from "../text/duration.ts";
import { basisText, overPlanMs, overPlanText, type PlannedTask } from "../estimate/plan.ts";
import { safeText } from "../text/safe-text.ts";
import { STATUS_WORDS } from "../text/status-words.ts";
import type { Moment } from "../task/task-view.ts";
import type { PlacedStretch } from "./timeline.ts";

/** What is said of a lane. Texts are safe to show; what is unknown is null. */
export interface LaneText {
  readonly name: string;
  readonly status: string;
  /** Times of day. */
  readonly started: string | null;
  readonly ended: string | null;
  /** Pauses left out. */
  readonly worked: string | null;
  readonly paused: string | null;
  readonly plan: string | null;
  /** How it stands to the plan. */
  readonly difference: string | null;
  /** Earlier attempts and waits, one line each. */
  readonly more: readonly string[];
}

export interface LaneTextOptions {
  readonly now: Moment;
  readonly planned: PlannedTask | undefined;
  readonly stretches: readonly PlacedStretch[];
  readonly zone?: TimeZone | undefined;
}

export function laneText(branch: Branch, { now, planned, stretches, zone }: LaneTextOptions): LaneText {
  const { task, status } = branch;
  const workedMs = taskDurationMs(task, now.logMs);
  const standingMs = task.pausedSinceMs === null ? 0 : Math.max(0, now.logMs - task.pausedSinceMs);
  const pausedMs = task.pausedMs + standingMs;
  const overMs = overPlanMs(task, planned, now);
  return {
    name: safeText(task.taskName),
    status: STATUS_WORDS[status].word,
    started: task.startedAt === null ? null : clockText(task.startedAt, zone),
    ended: task.completedAt === null ? null : clockText(task.completedAt, zone),
    worked: workedMs === null ? null : durationText(workedMs),
    paused: pausedMs > 0 ? durationText(pausedMs) : null,
    plan: planned === undefined ? null : basisText(planned),
    difference: overMs === null || planned === undefined ? null : overPlanText(overMs, planned.source),
    more: [...attemptLines(branch), ...waitLines(stretches)],
  };
}

/** Lines that a tooltip has room for. */
const MAX_LINES = 5;

function attemptLines({ task }: Branch): readonly string[] {
  const lines = task.attempts.slice(-MAX_LINES).map(({ attempt, startedMs, endedMs, errorMessage }) => {
    const after = startedMs === null ? "" : ` after ${durationText(endedMs - startedMs)}`;
    return `attempt ${attempt} failed${after}: ${safeText(errorMessage)}`;
  });
  const before = task.attempts.length - lines.length;
  return before > 0 ? [`${before} earlier attempts failed`, ...lines] : lines;
}

function waitLines(stretches: readonly PlacedStretch[]): readonly string[] {
  return stretches
    .filter(({ kind }) => kind === "waiting")
    .slice(-MAX_LINES)
    .map(({ on, lengthMs }) => `waited ${durationText(lengthMs)}${on === null ? "" : ` on ${on}`}`);
}

/** The same in one sentence. */
export function laneSentence({
  name,
  status,
  started,
  ended,
  worked,
  paused,
  plan,
  difference,
  more,
}: LaneText): string {
  const times = started === null ? "" : ended === null ? `since ${started}` : `from ${started} to ${ended}`;
  const facts = [
    `${name}: ${status}`,
    times,
    worked === null ? "" : `worked ${worked}`,
    paused === null ? "" : `paused ${paused}`,
    plan ?? "",
    difference ?? "",
    ...more,
  ];
  return facts.filter((fact) => fact !== "").join(", ");
}
