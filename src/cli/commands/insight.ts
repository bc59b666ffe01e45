/** `milepost insight …`: raises and clears findings from a shell script. */

import { Option, type Command } from "commander";
import type { Cli } from "../context.ts";
import { given, reportCommands, withReportOptions, type ReportOptions } from "../report-verbs.ts";

interface RaiseOptions extends ReportOptions {
  readonly level: string;
  readonly impact?: string;
  readonly remedy?: string;
  readonly reference?: string;
  readonly resource?: readonly string[];
}

export function addInsight(program: Command, cli: Cli): void {
  const insight = program.command("insight").description("raise or clear a finding about an upgrade");
  const report = (command: Command, given: object) =>
    reportCommands(cli, command.optsWithGlobals<ReportOptions>(), [given]);

  withReportOptions(insight.command("raise"))
    .description("raise a finding, or say anew what it is")
    .argument("<insightId>", "the finding; the same id names the same finding")
    .argument("<message>", "what was found")
    .addOption(
      new Option("--level <level>", "how serious it is").choices(["info", "warning", "error"]).default("warning"),
    )
    .option("--impact <text>", "what it means for the upgrade")
    .option("--remedy <text>", "what to do about it")
    .option("--reference <url>", "where more is written about it")
    .option("--resource <name...>", "what it is about, e.g. pod/checkout-x2vqp")
    .action((id: string, message: string, options: RaiseOptions, command: Command) => {
      const { level, impact, remedy, reference, resource: resources } = options;
      return report(command, {
        type: "raiseInsight",
        insight: { id, level, message, ...given({ impact, remedy, reference, resources }) },
      });
    });
  withReportOptions(insight.command("clear"))
    .description("say that a finding no longer holds")
    .argument("<insightId>", "the finding")
    .option("-m, --message <text>", "how it was resolved")
    .action((insightId: string, { message }: { readonly message?: string }, command: Command) =>
      report(command, { type: "clearInsight", insightId, ...given({ message }) }),
    );
}
