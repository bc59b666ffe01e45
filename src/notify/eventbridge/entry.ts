/** An event as an entry of PutEvents. */

import { taskDurationMs } from "../../model/task.ts";
import type { ProgressEvent } from "../../model/event.ts";
import type { JsonObject } from "../../model/json.ts";
import { isoDuration } from "../../model/summary.ts";
import { upgradeDurationMs, type UpgradeProgress } from "../../model/upgrade.ts";
import { fittingJson } from "./cut-detail.ts";

/** The version of what a detail looks like; fields may be added under the same one. */
export const SCHEMA_VERSION = 1;

/** One entry as PutEvents takes it. */
export interface Entry {
  readonly EventBusName: string;
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly Time: Date;
  readonly Resources?: string[];
  readonly TraceHeader?: string;
}

/** What all entries of a notifier have in common. */
export interface EntrySettings {
  readonly busName: string;
  readonly source: string;
  readonly resources: readonly string[] | undefined;
  readonly traceHeader: string | undefined;
  readonly maxEntryBytes: number;
}

/** What an entry says. */
export interface Said {
  readonly type: string;
  readonly detail: JsonObject;
  /** ISO 8601. EventBridge keeps the second; the detail has the millisecond. */
  readonly time: string;
  readonly clusterName?: string | undefined;
}

/** The size of an entry as EventBridge counts it. */
export function entryBytes({ Source, DetailType, Detail, Resources = [] }: Entry): number {
  return [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text), TIME_BYTES);
}

const TIME_BYTES = 14;

/** The entry, its detail cut where it is too large; undefined if what cannot be cut is too large already. */
export function entryOf(said: Said, settings: EntrySettings): Entry | undefined {
  const { busName, source, traceHeader, maxEntryBytes } = settings;
  const resources = settings.resources ?? (isArn(said.clusterName) ? [said.clusterName] : []);
  const bare: Entry = {
    EventBusName: busName,
    Source: source,
    DetailType: said.type,
    Detail: "",
    Time: new Date(said.time),
    ...(resources.length > 0 && { Resources: [...resources] }),
    ...(traceHeader !== undefined && { TraceHeader: traceHeader }),
  };
  const json = fittingJson(said.detail, maxEntryBytes - entryBytes(bare));
  return json === undefined ? undefined : { ...bare, Detail: json };
}

function isArn(text: string | undefined): text is string {
  return text !== undefined && /^arn:[^:]+:[^:]+:/.test(text);
}

/** What is said of an event: all that the log has of it, and what a rule wants to choose by. */
export function saidOf(event: ProgressEvent, state: UpgradeProgress): Said {
  // The hash of a request is between Milepost and its caller.
  const { request: _, ...told } = event;
  const { clusterName, planId, upgradeId, run } = state;
  const metadata = { schemaVersion: SCHEMA_VERSION, eventId: event.id, seq: event.seq, cursor: event.cursor };
  return {
    type: event.type,
    time: event.time,
    clusterName,
    detail: {
      ...(told as unknown as JsonObject),
      ...namesAndDuration(event, state),
      clusterName,
      planId,
      metadata: { ...metadata, upgradeId, run },
    },
  };
}

function namesAndDuration(event: ProgressEvent, state: UpgradeProgress): JsonObject {
  const { lastMs } = state.clock;
  if (event.type === "upgrade.completed") return { duration: isoDuration(upgradeDurationMs(state, lastMs)) };
  const task = event.taskId === undefined ? undefined : state.tasks.get(event.taskId);
  if (task === undefined) return {};
  const { taskName, taskType } = task;
  if (event.type !== "task.completed") return { taskName, taskType };
  return { taskName, taskType, duration: isoDuration(taskDurationMs(task, lastMs)) };
}
