/** What a caller asks, as data; `checkCommand` is the one place where foreign input becomes a command. */

import { MilepostError, shown } from "../errors.ts";
import {
  checkCount,
  checkId,
  checkMessage,
  checkName,
  checkNewId,
  checkNumber,
  checkObject,
  checkPercentage,
  checkTaskType,
  checkText,
  checkWord,
  TEXT_LIMITS,
} from "./check.ts";
import type { HealthReason, Insight, TaskDefinition, WaitingOn } from "./event.ts";
import { copyDetails, type JsonObject } from "./json.ts";
import { checkFields } from "./known-fields.ts";
import type { Mutable } from "./mutable.ts";
import { MAX_WEIGHT } from "./rollup.ts";
import type { HealthState } from "./vocabulary.ts";

/** Commands that move a task from one status to another and say no more than a message. */
export type TaskStatusCommandType =
  "startTask" | "completeTask" | "retryTask" | "pauseTask" | "resumeTask" | "skipTask" | "cancelTask";

/** Commands that move the upgrade and say no more than a message. */
export type UpgradeStatusCommandType = "pauseUpgrade" | "resumeUpgrade" | "completeUpgrade" | "cancelUpgrade";

/** An insight as it is raised; `since` is set by the log. */
export type InsightInput = Omit<Insight, "since">;

/** What a task waits for as it is told; `since` is set by the log. */
export type WaitingOnInput = Omit<WaitingOn, "since">;

export interface ProgressReport {
  readonly percentage?: number;
  readonly completedSteps?: number;
  readonly totalSteps?: number;
  readonly unit?: string;
}

export type Command =
  | { readonly type: "startUpgrade"; readonly phase: string }
  | { readonly type: "setCurrentPhase"; readonly phase: string; readonly message?: string }
  | { readonly type: UpgradeStatusCommandType; readonly message?: string }
  | { readonly type: "failUpgrade"; readonly errorMessage: string }
  | ({ readonly type: "addTask" } & TaskDefinition)
  | {
      readonly type: TaskStatusCommandType;
      readonly taskId: string;
      readonly message?: string;
      readonly details?: JsonObject;
    }
  | { readonly type: "failTask"; readonly taskId: string; readonly errorMessage: string; readonly details?: JsonObject }
  | ({
      readonly type: "updateTaskProgress";
      readonly taskId: string;
      readonly message?: string;
      readonly details?: JsonObject;
    } & ProgressReport)
  | { readonly type: "setWaitingOn"; readonly taskId: string; readonly waitingOn: WaitingOnInput }
  | { readonly type: "clearWaitingOn"; readonly taskId: string }
  | { readonly type: "heartbeat"; readonly taskId: string }
  | { readonly type: "raiseInsight"; readonly insight: InsightInput }
  | { readonly type: "clearInsight"; readonly insightId: string; readonly message?: string }
  | { readonly type: "appendLog"; readonly taskId: string; readonly text: string }
  /** Not for callers: only the writer records what it computed. */
  | { readonly type: "recordHealth"; readonly health: HealthState; readonly reasons: readonly HealthReason[] };

export type CommandType = Command["type"];

type Fields = Readonly<Record<string, unknown>>;
type IsForbidden = (value: object) => boolean;

type Check = (fields: Fields, isForbidden?: IsForbidden) => Command;

const CHECKS: { readonly [T in Exclude<CommandType, "recordHealth">]: Check } = {
  startUpgrade: ({ phase = "Initialization" }) => ({ type: "startUpgrade", phase: checkName(phase, "phase") }),
  setCurrentPhase: ({ phase, message }) => ({
    type: "setCurrentPhase",
    phase: checkName(phase, "phase"),
    ...optionalMessage(message),
  }),
  pauseUpgrade: upgradeStatus("pauseUpgrade"),
  resumeUpgrade: upgradeStatus("resumeUpgrade"),
  completeUpgrade: upgradeStatus("completeUpgrade"),
  cancelUpgrade: upgradeStatus("cancelUpgrade"),
  failUpgrade: ({ errorMessage }) => ({
    type: "failUpgrade",
    errorMessage: checkText(errorMessage, "errorMessage", TEXT_LIMITS.message),
  }),
  addTask: checkDefinition,
  startTask: taskStatus("startTask"),
  completeTask: taskStatus("completeTask"),
  retryTask: taskStatus("retryTask"),
  pauseTask: taskStatus("pauseTask"),
  resumeTask: taskStatus("resumeTask"),
  skipTask: taskStatus("skipTask"),
  cancelTask: taskStatus("cancelTask"),
  failTask: ({ taskId, errorMessage, details }, isForbidden) => ({
    type: "failTask",
    taskId: checkId(taskId, "taskId"),
    errorMessage: checkText(errorMessage, "errorMessage", TEXT_LIMITS.message),
    ...optionalDetails(details, isForbidden),
  }),
  updateTaskProgress: checkReport,
  setWaitingOn: ({ taskId, waitingOn }) => ({
    type: "setWaitingOn",
    taskId: checkId(taskId, "taskId"),
    waitingOn: checkWaitingOn(waitingOn),
  }),
  clearWaitingOn: ({ taskId }) => ({ type: "clearWaitingOn", taskId: checkId(taskId, "taskId") }),
  heartbeat: ({ taskId }) => ({ type: "heartbeat", taskId: checkId(taskId, "taskId") }),
  raiseInsight: ({ insight }) => ({ type: "raiseInsight", insight: checkInsight(insight) }),
  clearInsight: ({ insightId, message }) => ({
    type: "clearInsight",
    insightId: checkId(insightId, "insightId"),
    ...optionalMessage(message),
  }),
  appendLog: ({ taskId, text }) => ({
    type: "appendLog",
    taskId: checkId(taskId, "taskId"),
    text: checkText(text, "text", TEXT_LIMITS.log),
  }),
};

