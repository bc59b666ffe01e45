/**
 * Pipes between the command and Milepost. Node's own are sockets, which a script cannot open again as /dev/stdout or /dev/stderr;
 * these are what a shell would make. They come from mkfifo, since Node cannot make a pipe without a child.
 */

import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface NamedPipe {
  readonly path: string;
  /** What comes out of it; ends when all writers have closed. */
  readonly reader: Socket;
  /** Descriptor of the end to write to. */
  readonly writeFd: number;
  /** Closes Milepost's own descriptor of that end; to be called once the command has its own. */
  closeWriter(): void;
}

export interface NamedPipes {
  readonly pipes: readonly NamedPipe[];
  /** Takes the names out of the file system; open ends stay. */
  removeNames(): void;
}

/** Makes `count` pipes; undefined where that cannot be done. */
export function namedPipes(count: number): NamedPipes | undefined {
  let folder: string;
  try {
    folder = mkdtempSync(join(tmpdir(), "milepost-"));
  } catch {
    return undefined;
  }
  const removeNames = (): void => rmSync(folder, { recursive: true, force: true });
  const paths = Array.from({ length: count }, (_unused, index) => join(folder, String(index)));
  const opened: NamedPipe[] = [];
  try {
    if (spawnSync("mkfifo", ["-m", "600", ...paths], { stdio: "ignore" }).status !== 0) throw new Error("no mkfifo");
    for (const path of paths) opened.push(openPipe(path));
    return { pipes: opened, removeNames };
  } catch {
    for (const pipe of opened) {
      pipe.closeWriter();
      pipe.reader.destroy();
    }
    removeNames();
    return undefined;
  }
}

function openPipe(path: string): NamedPipe {
  // The reading end first, and without waiting: the writing end can then be opened at once.
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(path, constants.O_WRONLY);
  let isOpen = true;
  return {
    path,
    reader: new Socket({ fd: readFd, readable: true, writable: false }),
    writeFd,
    closeWriter() {
      if (isOpen) closeSync(writeFd);
      isOpen = false;
    },
  };
}
