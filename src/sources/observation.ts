/**
 * What a source says: the one form in which every tool's progress is told, and the port that a source fills.
 *
 * A source is one file beside this one and one entry of the list in `sources.ts`. It reads; it never changes what it reads.
 */

import type { WaitingOnInput } from "../model/command.ts";
import type { InsightLevel } from "../model/vocabulary.ts";

/** A stage of the command, where the tool tells which one it is in and how many there are. */
export interface Stage {
  /** Tells two rows of stages apart when a tool has several; empty for the only one. */
  readonly series: string;
  /** The stage that is under way, from 1. */
  readonly number: number;
  readonly of: number;
  /** The names of all of them, when they are known beforehand. */
  readonly names?: readonly string[];
}

/** One thing that was read. What the tool did not tell is absent, never estimated. */
export interface Observation {
  /** The stage that this is about; absent: the stage last entered, or the command as a whole. */
  readonly stage?: Stage;
  /** 0 to 100. */
  readonly percentage?: number;
  /** How many are done, not how many are begun. */
  readonly completedSteps?: number;
  readonly totalSteps?: number;
  readonly unit?: string;
  readonly message?: string;
  /** What the tool waits for; cleared by the next observation that has none. */
  readonly waitingOn?: WaitingOnInput;
  /** What the tool says is wrong; null when it says that this is over. */
  readonly problem?: { readonly level: InsightLevel; readonly message: string } | null;
}

/** How a piece of output ended: `line` by a newline, `redraw` by going back over it, `partial` not yet. */
export type LineKind = "line" | "redraw" | "partial";

/** A line as a person would see it: no control sequences, cut to a bounded length. */
export interface OutputLine {
  readonly text: string;
  readonly kind: LineKind;
}

/** A source at work on one command. Each method gives what it read, usually nothing. */
export interface Reading {
  /**
   * The command to run instead, where the tool is to report on descriptor `statusFd`. The rest of the reading gets
   * its lines through `status`.
   */
  readonly command?: (statusFd: number) => readonly string[];
  /** A line of stdout or stderr. */
  readonly line?: (line: OutputLine) => readonly Observation[];
  /** The body of an operating system command (OSC) in stdout or stderr, without introducer and terminator. */
  readonly control?: (body: string) => readonly Observation[];
  /** A line on the status descriptor. */
  readonly status?: (line: string) => readonly Observation[];
}

/** What the command runs under, as far as a source may need it. */
export interface RunSetting {
  /** True if the command's stdout is a terminal. */
  readonly isTerminal: boolean;
}

export interface Source {
  readonly name: string;
  /** Once a source has told a number or a stage, weaker ones are not asked any more: 3 a tool's own, 2 a convention, 1 plain text. */
  readonly strength: 1 | 2 | 3;
  /** Begins to read a command; undefined when the source has nothing to read there. */
  begin(command: readonly string[], setting: RunSetting): Reading | undefined;
}
