/**
 * Which events of a stretch stand for all of it, for a reader that cannot keep up: of each task the newest report of progress
 * and the newest sign of life, and every change of state, in their order. The fold of these is the fold of all (rule E5).
 */

import type { ProgressEvent } from "../model/event.ts";

export class Conflation {
  /** By task: the newest report, and the newest event of any kind. */
  readonly #reports = new Map<string, number>();
  readonly #newest = new Map<string, number>();

  /** Takes note of the next event of the stretch. */
  note({ type, taskId, seq }: ProgressEvent): void {
    if (taskId === undefined) return;
    if (type === "task.progressed") this.#reports.set(taskId, seq);
    this.#newest.set(taskId, seq);
  }

  /** After all were noted: true for an event that is told. */
  keeps({ type, taskId, seq }: ProgressEvent): boolean {
    if (taskId === undefined) return true;
    if (type === "task.progressed") return this.#reports.get(taskId) === seq;
    if (type === "task.heartbeat" || type === "log.appended") return this.#newest.get(taskId) === seq;
    return true;
  }
}
