/** The sources there are, and how they read one command together. A new tool is a file beside this one and a line in the list. */

import { apt } from "./apt.ts";
import type { Observation, OutputLine, Reading, RunSetting, Source } from "./observation.ts";
import { oscProgress } from "./osc-progress.ts";
import { percent } from "./percent.ts";
import { steps } from "./steps.ts";
import { terminalText, type TerminalText } from "./terminal-text.ts";

const SOURCES: readonly Source[] = [apt, oscProgress, steps, percent];

/** Receives what was read of a command, in order. */
export interface CommandHandler {
  observation(observation: Observation): void;
  /** A line that a person would keep: finished, and not one that was drawn over. `wasRead`: an observation came of it. */
  line(text: string, wasRead: boolean): void;
  /** Output that was not read, because reading it would have held the command up. */
  readonly skipped: (bytes: number) => void;
}

/** Reads what one command prints. Chunks may be split anywhere. */
export interface CommandReading {
  /** The command that makes the tool report on descriptor `statusFd`; undefined when no source asks for one. */
  readonly command: ((statusFd: number) => readonly string[]) | undefined;
  readonly stdout: (chunk: Uint8Array) => void;
  readonly stderr: (chunk: Uint8Array) => void;
  readonly status: (chunk: Uint8Array) => void;
  /** Looks at lines that have begun and not ended; to be called when output has paused. */
  readonly peek: () => void;
  readonly end: () => void;
}

/**
 * Reading takes at most half of the time, so that the command is hardly held up however much it prints; after a pause this much
 * at once, in milliseconds.
 */
const READING_AT_ONCE_MS = 50;
/** Looked at anew after so many bytes. */
const PIECE_BYTES = 8192;

/** Begins to read `command`. `now` is monotonic, in milliseconds. */
export function readCommand(
  command: readonly string[],
  setting: RunSetting & { readonly now: () => number },
  handler: CommandHandler,
): CommandReading {
  const readings = SOURCES.flatMap((source) => {
    const reading = source.begin(command, setting);
    return reading === undefined ? [] : [{ strength: source.strength, reading }];
  });
  let strongest = 0;

  const ask = (read: (reading: Reading) => readonly Observation[] | undefined): boolean => {
    let wasRead = false;
    for (const { strength, reading } of readings) {
      if (strength < strongest) continue;
      for (const observation of read(reading) ?? []) {
        if (tellsPosition(observation)) strongest = strength;
        handler.observation(observation);
        wasRead = true;
      }
    }
    return wasRead;
  };
  const output = (): TerminalText =>
    terminalText({
      line: (text, kind) => {
        const line: OutputLine = { text, kind };
        const wasRead = ask((reading) => reading.line?.(line));
        if (kind === "line") handler.line(text, wasRead);
      },
      control: (body) => void ask((reading) => reading.control?.(body)),
    });
  const status = terminalText({
    line: (text, kind) => {
      if (kind === "line") ask((reading) => reading.status?.(text));
    },
    control: () => {},
  });

  const mayRead = readingTime(setting.now);
  const paced = (): PacedReader => pacedReader(output(), mayRead, handler);
  const [stdout, stderr] = [paced(), paced()];
  return {
    command: readings.find(({ reading }) => reading.command !== undefined)?.reading.command,
    stdout: (chunk) => stdout.read(chunk),
    stderr: (chunk) => stderr.read(chunk),
    status: (chunk) => status.push(chunk),
    peek: () => {
      stdout.peek();
      stderr.peek();
    },
    end: () => {
      status.end();
      stdout.end();
      stderr.end();
    },
  };
}

/** How much may wait to be read. Beyond it the oldest goes, since the last lines matter most. */
const HELD_BYTES = 65_536;

interface PacedReader {
  read(chunk: Uint8Array): void;
  peek(): void;
  end(): void;
}

/** Reads a stream as far as there is time; what waits when there is none is read later, and its end in any case. */
function pacedReader(
  text: TerminalText,
  mayRead: (work: () => void) => boolean,
  { skipped }: CommandHandler,
): PacedReader {
  let held = Buffer.alloc(0);
  const release = (): void => {
    if (held.length > 0) text.push(held);
    held = Buffer.alloc(0);
  };
  const hold = (bytes: Uint8Array): void => {
    const tooMany = held.length + bytes.length - HELD_BYTES;
    held = Buffer.concat([held, bytes.subarray(-HELD_BYTES)]).subarray(-HELD_BYTES);
    if (tooMany <= 0) return;
    text.skip();
    skipped(tooMany);
  };
  return {
    read(chunk) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const work = (): void => {
          release();
          text.push(chunk.subarray(at, at + PIECE_BYTES));
        };
        if (!mayRead(work)) return hold(chunk.subarray(at));
      }
    },
    peek: () =>
      void mayRead(() => {
        release();
        text.peek();
      }),
    end() {
      release();
      text.end();
    },
  };
}

/** Runs what it is given unless the time for reading is used up; says whether it did. */
function readingTime(now: () => number): (work: () => void) => boolean {
  let creditMs = READING_AT_ONCE_MS;
  let countedAt = now();
  return (work) => {
    const from = now();
    creditMs = Math.min(READING_AT_ONCE_MS, creditMs + from - countedAt);
    countedAt = from;
    if (creditMs <= 0) return false;
    work();
    countedAt = now();
    creditMs -= countedAt - from;
    return true;
  };
}

function tellsPosition({ stage, percentage, totalSteps }: Observation): boolean {
  return stage !== undefined || percentage !== undefined || totalSteps !== undefined;
}
