/** `decide(state, command, now)`: what happens because of a command. Pure; changes nothing; refuses with a typed error. */

import { MilepostError, shown } from "../errors.ts";
import type { Command, InsightInput } from "./command.ts";
import { decideTask } from "./decide-task.ts";
import { UPGRADE_LIMITS, type Decision, type Now } from "./decision.ts";
import type { EventDraft, Insight } from "./event.ts";
import { canonicalJson } from "./json.ts";
import type { UpgradeProgress } from "./upgrade.ts";
import { isFinalUpgradeStatus, UPGRADE_TRANSITIONS, type ProgressStatus } from "./vocabulary.ts";

/** @throws ILLEGAL_TRANSITION, UNKNOWN_TASK, TASK_EXISTS, TASK_HAS_CHILDREN, INVALID_ARGUMENT, LIMIT_REACHED; the state is as before. */
export function decide(state: UpgradeProgress, command: Command, now: Now): Decision {
  switch (command.type) {
    case "startUpgrade":
      return startUpgrade(state, command.phase);
    case "setCurrentPhase":
      return setCurrentPhase(state, command);
    case "pauseUpgrade":
      return changeStatus(state, "pauseUpgrade", "paused", (status) => [
        { type: "upgrade.paused", status, ...said(command, "Upgrade paused") },
      ]);
    case "resumeUpgrade":
      return changeStatus(state, "resumeUpgrade", "in_progress", (status) => [
        { type: "upgrade.resumed", status, ...said(command, "Upgrade resumed") },
      ]);
    case "completeUpgrade":
      return changeStatus(state, "completeUpgrade", "completed", () =>
        completed(state, said(command, "Upgrade completed"), now),
      );
    case "failUpgrade":
      return changeStatus(state, "failUpgrade", "failed", (status) => [
        {
          type: "upgrade.failed",
          status,
          errorMessage: command.errorMessage,
          message: `Upgrade failed: ${command.errorMessage}`,
        },
      ]);
    case "cancelUpgrade":
      return changeStatus(state, "cancelUpgrade", "cancelled", (status) => [
        { type: "upgrade.cancelled", status, ...said(command, "Upgrade cancelled") },
      ]);
    case "raiseInsight":
      return raiseInsight(state, command.insight, now);
    case "clearInsight":
      return clearInsight(state, command.insightId, said(command, "Insight cleared"));
    case "recordHealth":
      return recordHealth(state, command);
    default:
      return decideTask(state, command, now);
  }
}

const said = ({ message }: { readonly message?: string }, otherwise: string): { message: string } => ({
  message: message ?? otherwise,
});

function startUpgrade(state: UpgradeProgress, phase: string): Decision {
  if (state.startedSeq !== null && !isFinalUpgradeStatus(state.status)) return { repeats: state.startedSeq };
  return changeStatus(state, "startUpgrade", "in_progress", (status) => [
    { type: "upgrade.started", status, phase, message: `Upgrade started: ${phase}` },
  ]);
}

type Status = "in_progress" | "paused" | "completed" | "failed" | "cancelled";

function changeStatus(
  state: UpgradeProgress,
  command: string,
  to: Status,
  draft: (to: ProgressStatus) => readonly EventDraft[],
): Decision {
  // Only a resumed upgrade is in progress by the event that would be repeated here; `startUpgrade` has looked before.
  if (state.status === to && command !== "startUpgrade") return { repeats: state.statusSeq };
  // Only a paused upgrade resumes: one that has not started comes into progress by startUpgrade alone.
  const isUnstarted = command === "resumeUpgrade" && state.status === "not_started";
  if (UPGRADE_TRANSITIONS[state.status].includes(to) && !isUnstarted) return { drafts: draft(to) };
  const remedy = isFinalUpgradeStatus(state.status) ? "startUpgrade begins its next run" : "call startUpgrade first";
  throw new MilepostError(
    "ILLEGAL_TRANSITION",
    `${command}: upgrade ${shown(state.upgradeId)} is ${state.status}; ${remedy}`,
    {
      context: { upgradeId: state.upgradeId, from: state.status, to },
    },
  );
}

