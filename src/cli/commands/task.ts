/** `milepost task …`: reports on a task from a shell script, each time as a process of its own. */

import { Option, type Command } from "commander";
import { isMilepostError, MilepostError, shown } from "../../errors.ts";
import type { Cli, Input } from "../context.ts";
import { durationOption } from "../option-values.ts";
import { given, reportCommands, withReportOptions, type ReportOptions } from "../report-verbs.ts";

interface DefinitionOptions extends ReportOptions {
  readonly name?: string;
  readonly type?: string;
  readonly parent?: string;
  readonly weight?: number;
  readonly total?: number;
  readonly unit?: string;
  readonly expected?: number;
  readonly message?: string;
}

interface ProgressOptions extends DefinitionOptions {
  readonly details?: object;
}

const MESSAGE = ["-m, --message <text>", "what to say of it"] as const;

export function addTask(program: Command, cli: Cli): void {
  const task = program.command("task").description("report on a task, e.g. from a shell script");
  const verb = (name: string, description: string) =>
    withReportOptions(task.command(name)).description(description).argument("<taskId>", "the task");
  const report = (command: Command, ...commands: readonly object[]) =>
    reportCommands(cli, command.optsWithGlobals<ReportOptions>(), commands);

  withDefinition(verb("add", "add a task")).action((taskId: string, options: DefinitionOptions, command: Command) =>
    report(command, definition(taskId, options)),
  );
  withDefinition(verb("start", "start a task; with --name, or another option that says what it is, it is added first"))
    .option(...MESSAGE)
    .action((taskId: string, options: DefinitionOptions, command: Command) => {
      const start = { type: "startTask", taskId, ...given({ message: options.message }) };
      return isDefined(options)
        ? report(command, definition(taskId, options), start)
        : report(command, start).catch((error: unknown) => {
            throw sayingHowToAdd(error, taskId);
          });
    });
  verb("progress", "say how far a task is")
    .argument("[position]", "a percentage (50 or 50%) or steps (3/5); left out, only the message is new")
    .option("--unit <word>", "what the steps count, e.g. nodes")
    .option(...MESSAGE)
    .addOption(new Option("--details <json>", "more, as a JSON object").argParser(jsonOption))
    .action(
      (taskId: string, position: string | undefined, { unit, message, details }: ProgressOptions, command: Command) =>
        report(command, {
          type: "updateTaskProgress",
          taskId,
          ...positionOf(position),
          ...saidOf(position, given({ unit, message, details })),
        }),
    );
  for (const [name, type, description] of STATUS_VERBS) {
    verb(name, description)
      .option(...MESSAGE)
      .action((taskId: string, { message }: DefinitionOptions, command: Command) =>
        report(command, { type, taskId, ...given({ message }) }),
      );
  }
  verb("fail", "say that a task failed")
    .argument("<error>", "why")
    .action((taskId: string, errorMessage: string, _options, command: Command) =>
      report(command, { type: "failTask", taskId, errorMessage }),
    );
  addWaiting(verb, report);
  verb("log", "add text to a task's log")
    .argument("[text]", "the text; standard input when left out")
    .action(async (taskId: string, text: string | undefined, _options, command: Command) =>
      report(command, { type: "appendLog", taskId, text: text ?? (await readAll(cli.stdin)) }),
    );
  verb("heartbeat", "say that a task is alive").action((taskId: string, _options, command: Command) =>
    report(command, { type: "heartbeat", taskId }),
  );
}

const STATUS_VERBS = [
  ["complete", "completeTask", "say that a task is complete"],
  ["retry", "retryTask", "say that a failed task is tried again"],
  ["pause", "pauseTask", "say that a task is paused"],
  ["resume", "resumeTask", "say that a paused task goes on"],
  ["skip", "skipTask", "say that a task is not needed"],
  ["cancel", "cancelTask", "say that a task was cancelled"],
] as const;

