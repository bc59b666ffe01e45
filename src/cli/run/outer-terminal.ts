/** The terminal that Milepost runs in: its settings, taken and given back with stty(1), which knows all of them. */

import { spawnSync } from "node:child_process";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { ReadStream } from "node:tty";
import type { Cli, Input } from "../context.ts";

/** Where keys come from, and the terminal whose settings count. */
export interface Keyboard {
  readonly keys: Input;
  /** Its settings as stty reads them; undefined without stty. */
  readonly settings: string | undefined;
  /** Where the command's standard input is to come from when that is no terminal. */
  readonly inputPath: string | undefined;
  /** Passes bytes unchanged both ways, until `close`. */
  setRaw(): void;
  close(): void;
}

/** The keyboard for a command that gets a terminal of its own; undefined where there is none that may be read. */
export function openKeyboard({ stdin }: Cli): Keyboard | undefined {
  if (!isForeground()) return undefined;
  if (stdin.isTTY === true) return keyboard(stdin, 0, undefined);
  const inputPath = reopenable();
  if (inputPath === undefined) return undefined;
  try {
    const fd = openSync("/dev/tty", constants.O_RDWR | constants.O_NOCTTY);
    return keyboard(new ReadStream(fd), fd, inputPath);
  } catch {
    return undefined;
  }
}

/** The path at which standard input can be opened again and is the same: a pipe, a device, or a file from its beginning. */
function reopenable(): string | undefined {
  try {
    const stat = fstatSync(0);
    const isSame =
      stat.isFIFO() ||
      stat.isCharacterDevice() ||
      (stat.isFile() && /^pos:\s*0$/m.test(readFileSync("/proc/self/fdinfo/0", "utf8")));
    const path = `/proc/${process.pid}/fd/0`;
    if (!isSame) return undefined;
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY));
    return path;
  } catch {
    return undefined;
  }
}

function keyboard(keys: Input, fd: number, inputPath: string | undefined): Keyboard {
  const stty = (...args: readonly string[]) =>
    spawnSync("stty", args, { stdio: [fd, "pipe", "ignore"], encoding: "utf8" });
  const read = stty("-g");
  const settings = read.status === 0 ? read.stdout.trim() : undefined;
  // Node's own raw mode goes on turning line feeds into carriage return and line feed; it is for where there is no stty.
  const raw = (): void => void (settings === undefined ? keys.setRawMode?.(true) : stty("raw", "-echo"));
  let isRaw = false;
  const restore = (): void => {
    if (isRaw) void (settings === undefined ? keys.setRawMode?.(false) : stty(settings));
    isRaw = false;
  };
  return {
    keys,
    settings,
    inputPath,
    setRaw() {
      isRaw = true;
      raw();
      process.on("exit", restore);
      // Whoever has stopped Milepost and lets it go on may have used the terminal in between.
      process.on("SIGCONT", raw);
    },
    close() {
      process.off("SIGCONT", raw);
      process.off("exit", restore);
      restore();
      if (fd !== 0) keys.destroy();
    },
  };
}

/** True if this process may read the terminal: with `&` after it, it may not, and trying would stop it. */
export function isForeground(): boolean {
  try {
    const [group, , , foreground] = statFields("self");
    return group === foreground;
  } catch {
    return true;
  }
}

/** The process group in the foreground of the terminal of process `pid`; undefined when that cannot be told. */
export function foregroundGroupOf(pid: number): number | undefined {
  try {
    const foreground = statFields(String(pid))[3];
    return foreground !== undefined && foreground > 1 ? foreground : undefined;
  } catch {
    return undefined;
  }
}

/** Process group, session, terminal and foreground group, as proc(5) has them, after the name, which may hold anything. */
function statFields(pid: string): readonly number[] {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  return text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .slice(2, 6)
    .map(Number);
}
