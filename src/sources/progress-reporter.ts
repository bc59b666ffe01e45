/**
 * From observations to commands for the tracker, at a bounded rate.
 *
 * A change of stage goes out at once. Of progress at most one report per task goes out in `REPORT_INTERVAL_MS`; what comes in
 * between replaces what waits, so the last one always lands. Pure: time comes in, commands come out.
 */

import type { Observation } from "./observation.ts";
import { Stages, type CommandInput } from "./stages.ts";

/** At most one progress event per task in this time. */
const REPORT_INTERVAL_MS = 250;
/** At most one report in this time that only repeats what the command printed. */
const ACTIVITY_INTERVAL_MS = 1000;
const MAX_MESSAGE = 500;

interface Report {
  readonly percentage?: number;
  readonly completedSteps?: number;
  readonly totalSteps?: number;
  readonly unit?: string;
  readonly message?: string;
}

interface Target {
  readonly taskId: string;
  told: Report;
  pending: Report | undefined;
  isActivity: boolean;
  sentAt: number;
  isWaiting: boolean;
}

/** How the command ended. */
export interface Ending {
  readonly how: "completed" | "failed" | "cancelled";
  /** What went wrong, in words; not used for `completed`. */
  readonly error: string;
}

export interface ReporterOptions {
  readonly taskId: string;
  /** What the ids of the stages' tasks begin with; the task's own id when absent. */
  readonly prefix?: string;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** Reports on one task, which exists and has started, and on the stages that it finds below it. */
export class ProgressReporter {
  readonly #taskId: string;
  readonly #now: () => number;
  readonly #stages: Stages;
  readonly #targets = new Map<string, Target>();
  #hasProblem = false;

  constructor({ taskId, prefix = taskId, now }: ReporterOptions) {
    this.#taskId = taskId;
    this.#now = now;
    this.#stages = new Stages(taskId, prefix);
  }

  /** The task that an observation without a stage is about. */
  get currentTaskId(): string {
    return this.#stages.currentTaskId ?? this.#taskId;
  }

