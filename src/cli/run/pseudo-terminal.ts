/** The pseudo-terminal of @lydell/node-pty, an optional package that is loaded only when there is a terminal. */

import { createRequire } from "node:module";
import { MilepostError } from "../../errors.ts";

/**
 * The package's native part. Its own wrapper is left out: 200 ms after the command has ended that closes the terminal, read or
 * not, so that a slow terminal would miss the end of the output; and it gives decoded text where bytes must stay bytes.
 */
export interface NativePty {
  /** Starts `file` as the leader of a new session, with a new terminal as its own. */
  fork(
    file: string,
    args: readonly string[],
    env: readonly string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    isUtf8: boolean,
    helperPath: string,
    onExit: (exitCode: number, signal: number) => void,
  ): { readonly fd: number; readonly pid: number; readonly pty: string };
  /** A terminal without a process. */
  open(cols: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string };
  resize(fd: number, cols: number, rows: number): void;
}

/** Values of `fork` that mean "as it is". */
export const SAME_FOLDER = "";
export const SAME_USER = -1;

/** @throws MISSING_PACKAGE where it is not installed or has no binary for this machine. */
export function loadPty(): NativePty {
  if (process.platform === "win32")
    throw new MilepostError("MISSING_PACKAGE", "there is no pseudo-terminal for Windows here");
  try {
    const load = createRequire(import.meta.url)("@lydell/node-pty/requireBinary.js") as {
      requireBinary(file: string): NativePty;
    };
    return load.requireBinary("pty.node");
  } catch (error) {
    throw new MilepostError(
      "MISSING_PACKAGE",
      "the package @lydell/node-pty cannot be loaded; npm install @lydell/node-pty brings it",
      { cause: error },
    );
  }
}

/** Only macOS starts processes through a helper program of the package. */
export function helperPath(): string {
  if (process.platform !== "darwin") return "";
  return createRequire(import.meta.url).resolve(`@lydell/node-pty-darwin-${process.arch}/spawn-helper`);
}
