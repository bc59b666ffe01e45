/** What is told of an upgrade: state, task, summary, event. The types are the model's; `Exact` holds the two together. */

import { z } from "zod";

import type { Task } from "../../../model/task.ts";
import type { UpgradeJson } from "../../../model/upgrade.ts";
import type { HealthState, ProgressStatus } from "../../../model/vocabulary.ts";
import type { UpgradeSummary } from "../../../view/upgrade/summary.ts";
import { held, type Exact } from "./exact.ts";
import { details, named, time } from "./values.ts";

const count = z.int().min(0);
const logMs = z.number().min(0).describe("Log time: milliseconds since the log began, never going back");
const percent = z.number().min(0).max(100);
const nullableText = z.string().nullable();
const cursor = z.string().describe("A place in the log; opaque");

export const status = z.enum([
  "not_started",
  "in_progress",
  "completed",
  "failed",
  "paused",
  "cancelled",
  "skipped",
] satisfies readonly ProgressStatus[]);

const healthState = z.enum(["progressing", "slow", "stalled", "degraded", "lost"] satisfies readonly HealthState[]);

const waitingOn = z.object({
  kind: z.string(),
  name: z.string(),
  since: time,
  message: z.string().exactOptional(),
  remedy: z.string().exactOptional(),
});

const attempt = z.object({
  attempt: z.int().min(1),
  startedAt: time.nullable(),
  startedMs: logMs.nullable(),
  endedAt: time,
  endedMs: logMs,
  percentage: percent,
  errorMessage: z.string(),
});

export const task = z.object({
  taskId: z.string(),
  taskName: z.string(),
  taskType: z.string(),
  parentTaskId: nullableText,
  status,
  percentage: percent,
  isMeasured: z.boolean().describe("False while nothing was reported: the percentage is then unknown, not nought"),
  weight: z.number(),
  completedSteps: count.nullable(),
  totalSteps: count.nullable(),
  unit: nullableText,
  expectedMs: z.number().nullable(),
  details: details.nullable(),
  reportDetails: details.nullable(),
  message: nullableText,
  errorMessage: nullableText,
  waitingOn: waitingOn.nullable(),
  attempt: z.int().min(1),
  attempts: z.array(attempt).describe("The attempts that failed, oldest first"),
  startedAt: time.nullable(),
  completedAt: time.nullable(),
  startedMs: logMs.nullable(),
  endedMs: logMs.nullable(),
  pausedMs: logMs,
  pausedSinceMs: logMs.nullable(),
  lastSeenMs: logMs,
  lastAdvanceMs: logMs,
  addedSeq: count,
  startedSeq: count.nullable(),
  statusSeq: count,
  lastSeq: count,
});

const insight = z.object({
  id: z.string(),
  level: z.enum(["info", "warning", "error"]),
  impact: nullableText,
  message: z.string(),
  remedy: nullableText,
  reference: nullableText,
  resources: z.array(z.string()),
  since: time,
  seq: count,
});

const health = z.object({
  state: healthState,
  reasons: z.array(z.object({ code: z.string(), message: z.string(), taskId: z.string().exactOptional() })),
  since: time,
});

const phaseStay = z.object({ phase: z.string(), startedAt: time, startedMs: logMs, endedMs: logMs.nullable() });

export const upgrade = z.object({
  upgradeId: z.string(),
  planId: z.string(),
  clusterName: z.string(),
  run: z.int().min(1),
  seq: count,
  cursor,
  status,
  currentPhase: nullableText,
  phases: z.array(phaseStay),
  overallPercentage: percent,
  startedAt: time.nullable(),
  completedAt: time.nullable(),
  startedMs: logMs.nullable(),
  endedMs: logMs.nullable(),
  pausedMs: logMs,
  pausedSinceMs: logMs.nullable(),
  message: nullableText,
  errorMessage: nullableText,
  health: health.nullable(),
  insights: z.array(insight),
  startedSeq: count.nullable(),
  statusSeq: count,
  phaseSeq: count,
  openTerm: nullableText,
  clock: z.object({ baseMs: z.number(), lastMs: z.number(), lastTime: time.nullable() }),
  tasks: z.array(task).describe("In the order in which they were added"),
});

export const summary = z.object({
  upgradeId: z.string(),
  planId: z.string(),
  clusterName: z.string(),
  run: z.int().min(1),
  cursor,
  status,
  overallPercentage: percent,
  progressPercentage: percent.describe("The same number as overallPercentage"),
  isMeasured: z.boolean(),
  health: z
    .object({ state: healthState, reasons: z.array(z.string()) })
    .nullable()
    .describe("Null before the start and after the end"),
  currentPhase: nullableText,
  currentTask: z.object({ taskId: z.string(), taskName: z.string(), status, percentage: percent }).nullable(),
  startedAt: time.nullable(),
  completedAt: time.nullable(),
  duration: z.string().nullable().describe("ISO 8601, pauses left out"),
  durationMs: z.number().nullable(),
  totalTasks: count,
  activeTasks: count,
  failedTasks: count,
  completedTasks: count,
  waitingTasks: count,
  waitingOn: waitingOn
    .extend({ taskId: z.string(), taskName: z.string() })
    .nullable()
    .describe("Of what is waited for, the one that lasts longest"),
  timeLeft: z
    .object({
      lowMs: z.number().min(0),
      likelyMs: z.number().min(0),
      highMs: z.number().min(0),
      isHeld: z.boolean().describe("True while something is waited for: then this is the least"),
    })
    .nullable()
    .describe("From asOf on; null while there is nothing to go by, and after the end"),
  activeTaskNames: z.array(z.string()).describe("The first 100"),
  failedTaskNames: z.array(z.string()).describe("The first 100"),
  errorMessage: nullableText,
  asOf: time.describe("The moment that the numbers are of"),
});

/** An event as it stands in the log. What else it has depends on its type. */
export const event = z.looseObject({
  seq: count.describe("Number in the log: 1, 2, 3 …"),
  cursor: cursor.optional(),
  ms: z.number().optional().describe("Milliseconds since the writer's term began"),
  id: z.string().optional(),
  type: z.string().describe("Such as task.progressed; readers ignore types they do not know"),
  time,
  upgradeId: z.string(),
  taskId: z.string().optional(),
  message: z.string().optional(),
  status: status.optional(),
  percentage: percent.optional(),
});

named
  .add(status, { id: "Status" })
  .add(task, { id: "Task" })
  .add(upgrade, { id: "Upgrade" })
  .add(summary, { id: "Summary" })
  .add(event, { id: "Event" });

held<Exact<z.infer<typeof task>, Task>>();
held<Exact<z.infer<typeof upgrade>, UpgradeJson>>();
held<Exact<z.infer<typeof summary>, UpgradeSummary>>();