  observe(observation: Observation): readonly CommandInput[] {
    const commands: CommandInput[] = [...this.#problem(observation)];
    const place = this.#place(observation, commands);
    if (place === undefined) return commands;
    const { target, report } = place;
    const { waitingOn } = observation;
    if (waitingOn !== undefined) commands.push({ type: "setWaitingOn", taskId: target.taskId, waitingOn });
    else if (target.isWaiting) commands.push({ type: "clearWaitingOn", taskId: target.taskId });
    target.isWaiting = waitingOn !== undefined;
    const isParent = target.taskId === this.#taskId && !this.#stages.isEmpty;
    const fitting = fit(report, target, isParent);
    if (Object.keys(fitting).length > 0) {
      target.pending = merge(target.isActivity ? undefined : target.pending, fitting);
      target.isActivity = false;
      commands.push(...this.#sendIfDue(target));
    }
    return commands;
  }

  /** A line that the command printed, told as what it is doing when it tells nothing better. */
  activity(text: string): readonly CommandInput[] {
    const target = this.#targetOf(this.currentTaskId);
    const message = text.trim().slice(0, MAX_MESSAGE);
    // A spinner says nothing.
    if (!/[\p{L}\p{N}]/u.test(message) || (target.pending !== undefined && !target.isActivity)) return [];
    target.pending = { message };
    target.isActivity = true;
    return this.#sendIfDue(target);
  }

  /** What has waited long enough. */
  due(): readonly CommandInput[] {
    return [...this.#targets.values()].flatMap((target) => this.#sendIfDue(target));
  }

  end({ how, error }: Ending): readonly CommandInput[] {
    const last = [...this.#targets.values()].flatMap((target) => this.#send(target));
    return [...last, ...this.#stages.end(how, error)];
  }

  #problem({ problem }: Observation): readonly CommandInput[] {
    const insightId = `${this.#taskId}.reported`;
    if (problem === undefined || (problem === null && !this.#hasProblem)) return [];
    this.#hasProblem = problem !== null;
    return [
      problem === null
        ? { type: "clearInsight", insightId }
        : { type: "raiseInsight", insight: { id: insightId, ...problem } },
    ];
  }

  /** Which task an observation is about; undefined when it is about a stage that is over. */
  #place(
    observation: Observation,
    commands: CommandInput[],
  ): { readonly target: Target; readonly report: Report } | undefined {
    const { stage } = observation;
    const message = observation.message?.slice(0, MAX_MESSAGE);
    const report = withMessage(numbersOf(observation), message);
    if (stage === undefined) return { target: this.#targetOf(this.currentTaskId), report };
    const entered = this.#stages.enter(stage, message);
    if (entered.kind === "past") return undefined;
    if (entered.kind === "counted") {
      const counted = { completedSteps: stage.number - 1, totalSteps: stage.of, unit: "steps" };
      return { target: this.#targetOf(this.#taskId), report: withMessage(counted, message) };
    }
    for (const id of entered.left) {
      const target = this.#targetOf(id);
      target.isWaiting = false;
      commands.push(...this.#send(target));
    }
    // Once there are tasks below it the command's own can take no number, so what waits goes first.
    if (entered.commands.length > 0) commands.push(...this.#send(this.#targetOf(this.#taskId)));
    commands.push(...entered.commands);
    const target = this.#targetOf(entered.taskId);
    // The start has told the message already.
    if (entered.commands.length > 0 && message !== undefined) target.told = { ...target.told, message };
    return { target, report };
  }

  #targetOf(taskId: string): Target {
    let target = this.#targets.get(taskId);
    if (target === undefined) {
      target = {
        taskId,
        told: {},
        pending: undefined,
        isActivity: false,
        sentAt: Number.NEGATIVE_INFINITY,
        isWaiting: false,
      };
      this.#targets.set(taskId, target);
    }
    return target;
  }

  #sendIfDue(target: Target): readonly CommandInput[] {
    const interval = target.isActivity ? ACTIVITY_INTERVAL_MS : REPORT_INTERVAL_MS;
    return this.#now() - target.sentAt >= interval ? this.#send(target) : [];
  }

  #send(target: Target): readonly CommandInput[] {
    const report = target.pending;
    target.pending = undefined;
    if (report === undefined || !isNews(report, target.told)) return [];
    target.sentAt = this.#now();
    target.told = merge(target.told, report);
    return [{ type: "updateTaskProgress", taskId: target.taskId, ...report }];
  }
}

const isNews = (report: Report, told: Report): boolean =>
  (Object.keys(report) as (keyof Report)[]).some((key) => report[key] !== told[key]);

/** The newer report over the older; a count takes the place of a percentage. */
function merge(older: Report | undefined, newer: Report): Report {
  const merged: { -readonly [K in keyof Report]: Report[K] } = { ...older, ...newer };
  if (merged.completedSteps !== undefined) delete merged.percentage;
  return merged;
}

function numbersOf({ percentage, completedSteps, totalSteps, unit }: Observation): Report {
  if (completedSteps === undefined || totalSteps === undefined) return percentage === undefined ? {} : { percentage };
  return { completedSteps, totalSteps, ...(unit !== undefined && { unit }) };
}

const withMessage = (report: Report, message: string | undefined): Report =>
  message === undefined ? report : { ...report, message };

/**
 * What of a report the task can take. A task with stages below it has their percentage; one that counts steps is not also told
 * percentages, and goes over to counting another thing only when the first is done.
 */
function fit(report: Report, target: Target, isParent: boolean): Report {
  const known = merge(target.told, target.pending ?? {});
  const counts = known.totalSteps !== undefined;
  const isOther =
    counts &&
    report.totalSteps !== undefined &&
    report.unit !== known.unit &&
    known.completedSteps !== known.totalSteps;
  const isRefused = isParent || isOther || (counts && report.percentage !== undefined);
  if (!isRefused) return report;
  return report.message === undefined ? {} : { message: report.message };
}