const CHECK_BY_TYPE: ReadonlyMap<unknown, Check> = new Map<unknown, Check>(Object.entries(CHECKS));

/** What a report of progress says beside its message. */
const REPORT_FIELDS = ["percentage", "completedSteps", "totalSteps", "unit"] as const;
/** What a task is defined by beside its id, name and type. */
export const TASK_FIELDS = ["parentTaskId", "weight", "totalSteps", "unit", "expectedMs", "details"] as const;
const TASK_STATUS_FIELDS = ["taskId", "message", "details"] as const;

/** The fields of each command, beside its type. */
const FIELDS: { readonly [T in keyof typeof CHECKS]: readonly string[] } = {
  startUpgrade: ["phase"],
  setCurrentPhase: ["phase", "message"],
  pauseUpgrade: ["message"],
  resumeUpgrade: ["message"],
  completeUpgrade: ["message"],
  cancelUpgrade: ["message"],
  failUpgrade: ["errorMessage"],
  addTask: ["taskId", "taskName", "taskType", ...TASK_FIELDS],
  startTask: TASK_STATUS_FIELDS,
  completeTask: TASK_STATUS_FIELDS,
  retryTask: TASK_STATUS_FIELDS,
  pauseTask: TASK_STATUS_FIELDS,
  resumeTask: TASK_STATUS_FIELDS,
  skipTask: TASK_STATUS_FIELDS,
  cancelTask: TASK_STATUS_FIELDS,
  failTask: ["taskId", "errorMessage", "details"],
  updateTaskProgress: ["taskId", ...REPORT_FIELDS, "message", "details"],
  setWaitingOn: ["taskId", "waitingOn"],
  clearWaitingOn: ["taskId"],
  heartbeat: ["taskId"],
  raiseInsight: ["insight"],
  clearInsight: ["insightId", "message"],
  appendLog: ["taskId", "text"],
};

const FIELDS_BY_TYPE: ReadonlyMap<unknown, ReadonlySet<string>> = new Map(
  Object.entries(FIELDS).map(([type, fields]) => [type, new Set(["type", ...fields])]),
);

/** The names of all commands that a caller may give. */
export const COMMAND_TYPES = Object.freeze(Object.keys(CHECKS)) as readonly Exclude<CommandType, "recordHealth">[];

const POSITION_FIELDS: ReadonlySet<string> = new Set(REPORT_FIELDS);

/**
 * Where a task stands, as a number (its percentage) or as an object of it.
 *
 * @throws INVALID_PERCENT for what is neither; INVALID_ARGUMENT for a field that a report does not have.
 */
export function positionOf(report: unknown): ProgressReport {
  if (typeof report !== "object" || report === null || isBoxed(report)) return { percentage: report as number };
  checkFields(report, POSITION_FIELDS, "a report of progress");
  return report;
}

/** `new Number(50)` has no field of its own, and would be a report of nothing. */
function isBoxed(value: object): boolean {
  return BOXES.some((box) => value instanceof box);
}
const BOXES = [Number, String, Boolean, BigInt, Symbol] as const;

/**
 * The command in foreign input: checked, defaults filled in, details copied. Fields that a command does not have are refused.
 *
 * @param isForbidden - see {@link copyDetails}.
 * @param mark - a field that any command may carry; it is not part of what is returned.
 * @throws UNKNOWN_COMMAND, INVALID_ID, INVALID_PERCENT, INVALID_TEXT, INVALID_PAYLOAD, INVALID_ARGUMENT.
 */
export function checkCommand(input: unknown, isForbidden?: IsForbidden, mark?: string): Command {
  const fields = checkObject(input, "command");
  const { type } = fields;
  const check = CHECK_BY_TYPE.get(type);
  if (check !== undefined) {
    checkFields(fields, FIELDS_BY_TYPE.get(type) as ReadonlySet<string>, type as string, mark);
    return check(fields, isForbidden);
  }
  throw new MilepostError("UNKNOWN_COMMAND", `unknown command ${shown(type)}; known are ${COMMAND_TYPES.join(", ")}`);
}

