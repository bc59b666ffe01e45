/** The rules of docs/spec.md written down a second time: plain objects that change, sums from scratch, the tables of the specification. */

import { tableOf } from "../spec.ts";
import type { Step } from "./steps.ts";

const TASK = tableOf("T1");
const UPGRADE = tableOf("U1");
const ENDED = ["completed", "failed", "cancelled"];
const FINAL = ["completed", "cancelled", "skipped"];

export interface SimpleTask {
  status: string;
  readonly parent: string | null;
  readonly weight: number;
  percentage: number;
  measured: boolean;
  steps: number | null;
  total: number | null;
  attempt: number;
  failures: number;
  seen: number;
  reported: boolean;
  waiting: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

export class SimpleUpgrade {
  status = "not_started";
  phase: string | null = null;
  readonly tasks = new Map<string, SimpleTask>();
  readonly insights = new Map<string, string>();
  #wall = 0;
  #base = 0;
  #ms = 0;
  /** Log time and wall time of the newest event. */
  #last = { log: 0, wall: 0 };

  /** Log time now. */
  get now(): number {
    return this.#base + this.#ms;
  }

  /** Does the step, and says what must come of it, in the words of `outcome`. */
  take({ command, passMs, jumpMs, opens }: Step): string {
    this.#wall += passMs + jumpMs;
    this.#ms += passMs;
    if (opens) {
      this.#base = this.#last.log + Math.max(0, this.#wall - this.#last.wall);
      this.#ms = 0;
      this.#last = { log: this.now, wall: this.#wall };
    }
    const result = this.#do(command);
    if (/\./.test(result)) this.#last = { log: this.now, wall: this.#wall };
    return result;
  }

  /** The leaves at or below a task (of all tasks when null) that count. */
  leaves(id: string | null): SimpleTask[] {
    const children = [...this.tasks].filter(([, { parent }]) => parent === id);
    if (children.length > 0) return children.flatMap(([child]) => this.leaves(child));
    const task = id === null ? undefined : this.tasks.get(id);
    return task === undefined || task.status === "skipped" || task.status === "cancelled" ? [] : [task];
  }

  /** R1 to R3, in floating point. */
  percentage(id: string | null): number {
    const leaves = this.leaves(id);
    if (id === null && this.status === "completed" && leaves.length === 0) return 100;
    if (leaves.length === 0) return 0;
    if (leaves.every(({ status }) => status === "completed")) return 100;
    const weight = leaves.reduce((sum, leaf) => sum + leaf.weight, 0);
    if (weight === 0) return (leaves.filter(({ status }) => status === "completed").length / leaves.length) * 100;
    return Math.min(99.99, leaves.reduce((sum, leaf) => sum + leaf.weight * leaf.percentage, 0) / weight);
  }

  hasChildren(id: string): boolean {
    return [...this.tasks.values()].some(({ parent }) => parent === id);
  }

  #do(command: Fields & { type: string }): string {
    if (command.type in UPGRADE) return this.#upgrade(command);
    if (command.type === "raiseInsight" || command.type === "clearInsight") return this.#insight(command);
    if (command.type === "addTask") return this.#add(command);
    const task = this.tasks.get(command["taskId"] as string);
    return task === undefined ? "UNKNOWN_TASK" : this.#task(task, command);
  }

