/** Whether a command can be run, told as a shell tells it: 127 when it is not there, 126 when it may not be run. */

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { shown } from "../../errors.ts";

/** Why a command cannot be run. */
export interface Unrunnable {
  readonly exitCode: 126 | 127;
  readonly message: string;
}

/** What execvp searches when PATH is not set. */
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/** Undefined when the system will find `program` and may run it. */
export function findTrouble(program: string, path: string | undefined): Unrunnable | undefined {
  if (program === "") return { exitCode: 127, message: "the command is empty; name a program after --" };
  const places = program.includes("/")
    ? [program]
    : (path ?? DEFAULT_PATH).split(delimiter).map((folder) => join(folder || ".", program));
  const found = places.map(looksLike);
  if (found.includes("program")) return undefined;
  if (found.includes("folder")) return { exitCode: 126, message: `${shown(program)} is a folder; name a program` };
  if (found.includes("file"))
    return { exitCode: 126, message: `${shown(program)} is not executable; chmod +x makes it so` };
  const where = program.includes("/") ? "there is no such file" : "it is in no folder of PATH";
  return { exitCode: 127, message: `command ${shown(program)} not found: ${where}` };
}

function looksLike(file: string): "program" | "file" | "folder" | "nothing" {
  try {
    if (statSync(file).isDirectory()) return "folder";
  } catch {
    return "nothing";
  }
  try {
    accessSync(file, constants.X_OK);
    return "program";
  } catch {
    return "file";
  }
}

/** Why the system refused to start a program that was found. */
export function startTrouble(program: string, error: NodeJS.ErrnoException): Unrunnable {
  if (error.code === "ENOENT")
    return {
      exitCode: 126,
      message: `${shown(program)} cannot be run: its interpreter (the first line, after #!) is not there`,
    };
  if (error.code === "ENOEXEC")
    return { exitCode: 126, message: `${shown(program)} is no program of this machine's kind` };
  return { exitCode: 126, message: `${shown(program)} cannot be run: ${error.code ?? error.message}` };
}
