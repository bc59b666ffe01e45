/** What people are told of an event, by every notifier in the same words: plain text, safe to show, of bounded length. */

import type { ProgressEvent } from "../model/event.ts";
import type { Task } from "../model/task.ts";
import { upgradeDurationMs, type UpgradeProgress } from "../model/upgrade.ts";
import type { InsightLevel } from "../model/vocabulary.ts";
import { durationText, percentText } from "../view/text/duration.ts";
import { eventLine } from "../view/log/event-line.ts";
import { safeText } from "../view/text/safe-text.ts";
import { HEALTH_TONES, STATUS_WORDS, type Tone } from "../view/text/status-words.ts";
import type { ToldEvent } from "./notifier.ts";

/** The longest headline and the longest text of a fact, in UTF-16 units. */
export const WORDING_LIMITS = { headline: 200, fact: 600 } as const;

const MAX_WAITING = 3;
/** Making one is dear. */
/** Made when it is first needed: it takes milliseconds. */
let segmenter: Intl.Segmenter | undefined;
const charactersOf = (text: string): Intl.Segments => (segmenter ??= new Intl.Segmenter()).segment(text);

/** One thing to know beside the headline. */
export interface Fact {
  readonly label: string;
  readonly text: string;
}

const SEVERITIES: Readonly<Record<Tone, InsightLevel>> = {
  good: "info",
  active: "info",
  quiet: "info",
  attention: "warning",
  bad: "error",
};

/** How serious an event is. */
export function severity(event: ProgressEvent): InsightLevel {
  switch (event.type) {
    case "insight.raised":
    case "insight.updated":
      return event.insight.level;
    case "health.changed":
      return SEVERITIES[HEALTH_TONES[event.health]];
    case "task.waiting":
      return event.waitingOn === null ? "info" : "warning";
    case "upgrade.completed":
      return (event.unfinishedCount ?? 0) > 0 ? "warning" : "info";
    default:
      return event.status === undefined ? "info" : SEVERITIES[STATUS_WORDS[event.status].tone];
  }
}

/**
 * The event in one line, never empty: "Drain node group ng-2 failed (4m 10s): 3 pods cannot be evicted". An event about the
 * whole upgrade names it.
 *
 * @param state - the state after the event, or a later one.
 * @param maxLength - in UTF-16 units; a longer line is cut between characters.
 */
export function headline(
  event: ToldEvent,
  state: UpgradeProgress,
  maxLength: number = WORDING_LIMITS.headline,
): string {
  return cutText(`${stillText(event)}${said(flat(event), state)}`, maxLength);
}

/** Of what is told again: for how long it has been so. */
function stillText({ repeat, time }: ToldEvent): string {
  return repeat === undefined ? "" : `Still, after ${durationText(Date.parse(time) - Date.parse(repeat.since))}: `;
}

