/** What a verb gets of the world: the standard streams, the environment and the clock. Tests pass their own. */

import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Clock } from "../tracker/clock.ts";

/** A standard output. The last three are there when it is a terminal. */
export type Output = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** The standard input. The last two are there when it is a terminal. */
export type Input = Readable & {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
};

/** One run of the command line. */
export interface Cli {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Where signals arrive ("SIGINT", "SIGTERM" ...): the process. */
  readonly signals: Pick<EventEmitter, "on" | "off">;
  /** Aborted when nobody reads standard output any more (EPIPE): a verb that goes on writing stops, quietly. */
  readonly outputClosed: AbortSignal;
  /** The exit status that the process will have. A verb sets it when the work went well and the answer is not 0; an error thrown sets its own. */
  exitCode: number;
}

/** Options that every verb takes, before or after its name, each also from the environment. */
export interface CommonOptions {
  /** Folder of the default storage. */
  readonly storagePath: string;
  /** Storage URL; undefined means `storagePath`. */
  readonly storage?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly ascii?: boolean;
  /** False with `--no-color`. */
  readonly color?: boolean;
}

/** Writes text to standard output. */
export function say(cli: Cli, text: string): void {
  cli.stdout.write(text);
}

/** Writes lines to standard output. */
export function sayLines(cli: Cli, lines: readonly string[]): void {
  if (lines.length > 0) cli.stdout.write(`${lines.join("\n")}\n`);
}
