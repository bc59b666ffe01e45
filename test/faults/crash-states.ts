/**
 * What a power cut may leave of recorded calls (`FaultFs`), made as folders of their own.
 *
 * Model: bytes count only once their file was synced after them, names only once a directory that the change touches was
 * synced after it. Of what is left each change of a name, and the bytes of each file, are there or not by chance and in any
 * order; but the bytes of one file that grows come in order, cut anywhere, as file systems see to that update a size after
 * the data. A rename is there whole or not at all. A failed sync makes nothing durable.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import type { Recorded } from "./fault-fs.ts";

interface Inode {
  readonly number: number;
  readonly isDirectory: boolean;
  bytes: Buffer;
  readonly entries: Map<string, Inode>;
}

interface PendingWrite {
  readonly inode: Inode;
  readonly position: number;
  readonly bytes: Buffer;
}

/** Changes what directories name; touches `directories`. */
interface PendingName {
  readonly directories: readonly Inode[];
  apply(): void;
}

const file = (number: number, isDirectory: boolean): Inode => ({
  number,
  isDirectory,
  bytes: Buffer.alloc(0),
  entries: new Map(),
});

class Disk {
  readonly #root = file(0, true);
  /** By what the system calls it now; a number is used again once its file is gone. */
  readonly #inodes = new Map<number, Inode>();
  /** What names mean to the program, whether durable or not. */
  readonly #live = new Map<string, Inode>();
  #writes: PendingWrite[] = [];
  #names: PendingName[] = [];
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
    this.#live.set("", this.#root);
  }

  #path(path: string): string {
    return relative(this.#base, path);
  }

  #parent(path: string): Inode {
    const parent = dirname(path);
    return this.#live.get(parent === "." ? "" : parent) as Inode;
  }

  play(call: Recorded): void {
    if (call.op === "create") this.#create(this.#path(call.path), file(call.ino, call.isDirectory));
    if (call.op === "write") this.#put(call);
    if (call.op === "truncate") this.#inodes.set(call.ino, file(call.ino, false));
    if (call.op === "sync" && !call.hasFailed) this.#sync(call.ino);
    if (call.op === "rename") this.#rename(this.#path(call.from), this.#path(call.to));
    if (call.op === "unlink") this.#unlink(this.#path(call.path));
  }

  #create(path: string, inode: Inode): void {
    const parent = this.#parent(path);
    this.#inodes.set(inode.number, inode);
    this.#live.set(path, inode);
    this.#names.push({
      directories: [parent],
      apply: () => void parent.entries.set(nameOf(path), inode),
    });
  }

  #put({ ino, position, bytes }: Extract<Recorded, { op: "write" }>): void {
    const inode = this.#inodes.get(ino);
    if (inode !== undefined) this.#writes.push({ inode, position, bytes });
  }

  #sync(ino: number): void {
    // The folder that was there before is nobody's creation; its own number is not known.
    const inode = this.#inodes.get(ino) ?? this.#root;
    if (inode.isDirectory) {
      for (const change of this.#names.filter(({ directories }) => directories.includes(inode))) change.apply();
      this.#names = this.#names.filter(({ directories }) => !directories.includes(inode));
    } else {
      for (const write of this.#writes) if (write.inode === inode) apply(write);
      this.#writes = this.#writes.filter((write) => write.inode !== inode);
    }
  }

  #rename(from: string, to: string): void {
    const [source, target] = [this.#parent(from), this.#parent(to)];
    const inode = this.#live.get(from);
    if (inode === undefined) return;
    for (const [path, moved] of [...this.#live]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#live.delete(path);
      this.#live.set(to + path.slice(from.length), moved);
    }
    this.#names.push({
      directories: [source, target],
      apply: () => {
        source.entries.delete(nameOf(from));
        target.entries.set(nameOf(to), inode);
      },
    });
  }

  #unlink(path: string): void {
    const parent = this.#parent(path);
    for (const name of [...this.#live.keys()])
      if (name === path || name.startsWith(`${path}/`)) this.#live.delete(name);
    this.#names.push({ directories: [parent], apply: () => void parent.entries.delete(nameOf(path)) });
  }

  /** Lets the power fail: what is not durable comes to be there, or not, as `random` says. */
  cut(random: () => number): void {
    for (const change of this.#names) if (random() < 0.5) change.apply();
    for (const inode of new Set(this.#writes.map((write) => write.inode))) {
      const writes = this.#writes.filter((write) => write.inode === inode);
      const whole = Math.max(...writes.map(({ position, bytes }) => position + bytes.length));
      const size = random() < 0.3 ? whole : Math.floor(random() * (whole + 1));
      for (const write of writes)
        apply({ ...write, bytes: write.bytes.subarray(0, Math.max(0, size - write.position)) });
    }
  }

  /** Writes what is there into an empty folder. */
  save(folder: string): void {
    const put = (inode: Inode, path: string): void => {
      if (!inode.isDirectory) return writeFileSync(path, inode.bytes, { mode: 0o600 });
      mkdirSync(path, { recursive: true });
      for (const [name, inner] of inode.entries) put(inner, join(path, name));
    };
    put(this.#root, folder);
  }
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

function apply({ inode, position, bytes }: PendingWrite): void {
  const grown = Buffer.alloc(Math.max(inode.bytes.length, position + bytes.length));
  inode.bytes.copy(grown);
  bytes.copy(grown, position);
  inode.bytes = grown;
}

/** The state after the first `count` calls and a power cut, saved into `folder`. `base` is where the calls happened. */
export function saveCrashState(
  calls: readonly Recorded[],
  { base, count, random, folder }: { base: string; count: number; random: () => number; folder: string },
): void {
  const disk = new Disk(base);
  for (const call of calls.slice(0, count)) disk.play(call);
  disk.cut(random);
  disk.save(folder);
}
