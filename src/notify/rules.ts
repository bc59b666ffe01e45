/** Rules as data: which events a notifier is told, and when. Pure; `delivery.ts` asks them of every event. */

import { MilepostError, shown } from "../errors.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import type { InsightLevel, ProgressStatus } from "../model/vocabulary.ts";
import { keyOf, type Router, type Routing } from "./delivery.ts";
import { isWithin, localEnd, type Hours } from "./rules/hours.ts";
import { canLast, stillLasts, turnOf } from "./rules/stuck.ts";
import { severity } from "./wording.ts";

export type { Hours } from "./rules/hours.ts";

/** What an event must be to be told. What is absent does not matter; all that is given must hold. */
export interface Rule {
  /** For people. Default `rule 1`, `rule 2` … */
  readonly name?: string;
  /** The names of the notifiers that it is for; all when absent. */
  readonly to?: readonly string[];
  /** Event types; `*` stands for any text: `upgrade.*`, `task.failed`, `*`. */
  readonly events?: readonly string[];
  /** The status that the event reports. */
  readonly statuses?: readonly ProgressStatus[];
  /** Names of clusters, with `*` as in `events`. */
  readonly clusters?: readonly string[];
  readonly taskTypes?: readonly string[];
  /** This serious or more. */
  readonly minSeverity?: InsightLevel;
  /** `stuck`: it stalls, degrades, is lost or begins to wait. `recovered`: it goes on after that. */
  readonly turns?: readonly ("stuck" | "recovered")[];
  /** Only what happens within these hours. */
  readonly hours?: Hours;
  /** What happens within these hours is told at their end; what is an error is told at once. */
  readonly quietHours?: Hours;
  /** Told together, every so many minutes. */
  readonly digestMinutes?: number;
  /** Of what stalls, waits or fails: told again every so many minutes until that is over, for three days at most. */
  readonly repeatMinutes?: number;
}

/** Why a rule selects an event, or does not. */
export interface Explanation {
  readonly isSelected: boolean;
  /** A phrase: `the rule wants events upgrade.*`. */
  readonly reason: string;
  /** Wall time, milliseconds since 1970, before which it is not told; absent when it is told at once. */
  readonly holdUntilMs?: number;
}

/** What is worth telling when nobody said what: beginnings, ends, failures, what is wrong and what is right again. */
export const DEFAULT_RULES: readonly Rule[] = [
  {
    name: "default",
    events: [
      "upgrade.*",
      "task.started",
      "task.completed",
      "task.failed",
      "task.retried",
      "insight.*",
      "health.changed",
    ],
  },
];

const LEVELS: readonly InsightLevel[] = ["info", "warning", "error"];
const MINUTE = 60_000;

/** @param state - of the upgrade at the event or later; without it a rule about clusters or task types selects nothing. */
export function explain(rule: Rule, event: ProgressEvent, state: UpgradeProgress | undefined): Explanation {
  const fault = faultOf(rule, event, state);
  if (fault !== undefined) return { isSelected: false, reason: fault };
  const time = Date.parse(event.time);
  const { quietHours, digestMinutes } = rule;
  const isQuiet = quietHours !== undefined && isWithin(quietHours, time) && severity(event) !== "error";
  const quietEnd = isQuiet ? localEnd(quietHours, time) : time;
  const period = (digestMinutes ?? 0) * MINUTE;
  const holdUntilMs = period === 0 ? quietEnd : Math.ceil((quietEnd + 1) / period) * period;
  if (holdUntilMs === time) return { isSelected: true, reason: "all that the rule asks for holds" };
  const reason = isQuiet ? "it is told when the quiet hours end" : "it is told with the next digest";
  return { isSelected: true, reason, holdUntilMs };
}