function said(event: ProgressEvent, state: UpgradeProgress): string {
  const line = eventLine(event, state)?.text;
  const fallback = safeText(event.message === undefined ? event.type : `${event.type}: ${event.message}`);
  if (line === undefined || line.trim() === "") return fallback;
  if (event.type.startsWith("task.")) return line.replace(/^task /, "");
  const isAboutAll =
    event.type.startsWith("upgrade.") && line.startsWith("upgrade ") && event.type !== "upgrade.started";
  const text = isAboutAll ? line.replace("upgrade", () => `upgrade ${safeText(state.upgradeId)}`) : line;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Errors often have several lines; a headline has one. */
function flat(event: ProgressEvent): ProgressEvent {
  const given = event as { readonly message?: string; readonly errorMessage?: string };
  return {
    ...event,
    ...(given.message !== undefined && { message: oneLine(given.message) }),
    ...(given.errorMessage !== undefined && { errorMessage: oneLine(given.errorMessage) }),
  };
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/**
 * What to know beside the headline: where the upgrade stands, what it waits for and what helps, what went wrong, where to look.
 *
 * @param state - the state after the event, or a later one.
 * @param baseUrl - where people reach the dashboard; without it there is no link.
 */
export function facts(event: ProgressEvent, state: UpgradeProgress, baseUrl?: string): readonly Fact[] {
  const found: (readonly [label: string, text: string | null | undefined])[] = [
    ["Cluster", state.clusterName],
    ["Upgrade", state.upgradeId],
    ["Status", STATUS_WORDS[state.status].word],
    ["Phase", state.currentPhase],
    ["Progress", progressText(state)],
    ["Duration", elapsed(state)],
    ...waitingFacts(event, state),
    ["Health", troubleText(state)],
    ["Error", errorOf(event, state)],
  ];
  const told = found.flatMap(([label, text]) =>
    text == null || text.trim() === "" ? [] : [{ label, text: cutText(safeText(oneLine(text)), WORDING_LIMITS.fact) }],
  );
  // A link is whole or not there.
  return baseUrl === undefined ? told : [...told, { label: "Link", text: upgradeLink(baseUrl, state.upgradeId) }];
}

/** Where a browser shows this upgrade. */
export function upgradeLink(baseUrl: string, upgradeId: string): string {
  const url = new URL(baseUrl);
  url.hash = `/upgrades/${encodeURIComponent(upgradeId)}`;
  return url.href;
}

/** Safe text in at most `maxLength` UTF-16 units: as it is when it fits, else cut between characters, with an ellipsis. */
export function cutText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  let end = 0;
  // What cannot fit is not looked at: a text may be much longer than what is shown of it.
  for (const { index, segment } of charactersOf(text.slice(0, maxLength * 2))) {
    if (index + segment.length > maxLength - 1) break;
    end = index + segment.length;
  }
  return `${text.slice(0, end)}…`;
}

function progressText(state: UpgradeProgress): string {
  const { tasks } = state;
  const isUnknown = tasks.size === 0 || (state.overallPercentage === 0 && state.status === "in_progress");
  const counted = tasks.size === 0 ? "" : `${tasks.counts.completed} of ${tasks.size} tasks completed`;
  if (isUnknown) return counted;
  return `${percentText(state.overallPercentage)}, ${counted}`;
}

function elapsed(state: UpgradeProgress): string | null {
  const ms = upgradeDurationMs(state, state.clock.lastMs);
  return ms === null ? null : durationText(ms);
}

function troubleText({ health }: UpgradeProgress): string | null {
  if (health === null || health.state === "progressing") return null;
  return [health.state, ...health.reasons.slice(0, 1).map(({ message }) => message)].join(": ");
}

function errorOf(event: ProgressEvent, state: UpgradeProgress): string | null {
  if ("errorMessage" in event) return event.errorMessage;
  return state.status === "failed" ? state.errorMessage : null;
}

/** What the event's own task waits for, else the first few that wait. */
function waitingFacts(event: ProgressEvent, state: UpgradeProgress): readonly (readonly [string, string])[] {
  const own = event.taskId === undefined ? undefined : state.tasks.get(event.taskId);
  const waiting = own?.waitingOn != null ? [own] : waitingTasks(state);
  return waiting.flatMap(({ taskName, waitingOn }) => {
    if (waitingOn === null) return [];
    const { kind, name, message, remedy } = waitingOn;
    const why = message === undefined || message === "" ? "" : `: ${message}`;
    const waits: readonly [string, string] = ["Waiting on", `${kind} ${name} (${taskName})${why}`];
    return remedy === undefined || remedy === "" ? [waits] : [waits, ["Remedy", remedy] as const];
  });
}

function waitingTasks({ tasks }: UpgradeProgress): readonly Task[] {
  const found: Task[] = [];
  for (const task of tasks.values()) {
    if (task.waitingOn !== null) found.push(task);
    if (found.length === MAX_WAITING) break;
  }
  return found;
}
