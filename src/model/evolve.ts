/** `evolve(state, event) -> state`: the one fold, shared by the tracker, the server, the browser and the tests. Never throws. */

import { evolveTask } from "./evolve-task.ts";
import type { EventOf, ProgressEvent } from "./event.ts";
import type { Mutable } from "./mutable.ts";
import { newTask } from "./task.ts";
import { logTimeAt, type LogClock, type StandingInsight, type UpgradeProgress } from "./upgrade.ts";
import { isFinalUpgradeStatus } from "./vocabulary.ts";

/** The state after `event`. Types it does not know change nothing but the place in the log. */
export function evolve(state: UpgradeProgress, event: ProgressEvent): UpgradeProgress {
  const clock = nextClock(state.clock, event);
  const change = changeOf(state, event, clock.lastMs);
  const next: Mutable<UpgradeProgress> = { ...state, ...change };
  next.seq = event.seq;
  next.cursor = event.cursor;
  next.clock = clock;
  if (change !== undefined) next.overallPercentage = overall(next);
  return Object.freeze(next);
}

function nextClock(clock: LogClock, event: ProgressEvent): LogClock {
  if (event.type !== "writer.opened") {
    return { baseMs: clock.baseMs, lastMs: Math.max(clock.lastMs, clock.baseMs + event.ms), lastTime: event.time };
  }
  const beganMs = Math.max(clock.lastMs, event.logMs ?? logTimeAt(clock, Date.parse(event.time)));
  return { baseMs: beganMs - event.ms, lastMs: beganMs, lastTime: event.time };
}

/** The percentage that the tasks give; an upgrade that completed with none of them open stands at 100. */
function overall({ status, tasks, overallPercentage }: UpgradeProgress): number {
  if (status === "completed" && tasks.rollup.leaves === 0) return 100;
  return tasks.size === 0 ? overallPercentage : tasks.percentage;
}

type Change = Partial<UpgradeProgress> | undefined;

function changeOf(state: UpgradeProgress, event: ProgressEvent, atMs: number): Change {
  switch (event.type) {
    case "writer.opened":
      return { openTerm: event.term, planId: event.planId, clusterName: event.clusterName, run: event.run };
    case "writer.closed":
      return { openTerm: null };
    case "upgrade.started":
    case "upgrade.paused":
    case "upgrade.resumed":
    case "upgrade.completed":
    case "upgrade.failed":
    case "upgrade.cancelled":
      return statusChange(state, event, atMs);
    case "upgrade.phase_changed":
      return phaseChange(state, event, atMs);
    case "insight.raised":
    case "insight.updated":
      return { insights: withInsight(state.insights, { ...event.insight, seq: event.seq }) };
    case "insight.cleared":
      return { insights: state.insights.filter(({ id }) => id !== event.insightId) };
    case "health.changed":
      return { health: { state: event.health, reasons: event.reasons, since: event.time } };
    case "task.added":
      return taskAdded(state, event, atMs);
    default:
      return taskChange(state, event, atMs);
  }
}

/**
 * A writer adds an id once and below a task that is there. A log from which something is missing (after a salvage) may say
 * otherwise: a second adding is ignored, and a task without its parent stands at the top, so that the sums hold.
 */
function taskAdded({ tasks }: UpgradeProgress, event: EventOf<"task.added">, atMs: number): Change {
  if (tasks.has(event.taskId)) return undefined;
  const task = newTask(event, atMs);
  const isOrphan = task.parentTaskId !== null && !tasks.has(task.parentTaskId);
  return { tasks: tasks.with(isOrphan ? Object.freeze({ ...task, parentTaskId: null }) : task) };
}

function taskChange(state: UpgradeProgress, event: ProgressEvent, atMs: number): Change {
  const task = "taskId" in event ? state.tasks.get(event.taskId) : undefined;
  if (task === undefined) return undefined;
  const next = evolveTask(task, event, atMs);
  return next === task ? undefined : { tasks: state.tasks.with(next) };
}

type StatusEvent = EventOf<
  | "upgrade.started"
  | "upgrade.paused"
  | "upgrade.resumed"
  | "upgrade.completed"
  | "upgrade.failed"
  | "upgrade.cancelled"
>;

function statusChange(state: UpgradeProgress, event: StatusEvent, atMs: number): Change {
  const ended = isFinalUpgradeStatus(event.status);
  const paused = state.pausedSinceMs === null ? 0 : Math.max(0, atMs - state.pausedSinceMs);
  return {
    status: event.status,
    statusSeq: event.seq,
    message: event.message ?? null,
    pausedMs: state.pausedMs + paused,
    pausedSinceMs: event.status === "paused" ? atMs : null,
    ...(event.type === "upgrade.started" && {
      startedAt: event.time,
      startedMs: atMs,
      startedSeq: event.seq,
      phaseSeq: event.seq,
      currentPhase: event.phase,
      phases: [...endPhase(state, atMs), { phase: event.phase, startedAt: event.time, startedMs: atMs, endedMs: null }],
    }),
    ...(event.type === "upgrade.failed" && { errorMessage: event.errorMessage }),
    ...(ended && { completedAt: event.time, endedMs: atMs, phases: endPhase(state, atMs) }),
  };
}

/** Phase stays kept in the state, the newest ones; all of them are in the log. */
const MAX_PHASES = 1000;

function phaseChange(state: UpgradeProgress, event: EventOf<"upgrade.phase_changed">, atMs: number): Change {
  const stay = { phase: event.phase, startedAt: event.time, startedMs: atMs, endedMs: null };
  const earlier = endPhase(state, atMs).slice(1 - MAX_PHASES);
  return { currentPhase: event.phase, phaseSeq: event.seq, phases: [...earlier, stay] };
}

/** An update stays where the insight stood. */
function withInsight(insights: readonly StandingInsight[], next: StandingInsight): readonly StandingInsight[] {
  const index = insights.findIndex(({ id }) => id === next.id);
  return index === -1 ? [...insights, next] : insights.with(index, next);
}

function endPhase(state: UpgradeProgress, atMs: number): UpgradeProgress["phases"] {
  return state.phases.map((stay) => (stay.endedMs === null ? { ...stay, endedMs: atMs } : stay));
}
