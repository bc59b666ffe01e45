/** One task's standing, in the shape that the tracker's owner asks for. */

import type { ProgressEvent } from "../model/event.ts";
import { isoDuration, type ReportMoment } from "../model/summary.ts";
import { taskDurationMs, type Task } from "../model/task.ts";
import type { ProgressStatus } from "../model/vocabulary.ts";

/** Where one task stands. */
export interface TaskReport {
  readonly taskId: string;
  readonly taskName: string;
  readonly taskType: string;
  readonly parentTaskId: string | null;
  readonly status: ProgressStatus;
  readonly percentage: number;
  readonly isMeasured: boolean;
  readonly currentStep: string | null;
  readonly completedSteps: number | null;
  readonly totalSteps: number | null;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly duration: string | null;
  readonly durationMs: number | null;
  readonly attempt: number;
  readonly errorMessage: string | null;
  /** The newest five, oldest first. */
  readonly recentEvents: readonly RecentEvent[];
}

interface RecentEvent {
  readonly timestamp: string;
  /** Null for events that say nothing of the status. */
  readonly status: ProgressStatus | null;
  readonly message: string | null;
  readonly percentage: number | null;
}

export function taskReport(task: Task, { logMs }: ReportMoment, recent: readonly ProgressEvent[]): TaskReport {
  const durationMs = taskDurationMs(task, logMs);
  return {
    taskId: task.taskId,
    taskName: task.taskName,
    taskType: task.taskType,
    parentTaskId: task.parentTaskId,
    status: task.status,
    percentage: task.percentage,
    isMeasured: task.isMeasured,
    currentStep: task.message,
    completedSteps: task.completedSteps,
    totalSteps: task.totalSteps,
    startedAt: task.startedAt,
    completedAt: task.completedAt,
    duration: isoDuration(durationMs),
    durationMs,
    attempt: task.attempt,
    errorMessage: task.errorMessage,
    recentEvents: recent.map(recentEvent),
  };
}

function recentEvent(event: ProgressEvent): RecentEvent {
  return {
    timestamp: event.time,
    status: event.status ?? null,
    message: event.message ?? null,
    percentage: event.percentage ?? null,
  };
}
