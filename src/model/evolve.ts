/** `evolve(state, event) -> state`: the one fold, shared by the tracker, the server, the browser and the tests. Never throws. */

import { evolveTask } from "./evolve-task.ts";
import type { EventOf, ProgressEvent } from "./event.ts";
import type { Mutable } from "./mutable.ts";
import { newTask } from "./task.ts";
import type { TaskMap } from "./task-map.ts";
import { logTimeAt, type LogClock, type PhaseStay, type StandingInsight, type UpgradeProgress } from "./upgrade.ts";
import { isFinalUpgradeStatus } from "./vocabulary.ts";

/** The state after `event`. Types it does not know change nothing but the place in the log. */
export function evolve(state: UpgradeProgress, event: ProgressEvent): UpgradeProgress {
  const next = copyUpgrade(state);
  next.seq = event.seq;
  next.cursor = event.cursor;
  next.clock = nextClock(state.clock, event);
  apply(next, event, next.clock.lastMs);
  next.overallPercentage = overall(next);
  return Object.freeze(next);
}

/** All fields are named, as in {@link copyTask}. */
function copyUpgrade(state: UpgradeProgress): Mutable<UpgradeProgress> {
  return {
    upgradeId: state.upgradeId,
    planId: state.planId,
    clusterName: state.clusterName,
    run: state.run,
    seq: state.seq,
    cursor: state.cursor,
    status: state.status,
    currentPhase: state.currentPhase,
    phases: state.phases,
    overallPercentage: state.overallPercentage,
    startedAt: state.startedAt,
    completedAt: state.completedAt,
    startedMs: state.startedMs,
    endedMs: state.endedMs,
    pausedMs: state.pausedMs,
    pausedSinceMs: state.pausedSinceMs,
    message: state.message,
    errorMessage: state.errorMessage,
    health: state.health,
    insights: state.insights,
    startedSeq: state.startedSeq,
    statusSeq: state.statusSeq,
    phaseSeq: state.phaseSeq,
    openTerm: state.openTerm,
    clock: state.clock,
    tasks: state.tasks,
  };
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

type Next = Mutable<UpgradeProgress>;

function apply(next: Next, event: ProgressEvent, atMs: number): void {
  switch (event.type) {
    case "writer.opened":
      next.openTerm = event.term;
      next.planId = event.planId;
      next.clusterName = event.clusterName;
      next.run = event.run;
      // Somebody has come back; who only comes to record a loss says so next.
      if (next.health?.state === "lost") next.health = null;
      break;
    case "writer.closed":
      next.openTerm = null;
      break;
    case "upgrade.started":
    case "upgrade.paused":
    case "upgrade.resumed":
    case "upgrade.completed":
    case "upgrade.failed":
    case "upgrade.cancelled":
      changeStatus(next, event, atMs);
      break;
    case "upgrade.phase_changed":
      next.phases = [...endPhase(next.phases, atMs).slice(1 - MAX_PHASES), phaseStay(event, atMs)];
      next.currentPhase = event.phase;
      next.phaseSeq = event.seq;
      break;
    case "insight.raised":
    case "insight.updated":
      next.insights = withInsight(next.insights, { ...event.insight, seq: event.seq });
      break;
    case "insight.cleared":
      next.insights = next.insights.filter(({ id }) => id !== event.insightId);
      break;
    case "health.changed":
      next.health = { state: event.health, reasons: event.reasons, since: event.time };
      break;
    case "task.added":
      next.tasks = withAdded(next.tasks, event, atMs);
      break;
    default:
      next.tasks = withChanged(next.tasks, event, atMs);
  }
}

/**
 * A writer adds an id once and below a task that is there. A log from which something is missing (after a salvage) may say
 * otherwise: a second adding is ignored, and a task without its parent stands at the top, so that the sums hold.
 */
function withAdded(tasks: TaskMap, event: EventOf<"task.added">, atMs: number): TaskMap {
  if (tasks.has(event.taskId)) return tasks;
  const task = newTask(event, atMs);
  const isOrphan = task.parentTaskId !== null && !tasks.has(task.parentTaskId);
  return tasks.with(isOrphan ? Object.freeze({ ...task, parentTaskId: null }) : task);
}

function withChanged(tasks: TaskMap, event: ProgressEvent, atMs: number): TaskMap {
  const task = "taskId" in event ? tasks.get(event.taskId) : undefined;
  if (task === undefined) return tasks;
  const next = evolveTask(task, event, atMs);
  return next === task ? tasks : tasks.with(next);
}

type StatusEvent = EventOf<
  | "upgrade.started"
  | "upgrade.paused"
  | "upgrade.resumed"
  | "upgrade.completed"
  | "upgrade.failed"
  | "upgrade.cancelled"
>;

function changeStatus(next: Next, event: StatusEvent, atMs: number): void {
  next.status = event.status;
  next.statusSeq = event.seq;
  next.message = event.message ?? null;
  if (next.pausedSinceMs !== null) next.pausedMs += Math.max(0, atMs - next.pausedSinceMs);
  next.pausedSinceMs = event.status === "paused" ? atMs : null;
  if (event.type === "upgrade.started") {
    next.startedAt = event.time;
    next.startedMs = atMs;
    next.startedSeq = event.seq;
    next.phases = [...endPhase(next.phases, atMs), phaseStay(event, atMs)];
    next.currentPhase = event.phase;
    next.phaseSeq = event.seq;
  }
  if (event.type === "upgrade.failed") next.errorMessage = event.errorMessage;
  if (isFinalUpgradeStatus(event.status)) {
    next.completedAt = event.time;
    next.endedMs = atMs;
    next.phases = endPhase(next.phases, atMs);
  }
}

type Phases = UpgradeProgress["phases"];

/** Phase stays kept in the state, the newest ones; all of them are in the log. */
const MAX_PHASES = 1000;

function phaseStay({ phase, time }: EventOf<"upgrade.started" | "upgrade.phase_changed">, atMs: number): PhaseStay {
  return { phase, startedAt: time, startedMs: atMs, endedMs: null };
}

function endPhase(phases: Phases, atMs: number): Phases {
  return phases.map((stay) => (stay.endedMs === null ? { ...stay, endedMs: atMs } : stay));
}

/** An update stays where the insight stood. */
function withInsight(insights: readonly StandingInsight[], next: StandingInsight): readonly StandingInsight[] {
  const index = insights.findIndex(({ id }) => id === next.id);
  return index === -1 ? [...insights, next] : insights.with(index, next);
}
