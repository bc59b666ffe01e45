/** The words of the model: statuses, task types, health, and the legal transitions between statuses. */

/** Statuses of tasks and upgrades; always lower case, also on the wire. */
export const ProgressStatus = {
  NOT_STARTED: "not_started",
  IN_PROGRESS: "in_progress",
  COMPLETED: "completed",
  FAILED: "failed",
  PAUSED: "paused",
  CANCELLED: "cancelled",
  SKIPPED: "skipped",
} as const;
export type ProgressStatus = (typeof ProgressStatus)[keyof typeof ProgressStatus];

/** The well-known task types. Any other lower-case word is accepted and kept. */
export const TaskType = {
  UPGRADE_PLAN: "upgrade_plan",
  UPGRADE_STEP: "upgrade_step",
  VALIDATION: "validation",
  ROLLBACK: "rollback",
  CLEANUP: "cleanup",
} as const;
export type TaskType = (typeof TaskType)[keyof typeof TaskType] | (string & {});

/** The second axis beside status: is it well? */
export type HealthState = "progressing" | "slow" | "stalled" | "degraded" | "lost";

/** How serious an insight is. */
export type InsightLevel = "info" | "warning" | "error";

/** Task transitions: from each status, the statuses a command may lead to. */
export const TASK_TRANSITIONS: Readonly<Record<ProgressStatus, readonly ProgressStatus[]>> = {
  not_started: ["in_progress", "skipped", "cancelled"],
  in_progress: ["in_progress", "completed", "failed", "paused", "cancelled"],
  paused: ["in_progress", "failed", "cancelled"],
  failed: ["in_progress"],
  completed: [],
  cancelled: [],
  skipped: [],
};

/** Upgrade transitions. A finished upgrade begins its next run in a log of its own. */
export const UPGRADE_TRANSITIONS: Readonly<Record<ProgressStatus, readonly ProgressStatus[]>> = {
  not_started: ["in_progress"],
  in_progress: ["paused", "completed", "failed", "cancelled"],
  paused: ["in_progress", "completed", "failed", "cancelled"],
  completed: [],
  failed: [],
  cancelled: [],
  skipped: [],
};

/** True if a task of this status can never change again. A failed task is not final: it can be retried. */
export function isFinalTaskStatus(status: ProgressStatus): boolean {
  return status === "completed" || status === "cancelled" || status === "skipped";
}

/** True if an upgrade of this status has ended. */
export function isFinalUpgradeStatus(status: ProgressStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}
