/** Which process holds the lock on a file, asked of the kernel: for holders that could not write down who they are. Linux alone tells. */

import { basename } from "node:path";

import { nodeFs } from "../../node-modules.ts";

/** A process of this machine. */
export interface LockOwner {
  readonly pid: number;
  /** The name of its executable, as `node`. */
  readonly program: string;
}

/** `1: POSIX  ADVISORY  WRITE 4711 08:01:131094 0 EOF` */
const LOCK = /^\d+: POSIX +\w+ +WRITE +([1-9]\d*) +[0-9a-f]+:[0-9a-f]+:(\d+) /;

/** Undefined where that cannot be known, or is not certain. The file is not opened: that could end the lock (`lock.ts`). */
export function lockOwner(path: string): LockOwner | undefined {
  try {
    const ino = String(nodeFs.statSync(path).ino);
    const owners = new Set<string>();
    for (const line of nodeFs.readFileSync("/proc/locks", "utf8").split("\n")) {
      const [, pid, inode] = LOCK.exec(line) ?? [];
      if (pid !== undefined && inode === ino) owners.add(pid);
    }
    const [pid, ...others] = owners;
    // Files of several disks may have one number.
    if (pid === undefined || others.length > 0) return undefined;
    // Not its arguments: secrets may stand in them.
    return { pid: Number(pid), program: basename(nodeFs.readlinkSync(`/proc/${pid}/exe`)) };
  } catch {
    return undefined;
  }
}