function setCurrentPhase(
  state: UpgradeProgress,
  command: { readonly phase: string; readonly message?: string },
): Decision {
  const { phase } = command;
  if (state.currentPhase === phase) return { repeats: state.phaseSeq };
  if (isFinalUpgradeStatus(state.status)) {
    throw new MilepostError(
      "ILLEGAL_TRANSITION",
      `setCurrentPhase: upgrade ${shown(state.upgradeId)} is ${state.status}; startUpgrade begins its next run`,
    );
  }
  const regressed = state.phases.some((stay) => stay.phase === phase);
  const message = command.message ?? `Phase: ${phase}`;
  return {
    drafts: [
      {
        type: "upgrade.phase_changed",
        phase,
        previousPhase: state.currentPhase,
        message,
        ...(regressed && { regressed }),
      },
    ],
  };
}

/** The truth about an end with open tasks: the event names them, and a warning is raised first. */
function completed(state: UpgradeProgress, message: { message: string }, now: Now): readonly EventDraft[] {
  const unfinished = unfinishedTaskIds(state);
  const event = {
    type: "upgrade.completed",
    status: "completed",
    percentage: state.overallPercentage,
    ...message,
  } as const;
  if (unfinished.length === 0) return [{ ...event, percentage: 100 }];
  const listed = unfinished.slice(0, UPGRADE_LIMITS.maxListedIds);
  const insight: Insight = {
    id: "milepost.unfinished_tasks",
    level: "warning",
    impact: "The upgrade was declared complete with tasks that have not completed.",
    message: `${unfinished.length} of ${state.tasks.size} tasks had not completed when the upgrade was completed`,
    remedy: "Check these tasks; complete, skip or cancel them before completeUpgrade.",
    reference: null,
    resources: listed.slice(0, 100),
    since: now.time,
  };
  return [
    { type: "insight.raised", insight, message: insight.message },
    { ...event, unfinishedTaskIds: listed, unfinishedCount: unfinished.length },
  ];
}

/** Tasks that could still change, in order; a group that was never reported on counts by its children alone. */
function unfinishedTaskIds({ tasks }: UpgradeProgress): string[] {
  const { completed, skipped, cancelled } = tasks.counts;
  if (completed + skipped + cancelled === tasks.size) return [];
  const open: string[] = [];
  for (const { taskId, status } of tasks.values()) {
    if (status === "completed" || status === "skipped" || status === "cancelled") continue;
    if (status === "not_started" && tasks.hasChildren(taskId)) continue;
    open.push(taskId);
  }
  return open;
}

function raiseInsight(state: UpgradeProgress, input: InsightInput, now: Now): Decision {
  const standing = state.insights.find(({ id }) => id === input.id);
  const insight: Insight = { ...input, since: standing?.since ?? now.time };
  if (standing !== undefined) {
    const { seq, ...said } = standing;
    if (canonicalJson(said) === canonicalJson(insight)) return { repeats: seq };
    return { drafts: [{ type: "insight.updated", insight, message: insight.message }] };
  }
  if (state.insights.length >= UPGRADE_LIMITS.maxInsights) {
    throw new MilepostError(
      "LIMIT_REACHED",
      `upgrade ${shown(state.upgradeId)} has ${state.insights.length} insights; clear some or raise one that sums up`,
    );
  }
  return { drafts: [{ type: "insight.raised", insight, message: insight.message }] };
}

function clearInsight(state: UpgradeProgress, insightId: string, message: { message: string }): Decision {
  // A log without events has none to answer with, so there it is recorded.
  const isAnswer = state.seq === 0 || state.insights.some(({ id }) => id === insightId);
  return isAnswer ? { drafts: [{ type: "insight.cleared", insightId, ...message }] } : { repeats: state.seq };
}

function recordHealth(
  state: UpgradeProgress,
  { health, reasons }: Extract<Command, { type: "recordHealth" }>,
): Decision {
  // A detector never rewrites a terminal run.
  if (isFinalUpgradeStatus(state.status) || state.health?.state === health) return { repeats: state.seq };
  const message =
    reasons.length === 0
      ? `Health: ${health}`
      : `Health: ${health}: ${reasons.map((reason) => reason.message).join("; ")}`;
  return {
    drafts: [{ type: "health.changed", health, previousHealth: state.health?.state ?? null, reasons, message }],
  };
}
