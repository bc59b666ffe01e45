/** Another program that prints what it gets, line by line. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { onTestFinished } from "vitest";

export interface Program {
  /** What it has printed, without line breaks. */
  readonly lines: readonly string[];
  /** Resolves when it has printed such lines as this asks for; rejects when it ends before. */
  readonly until: (isThere: (lines: readonly string[]) => boolean) => Promise<void>;
  /** Resolves with its exit code when it has ended and all that it printed is there; null if a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Ends it, without a word to whom it talks with. */
  kill(): Promise<void>;
}

export interface ProgramOptions {
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder that it runs in. */
  readonly cwd?: string;
}

/** Its standard input stays open, and what it says on standard error is shown. It is gone when the present test has ended. */
export function program(command: string, args: readonly string[], { env, cwd }: ProgramOptions = {}): Program {
  const child = spawn(command, args, { env: { ...process.env, ...env }, cwd, stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const output = createInterface(child.stdout);
  output.on("line", (line) => lines.push(line));
  const ended = Promise.all([once(child, "exit"), once(output, "close")]).then(([[code]]) => code as number | null);
  const failed = ended.then((code) => {
    throw new Error(`${command} ended with ${code} after ${lines.length} lines; what it said is above`);
  });
  failed.catch(() => undefined);
  return {
    lines,
    ended,
    until: async (isThere) => {
      while (!isThere(lines)) await Promise.race([once(output, "line"), failed]);
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
