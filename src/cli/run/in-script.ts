/** Runs the command in the pseudo-terminal of script(1) of util-linux, where the package for one cannot be loaded. */

import { spawn, spawnSync } from "node:child_process";
import { PATIENCE, type CommandEnd, type Launch, type RunningCommand } from "./launch.ts";
import { passOn, settle } from "./pass-on.ts";

/** True if there is a script(1) that passes an exit code on. */
export function hasScript(): boolean {
  const { status, stdout } = spawnSync("script", ["--version"], {
    stdio: ["ignore", "pipe", "ignore"],
    encoding: "utf8",
  });
  return status === 0 && stdout.includes("util-linux");
}

/** Starts the command. script(1) looks after the terminal itself: its settings, its size, what is typed. */
export function runInScript({ cli, command, env, reading }: Launch): RunningCommand {
  const line = ["exec", ...command.map(quoted)].join(" ");
  const child = spawn("script", ["--quiet", "--return", "--flush", "--command", line, "/dev/null"], {
    stdio: ["inherit", "pipe", "inherit"],
    env,
  });
  const passage = passOn({ source: child.stdout, sink: cli.stdout, read: reading.stdout, onClosed: "go on" });
  const exit = new Promise<CommandEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  const ended = async (): Promise<CommandEnd> => {
    try {
      const end = await exit;
      await settle([passage], PATIENCE);
      return end;
    } finally {
      passage.source.destroy();
    }
  };
  return { ended: ended(), sharesGroup: true, deliver: (signal) => void child.kill(signal) };
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
