/** What makes a draft an event: its place in the log, its moment, its name. */

import type { EventDraft, EventOf, ProgressEvent } from "../model/event.ts";
import type { Mutable } from "../model/mutable.ts";

/** The fields that an event gets beside those of its draft. */
export type Stamp = Pick<ProgressEvent, "seq" | "cursor" | "ms" | "id" | "time" | "upgradeId">;

type Progressed = EventOf<"task.progressed">;

/** The event: frozen, the stamp's fields first, as they stand in its line. */
export function stamped(stamp: Stamp, draft: EventDraft): ProgressEvent {
  const { seq, cursor, ms, id, time, upgradeId } = stamp;
  if (draft.type === "task.progressed") return progressed(stamp, draft);
  return Object.freeze({
    seq,
    cursor,
    ms,
    id,
    type: draft.type,
    time,
    upgradeId,
    ...(draft as object),
  }) as ProgressEvent;
}

/** Nearly all events are of this type, so its fields are named: spreading them costs several times as much. */
function progressed(
  { seq, cursor, ms, id, time, upgradeId }: Stamp,
  draft: Omit<Progressed, keyof Stamp>,
): ProgressEvent {
  const event: Mutable<Progressed> = {
    seq,
    cursor,
    ms,
    id,
    type: "task.progressed",
    time,
    upgradeId,
    taskId: draft.taskId,
    attempt: draft.attempt,
    status: draft.status,
    percentage: draft.percentage,
  };
  if (draft.completedSteps !== undefined) event.completedSteps = draft.completedSteps;
  if (draft.totalSteps !== undefined) event.totalSteps = draft.totalSteps;
  if (draft.unit !== undefined) event.unit = draft.unit;
  if (draft.message !== undefined) event.message = draft.message;
  if (draft.details !== undefined) event.details = draft.details;
  if (draft.regressed !== undefined) event.regressed = draft.regressed;
  if (draft.isMeasured !== undefined) event.isMeasured = draft.isMeasured;
  if (draft.advancedMs !== undefined) event.advancedMs = draft.advancedMs;
  if (draft.request !== undefined) event.request = draft.request;
  return Object.freeze(event);
}
