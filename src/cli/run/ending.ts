/** How the end of a command is recorded, told, and made Milepost's own. */

import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import type { Ending } from "../../sources/progress-reporter.ts";
import type { Cli } from "../context.ts";
import type { CommandEnd, RelayedSignal } from "./launch.ts";

/** Those that ask to stop. */
const STOPPING: readonly string[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/** What a program that catches SIGINT has as its exit code by custom: 128 and the number of the signal. */
const INTERRUPTED = 130;

/** Those after which the system writes a core file, if it is told to. */
const DUMPING: readonly string[] = [
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGSEGV",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGSYS",
];

/**
 * What became of the command. Asked to stop and not ending well, it was cancelled, whether it died of the signal or tidied up
 * first. An interrupt that Milepost has not seen is a Ctrl-C (or Ctrl-\) typed into the command's own terminal.
 */
export function endingOf({ exitCode, signal }: CommandEnd, received: readonly RelayedSignal[]): Ending {
  if (exitCode === 0) return { how: "completed", error: "" };
  const what = signal === null ? `exit code ${exitCode}` : `killed by ${signal}`;
  const stop = received.findLast((name) => STOPPING.includes(name));
  if (stop !== undefined)
    return { how: "cancelled", error: signal === stop ? `stopped by ${stop}` : `stopped by ${stop}: ${what}` };
  if (signal === "SIGINT" || signal === "SIGQUIT" || exitCode === INTERRUPTED)
    return { how: "cancelled", error: `interrupted: ${what}` };
  return { how: "failed", error: what };
}

/** The exit status that stands for the end of the command. */
export function exitCodeOf({ exitCode, signal }: CommandEnd): number {
  if (signal === null) return exitCode ?? 1;
  return 128 + (constants.signals[signal] ?? 0);
}

/**
 * Ends Milepost as the command ended: with its exit code, or of its signal. To be called last; every log is closed and all output
 * written.
 */
export function endAs(end: CommandEnd, cli: Cli): void {
  cli.exitCode = exitCodeOf(end);
  if (cli.signals !== process) return;
  // Set here as well: an output that broke meanwhile has set one of its own.
  process.exitCode = cli.exitCode;
  if (end.signal !== null) dieOf(end.signal);
}

function dieOf(signal: NodeJS.Signals): void {
  // What inherits the standard descriptors sets them back to how they were found, which Node does only when it exits by itself.
  // The command's core file, if there is one, must not be overwritten by one of Node.
  const isDumping = DUMPING.includes(signal);
  spawnSync("sh", ["-c", isDumping ? `prlimit --pid ${process.pid} --core=0 2>/dev/null` : ":"], { stdio: "inherit" });
  // Node ignores SIGPIPE; a handler that was there and is gone leaves the system's own way with any signal.
  const nothing = (): void => undefined;
  try {
    process.on(signal, nothing);
    process.off(signal, nothing);
  } catch {
    // SIGKILL and SIGSTOP can have no handler, and need none.
  }
  process.kill(process.pid, signal);
}
