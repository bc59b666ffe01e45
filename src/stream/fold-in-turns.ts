/** Folding a long log without stalling the event loop. */

import type { UpgradeProgress } from "../model/upgrade.ts";
import type { LineBatch, LogReader, StoredSnapshot } from "../storage/storage.ts";
import { foldLog } from "../tracker/restore-state.ts";
import { runAwaiting } from "../tracker/steps.ts";

/** Resolves in the next turn of the event loop, after what else is waiting for it. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/**
 * Lets the event loop turn after so much work. Not after every small piece: a writer that adds one event in each turn would
 * never be caught up with.
 */
export class Breather {
  #bytes = 0;

  /** To be awaited after `bytes` of lines. */
  async worked(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < TURN_BYTES) return;
    this.#bytes = 0;
    await nextTurn();
  }
}

/** A few milliseconds of folding. */
const TURN_BYTES = 128 * 1024;

/** The state of a whole log; the reader then stands at its end. @throws CORRUPT, CURSOR_GONE. */
export function foldInTurns(reader: LogReader): Promise<UpgradeProgress> {
  const breather = new Breather();
  return runAwaiting(foldLog(reader), (value) => breather.worked(sizeOf(value)));
}

/** Of what a reader gave: lines, or a snapshot's text. */
function sizeOf(value: unknown): number {
  const { bytes, text } = (value ?? {}) as Partial<LineBatch & StoredSnapshot>;
  return bytes?.length ?? text?.length ?? 0;
}