function withDefinition(command: Command): Command {
  return command
    .option("--name <text>", "its name; the id when left out")
    .option("--type <word>", "its type: upgrade_step, validation, rollback, cleanup or a word of your own")
    .option("--parent <taskId>", "the task that it is part of")
    .option("--weight <number>", "how much it counts beside others; 1 when left out", Number)
    .option("--total <steps>", "how many steps it has", Number)
    .option("--unit <word>", "what the steps count, e.g. nodes")
    .option("--expected <duration>", "how long it should take, e.g. 25m", durationOption);
}

function definition(taskId: string, options: DefinitionOptions): object {
  const { name = taskId, type, parent, weight, total, unit, expected } = options;
  return {
    type: "addTask",
    taskId,
    taskName: name,
    ...given({ taskType: type, parentTaskId: parent, weight, totalSteps: total, unit, expectedMs: expected }),
  };
}

function addWaiting(
  verb: (name: string, description: string) => Command,
  report: (command: Command, ...commands: readonly object[]) => Promise<void>,
): void {
  verb("wait-on", "say what a task waits for")
    .argument("<kind>", "what kind of thing, e.g. PodDisruptionBudget")
    .argument("<name>", "which one")
    .option("-m, --message <text>", "why")
    .option("--remedy <text>", "what to do about it")
    .action((taskId: string, ...rest: readonly unknown[]) => {
      const [kind, name, { message, remedy }, command] = rest as [
        string,
        string,
        { message?: string; remedy?: string },
        Command,
      ];
      return report(command, {
        type: "setWaitingOn",
        taskId,
        waitingOn: { kind, name, ...given({ message, remedy }) },
      });
    });
  verb("clear-wait", "say that a task waits no longer").action((taskId: string, _options, command: Command) =>
    report(command, { type: "clearWaitingOn", taskId }),
  );
}

/** True if any option says what the task is, beside its id. */
function isDefined({ name, type, parent, weight, total, unit, expected }: DefinitionOptions): boolean {
  return [name, type, parent, weight, total, unit, expected].some((value) => value !== undefined);
}

/** An error of `task start` for a task that is not there also says how to add it in one go. */
function sayingHowToAdd(error: unknown, taskId: string): unknown {
  if (!isMilepostError(error, "UNKNOWN_TASK")) return error;
  const remedy = `or add and start it in one: milepost task start ${shown(taskId)} --name <text>`;
  return new MilepostError("UNKNOWN_TASK", `${error.message}, ${remedy}`, { context: error.context, cause: error });
}

/** What is reported beside the position. @throws INVALID_ARGUMENT when nothing is reported at all. */
function saidOf(position: string | undefined, said: object): object {
  if (position === undefined && Object.keys(said).length === 0)
    throw new MilepostError("INVALID_ARGUMENT", "nothing is reported; pass a position (50, 50% or 3/5) or --message");
  return said;
}

/** `50`, `50%` or `3/5`. What is neither is left to the model, which says what it wants. */
function positionOf(text: string | undefined): object {
  if (text === undefined) return {};
  const steps = /^\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text);
  if (steps !== null) return { completedSteps: Number(steps[1]), totalSteps: Number(steps[2]) };
  const percent = /^\s*([+-]?\d+(?:\.\d+)?)\s*%?\s*$/.exec(text);
  if (percent === null)
    throw new MilepostError("INVALID_PERCENT", `${shown(text)} is neither a percentage (50 or 50%) nor steps (3/5)`);
  return { percentage: Number(percent[1]) };
}

function jsonOption(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new MilepostError(
      "INVALID_PAYLOAD",
      `--details ${shown(text)} is no JSON; pass an object such as {"nodes":3}`,
      { cause: error },
    );
  }
}

async function readAll(stdin: Input): Promise<string> {
  stdin.setEncoding("utf8");
  let text = "";
  for await (const piece of stdin) text += piece as string;
  return text.replace(/\r?\n$/, "");
}