  #upgrade({ type, phase }: Fields & { type: string }): string {
    const cell = UPGRADE[type]?.[this.status] ?? "";
    if (type === "setCurrentPhase" && phase === this.phase) return "=";
    if (cell === "-" || cell === "U3") return "ILLEGAL_TRANSITION";
    if (cell === "=") return "=";
    if (type === "startUpgrade" || type === "setCurrentPhase") this.phase = phase as string;
    if (type === "setCurrentPhase") return cell;
    this.status =
      cell === "upgrade.started" || cell === "upgrade.resumed" ? "in_progress" : cell.slice("upgrade.".length);
    const open = [...this.tasks].filter(
      ([id, { status }]) => !FINAL.includes(status) && !(status === "not_started" && this.hasChildren(id)),
    );
    return this.status === "completed" && open.length > 0 ? this.#warn(cell) : cell;
  }

  #warn(cell: string): string {
    this.insights.set("milepost.unfinished_tasks", "warning");
    return `insight.raised+${cell}`;
  }

  #insight({ type, insight, insightId }: Fields): string {
    if (type === "clearInsight") return this.insights.delete(insightId as string) ? "insight.cleared" : "=";
    const { id, message } = insight as { id: string; message: string };
    const before = this.insights.get(id);
    this.insights.set(id, message);
    return before === undefined ? "insight.raised" : before === message ? "=" : "insight.updated";
  }

  #add({ taskId, parentTaskId, weight, totalSteps }: Fields): string {
    const existing = this.tasks.get(taskId as string);
    if (existing !== undefined)
      return existing.parent === parentTaskId && existing.weight === weight ? "=" : "TASK_EXISTS";
    if (ENDED.includes(this.status)) return "ILLEGAL_TRANSITION";
    if (parentTaskId !== null) {
      const parent = this.tasks.get(parentTaskId as string);
      if (parent === undefined) return "UNKNOWN_TASK";
      if (FINAL.includes(parent.status)) return "ILLEGAL_TRANSITION";
    }
    this.tasks.set(taskId as string, {
      status: "not_started",
      parent: parentTaskId as string | null,
      weight: weight as number,
      percentage: 0,
      measured: false,
      steps: totalSteps === null ? null : 0,
      total: totalSteps as number | null,
      attempt: 1,
      failures: 0,
      seen: this.now,
      reported: false,
      waiting: null,
    });
    return "task.added";
  }

  #task(task: SimpleTask, command: Fields & { type: string }): string {
    const { type } = command;
    const cell = TASK[type]?.[task.status] ?? "";
    if (type === "clearWaitingOn" && task.waiting === null) return "=";
    if (cell === "=") return "=";
    if (ENDED.includes(this.status) && type !== "appendLog" && type !== "clearWaitingOn") return "ILLEGAL_TRANSITION";
    if (cell === "-") return "ILLEGAL_TRANSITION";
    if (type === "heartbeat" && task.reported && this.now - task.seen < 10_000) return "=";
    if (type === "updateTaskProgress") return this.#report(task, command);
    if (type === "setWaitingOn") {
      const { name } = command["waitingOn"] as { name: string };
      if (task.waiting === name) return "=";
      task.waiting = name;
    }
    if (type === "clearWaitingOn") task.waiting = null;
    this.#move(task, cell);
    this.#see(task);
    return cell;
  }

  #move(task: SimpleTask, event: string): void {
    const to =
      { "task.started": "in_progress", "task.resumed": "in_progress", "task.retried": "in_progress" }[event] ??
      event.slice("task.".length);
    if (!(to in WAYS_OF_WAITING)) return;
    task.status = to;
    if (WAYS_OF_WAITING[to] === "ends" || event === "task.started" || event === "task.retried") task.waiting = null;
    if (event === "task.started" || event === "task.retried") {
      task.percentage = 0;
      if (task.steps !== null) task.steps = 0;
    }
    if (event === "task.retried") {
      task.attempt += 1;
      task.measured = false;
    }
    if (event === "task.failed") task.failures += 1;
    if (event === "task.completed") {
      task.percentage = 100;
      task.measured = true;
      if (task.total !== null) task.steps = task.total;
    }
  }

  #report(task: SimpleTask, command: Fields): string {
    const { taskId, percentage, completedSteps, totalSteps } = command as {
      taskId: string;
      percentage?: number;
      completedSteps?: number;
      totalSteps?: number;
    };
    const tells = [percentage, completedSteps, totalSteps].some((told) => told !== undefined);
    if (tells && this.hasChildren(taskId)) return "TASK_HAS_CHILDREN";
    const total = totalSteps ?? task.total;
    const steps = completedSteps ?? task.steps;
    const counts = steps !== null && (completedSteps !== undefined || totalSteps !== undefined);
    if (counts && (total === null || steps > total)) return "INVALID_ARGUMENT";
    const starts = task.status === "not_started";
    if (starts) this.#move(task, "task.started");
    if (percentage !== undefined) task.percentage = percentage;
    else if (counts)
      task.percentage = steps === total ? 100 : Math.min(99.99, Math.round((steps / (total as number)) * 10_000) / 100);
    if (percentage !== undefined || completedSteps !== undefined) task.measured = true;
    task.total = total;
    task.steps = steps;
    this.#see(task);
    return starts ? "task.started+task.progressed" : "task.progressed";
  }

  #see(task: SimpleTask): void {
    task.seen = this.now;
    task.reported = true;
  }
}

/** Statuses that an event leads to, and whether a task in them may still wait. */
const WAYS_OF_WAITING: Readonly<Record<string, string>> = {
  in_progress: "goes on",
  paused: "goes on",
  completed: "ends",
  failed: "ends",
  cancelled: "ends",
  skipped: "ends",
};
