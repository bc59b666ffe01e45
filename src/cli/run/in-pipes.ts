/**
 * Runs the command in Milepost's own process group, its input inherited, each of its outputs through a pipe, or through a
 * pseudo-terminal where Milepost's own is a terminal.
 */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import type { Readable } from "node:stream";
import { ReadStream } from "node:tty";
import type { Output } from "../context.ts";
import { PATIENCE, STATUS_FD, withoutHangUp, type CommandEnd, type Launch, type RunningCommand } from "./launch.ts";
import { namedPipes, type NamedPipe } from "./named-pipes.ts";
import { leaveBehind, listenTo, passOn, settle, type Passage } from "./pass-on.ts";
import type { NativePty } from "./pseudo-terminal.ts";

/** One way out of the command. */
interface Outlet {
  readonly fd: number | "pipe";
  /** Undefined for a pipe of Node's own, which is there only once the command runs. */
  readonly reader: Readable | undefined;
  readonly isTerminal: boolean;
  /** To be called once the command has its own descriptor. */
  readonly started: () => void;
}

/** Starts the command. `pty` where one is to be had; without it everything goes through pipes. */
export function runInPipes(launch: Launch, pty: NativePty | undefined): RunningCommand {
  const { cli, reading, env } = launch;
  const wantsStatus = reading.command !== undefined;
  const terminal = pty === undefined ? undefined : sharedTerminal(cli.stdout, cli.stderr, pty);
  const made = namedPipes(3);
  const [first, second, third] = made?.pipes ?? [];
  const outlets = [
    outletOf(cli.stdout, terminal, first),
    outletOf(cli.stderr, terminal, second),
    ...(wantsStatus ? [outletOf(undefined, undefined, third)] : []),
  ];
  for (const pipe of made?.pipes ?? []) if (!outlets.some(({ fd }) => fd === pipe.writeFd)) dispose(pipe);
  made?.removeNames();
  const told = reading.command?.(STATUS_FD) ?? launch.command;
  const [program, ...args] = launch.ignoresHangUp ? withoutHangUp(told) : told;
  const child = spawn(program as string, args, { stdio: ["inherit", ...outlets.map(({ fd }) => fd)], env });
  for (const { started } of outlets) started();
  const passages = passAll(launch, child, outlets);
  return {
    ended: endOf(child, passages),
    sharesGroup: true,
    deliver: (signal) => void child.kill(signal),
  };
}

interface SharedTerminal {
  readonly slaveFd: number;
  readonly master: ReadStream;
  readonly close: () => void;
}

/** A pseudo-terminal for those outputs that are terminals; undefined when none is. */
function sharedTerminal(stdout: Output, stderr: Output, pty: NativePty): SharedTerminal | undefined {
  const outer = stdout.isTTY === true ? stdout : stderr.isTTY === true ? stderr : undefined;
  if (outer === undefined) return undefined;
  const { master, slave } = pty.open(outer.columns ?? 80, outer.rows ?? 24);
  // The terminal outside turns line feeds into carriage return and line feed; once is enough.
  spawnSync("stty", ["-onlcr"], { stdio: [slave, "ignore", "ignore"] });
  const resize = (): void => pty.resize(master, outer.columns ?? 80, outer.rows ?? 24);
  outer.on("resize", resize);
  const reader = new ReadStream(master);
  reader.once("close", () => outer.off("resize", resize));
  return { slaveFd: slave, master: reader, close: once(() => closeSync(slave)) };
}

function outletOf(sink: Output | undefined, terminal: SharedTerminal | undefined, pipe: NamedPipe | undefined): Outlet {
  if (terminal !== undefined && sink?.isTTY === true) {
    return { fd: terminal.slaveFd, reader: terminal.master, isTerminal: true, started: terminal.close };
  }
  if (pipe === undefined) return { fd: "pipe", reader: undefined, isTerminal: false, started: () => undefined };
  return { fd: pipe.writeFd, reader: pipe.reader, isTerminal: false, started: () => pipe.closeWriter() };
}

function dispose(pipe: NamedPipe): void {
  pipe.closeWriter();
  pipe.reader.destroy();
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}

interface Passages {
  readonly stdout: Passage | undefined;
  readonly stderr: Passage | undefined;
  readonly status: Passage | undefined;
}

function passAll({ cli, reading }: Launch, child: ChildProcess, [out, err, status]: readonly Outlet[]): Passages {
  const sourceOf = (outlet: Outlet | undefined, fd: number): Readable | undefined =>
    outlet === undefined ? undefined : (outlet.reader ?? (child.stdio[fd] as Readable | null) ?? undefined);
  const pass = (
    outlet: Outlet | undefined,
    fd: 1 | 2,
    sink: Output,
    read: (chunk: Uint8Array) => void,
  ): Passage | undefined => {
    const source = sourceOf(outlet, fd);
    return source && passOn({ source, sink, read, onClosed: outlet?.isTerminal === true ? "go on" : "stop" });
  };
  const statusSource = sourceOf(status, STATUS_FD);
  // Two outputs in one terminal come out of it as one.
  const isShared = out?.reader !== undefined && out.reader === err?.reader;
  return {
    stdout: pass(out, 1, cli.stdout, reading.stdout),
    stderr: isShared ? undefined : pass(err, 2, cli.stderr, reading.stderr),
    status: statusSource && listenTo(statusSource, reading.status),
  };
}

async function endOf(child: ChildProcess, { stdout, stderr, status }: Passages): Promise<CommandEnd> {
  const passages = [stdout, stderr, status].filter((passage) => passage !== undefined);
  try {
    const end = await exitOf(child);
    for (const passage of await settle(passages, PATIENCE)) {
      const isTerminal = passage.source instanceof ReadStream;
      if (passage !== status && !isTerminal) leaveBehind(passage, passage === stdout ? 1 : 2);
    }
    return end;
  } finally {
    for (const { source } of passages) source.destroy();
  }
}

function exitOf(child: ChildProcess): Promise<CommandEnd> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
}
