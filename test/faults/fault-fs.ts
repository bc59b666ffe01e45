/**
 * The real file system, with faults: the n-th call of a kind fails once or for ever, writes come short, and every call that
 * changes something is recorded, so that `crash-states.ts` can make what a power cut may leave.
 */

import * as nodeFs from "node:fs";

import type { FileSystem } from "../../src/storage/files.ts";

/** The calls that can be made to fail. `rename` and the others are counted each by themselves, in order. */
export const FAULTY_CALLS = ["write", "fdatasync", "fsync", "open", "rename", "unlink", "mkdir"] as const;
export type FaultyCall = (typeof FAULTY_CALLS)[number];

const ERRNO = {
  ENOSPC: -28,
  EDQUOT: -122,
  EFBIG: -27,
  EROFS: -30,
  EIO: -5,
  EMFILE: -24,
  EACCES: -13,
  EINTR: -4,
  EAGAIN: -11,
  ENOMEM: -12,
  ENFILE: -23,
} as const;
export type FaultName = keyof typeof ERRNO;
/** Eleven errors that a disk, a quota, a mount or a process limit gives. */
export const FAULT_NAMES = Object.keys(ERRNO) as readonly FaultName[];

/** One plan: from its `nth` call on, a kind of call fails. */
export interface Fault {
  readonly call: FaultyCall;
  /** 1: the next one. */
  readonly nth: number;
  readonly error: FaultName;
  readonly isForEver: boolean;
}

/** What was done to the disk, in order. Paths are as they were given. */
export type Recorded =
  | { readonly op: "create"; readonly path: string; readonly ino: number; readonly isDirectory: boolean }
  | { readonly op: "write"; readonly ino: number; readonly position: number; readonly bytes: Buffer }
  | { readonly op: "truncate"; readonly ino: number }
  | { readonly op: "sync"; readonly ino: number; readonly fd: number; readonly hasFailed: boolean }
  | { readonly op: "rename"; readonly from: string; readonly to: string }
  | { readonly op: "unlink"; readonly path: string };

/** As libuv gives it: an error number that it does not know has no code of its own. */
function systemError(name: FaultName, call: string): Error {
  const errno = ERRNO[name];
  const code = name === "EDQUOT" ? `Unknown system error ${errno}` : name;
  return Object.assign(new Error(`${code}: injected, ${call}`), { errno, code, syscall: call });
}

/** A sync that says that it has, and has not: of a file's data while it grows, of a new file, of a directory. */
export type Lie = "fdatasync" | "fsync" | "directory";

export class FaultFs {
  readonly fs: FileSystem;
  /** Everything that changed the disk; only filled when `isRecording`. */
  readonly recorded: Recorded[] = [];
  readonly counts: Record<FaultyCall, number> = {
    write: 0,
    fdatasync: 0,
    fsync: 0,
    open: 0,
    rename: 0,
    unlink: 0,
    mkdir: 0,
  };
  /** Bytes that the next write takes before it comes short; the one after it fails with `error`. */
  #short: { bytes: number; error: FaultName | undefined } | undefined;
  #fault: (Fault & { readonly from: number }) | undefined;
  #hits = 0;
  readonly #isRecording: boolean;
  readonly #lie: Lie | undefined;

  /** @param options - `lie`: this call says that it has synced, and has not. */
  constructor({ isRecording = false, lie }: { isRecording?: boolean; lie?: Lie } = {}) {
    this.#isRecording = isRecording;
    this.#lie = lie;
    this.fs = { ...pick(), ...this.#writing(), ...this.#naming() };
  }

  /** How many calls have failed by a fault. */
  get hits(): number {
    return this.#hits;
  }

  /** Replaces the present fault; `nth` counts from now. */
  fail(fault: Fault): void {
    this.#fault = { ...fault, from: this.counts[fault.call] + fault.nth };
  }

  /** The next write takes `bytes` only; the one that carries on fails, when an error is named. */
  shorten(bytes: number, error?: FaultName): void {
    this.#short = { bytes, error };
  }

  heal(): void {
    this.#fault = undefined;
    this.#short = undefined;
  }

  #enter(call: FaultyCall): Error | undefined {
    this.counts[call] += 1;
    const fault = this.#fault;
    if (fault === undefined || fault.call !== call || this.counts[call] < fault.from) return undefined;
    if (!fault.isForEver) this.#fault = undefined;
    this.#hits += 1;
    return systemError(fault.error, call);
  }