function optionalMessage(value: unknown): { message?: string } {
  const message = checkMessage(value);
  return message === undefined ? {} : { message };
}

function optionalDetails(value: unknown, isForbidden?: IsForbidden): { details?: JsonObject } {
  return value === undefined || value === null ? {} : { details: copyDetails(value, isForbidden) };
}

function upgradeStatus(type: UpgradeStatusCommandType) {
  return ({ message }: Fields): Command => ({ type, ...optionalMessage(message) });
}

function taskStatus(type: TaskStatusCommandType) {
  return ({ taskId, message, details }: Fields, isForbidden?: IsForbidden): Command => ({
    type,
    taskId: checkId(taskId, "taskId"),
    ...optionalMessage(message),
    ...optionalDetails(details, isForbidden),
  });
}

function checkDefinition(fields: Fields, isForbidden?: IsForbidden): Command {
  const {
    taskType = "upgrade_step",
    parentTaskId = null,
    weight = 1,
    totalSteps = null,
    unit = null,
    expectedMs = null,
  } = fields;
  return {
    type: "addTask",
    taskId: checkNewId(fields["taskId"], "taskId"),
    taskName: checkName(fields["taskName"], "taskName"),
    taskType: checkTaskType(taskType),
    parentTaskId: parentTaskId === null ? null : checkId(parentTaskId, "parentTaskId"),
    weight: checkNumber(weight, "weight", MAX_WEIGHT),
    totalSteps: totalSteps === null ? null : checkCount(totalSteps, "totalSteps", 1),
    unit: unit === null ? null : checkName(unit, "unit"),
    expectedMs: expectedMs === null ? null : checkNumber(expectedMs, "expectedMs", Number.MAX_SAFE_INTEGER),
    details: optionalDetails(fields["details"], isForbidden).details ?? null,
  };
}

function checkReport(fields: Fields, isForbidden?: IsForbidden): Command {
  const { percentage, completedSteps, totalSteps, unit, message, details } = fields;
  if (percentage !== undefined && completedSteps !== undefined) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      "pass a percentage or completedSteps, not both; steps give the percentage themselves",
    );
  }
  const command: Mutable<Extract<Command, { type: "updateTaskProgress" }>> = {
    type: "updateTaskProgress",
    taskId: checkId(fields["taskId"], "taskId"),
  };
  if (percentage !== undefined) command.percentage = checkPercentage(percentage);
  if (completedSteps !== undefined) command.completedSteps = checkCount(completedSteps, "completedSteps", 0);
  if (totalSteps !== undefined) command.totalSteps = checkCount(totalSteps, "totalSteps", 1);
  if (unit !== undefined) command.unit = checkName(unit, "unit");
  if (message !== undefined) command.message = checkText(message, "message", TEXT_LIMITS.message);
  if (details !== undefined && details !== null) command.details = copyDetails(details, isForbidden);
  return command;
}

const WAITING_ON_FIELDS: ReadonlySet<string> = new Set(["kind", "name", "message", "remedy"]);

function checkWaitingOn(value: unknown): WaitingOnInput {
  const fields = checkObject(value, "waitingOn");
  checkFields(fields, WAITING_ON_FIELDS, "waitingOn");
  const { kind, name, message, remedy } = fields;
  return {
    kind: checkName(kind, "waitingOn.kind"),
    name: checkName(name, "waitingOn.name"),
    ...optionalMessage(message),
    ...(remedy !== undefined && { remedy: checkText(remedy, "waitingOn.remedy", TEXT_LIMITS.message) }),
  };
}

const LEVELS = ["info", "warning", "error"] as const;
const MAX_RESOURCES = 100;
const INSIGHT_FIELDS: ReadonlySet<string> = new Set([
  "id",
  "level",
  "message",
  "impact",
  "remedy",
  "reference",
  "resources",
]);

function checkInsight(value: unknown): InsightInput {
  const fields = checkObject(value, "insight");
  checkFields(fields, INSIGHT_FIELDS, "insight");
  const { id, level, message, impact, remedy, reference, resources = [] } = fields;
  if (!Array.isArray(resources) || resources.length > MAX_RESOURCES) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `insight.resources must be an array of at most ${MAX_RESOURCES} names, not ${shown(resources)}`,
    );
  }
  const optional = (text: unknown, field: string): string | null =>
    text === undefined || text === null ? null : checkText(text, `insight.${field}`, TEXT_LIMITS.message);
  return {
    id: checkNewId(id, "insight.id"),
    level: checkWord(level, "insight.level", LEVELS),
    impact: optional(impact, "impact"),
    message: checkName(message, "insight.message"),
    remedy: optional(remedy, "remedy"),
    reference: optional(reference, "reference"),
    resources: Object.freeze(resources.map((name) => checkName(name, "insight.resources"))),
  };
}
