/** The entry of the command line: makes the context from the process and runs the verb. Everything else is loaded when used. */

import { systemClock } from "../tracker/clock.ts";
import { safeText } from "../view/text/safe-text.ts";
import type { Cli } from "./context.ts";
import { runProgram } from "./program.ts";

const outputClosed = new AbortController();

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Each write that was under way fails, and it is told once.
    const isFirst = !outputClosed.signal.aborted;
    outputClosed.abort();
    // A reader that has read enough (`| head`) is no error.
    if (error.code === "EPIPE") return;
    if (stream === process.stdout && isFirst)
      process.stderr.write(`milepost: standard output cannot be written (${safeText(error.message)})\n`);
    process.exitCode = 1;
  });
}

const cli: Cli = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: systemClock,
  signals: process,
  outputClosed: outputClosed.signal,
  exitCode: 0,
};

await runProgram(process.argv.slice(2), cli);
// Not `process.exit`: what is still in the pipes has to be written first.
process.exitCode ??= cli.exitCode;
