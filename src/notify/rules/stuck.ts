/** What it is to be stuck, and to go on. */

import type { ProgressEvent } from "../../model/event.ts";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";

const STUCK: readonly string[] = ["stalled", "degraded", "lost"];

/** `stuck` for what stalls, degrades, is lost or begins to wait, `recovered` for what goes on after that. */
export function turnOf(event: ProgressEvent): "stuck" | "recovered" | undefined {
  if (event.type === "task.waiting") return event.waitingOn === null ? "recovered" : "stuck";
  if (event.type !== "health.changed") return undefined;
  if (STUCK.includes(event.health)) return "stuck";
  return STUCK.includes(event.previousHealth ?? "") ? "recovered" : undefined;
}

/** True for an event after which something may stay as it is until somebody does something: it got stuck, or failed. */
export function canLast(event: ProgressEvent): boolean {
  return turnOf(event) === "stuck" || event.type === "task.failed" || event.type === "upgrade.failed";
}

/**
 * True if what such an event says still is so.
 *
 * @param state - of the same run, at the event or later.
 */
export function stillLasts(event: ProgressEvent, state: UpgradeProgress): boolean {
  // Of an upgrade that failed only that counts: what its tasks were is over with it.
  if (event.type === "upgrade.failed") return state.status === "failed";
  if (isFinalUpgradeStatus(state.status)) return false;
  if (event.type === "health.changed") return STUCK.includes(state.health?.state ?? "");
  const task = event.taskId === undefined ? undefined : state.tasks.get(event.taskId);
  if (event.type === "task.failed") return task?.status === "failed";
  return event.type === "task.waiting" && task?.waitingOn != null && task.waitingOn.since === event.waitingOn?.since;
}
