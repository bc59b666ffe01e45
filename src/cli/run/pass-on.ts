/** Passes what the command prints on to Milepost's own output, byte for byte, and shows it to whoever reads along. */

import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Output } from "../context.ts";

export interface PassOnOptions {
  readonly source: Readable;
  readonly sink: Output;
  /** Reads along; called after the bytes were passed on. */
  readonly read: (chunk: Uint8Array) => void;
  /** When nobody reads `sink` any more: stop, so that the command gets SIGPIPE as it would alone; or go on without it. */
  readonly onClosed: "stop" | "go on";
}

/** One stream on its way. */
export interface Passage {
  readonly source: Readable;
  /** True once all of it has come and has been taken over by the sink. */
  readonly isDone: boolean;
  /** True while the sink takes no more, or has not written all it took. */
  readonly isHeldUp: boolean;
  /** When bytes last came, in `performance.now()` time. */
  readonly lastAt: number;
}

/** Reads a stream that is for Milepost alone. */
export function listenTo(source: Readable, read: (chunk: Uint8Array) => void): Passage {
  let isDone = false;
  let lastAt = performance.now();
  source.on("data", (chunk: Buffer) => {
    lastAt = performance.now();
    read(chunk);
  });
  for (const name of ["end", "close", "error"]) source.on(name, () => (isDone = true));
  return {
    source,
    isHeldUp: false,
    get isDone() {
      return isDone;
    },
    get lastAt() {
      return lastAt;
    },
  };
}

export function passOn({ source, sink, read, onClosed }: PassOnOptions): Passage {
  let isSinkOpen = true;
  let isPaused = false;
  const resume = (): void => {
    isPaused = false;
    source.resume();
  };
  // A pseudo-terminal whose other side is closed ends in EIO; there is nothing more to read either way.
  const heard = listenTo(source, (chunk) => {
    if (isSinkOpen && !sink.write(chunk) && sink.writableNeedDrain) {
      isPaused = true;
      source.pause();
      sink.once("drain", resume);
    }
    read(chunk);
  });
  sink.on("error", () => {
    isSinkOpen = false;
    if (onClosed === "stop") source.destroy();
    else if (isPaused) resume();
  });
  const isHeldUp = (): boolean => isSinkOpen && (isPaused || sink.writableLength > 0);
  return {
    source,
    get isDone() {
      return heard.isDone && !isHeldUp();
    },
    get isHeldUp() {
      return isHeldUp();
    },
    get lastAt() {
      return heard.lastAt;
    },
  };
}

const LOOK_MS = 10;

/** How long a command that has ended may be outlived by what it started, which goes on writing to its output. */
export interface Patience {
  /** Silence after which nothing more is waited for. */
  readonly quietMs: number;
  /** The longest in all; not counted while the sink is held up. */
  readonly mostMs: number;
}

/**
 * Resolves once all that an ended command has printed is passed on, with the passages that others still hold open.
 *
 * What was printed before the end is in the pipe already, so it comes without a pause.
 */
export async function settle(passages: readonly Passage[], { quietMs, mostMs }: Patience): Promise<readonly Passage[]> {
  const endedAt = performance.now();
  for (;;) {
    const open = passages.filter((passage) => !passage.isDone);
    if (open.length === 0) return [];
    const now = performance.now();
    const isQuiet = open.every((passage) => !passage.isHeldUp && now - Math.max(endedAt, passage.lastAt) >= quietMs);
    const isOverdue = now - endedAt >= mostMs && open.every((passage) => !passage.isHeldUp);
    if (isQuiet || isOverdue) return open;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/**
 * Leaves a stream that is still held open to a `cat` of its own, so that what the command has left running in the background
 * goes on printing where it would have printed alone, and Milepost can end with the command.
 */
export function leaveBehind({ source }: Passage, fd: 1 | 2): void {
  source.pause();
  try {
    const cat = spawn("cat", { stdio: [source, fd, "ignore"], detached: true });
    cat.on("error", () => undefined);
    cat.unref();
  } catch {
    // Without it, what runs on gets SIGPIPE when it prints again.
  }
  source.destroy();
}
