/**
 * Printed lines as log commands: batched, at a bounded rate and a bounded size. What is left out is counted and said, in its place.
 *
 * A command may print for hours, or a gigabyte in a second. Kept are bursts up to `BURST` characters and then `PER_SECOND`; beyond
 * that the oldest waiting lines go, so that the newest ones, which say how it ended, are always there.
 */

import type { CommandInput } from "./stages.ts";

/** At most ten events a second. */
const INTERVAL_MS = 100;
/** Characters in one event; the model takes 65,536. */
const MAX_BATCH = 60_000;
const BURST = 1_000_000;
const PER_SECOND = 64_000;

const MARK = "… ";

/** Gathers the lines of one run. Pure: time comes in, commands come out. */
export class LogLines {
  readonly #now: () => number;
  #taskId: string;
  /** Those that wait, from `#first` on; the ones before it are left out. */
  #lines: string[] = [];
  #first = 0;
  #size = 0;
  #leftOut = 0;
  #binary = 0;
  #skippedBytes = 0;
  #sentAt = Number.NEGATIVE_INFINITY;
  #budget = BURST;
  #budgetAt: number;

  /** `taskId`: the task that nothing has been printed for yet; `now` is monotonic, in milliseconds. */
  constructor({ taskId, now }: { readonly taskId: string; readonly now: () => number }) {
    this.#taskId = taskId;
    this.#now = now;
    this.#budgetAt = now();
  }

  /** Takes a line that was printed while `taskId` was under way. */
  add(taskId: string, line: string): readonly CommandInput[] {
    const commands = taskId === this.#taskId ? [] : this.end();
    this.#taskId = taskId;
    if (isBinary(line)) {
      this.#binary += 1;
      return commands;
    }
    this.#lines.push(line);
    this.#size += line.length + 1;
    while (this.#size > MAX_BATCH) {
      this.#size -= (this.#lines[this.#first]?.length ?? 0) + 1;
      this.#first += 1;
      this.#leftOut += 1;
    }
    if (this.#first > MAX_BATCH) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
    return [...commands, ...this.due()];
  }

  /** Output came that was passed on and not read. */
  skipped(bytes: number): void {
    this.#skippedBytes += bytes;
  }

  /** What has waited long enough and fits into the budget. */
  due(): readonly CommandInput[] {
    const now = this.#now();
    this.#budget = Math.min(BURST, this.#budget + ((now - this.#budgetAt) / 1000) * PER_SECOND);
    this.#budgetAt = now;
    return now - this.#sentAt < INTERVAL_MS || this.#budget < this.#size ? [] : this.end();
  }

  /** All that waits. */
  end(): readonly CommandInput[] {
    const notices = [
      ...(this.#leftOut > 0 ? [`${MARK}${this.#leftOut} lines left out: more than is kept`] : []),
      ...(this.#skippedBytes > 0 ? [`${MARK}${this.#skippedBytes} bytes left out: they came too fast to be read`] : []),
      ...(this.#binary > 0 ? [`${MARK}${this.#binary} lines of binary data left out`] : []),
    ];
    const lines = [...notices, ...this.#lines.slice(this.#first)];
    if (lines.every((line) => line.trim() === "")) return [];
    this.#sentAt = this.#now();
    this.#budget -= this.#size;
    this.#lines = [];
    this.#first = 0;
    this.#size = 0;
    this.#leftOut = 0;
    this.#binary = 0;
    this.#skippedBytes = 0;
    return [{ type: "appendLog", taskId: this.#taskId, text: lines.join("\n") }];
  }
}

/** More than a tenth of the characters were no UTF-8. */
function isBinary(line: string): boolean {
  let bad = 0;
  for (let at = line.indexOf("\ufffd"); at !== -1; at = line.indexOf("\ufffd", at + 1)) bad += 1;
  return bad > 2 && bad * 10 > line.length;
}
