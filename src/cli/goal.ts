/** What `milepost wait` waits for. */

import { MilepostError, shown } from "../errors.ts";
import { checkId } from "../model/check.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { Task } from "../model/task.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { isFinalUpgradeStatus, ProgressStatus } from "../model/vocabulary.ts";
import { safeText } from "../view/text/safe-text.ts";
import { STATUS_WORDS } from "../view/text/status-words.ts";

export type Goal =
  | { readonly kind: "end" }
  | { readonly kind: "status"; readonly status: ProgressStatus }
  | { readonly kind: "phase"; readonly phase: string }
  | { readonly kind: "task"; readonly taskId: string };

const STATUSES = Object.values(ProgressStatus).filter((status) => status !== "skipped");

/** The words for it, for help and errors. */
export const GOAL_WORDS = ["finished", "ended", ...STATUSES, "phase:<name>", "task:<id>"].join(", ");

/** A goal from its text; `name` is what an error calls it. @throws INVALID_ARGUMENT, INVALID_ID. */
export function parseGoal(text: string, name: string): Goal {
  const [, kind, rest] = /^(phase|task):(.*)$/s.exec(text) ?? [];
  if (kind === "phase" && rest !== "") return { kind, phase: rest as string };
  if (kind === "task") return { kind, taskId: checkId(rest, `${name} task:`) };
  if (text === "ended" || text === "finished") return { kind: "end" };
  const status = STATUSES.find((word) => word === text);
  if (status !== undefined) return { kind: "status", status };
  throw new MilepostError("INVALID_ARGUMENT", `${name} must be one of ${GOAL_WORDS}, not ${shown(text)}`);
}

/**
 * Whether an upgrade has come to it: `missed` when it no longer can. `events` led to this state, where more than one did: a
 * status among them was reached, too.
 */
export function assessGoal(
  goal: Goal,
  state: UpgradeProgress,
  events: readonly ProgressEvent[] = [],
): "reached" | "missed" | "open" {
  const hasEnded = isFinalUpgradeStatus(state.status);
  const isReached = {
    end: () => hasEnded,
    status: () => goal.kind === "status" && (state.status === goal.status || events.some(isSaid(goal.status))),
    phase: () => goal.kind === "phase" && state.phases.some(({ phase }) => phase === goal.phase),
    task: () => taskOf(goal, state)?.status === "completed",
  }[goal.kind];
  if (isReached()) return "reached";
  const status = taskOf(goal, state)?.status;
  return hasEnded || status === "skipped" || status === "cancelled" ? "missed" : "open";
}

const isSaid =
  (status: ProgressStatus) =>
  (event: ProgressEvent): boolean =>
    event.type.startsWith("upgrade.") && event.status === status;

/** The task that a goal is about; undefined while it is not there. */
function taskOf(goal: Goal, { tasks }: UpgradeProgress): Task | undefined {
  return goal.kind === "task" ? tasks.get(goal.taskId) : undefined;
}

/** What is said of it at the end, as "phase Nodes", "task Drain completed"; undefined when the upgrade's own end says it. */
export function goalText(goal: Goal, state: UpgradeProgress): string | undefined {
  const task = taskOf(goal, state);
  if (task !== undefined) return `task ${safeText(task.taskName)} ${STATUS_WORDS[task.status].word}`;
  const isPhase = goal.kind === "phase" && assessGoal(goal, state) === "reached";
  return isPhase ? `phase ${safeText(goal.phase)}` : undefined;
}
