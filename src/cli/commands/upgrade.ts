/** `milepost upgrade …`: reports on an upgrade from a shell script, each time as a process of its own. */

import type { Command } from "commander";
import type { Cli } from "../context.ts";
import { given, reportCommands, withReportOptions, type ReportOptions } from "../report-verbs.ts";

interface Options extends ReportOptions {
  readonly phase?: string;
  readonly message?: string;
}

const MESSAGE = ["-m, --message <text>", "what to say of it"] as const;

export function addUpgrade(program: Command, cli: Cli): void {
  const upgrade = program.command("upgrade").description("report on an upgrade, e.g. from a shell script");
  const verb = (nameAndArguments: string, description: string) =>
    withReportOptions(upgrade.command(nameAndArguments)).description(description);
  const report = (command: Command, ...commands: readonly object[]) =>
    reportCommands(cli, command.optsWithGlobals<Options>(), commands);

  verb("start", "start the upgrade; on a finished one this begins its next run")
    .option("--phase <name>", "its first phase")
    .option("--plan <id>", "its plan; the upgrade's id when left out")
    .option("--cluster <name>", "its cluster")
    .action((_options, command: Command) =>
      report(command, { type: "startUpgrade", ...given({ phase: command.opts<Options>().phase }) }),
    );
  verb("phase", "say which phase it is in")
    .argument("<name>", "the phase")
    .option(...MESSAGE)
    .action((phase: string, { message }: Options, command: Command) =>
      report(command, { type: "setCurrentPhase", phase, ...given({ message }) }),
    );
  for (const [name, type, description] of STATUS_VERBS) {
    verb(name, description)
      .option(...MESSAGE)
      .action(({ message }: Options, command: Command) => report(command, { type, ...given({ message }) }));
  }
  verb("fail", "say that it failed")
    .argument("<error>", "why")
    .action((errorMessage: string, _options, command: Command) =>
      report(command, { type: "failUpgrade", errorMessage }),
    );
}

const STATUS_VERBS = [
  ["pause", "pauseUpgrade", "say that it is paused"],
  ["resume", "resumeUpgrade", "say that it goes on"],
  ["complete", "completeUpgrade", "say that it is complete"],
  ["cancel", "cancelUpgrade", "say that it was cancelled"],
] as const;
