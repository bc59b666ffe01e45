/** Chooses how the command is run: as near as can be to how it would run without Milepost. */

import { hasScript, runInScript } from "./in-script.ts";
import { runInPipes } from "./in-pipes.ts";
import { runInTerminal } from "./in-terminal.ts";
import type { Launch, RunningCommand } from "./launch.ts";
import { isForeground, openKeyboard } from "./outer-terminal.ts";
import { loadPty, type NativePty } from "./pseudo-terminal.ts";

/**
 * Starts the command. `notice` is told when it gets less of a terminal than Milepost has.
 *
 * @throws what the system says when it cannot be started at once.
 */
export function startCommand(launch: Launch, notice: (text: string) => void): RunningCommand {
  const { stdin, stdout, stderr } = launch.cli;
  if (stdout.isTTY !== true && stderr.isTTY !== true) return runInPipes(launch, undefined);
  const pty = tryPty();
  if (pty !== undefined) {
    const keyboard = stdout.isTTY === true ? openKeyboard(launch.cli) : undefined;
    return keyboard === undefined ? runInPipes(launch, pty) : runInTerminal(launch, pty, keyboard);
  }
  if (stdin.isTTY === true && stdout.isTTY === true && isForeground() && hasScript()) {
    notice("no pseudo-terminal of its own (@lydell/node-pty is not installed): the command runs in that of script(1)");
    return runInScript(launch);
  }
  notice("no pseudo-terminal (neither @lydell/node-pty nor script(1) is there): the command runs without a terminal");
  return runInPipes(launch, undefined);
}

function tryPty(): NativePty | undefined {
  try {
    return loadPty();
  } catch {
    return undefined;
  }
}
