/** `milepost verify`: reads every byte of stored logs and says where they are damaged. Changes nothing. */

import type { Command } from "commander";
import { ERRORS, isMilepostError } from "../../errors.ts";
import { verifyUpgrade, type VerifyReport } from "../../storage/json-lines.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { say } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { jsonLinesPath, storageOf } from "../storage.ts";

export function addVerify(program: Command, cli: Cli): void {
  program
    .command("verify")
    .description("check stored logs for damage, byte by byte; changes nothing; exits 4 when there is some")
    .argument("[id]", "the upgrade, or <id>@<n> for a finished run; all of them when left out")
    .action((id: string | undefined, _options, command: Command) =>
      verify(cli, id, command.optsWithGlobals<CommonOptions>()),
    );
}

async function verify(cli: Cli, id: string | undefined, options: CommonOptions): Promise<void> {
  const storage = storageOf(options);
  const path = jsonLinesPath(storage, "verify");
  const refs = id === undefined ? (await storage.list()).map(({ ref }) => ref) : [id];
  const reports = refs.sort().map((ref) => (id === undefined ? verified(path, ref) : verifyUpgrade(path, ref)));
  if (reports.some(({ problems }) => problems.length > 0)) cli.exitCode = ERRORS.CORRUPT.exitCode;
  if (options.json === true) sayJson(cli, id === undefined ? reports : reports[0], 2);
  else if (reports.length === 0 && options.quiet !== true) say(cli, `no upgrades in ${safeText(storage.location)}\n`);
  else
    for (const report of reports)
      if (options.quiet !== true || report.problems.length > 0) say(cli, verifyText(report));
}

/** One log that cannot be read at all hides none of the others. */
function verified(path: string, ref: string): VerifyReport {
  try {
    return verifyUpgrade(path, ref);
  } catch (error) {
    if (!isMilepostError(error)) throw error;
    const { file } = error.context;
    const problem = { file: typeof file === "string" ? file : path, offset: 0, seq: 0, what: error.message };
    return { ref, files: [], events: 0, eventsBehind: 0, problems: [problem], ignoredFiles: [] };
  }
}

/** What was found, in lines. */
export function verifyText({ ref, events, eventsBehind, problems, tornTail, ignoredFiles }: VerifyReport): string {
  const name = safeText(ref);
  const lines = [
    problems.length === 0
      ? `${name}: whole, ${events} events`
      : `${name}: DAMAGED after event ${events}; ${eventsBehind} whole events stand behind the damage; milepost salvage ${name} goes on with what stands before it, and sets the rest aside`,
    ...problems.map(
      ({ file, offset, seq, what }) => `  ${safeText(file)}, byte ${offset}, seq ${seq}: ${safeText(what)}`,
    ),
    ...(tornTail === undefined
      ? []
      : [`  an incomplete line of ${tornTail.bytes} bytes stands at the end of ${safeText(tornTail.file)}: no damage`]),
    ...(ignoredFiles.length === 0 ? [] : [`  not part of the log: ${ignoredFiles.map(safeText).join(", ")}`]),
  ];
  return `${lines.join("\n")}\n`;
}
