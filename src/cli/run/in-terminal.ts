/** Runs the command in a pseudo-terminal of its own, between which and the terminal outside Milepost passes every byte on. */

import { constants } from "node:os";
import { ReadStream } from "node:tty";
import {
  environmentList,
  PATIENCE,
  signalName,
  STATUS_FD,
  type CommandEnd,
  type Launch,
  type RelayedSignal,
  type RunningCommand,
} from "./launch.ts";
import { namedPipes, type NamedPipe } from "./named-pipes.ts";
import type { Input } from "../context.ts";
import { foregroundGroupOf, type Keyboard } from "./outer-terminal.ts";
import { listenTo, passOn, settle, type Passage } from "./pass-on.ts";
import { helperPath, SAME_FOLDER, SAME_USER, type NativePty } from "./pseudo-terminal.ts";

/** Starts the command. Standard output is a terminal, and `keyboard` is its other half. */
export function runInTerminal(launch: Launch, pty: NativePty, keyboard: Keyboard): RunningCommand {
  const { cli, reading } = launch;
  const plumbing = plumbingOf(launch, keyboard);
  const size = (): [number, number] => [cli.stdout.columns ?? 80, cli.stdout.rows ?? 24];
  const exit = Promise.withResolvers<CommandEnd>();
  const onExit = (exitCode: number, signal: number): void =>
    exit.resolve(signal === 0 ? { exitCode, signal: null } : endBySignal(signal));
  const place = [environmentList(launch.env), SAME_FOLDER] as const;
  const who = [SAME_USER, SAME_USER, true, helperPath()] as const;
  keyboard.setRaw();
  try {
    const forked = pty.fork("sh", plumbing.words, ...place, ...size(), ...who, onExit);
    const master = new ReadStream(forked.fd);
    const resize = (): void => pty.resize(forked.fd, ...size());
    cli.stdout.on("resize", resize);
    const stopTyping = forwardKeys(keyboard.keys, master);
    const { errors, status } = plumbing;
    const passages = [passOn({ source: master, sink: cli.stdout, read: reading.stdout, onClosed: "go on" })];
    if (errors !== undefined)
      passages.push(passOn({ source: errors.reader, sink: cli.stderr, read: reading.stderr, onClosed: "stop" }));
    if (status !== undefined) passages.push(listenTo(status.reader, reading.status));
    const close = (): void => {
      cli.stdout.off("resize", resize);
      stopTyping();
      for (const { source } of passages) source.destroy();
      plumbing.close();
      keyboard.close();
    };
    const pipes = [errors, status].filter((pipe) => pipe !== undefined);
    return {
      ended: endOf(exit.promise, { passages, pipes, close }),
      sharesGroup: false,
      deliver: (signal) => deliver(forked.pid, signal),
    };
  } catch (error) {
    plumbing.close();
    keyboard.close();
    throw error;
  }
}

interface Ending {
  readonly passages: readonly Passage[];
  readonly pipes: readonly NamedPipe[];
  readonly close: () => void;
}

async function endOf(exit: Promise<CommandEnd>, { passages, pipes, close }: Ending): Promise<CommandEnd> {
  try {
    const end = await exit;
    // Milepost's own writing ends kept the pipes open while the command was being started.
    for (const pipe of pipes) pipe.closeWriter();
    await settle(passages, PATIENCE);
    return end;
  } finally {
    close();
  }
}

function endBySignal(number: number): CommandEnd {
  const signal = signalName(number);
  return signal === undefined ? { exitCode: 128 + number, signal: null } : { exitCode: null, signal };
}

interface Plumbing {
  /** The words after `sh`. */
  readonly words: readonly string[];
  readonly errors: NamedPipe | undefined;
  readonly status: NamedPipe | undefined;
  readonly close: () => void;
}

/**
 * What goes beside the terminal: standard input and standard error where they are none, and the status descriptor. A script
 * gives the new terminal the settings of the one outside, puts each of these in its place, and becomes the command.
 */
function plumbingOf({ cli, command, reading, ignoresHangUp }: Launch, { settings, inputPath }: Keyboard): Plumbing {
  const hasErrors = cli.stderr.isTTY !== true;
  const hasStatus = reading.command !== undefined;
  const made = hasErrors || hasStatus ? namedPipes(Number(hasErrors) + Number(hasStatus)) : undefined;
  const pipes = [...(made?.pipes ?? [])];
  const status = hasStatus ? pipes.shift() : undefined;
  const errors = hasErrors ? pipes.shift() : undefined;
  const steps: readonly (readonly [script: string, word: string | undefined])[] = [
    ['stty "$1" 2>/dev/null', settings],
    [`exec ${STATUS_FD}>"$1"`, status?.path],
    ['exec 0<"$1"', inputPath],
    ['exec 2>"$1"', errors?.path],
  ];
  const taken = steps.filter(([, word]) => word !== undefined);
  const script = [
    ...taken.map(([step]) => `${step}; shift`),
    ...(ignoresHangUp ? ['trap "" HUP'] : []),
    'exec "$@"',
  ].join("; ");
  const told = status === undefined ? command : (reading.command?.(STATUS_FD) ?? command);
  const words = ["-c", script, "sh", ...taken.map(([, word]) => word as string), ...told];
  return { words, errors, status, close: () => made?.removeNames() };
}

/** What is typed goes to the command as it is. Returns the function that stops it. */
function forwardKeys(keys: Input, master: ReadStream): () => void {
  const resume = (): void => void keys.resume();
  const onData = (typed: Buffer): void => {
    if (master.destroyed || master.write(typed)) return;
    keys.pause();
    master.once("drain", resume);
  };
  keys.on("data", onData);
  keys.resume();
  return () => {
    keys.off("data", onData);
    master.off("drain", resume);
    keys.pause();
  };
}

/** A terminal that is closed tells all in its foreground; any other signal is for the command alone. */
function deliver(pid: number, signal: RelayedSignal): void {
  const targets = new Set([signal === "SIGHUP" ? -(foregroundGroupOf(pid) ?? pid) : pid, pid]);
  for (const target of targets) {
    try {
      process.kill(target, constants.signals[signal]);
    } catch {
      // It has ended.
    }
  }
}