function faultOf(rule: Rule, event: ProgressEvent, state: UpgradeProgress | undefined): string | undefined {
  const { events, statuses, clusters, taskTypes, minSeverity, turns, hours } = rule;
  if (events !== undefined && !matches(events, event.type)) return `the rule wants events ${listed(events)}`;
  if (statuses !== undefined && (event.status === undefined || !statuses.includes(event.status)))
    return `the rule wants statuses ${listed(statuses)}`;
  if (minSeverity !== undefined && LEVELS.indexOf(severity(event)) < LEVELS.indexOf(minSeverity))
    return `the rule wants severity ${minSeverity} or more, and this is ${severity(event)}`;
  if (turns !== undefined && !turns.some((turn) => turn === turnOf(event)))
    return `the rule wants turns ${listed(turns)}`;
  if (clusters !== undefined && (state === undefined || !matches(clusters, state.clusterName)))
    return `the rule wants clusters ${listed(clusters)}`;
  if (taskTypes !== undefined && !taskTypes.includes(typeOfTask(event, state) ?? ""))
    return `the rule wants task types ${listed(taskTypes)}`;
  if (hours !== undefined && !isWithin(hours, Date.parse(event.time)))
    return `the rule wants the hours from ${hours.from} to ${hours.to}`;
  return undefined;
}

const typeOfTask = (event: ProgressEvent, state: UpgradeProgress | undefined): string | undefined =>
  event.taskId === undefined ? undefined : state?.tasks.get(event.taskId)?.taskType;

/** True if one of the patterns, in which `*` stands for any text, is the text; no pattern can make this slow. */
export function matches(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split("*");
    if (parts.length === 1) return pattern === text;
    const [first = "", last = ""] = [parts[0], parts.at(-1)];
    let at = first.length;
    if (!text.startsWith(first)) return false;
    for (const part of parts.slice(1, -1)) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  });
}

const listed = (values: readonly string[]): string => values.join(", ");

/** What the rules for one notifier say of every event: the first that selects it decides. @throws INVALID_ARGUMENT. */
export function rulesRouter(rules: readonly Rule[], notifier: string): Router {
  const mine = rules
    .map((rule, index) => ({ ...rule, name: rule.name ?? `rule ${index + 1}` }))
    .filter(({ to }) => to === undefined || to.includes(notifier));
  for (const rule of mine) checkRule(rule);
  const needsState = mine.some(({ clusters, taskTypes }) => clusters !== undefined || taskTypes !== undefined);
  return { needsState, route: (event, state) => route(mine, event, state), holds: stillLasts };
}

function checkRule({ hours, quietHours, digestMinutes, repeatMinutes, name }: Rule): void {
  for (const each of [hours, quietHours]) if (each !== undefined) isWithin(each, 0);
  for (const [field, minutes] of Object.entries({ digestMinutes, repeatMinutes })) {
    if (minutes === undefined || (minutes >= 1 && minutes <= 1_440)) continue;
    throw new MilepostError("INVALID_ARGUMENT", `${name}: ${field} must be 1 to 1440, not ${shown(minutes)}`);
  }
  if (digestMinutes !== undefined && repeatMinutes !== undefined)
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `${name}: digestMinutes and repeatMinutes are for two rules, not for one`,
    );
}

function route(rules: readonly (Rule & { name: string })[], event: ProgressEvent, state?: UpgradeProgress): Routing {
  const reasons: string[] = [];
  for (const rule of rules) {
    const { isSelected, reason, holdUntilMs } = explain(rule, event, state);
    const repeatMs = rule.repeatMinutes !== undefined && canLast(event) ? rule.repeatMinutes * MINUTE : undefined;
    const selected = { by: rule.name, ...(repeatMs !== undefined && { repeatMs }) };
    if (isSelected && holdUntilMs !== undefined) return { ...selected, key: heldKey(rule.name), holdUntilMs };
    if (isSelected) return { ...selected, key: keyOf(event) };
    reasons.push(`${rule.name}: ${reason}`);
  }
  return { skip: reasons.length === 0 ? "no rule is for this notifier" : reasons.join("; ") };
}

/** No task can have this id: ids hold no control characters. What one rule holds back is one queue. */
const heldKey = (rule: string): string => `\u0000${rule}`;
