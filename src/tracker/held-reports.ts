/**
 * Reports that wait, without a seq, because the queue to the storage is full: of each task the newest progress,
 * and the end of its log text. State changes never wait here.
 */

import type { Command } from "../model/command.ts";
import { TEXT_LIMITS } from "../model/check.ts";

type Report = Extract<Command, { type: "updateTaskProgress" | "appendLog" | "heartbeat" }>;

interface TaskReports {
  progress?: Extract<Command, { type: "updateTaskProgress" }>;
  text?: string;
}

const CUT = "… (earlier lines were dropped while the storage did not take writes)\n";

export class HeldReports {
  readonly #tasks = new Map<string, TaskReports>();

  /** True for commands that a newer one of the same task replaces. */
  static takes(command: Command): command is Report {
    return command.type === "updateTaskProgress" || command.type === "appendLog" || command.type === "heartbeat";
  }

  put(command: Command): void {
    if (!HeldReports.takes(command)) return;
    const reports = this.#tasks.get(command.taskId) ?? {};
    if (command.type === "updateTaskProgress") reports.progress = merged(reports.progress, command);
    if (command.type === "appendLog") reports.text = cut((reports.text ?? "") + command.text);
    this.#tasks.set(command.taskId, reports);
  }

  /** Takes out what one task reported, oldest meaning first. */
  take(taskId: string): Command[] {
    const reports = this.#tasks.get(taskId);
    if (reports === undefined) return [];
    this.#tasks.delete(taskId);
    const { progress, text } = reports;
    return [
      ...(text === undefined ? [] : [{ type: "appendLog", taskId, text } as const]),
      ...(progress === undefined ? [] : [progress]),
    ];
  }

  /** Takes out one report of any task; undefined when there is none. */
  next(): Command | undefined {
    for (const [taskId, reports] of this.#tasks) {
      const [first, ...rest] = this.take(taskId);
      if (rest.length > 0)
        this.#tasks.set(taskId, reports.progress === undefined ? {} : { progress: reports.progress });
      if (first !== undefined) return first;
    }
    return undefined;
  }
}

type Progress = Extract<Command, { type: "updateTaskProgress" }>;

/** The newer report whole; it may count on a total that the older one told. */
function merged(older: Progress | undefined, newer: Progress): Progress {
  const isCounting = newer.completedSteps !== undefined && newer.totalSteps === undefined;
  return isCounting && older?.totalSteps !== undefined ? { ...newer, totalSteps: older.totalSteps } : newer;
}

function cut(text: string): string {
  return text.length <= TEXT_LIMITS.log
    ? text
    : CUT + text.slice(text.length - TEXT_LIMITS.log + CUT.length).toWellFormed();
}
