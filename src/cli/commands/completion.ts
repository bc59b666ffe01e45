/** `milepost completion`: scripts by which a shell completes verbs, options and upgrades. */

import type { Command } from "commander";
import { checkWord } from "../../model/check.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { completionScript, SHELLS } from "../completion-script.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { say } from "../context.ts";
import { storageOf } from "../storage.ts";

const UPGRADES = "upgrades";

export function addCompletion(program: Command, cli: Cli): void {
  program
    .command("completion")
    .description('print a completion script; e.g. for bash: eval "$(milepost completion bash)"')
    .argument("<shell>", SHELLS.join(", "))
    .action((shell: string, _options, command: Command) =>
      completion(cli, { program, shell }, command.optsWithGlobals<CommonOptions>()),
    );
}

async function completion(
  cli: Cli,
  { program, shell }: { readonly program: Command; readonly shell: string },
  options: CommonOptions,
): Promise<void> {
  if (shell === UPGRADES) {
    // Asked for by the scripts: the ids to complete, one a line. What could steer a terminal or end a line is none.
    const ids = (await storageOf(options).list())
      .filter(({ ref, run }) => run === undefined && safeText(ref) === ref)
      .map(({ ref }) => ref);
    say(cli, ids.map((id) => `${id}\n`).join(""));
    return;
  }
  say(cli, completionScript(program, checkWord(shell, "shell", SHELLS)));
}
