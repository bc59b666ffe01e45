/** Runs `milepost run` as a process of its own, bytes kept as bytes, and reads what it has recorded. */

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { jsonLines } from "../../src/storage/json-lines.ts";
import type { EventOf, EventType, ProgressEvent } from "../../src/model/event.ts";
import type { Task } from "../../src/model/task.ts";
import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import { readEvents, readUpgrade } from "../../src/tracker/read.ts";
import { cleanEnv, NODE_ARGUMENTS } from "./command-line.ts";

const root = mkdtempSync(join(tmpdir(), "milepost-run-"));
const alive = new Set<ChildProcess>();
afterAll(() => {
  for (const { pid } of alive) killWithCommand(pid as number);
  rmSync(root, { recursive: true, force: true });
});

/** After a test that failed: nothing of it may go on. */
function killWithCommand(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // It leads no group, or has ended.
    }
  }
}

/** A folder that is there until all tests of the file are done: they run side by side. */
export const newFolder = (): string => mkdtempSync(join(root, "test-"));

/** The id that every run here has. */
export const ID = "u";

export interface RunOptions {
  /** Options of the verb. */
  readonly options?: readonly string[];
  readonly env?: Record<string, string>;
  readonly stdin?: Buffer | "ignore" | "pipe" | number;
  /** In a process group of its own. */
  readonly detached?: boolean;
  readonly cwd?: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly stdout: () => Buffer;
  readonly stderr: () => Buffer;
  readonly done: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Where runs of this folder are recorded. */
export const dataOf = (folder: string): string => join(folder, "data");

/** Starts `milepost run --id u -- <command>`, recorded below `folder`. */
export function startRun(
  folder: string,
  command: readonly string[],
  { options = [], env = {}, stdin = "ignore", detached = false, cwd = folder }: RunOptions = {},
): Started {
  const argv = [...NODE_ARGUMENTS, "run", "--id", ID, "--storage-path", dataOf(folder), ...options, "--", ...command];
  const input = Buffer.isBuffer(stdin) ? "pipe" : stdin;
  const child = spawn(process.execPath, argv, { env: cleanEnv(env), cwd, detached, stdio: [input, "pipe", "pipe"] });
  alive.add(child);
  child.once("exit", () => alive.delete(child));
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin?.on("error", () => undefined);
  if (Buffer.isBuffer(stdin)) child.stdin?.end(stdin);
  const stdout = (): Buffer => Buffer.concat(out);
  const stderr = (): Buffer => Buffer.concat(err);
  const done = new Promise<Ended>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, stdout: stdout(), stderr: stderr() })),
  );
  return { child, stdout, stderr, done };
}

/** Runs a command to its end. */
export const runCommand = (folder: string, command: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  startRun(folder, command, options).done;

/** Runs a shell script to its end. */
export const runScript = (folder: string, script: string, options: RunOptions = {}): Promise<Ended> =>
  runCommand(folder, ["sh", "-c", script], options);

export async function stateOf(folder: string, ref = ID): Promise<UpgradeProgress> {
  return (await readUpgrade(jsonLines({ path: dataOf(folder) }), ref)).state;
}

/** Waits, with a deadline, until the upgrade is recorded as it is asked for. */
export async function untilRecorded(
  folder: string,
  isSo: (state: UpgradeProgress) => boolean,
): Promise<UpgradeProgress> {
  for (const deadline = performance.now() + 10_000; ;) {
    const state = await stateOf(folder).catch(() => undefined);
    if (state !== undefined && isSo(state)) return state;
    if (performance.now() > deadline) throw new Error(`timed out: ${JSON.stringify(state)}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

export async function taskOf(folder: string, taskId = "command"): Promise<Task> {
  const task = (await stateOf(folder)).tasks.get(taskId);
  if (task === undefined) throw new Error(`no task ${taskId}`);
  return task;
}

export async function eventsOf(folder: string, ref = ID): Promise<readonly ProgressEvent[]> {
  const events: ProgressEvent[] = [];
  for await (const event of readEvents(jsonLines({ path: dataOf(folder) }), ref)) events.push(event);
  return events;
}

export async function eventsOfType<T extends EventType>(folder: string, type: T): Promise<readonly EventOf<T>[]> {
  return (await eventsOf(folder)).filter((event): event is EventOf<T> => event.type === type);
}

/** The lines that were kept of what the command printed. */
export async function linesOf(folder: string): Promise<readonly string[]> {
  return (await eventsOfType(folder, "log.appended")).flatMap(({ text }) => text.split("\n"));
}
