/** Checks of the machine: Node, the terminal, the folder that the storage is in. */

import { accessSync, constants, existsSync, mkdtempSync, rmSync, statSync, statfsSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isDiskFull, systemErrorText } from "./system-error.ts";
import { ok, problem, warning, type Finding } from "./finding.ts";

/** The least Node that the package runs on, as in `engines`. */
const LEAST_NODE = [22, 13] as const;

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isEnough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  if (isEnough) return ok("Node", version);
  return problem("Node", `${version} is older than ${LEAST_NODE.join(".")}`, "install a newer Node");
}

/** The lock of the default storage is a transaction of SQLite's. */
export async function checkLocking(): Promise<Finding> {
  try {
    await import("node:sqlite");
    return ok("locking", "node:sqlite is there");
  } catch (error) {
    return problem(
      "locking",
      `node:sqlite cannot be loaded (${systemErrorText(error)})`,
      "use a Node that was built with SQLite",
    );
  }
}

export async function checkPseudoTerminal(
  load: () => Promise<unknown> = () => import("@lydell/node-pty"),
): Promise<Finding> {
  try {
    await load();
    return ok("pseudo-terminal", "@lydell/node-pty is there");
  } catch {
    const effect = "commands under `milepost run` see no terminal and may look plainer";
    return warning(
      "pseudo-terminal",
      `@lydell/node-pty cannot be loaded: ${effect}`,
      "npm install @lydell/node-pty, where it exists for this machine",
    );
  }
}

/** Whether files can be made in the storage's folder, or in the nearest one above it that exists. */
export function checkFolder(path: string): Finding {
  const folder = resolve(path);
  const nearest = nearestFolder(folder);
  try {
    if (!statSync(nearest).isDirectory())
      return problem("folder", `${nearest} is a file`, "move it away, or name another with --storage-path");
    accessSync(nearest, constants.W_OK | constants.X_OK);
    const made = mkdtempSync(join(nearest, ".milepost-doctor-"));
    try {
      writeFileSync(join(made, "probe"), "written by milepost doctor\n", { flush: true });
    } finally {
      rmSync(made, { recursive: true, force: true });
    }
  } catch (error) {
    return problem("folder", `${folder} cannot be written (${systemErrorText(error)})`, folderRemedy(error));
  }
  return ok(
    "folder",
    nearest === folder ? `${folder} can be written` : `${folder} will be made when it is first needed`,
  );
}

/** What to do about a folder that cannot be written. */
export function folderRemedy(error: unknown): string {
  const what = isDiskFull(error) ? "free space on its disk" : "give this user write access to it";
  return `${what}, or name another with --storage-path`;
}

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

export function checkDisk(path: string): Finding {
  const folder = nearestFolder(resolve(path));
  try {
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    const free = bavail * bsize;
    const text = `${free >= GIB ? `${(free / GIB).toFixed(1)} GiB` : `${Math.floor(free / MIB)} MiB`} free`;
    if (free < 64 * MIB)
      return problem("disk", text, "make room: with a full disk events wait in memory and are lost with the process");
    if (files > 0 && ffree < 1000)
      return problem("disk", `${ffree} inodes free`, "remove small files: no new ones can be made");
    return free < GIB ? warning("disk", text, "make room before a long upgrade") : ok("disk", text);
  } catch (error) {
    return warning("disk", `free space of ${folder} is unknown (${systemErrorText(error)})`, "look at it with df");
  }
}

function nearestFolder(folder: string): string {
  let nearest = folder;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  return nearest;
}
