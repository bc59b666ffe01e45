/**
 * The record of one command: an upgrade with a task for the command and one for each of its stages.
 *
 * Tracking never breaks the upgrade: from here on nothing throws. What goes wrong is kept in `troubles`, to be told when the
 * command has ended and the terminal is free.
 */

import { isMilepostError } from "../../errors.ts";
import type { Task } from "../../model/task.ts";
import type { ProgressTracker } from "../../progress-tracker.ts";
import { LogLines } from "../../sources/log-lines.ts";
import { ProgressReporter, type Ending } from "../../sources/progress-reporter.ts";
import { readCommand, type CommandReading } from "../../sources/sources.ts";
import type { CommandInput } from "../../sources/stages.ts";

export interface RunRecordOptions {
  /** Undefined: the command runs without a record. */
  readonly tracker: ProgressTracker | undefined;
  readonly command: readonly string[];
  /** What the task is called. */
  readonly name: string;
  readonly isTerminal: boolean;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** How often what waits is looked at. */
const TICK_MS = 100;
const HEARTBEAT_MS = 10_000;

const ROOT_ID = "command";

export class RunRecord {
  /** Reads what the command prints. */
  readonly reading: CommandReading;
  /** What went wrong with the record, in words. */
  readonly troubles: string[] = [];
  #tracker: ProgressTracker | undefined;
  readonly #now: () => number;
  readonly #rootId: string;
  readonly #reporter: ProgressReporter;
  readonly #log: LogLines;
  readonly #timer: NodeJS.Timeout | undefined;
  #hasPrinted = false;
  /** The last line that told nothing else. */
  #newestLine = "";
  #aliveAt: number;

  constructor({ tracker, command, name, isTerminal, now }: RunRecordOptions) {
    this.#tracker = tracker;
    this.#now = now;
    this.#aliveAt = now();
    const { taskId, prefix } =
      tracker === undefined ? { taskId: ROOT_ID, prefix: ROOT_ID } : this.#begin(tracker, name);
    this.#rootId = taskId;
    this.#reporter = new ProgressReporter({ taskId, prefix, now });
    this.#log = new LogLines({ taskId, now });
    this.reading = readCommand(
      command,
      { isTerminal, now },
      {
        observation: (observation) => this.#give(this.#reporter.observe(observation)),
        line: (line, wasRead) => this.#take(line, wasRead),
        skipped: (bytes) => this.#log.skipped(bytes),
      },
    );
    if (tracker !== undefined) this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Adds and starts the task; goes on with that of a run that was killed, as another attempt at it. */
  #begin(tracker: ProgressTracker, name: string): { readonly taskId: string; readonly prefix: string } {
    this.#give([{ type: "startUpgrade", phase: "Running" }]);
    let taskId = ROOT_ID;
    for (let number = 2; ; number++) {
      const task = tracker.progress.tasks.get(taskId);
      if (task === undefined) {
        this.#give([
          { type: "addTask", taskId, taskName: name },
          { type: "startTask", taskId },
        ]);
        return { taskId, prefix: taskId };
      }
      if (isUnfinished(task)) {
        if (task.taskName === name) return { taskId, prefix: `${taskId}@${this.#again(tracker, task)}` };
        this.#leave(tracker, task);
      }
      taskId = `${ROOT_ID}-${number}`;
    }
  }

  #again(tracker: ProgressTracker, { taskId, status }: Task): number {
    this.#abandonChildren(tracker, taskId);
    if (status !== "not_started" && status !== "failed")
      this.#give([{ type: "failTask", taskId, errorMessage: ABANDONED }]);
    this.#give([{ type: status === "not_started" ? "startTask" : "retryTask", taskId }]);
    return tracker.progress.tasks.get(taskId)?.attempt ?? 1;
  }

  #leave(tracker: ProgressTracker, { taskId, status }: Task): void {
    this.#abandonChildren(tracker, taskId);
    if (status !== "failed") this.#give([{ type: "cancelTask", taskId, message: ABANDONED }]);
  }

  #abandonChildren(tracker: ProgressTracker, parentId: string): void {
    const open = [...tracker.progress.tasks.values()].filter(
      (task) => task.parentTaskId === parentId && isUnfinished(task) && task.status !== "failed",
    );
    this.#give(open.map(({ taskId }) => ({ type: "cancelTask", taskId, message: ABANDONED })));
  }

  /** Ends the record, whatever is in it is on stable storage then, or in `troubles`. */
  async end(ending: Ending): Promise<void> {
    clearInterval(this.#timer);
    this.reading.end();
    this.#giveActivity();
    this.#give([...this.#log.end(), ...this.#reporter.end(ending), ...this.#finish(ending)]);
    try {
      await this.#tracker?.close();
    } catch (error) {
      this.troubles.push(`the record of this run is not complete: ${textOf(error)}`);
    }
  }

  #finish({ how, error }: Ending): readonly CommandInput[] {
    const taskId = this.#rootId;
    if (how === "completed") return [{ type: "completeTask", taskId }, { type: "completeUpgrade" }];
    if (how === "failed")
      return [
        { type: "failTask", taskId, errorMessage: error },
        { type: "failUpgrade", errorMessage: error },
      ];
    return [
      { type: "cancelTask", taskId, message: error },
      { type: "cancelUpgrade", message: error },
    ];
  }

  #take(line: string, wasRead: boolean): void {
    this.#hasPrinted = true;
    this.#give(this.#log.add(this.#reporter.currentTaskId, line));
    if (!wasRead) this.#newestLine = line;
  }

  #tick(): void {
    // Looked at only in a pause, when an unfinished line is likely to stay as it is for a while.
    if (!this.#hasPrinted) this.reading.peek();
    this.#hasPrinted = false;
    this.#giveActivity();
    this.#give([...this.#reporter.due(), ...this.#log.due()]);
    if (this.#now() - this.#aliveAt < HEARTBEAT_MS) return;
    this.#aliveAt = this.#now();
    const tasks = new Set([this.#rootId, this.#reporter.currentTaskId]);
    this.#give([...tasks].map((taskId) => ({ type: "heartbeat", taskId })));
  }

  /** Not with each line: there may be a million in a second. */
  #giveActivity(): void {
    this.#give(this.#reporter.activity(this.#newestLine));
    this.#newestLine = "";
  }

  #give(commands: readonly CommandInput[]): void {
    for (const command of commands) {
      try {
        this.#tracker?.execute(command);
      } catch (error) {
        this.#trouble(error);
      }
    }
  }

  /**
   * A refused command is one that a verb inside the command has overtaken (it has completed the upgrade itself, say): the log is
   * as it should be. Anything else ends the record.
   */
  #trouble(error: unknown): void {
    if (
      isMilepostError(error, "ILLEGAL_TRANSITION", "UNKNOWN_TASK", "TASK_EXISTS", "TASK_HAS_CHILDREN", "LIMIT_REACHED")
    )
      return;
    this.troubles.push(`tracking has stopped: ${textOf(error)}`);
    clearInterval(this.#timer);
    const tracker = this.#tracker;
    this.#tracker = undefined;
    void tracker?.close().catch(() => undefined);
  }
}

const ABANDONED = "The milepost that ran it ended without a word";

const isUnfinished = ({ status }: Task): boolean =>
  status !== "completed" && status !== "cancelled" && status !== "skipped";

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
