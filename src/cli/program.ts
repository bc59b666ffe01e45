/** The program: its verbs, the options they share, and what happens when one fails. A verb's code is loaded when it is called. */

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import type { Cli } from "./context.ts";
import { applyEnvironment } from "./environment.ts";
import { reportError, reportUsage } from "./report-error.ts";
import { VERBS, type Verb } from "./verbs.ts";

/** Runs one command line to its end. Never throws: trouble is told on standard error and in `cli.exitCode`. */
export async function runProgram(argv: readonly string[], cli: Cli): Promise<void> {
  try {
    const called = calledVerb(argv);
    const needsAll = VERBS.find(({ name }) => name === called)?.needsAll?.(argv) ?? false;
    const program = await buildProgram(cli, ({ name }) => needsAll || name === called);
    if (argv.length === 0) {
      program.outputHelp();
      return;
    }
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) reportUsage(cli, error);
    else reportError(cli, error, { json: argv.includes("--json") });
  }
}

/** The program with the code of the verbs that `isNeeded` names; the others are there by name only. */
export async function buildProgram(cli: Cli, isNeeded: (verb: Verb) => boolean): Promise<Command> {
  const program = frame(cli);
  for (const verb of VERBS) {
    if (isNeeded(verb)) (await verb.load())(program, cli);
    else program.command(verb.name).description(verb.summary);
  }
  for (const command of program.commands) restoreOutput(command, program);
  return program;
}

function frame(cli: Cli): Command {
  return new Command("milepost")
    .description("Tells everyone who waits for a long infrastructure upgrade the truth, live.")
    .usage("[options] <verb> ...")
    .version(ownVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help, also of a verb")
    .option("--storage-path <dir>", "folder that holds the upgrades", "./data")
    .option("--storage <url>", "storage, in place of --storage-path: jsonl:<dir>, memory:")
    .option("--json", "print JSON, for programs")
    .option("-q, --quiet", "print no more than errors and what was asked for")
    .option("--ascii", "use ASCII characters only")
    .option("--no-color", "use no colours (also NO_COLOR)")
    .addHelpText(
      "after",
      "\nEach option can also be set in the environment: --storage-path as MILEPOST_STORAGE_PATH, and so on.",
    )
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({ writeOut: (text) => cli.stdout.write(text), writeErr: () => {}, outputError: () => {} })
    .showSuggestionAfterError(true)
    .exitOverride()
    .hook("preAction", (_program, command) => applyEnvironment(command, cli.env));
}

/** Subcommands take these from their parent only when `command()` makes them; a verb may also add one that it made itself. */
function restoreOutput(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) restoreOutput(child, command);
}

const VALUED = new Set(["--storage-path", "--storage"]);

/** The verb in a command line, found without knowing its options. */
function calledVerb(argv: readonly string[]): string | undefined {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] as string;
    if (VALUED.has(word)) index += 1;
    else if (word !== "help" && !word.startsWith("-")) return word;
  }
  return undefined;
}

function ownVersion(): string {
  const file = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(file) as { readonly version: string }).version;
}
