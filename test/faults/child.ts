/** Starts the programs of this folder as processes of their own, and reads what they say. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** All lines so far. */
  readonly lines: readonly string[];
  /** What `find` finds in the lines, when it does; undefined when the process ends without it. */
  first(find: () => string | undefined): Promise<string | undefined>;
  /** The first line that begins so. */
  until(prefix: string): Promise<string | undefined>;
  /** Resolves when the process has ended and all that it said is in `lines`. */
  readonly ended: Promise<number | null>;
}

/** Compiled once for all the children of this process: they start several times faster. */
const compileCache = mkdtempSync(join(tmpdir(), "milepost-test-compiled-"));
process.once("exit", () => rmSync(compileCache, { recursive: true, force: true }));

/** One thread for what Node does beside the event loop: `strace.ts` counts calls per thread. */
const ONE_THREAD = { UV_THREADPOOL_SIZE: "1" };

/** Runs `file` of this folder with the sources. What it writes to stderr goes into its lines, after `!`. */
export function startChild(file: string, args: readonly (string | number)[]): Child {
  const child = spawn(
    process.execPath,
    ["--conditions=milepost-source", join(import.meta.dirname, file), ...args.map(String)],
    {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NODE_OPTIONS: "", NODE_COMPILE_CACHE: compileCache, ...ONE_THREAD },
    },
  );
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const add = (line: string): void => {
    lines.push(line);
    for (const wake of waiting) wake();
  };
  createInterface(child.stdout).on("line", add);
  createInterface(child.stderr).on("line", (line) => add(`! ${line}`));
  const ended = once(child, "close").then(([code]) => {
    for (const wake of waiting) wake();
    return code as number | null;
  });
  const hasEnded = ended.then(() => true);
  const nextLine = (): Promise<false> =>
    new Promise((resolve) => {
      const wake = () => {
        waiting.delete(wake);
        resolve(false);
      };
      waiting.add(wake);
    });
  const first = async (find: () => string | undefined): Promise<string | undefined> => {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (await Promise.race([nextLine(), hasEnded])) return find();
    }
  };
  return {
    process: child,
    pid: child.pid as number,
    lines,
    ended,
    first,
    until: (prefix) => first(() => lines.find((line) => line.startsWith(prefix))),
  };
}

/** Kills as `kill -9` does, and waits for the end. */
export async function killNow(child: Child): Promise<void> {
  child.process.kill("SIGKILL");
  await child.ended;
}

/** A random generator whose rounds can be repeated: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How much the long run does of what the test command does a sample of. */
export const isLong = process.env["MILEPOST_LONG"] === "1";
