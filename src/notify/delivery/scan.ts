/** Reads an upgrade's log forward, one event at a time, over the ends of its runs. Keeps one piece of it in memory. */

import { isMilepostError } from "../../errors.ts";
import { firstCursor } from "../../model/cursor.ts";
import type { ProgressEvent } from "../../model/event.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import { nextTurn } from "../../stream/fold-in-turns.ts";
import { findPlace, openRun, type Found, type Logs, type OpenRun, type Place } from "./place.ts";

const CHUNK_BYTES = 64 * 1024;
/** How often a history that changes while it is read is read again. */
const MAX_REOPENED = 10;

/** An event that was read and not taken yet. */
export interface Read {
  readonly event: ProgressEvent;
  readonly run: number;
  readonly sizeBytes: number;
}

export class Scan {
  readonly #logs: Logs;
  readonly #upgradeId: string;
  readonly #onFault: (fault: string, place: Place) => void;
  #open: OpenRun | undefined;
  #place: Place;
  #lines: Iterator<Uint8Array, undefined> | undefined;
  #next: Read | undefined;

  /** @param onFault - told when the place is no longer on the history, with the one from which reading goes on. */
  constructor(
    logs: Logs,
    { upgradeId, found, onFault }: { upgradeId: string; found: Found; onFault: (fault: string, place: Place) => void },
  ) {
    this.#logs = logs;
    this.#upgradeId = upgradeId;
    this.#open = found.open;
    this.#place = found.place;
    this.#onFault = onFault;
  }

  /** Right behind the last event that was taken. */
  get place(): Place {
    return this.#place;
  }

  /** The next event; undefined at the end of what is stored. Asking again gives the same one until it is taken. */
  async peek(): Promise<Read | undefined> {
    for (let reopened = 0; this.#next === undefined;) {
      const line = this.#lines?.next();
      if (line !== undefined && line.done !== true) {
        const event = parseLine(line.value);
        this.#next = { event, run: this.#place.run, sizeBytes: line.value.length };
        break;
      }
      try {
        if (!(await this.#readOn())) return undefined;
      } catch (error) {
        // A next run has begun, or another history has come.
        this.close();
        if (!isMilepostError(error, "CURSOR_GONE") || ++reopened > MAX_REOPENED) throw error;
      }
    }
    return this.#next;
  }

  /** Goes on behind the event that was seen last. */
  take(): void {
    if (this.#next === undefined) return;
    this.#place = { run: this.#next.run, cursor: this.#next.event.cursor };
    this.#next = undefined;
  }

  /** Frees the file; reading opens it again. */
  close(): void {
    this.#open?.reader.close();
    this.#open = undefined;
    this.#lines = undefined;
    this.#next = undefined;
  }

  /** False when there is no more now. */
  async #readOn(): Promise<boolean> {
    this.#open ??= await this.#reopen();
    if (this.#open === undefined) return false;
    const batch = await this.#open.reader.read(CHUNK_BYTES);
    if (batch !== undefined) {
      this.#lines = splitLines(batch.bytes);
      await nextTurn();
      return true;
    }
    if (!this.#open.isFinished) return false;
    const next = await openRun(this.#logs, this.#upgradeId, this.#place.run + 1);
    if (next === undefined) return false;
    this.close();
    this.#open = next;
    this.#place = { run: next.run, cursor: firstCursor(next.reader.header.logId) };
    return true;
  }

  async #reopen(): Promise<OpenRun | undefined> {
    const { open, place, fault } = await findPlace(this.#logs, this.#upgradeId, this.#place);
    this.#place = place;
    if (fault !== undefined) this.#onFault(fault, place);
    return open;
  }
}
