/** What a reporter may ask, for the documents. The check itself is the library's (`model/command.ts`); a test holds the two together. */

import { z } from "zod";

import { TEXT_LIMITS } from "../../../model/check.ts";
import { MAX_WEIGHT } from "../../../model/rollup.ts";
import { count, detailsInput, id, name, named, newId, text, upTo } from "./values.ts";

/** At most so many commands in one request. */
export const MAX_COMMANDS = 1_000;

const type = <T extends string>(...types: readonly [T, ...T[]]) => z.enum(types);
const message = text().optional();

const upgradeStatus = z.strictObject({
  type: type("pauseUpgrade", "resumeUpgrade", "completeUpgrade", "cancelUpgrade"),
  message,
});

const taskStatus = z.strictObject({
  type: type("startTask", "completeTask", "retryTask", "pauseTask", "resumeTask", "skipTask", "cancelTask"),
  taskId: id,
  message,
  details: detailsInput.nullish(),
});

const definition = {
  taskId: newId,
  taskName: name,
  taskType: z
    .string()
    .regex(/^[a-z][a-z0-9_.-]{0,63}$/)
    .default("upgrade_step"),
  parentTaskId: id.nullish().describe("The task that it is part of"),
  weight: upTo(MAX_WEIGHT).default(1).describe("How much it counts beside others"),
  totalSteps: count(1).nullish(),
  unit: name.nullish().describe("What the steps count, e.g. nodes"),
  expectedMs: upTo(Number.MAX_SAFE_INTEGER).nullish(),
  details: detailsInput.nullish(),
};

/** A task, as `addTask` takes it. */
export const taskDefinition = z.strictObject(definition);

const report = z
  .strictObject({
    type: z.literal("updateTaskProgress"),
    taskId: id,
    percentage: upTo(100).optional(),
    completedSteps: count(0).optional(),
    totalSteps: count(1).optional(),
    unit: name.optional(),
    message,
    details: detailsInput.nullish(),
  })
  .refine(({ percentage, completedSteps }) => percentage === undefined || completedSteps === undefined)
  .meta({ not: { required: ["percentage", "completedSteps"] } });

const insight = z.strictObject({
  id: newId,
  level: z.enum(["info", "warning", "error"]),
  message: name,
  impact: text().nullish(),
  remedy: text().nullish(),
  reference: text().nullish(),
  resources: z.array(name).max(100).default([]),
});

/** A command. Fields that it does not have are refused. */
export const command = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("startUpgrade"), phase: name.default("Initialization") }),
  z.strictObject({ type: z.literal("setCurrentPhase"), phase: name, message }),
  upgradeStatus,
  z.strictObject({ type: z.literal("failUpgrade"), errorMessage: text() }),
  z.strictObject({ type: z.literal("addTask"), ...definition }),
  taskStatus,
  z.strictObject({
    type: z.literal("failTask"),
    taskId: id,
    errorMessage: text(),
    details: detailsInput.nullish(),
  }),
  report,
  z.strictObject({
    type: z.literal("setWaitingOn"),
    taskId: id,
    waitingOn: z.strictObject({ kind: name, name, message, remedy: text().optional() }),
  }),
  z.strictObject({ type: z.literal("clearWaitingOn"), taskId: id }),
  z.strictObject({ type: z.literal("heartbeat"), taskId: id }),
  z.strictObject({ type: z.literal("raiseInsight"), insight }),
  z.strictObject({ type: z.literal("clearInsight"), insightId: id, message }),
  z.strictObject({ type: z.literal("appendLog"), taskId: id, text: text(TEXT_LIMITS.log) }),
]);

/** One command, or several that are executed in order. */
export const commands = z.union([command, z.array(command).min(1).max(MAX_COMMANDS)]);

/** A new upgrade. */
export const newUpgrade = z.strictObject({
  upgradeId: newId.optional().describe("Made by the server when left out"),
  planId: newId.optional().describe("The upgrade's id when left out"),
  clusterName: newId.optional().describe('"unknown" when left out'),
  phase: name.default("Initialization"),
  tasks: z
    .array(taskDefinition)
    .max(MAX_COMMANDS - 1)
    .default([]),
});

named
  .add(command, { id: "Command" })
  .add(taskDefinition, { id: "TaskDefinition" })
  .add(newUpgrade, { id: "NewUpgrade" });
