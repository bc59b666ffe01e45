/** `milepost salvage`: makes what can be read of a damaged log the log, and sets the damaged files aside. */

import type { Command } from "commander";
import { salvageUpgrade, type SalvageReport } from "../../storage/json-lines.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { say } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { jsonLinesPath, storageOf } from "../storage.ts";
import { verifyText } from "./verify.ts";

export function addSalvage(program: Command, cli: Cli): void {
  program
    .command("salvage")
    .description("keep what can be read of a damaged log; the damaged files are set aside, nothing is destroyed")
    .argument("<id>", "the upgrade, or <id>@<n> for a finished run")
    .action((id: string, _options, command: Command) => salvage(cli, id, command.optsWithGlobals<CommonOptions>()));
}

function salvage(cli: Cli, id: string, options: CommonOptions): void {
  const report = salvageUpgrade(jsonLinesPath(storageOf(options), "salvage"), id);
  if (options.json === true) sayJson(cli, report, 2);
  else if (options.quiet !== true) say(cli, salvageText(report));
}

function salvageText({ found, keptEvents, damagedFolder }: SalvageReport): string {
  if (found.problems.length === 0) {
    const moved =
      damagedFolder === undefined ? "" : `; what an earlier salvage left is now in ${safeText(damagedFolder)}`;
    return `${safeText(found.ref)}: whole, ${found.events} events; nothing to salvage${moved}\n`;
  }
  const lost = found.eventsBehind === 0 ? "" : `, ${found.eventsBehind} events behind the damage are left out`;
  const moved = damagedFolder === undefined ? "" : `; the damaged files are in ${safeText(damagedFolder)}`;
  return `${verifyText(found)}salvaged: the log goes on after event ${keptEvents}${lost}${moved}\n`;
}
