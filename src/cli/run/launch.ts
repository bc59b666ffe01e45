/** What every way of running the command has in common. */

import { constants } from "node:os";
import type { CommandReading } from "../../sources/sources.ts";
import type { Cli } from "../context.ts";

/** The signals that are passed on. */
export type RelayedSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2";

export interface Launch {
  readonly cli: Cli;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly reading: CommandReading;
  /** True under nohup. */
  readonly ignoresHangUp: boolean;
}

/** How the command ended: its exit code, or the signal that killed it. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command that runs. */
export interface RunningCommand {
  /** Resolves when it has ended and all that it printed is passed on. @throws what the system says when it cannot be started. */
  readonly ended: Promise<CommandEnd>;
  readonly sharesGroup: boolean;
  deliver(signal: RelayedSignal): void;
}

/** Descriptor on which a tool reports, where a source asks for one: the first after the standard ones. */
export const STATUS_FD = 3;

/** The name of a signal by its number; undefined for one that has none here. */
export function signalName(number: number): NodeJS.Signals | undefined {
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  // Of two names for one number the usual one comes first, but for these.
  return names.find(([name, value]) => value === number && name !== "SIGIOT" && name !== "SIGPOLL")?.[0];
}

/** How long what a command has started in the background may go on printing before it is left to itself. */
export const PATIENCE = { quietMs: 300, mostMs: 2000 } as const;

/** The environment as `NAME=value`. */
export function environmentList(env: Launch["env"]): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

/** Makes the command ignore SIGHUP, as nohup would have without Milepost in between. */
export function withoutHangUp(command: readonly string[]): readonly string[] {
  return ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", ...command];
}
