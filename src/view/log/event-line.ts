/** Events in words: one plain line for each change that a reader wants to know of. */

import { taskDurationMs } from "../../model/task.ts";
import type { EventOf, Insight, ProgressEvent } from "../../model/event.ts";
import { upgradeDurationMs, type UpgradeProgress } from "../../model/upgrade.ts";
import { clockText, durationText } from "../text/duration.ts";
import { safeText } from "../text/safe-text.ts";
import { HEALTH_TONES, INSIGHT_TONES, STATUS_WORDS, type Tone } from "../text/status-words.ts";
import { tellingMessage } from "../task/task-view.ts";

/** An event in words. */
export interface EventLine {
  /** Local time of day. */
  readonly time: string;
  readonly text: string;
  readonly tone: Tone;
}

/**
 * What `event` says; undefined for what only programs want to know (definitions, heartbeats, log text, writers).
 *
 * @param state - the state after the event.
 */
export function eventLine(event: ProgressEvent, state: UpgradeProgress): EventLine | undefined {
  const said = words(event, state);
  return said === undefined ? undefined : { time: clockText(event.time), text: said[0], tone: said[1] };
}

type Said = readonly [text: string, tone: Tone];

function words(event: ProgressEvent, state: UpgradeProgress): Said | undefined {
  switch (event.type) {
    case "upgrade.started":
      return [
        `upgrade ${safeText(state.upgradeId)} on ${safeText(state.clusterName)} started: ${safeText(event.phase)}`,
        "active",
      ];
    case "upgrade.phase_changed":
      return [`phase ${safeText(event.phase)}${event.regressed === true ? " (again)" : ""}`, "active"];
    case "upgrade.paused":
    case "upgrade.resumed":
    case "upgrade.cancelled":
      return [
        withMessage(`upgrade ${event.type.slice("upgrade.".length)}`, event.message),
        STATUS_WORDS[event.status].tone,
      ];
    case "upgrade.failed":
      return [`upgrade failed${afterUpgrade(state)}: ${safeText(event.errorMessage)}`, "bad"];
    case "upgrade.completed":
      return [withMessage(`upgrade completed${afterUpgrade(state)}${unfinished(event)}`, event.message), "good"];
    case "insight.raised":
    case "insight.updated":
      return insightWords(event.insight);
    case "insight.cleared":
      return [withMessage(`cleared: ${safeText(event.insightId)}`, event.message), "good"];
    case "health.changed":
      return [safeText(event.message), HEALTH_TONES[event.health]];
    default:
      return taskWords(event, state);
  }
}

function insightWords({ level, message, remedy }: Insight): Said {
  return [
    `${level}: ${safeText(message)}${remedy === null || remedy === "" ? "" : ` (remedy: ${safeText(remedy)})`}`,
    INSIGHT_TONES[level],
  ];
}

function taskWords(event: ProgressEvent, state: UpgradeProgress): Said | undefined {
  const task = "taskId" in event ? state.tasks.get(event.taskId) : undefined;
  if (task === undefined) return undefined;
  const name = `task ${safeText(task.taskName)}`;
  const durationMs = taskDurationMs(task, state.clock.lastMs);
  const after = durationMs === null ? "" : ` (${durationText(durationMs)})`;
  switch (event.type) {
    case "task.started":
    case "task.resumed":
      return [withMessage(`${name} ${event.type.slice("task.".length)}`, event.message), "active"];
    case "task.progressed":
      return [withMessage(`${name} ${position(event)}`, event.message), "active"];
    case "task.completed":
    case "task.skipped":
    case "task.cancelled":
    case "task.paused":
      return [withMessage(`${name} ${event.status}${after}`, event.message), STATUS_WORDS[event.status].tone];
    case "task.failed":
      return [`${name} failed${after}: ${safeText(event.errorMessage)}`, "bad"];
    case "task.retried":
      return [withMessage(`${name} started again, attempt ${event.attempt}`, event.message), "active"];
    case "task.waiting":
      return waitingWords(name, event);
    default:
      return undefined;
  }
}

function waitingWords(name: string, { waitingOn }: EventOf<"task.waiting">): Said {
  if (waitingOn === null) return [`${name} waits no longer`, "good"];
  const remedy = waitingOn.remedy === undefined ? "" : ` (remedy: ${safeText(waitingOn.remedy)})`;
  return [
    `${withMessage(`${name} waits on ${safeText(`${waitingOn.kind} ${waitingOn.name}`)}`, waitingOn.message)}${remedy}`,
    "attention",
  ];
}

function position({
  completedSteps,
  totalSteps,
  unit,
  percentage,
  isMeasured,
  regressed,
}: EventOf<"task.progressed">): string {
  const back = regressed === true ? " (went back)" : "";
  if (isMeasured === false) return `runs${back}`;
  if (totalSteps === undefined) return `at ${Math.floor(percentage)}%${back}`;
  return `at ${completedSteps ?? 0}/${totalSteps}${unit === undefined ? "" : ` ${safeText(unit)}`}, ${Math.floor(percentage)}%${back}`;
}

function withMessage(text: string, message: string | undefined): string {
  const telling = tellingMessage(message);
  return telling === null ? text : `${text}: ${telling}`;
}

function afterUpgrade(state: UpgradeProgress): string {
  const durationMs = upgradeDurationMs(state, state.clock.lastMs);
  return durationMs === null ? "" : ` (${durationText(durationMs)})`;
}

function unfinished({ unfinishedCount = 0 }: EventOf<"upgrade.completed">): string {
  return unfinishedCount === 0 ? "" : ` with ${unfinishedCount} ${unfinishedCount === 1 ? "task" : "tasks"} unfinished`;
}
