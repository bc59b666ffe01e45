/** `milepost notify …`: who is told, what was told, and telling what was left behind. */

import { Option, type Command } from "commander";

import { withConfig } from "../config.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { drain, type DrainOptions } from "../notify/drain.ts";
import { explainEvent } from "../notify/explain.ts";
import { listNotifiers } from "../notify/list.ts";
import type { NotifyOptions } from "../notify/parts.ts";
import { redrive } from "../notify/redrive.ts";
import { sendTest } from "../notify/send-test.ts";
import { durationOption } from "../option-values.ts";

export function addNotify(program: Command, cli: Cli): void {
  const notify = program.command("notify").description("see what notifiers were told, and tell what was left behind");
  withConfig(notify.command("list"))
    .description("who is configured, and where each notifier stands: how far it was told, what waits, what is dead")
    .argument("[id]", "the upgrade; all of them when left out")
    .action((id: string | undefined, _options, command: Command) =>
      listNotifiers(cli, id, command.optsWithGlobals<NotifyOptions>()),
    );
  withConfig(notify.command("test"))
    .description("send one message that says that it is a test")
    .argument("<name>", "the notifier's name in the config file")
    .action((name: string, _options, command: Command) =>
      sendTest(cli, name, command.optsWithGlobals<NotifyOptions>()),
    );
  withConfig(notify.command("drain"))
    .description("tell what was left behind; the exit code is 1 when something is still left")
    .argument("[id]", "the upgrade; all of them when left out")
    .addOption(
      new Option("--timeout <duration>", "how long it may take").argParser(durationOption).default(60_000, "60s"),
    )
    .action((id: string | undefined, _options, command: Command) =>
      drain(cli, id, command.optsWithGlobals<DrainOptions>()),
    );
  notify
    .command("redrive")
    .description("have the dead letters of a notifier told again, by whoever tells it now or next")
    .argument("<id>", "the upgrade")
    .argument("<notifier>", "the notifier's name")
    .action((id: string, notifier: string, _options, command: Command) =>
      redrive(cli, { id, notifier }, command.optsWithGlobals<CommonOptions>()),
    );
  withConfig(notify.command("explain"))
    .description("what each notifier was told of an event, when, and with what answer, or why not")
    .argument("<id>", "the upgrade, or <id>@<n> for a finished run")
    .argument("<event>", "the event's id, or its seq")
    .action((id: string, event: string, _options, command: Command) =>
      explainEvent(cli, { id, event }, command.optsWithGlobals<NotifyOptions>()),
    );
  notify
    .command("schema")
    .description("print the JSON Schema of the config file, for editors")
    .action(async () => {
      const { configSchema } = await import("../config/schema.ts");
      sayJson(cli, configSchema(), 2);
    });
}