  #pass(call: FaultyCall): void {
    const error = this.#enter(call);
    if (error !== undefined) throw error;
  }

  #record(entry: () => Recorded): void {
    if (this.#isRecording) this.recorded.push(entry());
  }

  #writing(): Pick<FileSystem, "writeSync" | "fdatasync" | "fsyncSync" | "openSync"> {
    const inoOf = (fd: number) => nodeFs.fstatSync(fd).ino;
    return {
      writeSync: ((fd: number, bytes: Uint8Array, ...place: [number, number, number]) => {
        const [offset, length, position] = place;
        this.#pass("write");
        const short = this.#short;
        if (short !== undefined && short.bytes < length) {
          this.#short = undefined;
          if (short.error !== undefined) this.fail({ call: "write", nth: 1, error: short.error, isForEver: false });
        }
        const taken = short === undefined ? length : Math.min(length, short.bytes);
        const written = nodeFs.writeSync(fd, bytes, offset, taken, position);
        this.#record(() => ({
          op: "write",
          ino: inoOf(fd),
          position,
          bytes: Buffer.from(bytes.subarray(offset, offset + written)),
        }));
        return written;
      }) as FileSystem["writeSync"],
      fdatasync: ((fd: number, done: (error: Error | null) => void) => {
        const error = this.#enter("fdatasync");
        const hasFailed = error !== undefined || this.#lie === "fdatasync";
        this.#record(() => ({ op: "sync", ino: inoOf(fd), fd, hasFailed }));
        // The disk is real, its cache is not what is tested: what was synced is what was recorded.
        setImmediate(() => done(error ?? null));
      }) as FileSystem["fdatasync"],
      fsyncSync: (fd: number) => {
        const error = this.#enter("fsync");
        const isDirectory = nodeFs.fstatSync(fd).isDirectory();
        const hasFailed = error !== undefined || this.#lie === (isDirectory ? "directory" : "fsync");
        this.#record(() => ({ op: "sync", ino: inoOf(fd), fd, hasFailed }));
        if (error !== undefined) throw error;
      },
      openSync: ((path: string, flags: string, mode?: number) => {
        this.#pass("open");
        const isNew = flags !== "r" && !nodeFs.existsSync(path);
        const fd = nodeFs.openSync(path, flags, mode);
        if (isNew) this.#record(() => ({ op: "create", path, ino: inoOf(fd), isDirectory: false }));
        else if (flags.startsWith("w")) this.#record(() => ({ op: "truncate", ino: inoOf(fd) }));
        return fd;
      }) as FileSystem["openSync"],
    };
  }

  #naming(): Pick<FileSystem, "renameSync" | "unlinkSync" | "rmSync" | "mkdirSync"> {
    const remove = (path: string, work: () => void): void => {
      const isThere = nodeFs.existsSync(path);
      this.#pass("unlink");
      work();
      if (isThere) this.#record(() => ({ op: "unlink", path }));
    };
    return {
      renameSync: ((from: string, to: string) => {
        this.#pass("rename");
        nodeFs.renameSync(from, to);
        this.#record(() => ({ op: "rename", from, to }));
      }) as FileSystem["renameSync"],
      unlinkSync: ((path: string) => remove(path, () => nodeFs.unlinkSync(path))) as FileSystem["unlinkSync"],
      rmSync: ((path: string, options: object) =>
        remove(path, () => nodeFs.rmSync(path, options))) as FileSystem["rmSync"],
      mkdirSync: ((path: string, mode: number) => {
        this.#pass("mkdir");
        nodeFs.mkdirSync(path, mode);
        this.#record(() => ({ op: "create", path, ino: nodeFs.statSync(path).ino, isDirectory: true }));
        return undefined;
      }) as FileSystem["mkdirSync"],
    };
  }
}

function pick(): FileSystem {
  const { closeSync, existsSync, fdatasync, fstatSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync } = nodeFs;
  const { renameSync, rmSync, statSync, unlinkSync, writeSync } = nodeFs;
  return {
    closeSync,
    existsSync,
    fdatasync,
    fstatSync,
    fsyncSync,
    mkdirSync,
    openSync,
    readdirSync,
    readSync,
    renameSync,
    rmSync,
    statSync,
    unlinkSync,
    writeSync,
  };
}
