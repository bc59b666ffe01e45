/** The marks that requests with an Idempotency-Key have left in the log of one upgrade. */

import { parseCursor } from "../../model/cursor.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import type { LogReader } from "../../storage/storage.ts";
import type { Upgrades } from "../../stream/upgrades.ts";

/** The commands of a request that have happened, by their index, with the cursor of the event. */
export type Made = ReadonlyMap<number, string>;

/** A request that has come before: the hash of its body, and what of it has happened. */
export interface Known {
  readonly body: string;
  readonly made: Made;
}

/** That a command has happened. */
export interface Mark {
  readonly name: string;
  readonly body: string;
  readonly index: number;
  readonly cursor: string;
}

const FIELD = Buffer.from('"request":"');
const REQUEST = /^([0-9a-f]{16})\.([0-9a-f]{16})\.(\d{1,4})$/;

export class RequestMarks {
  readonly #upgrades: Upgrades;
  readonly #upgradeId: string;
  readonly #limit: number;
  /** The oldest first. */
  readonly #requests = new Map<string, { readonly body: string; readonly made: Map<number, string> }>();
  #logId: string | undefined;
  #seq = 0;

  constructor(upgrades: Upgrades, upgradeId: string, limit: number) {
    this.#upgrades = upgrades;
    this.#upgradeId = upgradeId;
    this.#limit = limit;
  }

  find(name: string): Known | undefined {
    return this.#requests.get(name);
  }

  add({ name, body, index, cursor }: Mark): void {
    const known = this.#requests.get(name);
    if (known?.body === body) {
      known.made.set(index, cursor);
      return;
    }
    this.#requests.set(name, { body, made: new Map([[index, cursor]]) });
    for (const oldest of this.#requests.keys()) {
      if (this.#requests.size <= this.#limit) return;
      this.#requests.delete(oldest);
    }
  }

  /** Reads what has been written since the last time; at first the run before, too. @throws what the storage throws. */
  async readOn(): Promise<void> {
    const reader = await this.#upgrades.log(this.#upgradeId).openReader();
    if (reader === undefined) return this.#forget("");
    try {
      const { logId, run } = reader.header;
      if (logId !== this.#logId) {
        // Not the next run: the upgrade may have been deleted, and have begun again.
        if (run === 1) this.#forget(logId);
        if (this.#logId === undefined && run > 1) await this.#readRun(run - 1);
        this.#logId = logId;
        // The reader is at the beginning.
        this.#seq = 0;
      } else if (!(await reader.seek(this.#seq))) {
        // An older backup lies there now.
        await reader.seek((this.#seq = 0));
      }
      await this.#take(reader);
    } finally {
      reader.close();
    }
  }

  /** The upgrade of another log is there no more: what was asked of it may be asked again. */
  #forget(presentLogId: string): void {
    for (const [name, { made }] of this.#requests)
      if ([...made.values()].some((cursor) => parseCursor(cursor).logId !== presentLogId)) this.#requests.delete(name);
    this.#logId = undefined;
    this.#seq = 0;
  }

  async #readRun(run: number): Promise<void> {
    const reader = await this.#upgrades.log(`${this.#upgradeId}@${run}`).openReader();
    if (reader === undefined) return;
    try {
      await this.#take(reader);
    } finally {
      reader.close();
    }
  }

  async #take(reader: LogReader): Promise<void> {
    for (let batch = await reader.read(); batch !== undefined; batch = await reader.read()) {
      // Most logs have no marks at all: then no line is looked at.
      const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
      if (bytes.includes(FIELD)) for (const line of splitLines(bytes)) this.#takeLine(line);
      this.#seq = batch.lastSeq;
      await new Promise((next) => setImmediate(next));
    }
  }

  #takeLine(line: Uint8Array): void {
    if (!Buffer.from(line.buffer, line.byteOffset, line.byteLength).includes(FIELD)) return;
    const { request, cursor } = parseLine(line);
    const [, name, body, index] = REQUEST.exec(request ?? "") ?? [];
    if (name !== undefined && body !== undefined) this.add({ name, body, index: Number(index), cursor });
  }
}
