/** `milepost upgrade …`: reports on an upgrade from a shell script, each time as a process of its own. */

import type { Command } from "commander";
import { safeText } from "../../view/text/safe-text.ts";
import { say, type Cli } from "../context.ts";
import { deleteUpgrade, type DeleteOptions } from "../delete-upgrade.ts";
import { sayJson } from "../json-text.ts";
import { given, reportCommands, timeoutOption, withReportOptions, type ReportOptions } from "../report-verbs.ts";

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
  addDelete(upgrade, cli);
  verb("fail", "say that it failed")
    .argument("<error>", "why")
    .action((errorMessage: string, _options, command: Command) =>
      report(command, { type: "failUpgrade", errorMessage }),
    );
}

function addDelete(upgrade: Command, cli: Cli): void {
  upgrade
    .command("delete")
    .description("delete an upgrade with its finished runs, for good")
    .argument("<id>", "the upgrade")
    .option("--yes", "that it is meant: nothing brings it back")
    .addOption(timeoutOption("how long to wait while a process holds the upgrade"))
    .option("--server <url>", "delete it on a Milepost server instead of in a storage, e.g. http://127.0.0.1:8765")
    .option("--token <token>", "who asks, for a server that wants to know; better as MILEPOST_TOKEN")
    .action(async (id: string, _options, command: Command) => {
      const options = command.optsWithGlobals<DeleteOptions>();
      await deleteUpgrade(id, options);
      if (options.json === true) sayJson(cli, { deleted: id });
      else if (options.quiet !== true) say(cli, `deleted ${safeText(id)}\n`);
    });
}

const STATUS_VERBS = [
  ["pause", "pauseUpgrade", "say that it is paused"],
  ["resume", "resumeUpgrade", "say that it goes on"],
  ["complete", "completeUpgrade", "say that it is complete"],
  ["cancel", "cancelUpgrade", "say that it was cancelled"],
] as const;
