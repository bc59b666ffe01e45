/** Runs command lines for tests: in this process with streams of its own, or as a real process. */

import { spawn, type ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterEach } from "vitest";
import type { Cli, Input, Output } from "../../src/cli/context.ts";
import { runProgram } from "../../src/cli/program.ts";
import type { Clock } from "../../src/tracker/clock.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");
export const NODE_ARGUMENTS = ["--conditions=milepost-source", MAIN];

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "milepost-cli-"));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An output that keeps what it gets. */
export interface Kept {
  readonly output: Output;
  readonly text: () => string;
}

export function keptOutput(
  terminal: { readonly columns?: number; readonly rows?: number } | undefined = undefined,
): Kept {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const output: Output = terminal === undefined ? stream : Object.assign(stream, { isTTY: true, ...terminal });
  return { output, text: () => Buffer.concat(chunks).toString() };
}

export interface World {
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  readonly terminal?: { readonly columns: number; readonly rows: number };
  readonly clock?: Clock;
}

export interface Running {
  readonly cli: Cli;
  readonly signals: EventEmitter;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the exit status. */
  readonly done: Promise<number>;
}

/** Starts a command line in this process. */
export function start(
  argv: readonly string[],
  { env = {}, stdin = "", terminal, clock = { now: Date.now, monotonic: () => performance.now() } }: World = {},
): Running {
  const out = keptOutput(terminal);
  const err = keptOutput();
  const signals = new EventEmitter();
  const input: Input = Readable.from([Buffer.from(stdin)]);
  const cli: Cli = {
    stdin: input,
    stdout: out.output,
    stderr: err.output,
    env,
    clock,
    signals,
    outputClosed: new AbortController().signal,
    exitCode: 0,
  };
  const done = runProgram(argv, cli).then(() => cli.exitCode);
  return { cli, signals, stdout: out.text, stderr: err.text, done };
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process to its end. */
export async function run(argv: readonly string[], world: World = {}): Promise<Ran> {
  const running = start(argv, world);
  const exitCode = await running.done;
  return { exitCode, stdout: running.stdout(), stderr: running.stderr() };
}

/** Runs a command line as a process of its own. */
export async function runProcess(
  argv: readonly string[],
  { env = {}, cwd }: { readonly env?: Record<string, string>; readonly cwd?: string } = {},
): Promise<Ran> {
  const child = startProcess(argv, { env, ...(cwd !== undefined && { cwd }) });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (data) => (stdout += data));
  child.stderr?.on("data", (data) => (stderr += data));
  const exitCode = await new Promise<number>((done) => child.on("close", (code) => done(code ?? -1)));
  return { exitCode, stdout, stderr };
}

export function startProcess(
  argv: readonly string[],
  { env = {}, cwd }: { readonly env?: Record<string, string>; readonly cwd?: string } = {},
): ChildProcess {
  return spawn(process.execPath, [...NODE_ARGUMENTS, ...argv], {
    env: cleanEnv(env),
    ...(cwd !== undefined && { cwd }),
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** The environment of the tests without what would change the output. */
export function cleanEnv(more: Record<string, string> = {}): Record<string, string> {
  const { PATH = "", HOME = "", NODE_COMPILE_CACHE } = process.env;
  const speed = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
  return { PATH, HOME, LANG: "C.UTF-8", TERM: "xterm-256color", ...speed, ...more };
}

/** Waits, with a deadline, for something that another process does. */
export async function until<T>(find: () => T | undefined | false, what: string, timeoutMs = 10_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`timed out: ${what}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
