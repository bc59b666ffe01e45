/**
 * Meddles with the system calls of a running process, by strace: a call fails, comes late or kills.
 *
 * strace counts calls per thread (`when=`), so a process that is meddled with must have one thread for what waits
 * (`child.ts` sees to that). What it names by `paths` is all that it touches: the same call is made for other things too.
 */

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface Meddling {
  /** What is done at which calls, as strace writes it: `fdatasync:error=EIO:when=3`. */
  readonly inject: string;
  /** Only calls about these files. */
  readonly paths?: readonly string[];
  /** A file for a log of all calls of these kinds, with the path of each descriptor. */
  readonly log?: { readonly path: string; readonly calls: readonly string[] };
}

/** Why strace cannot be used here; undefined when it can. */
export function straceTrouble(left: string): string | undefined {
  try {
    execFileSync("strace", ["-f", "-o", "/dev/null", "true"], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return `strace does not run here (${String(error).slice(0, 80)}): ${left} is left out`;
  }
}

/** Attaches to a process; resolves once it is attached, with what detaches again and lets the process go on undisturbed. */
export async function meddle(pid: number, { inject, paths = [], log }: Meddling): Promise<() => Promise<void>> {
  const calls = log?.calls ?? [inject.slice(0, inject.indexOf(":"))];
  const tracer = spawn(
    "strace",
    [
      ...["-f", "-y", "-o", log?.path ?? "/dev/null"],
      ...["-e", `trace=${calls.join(",")}`, "-e", `inject=${inject}`],
      ...paths.flatMap((path) => ["-P", path]),
      ...["-p", String(pid)],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const ended = once(tracer, "exit");
  await new Promise<void>((resolve, reject) => {
    createInterface(tracer.stderr).on("line", (line) => line.includes("attached") && resolve());
    tracer.once("exit", () => reject(new Error("strace ended before it was attached")));
  });
  return async () => {
    tracer.kill("SIGINT");
    await ended;
  };
}
