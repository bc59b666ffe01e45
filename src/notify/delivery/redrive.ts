/**
 * Tells dead letters again. A redrive is a place in the file of dead letters: from `next` to `until`, where somebody asked for
 * it, each is tried once; what fails is a dead letter again, behind `until`.
 */

import type { ProgressEvent } from "../../model/event.ts";
import type { DeliveryStore } from "../../storage/storage.ts";
import type { Notifier, Outcome } from "../notifier.ts";
import { deadLetterOf, findRequest, readLetters, type DeadLetter, type StoredLetter } from "./dead-letters.ts";
import { eventFinder } from "./find-event.ts";
import { openRun, type Logs } from "./place.ts";
import type { RedriveRecord } from "./record.ts";
import { sentNote, type SentNote } from "./sent.ts";

/** How often is looked whether somebody asks. */
export const LOOK_MS = 5_000;

export interface RedriveBatch {
  readonly run: number;
  readonly events: readonly ProgressEvent[];
  /** The letter of each. */
  readonly letters: readonly DeadLetter[];
  /** Letters whose event is not in the log any more. */
  readonly lost: readonly DeadLetter[];
  /** Where the next batch begins. */
  readonly next: number;
}

export class Redrive {
  readonly #store: DeliveryStore;
  readonly #notifier: Notifier;
  #next: number;
  #until: number;
  #lookedUpTo: number;
  #lookAt = Number.NEGATIVE_INFINITY;

  constructor(store: DeliveryStore, notifier: Notifier, record: RedriveRecord = { next: 0, until: 0 }) {
    this.#store = store;
    this.#notifier = notifier;
    this.#next = record.next;
    this.#until = record.until;
    this.#lookedUpTo = record.until;
  }

  get record(): RedriveRecord {
    return { next: this.#next, until: this.#until };
  }

  /** What is to be tried next; undefined when nobody asked, or all was tried. */
  async next(where: { logs: Logs; upgradeId: string; now: number }): Promise<RedriveBatch | undefined> {
    if (this.#next >= this.#until) await this.#look(where.now);
    if (this.#next >= this.#until) return undefined;
    const { name, limits } = this.#notifier;
    const { letters, next } = await readLetters(this.#store, name, {
      from: this.#next,
      until: this.#until,
      max: limits.maxEvents,
    });
    const [first] = letters;
    if (first === undefined) return { run: 0, events: [], letters: [], lost: [], next: Math.max(next, this.#until) };
    const different = letters.findIndex(({ letter }) => letter.run !== first.letter.run);
    const isWhole = different < 0;
    return this.#read(isWhole ? letters : letters.slice(0, different), { ...where, next: isWhole ? next : undefined });
  }

  settle(batch: RedriveBatch, outcomes: readonly Outcome[], at: string): { letters: DeadLetter[]; notes: SentNote[] } {
    const letters: DeadLetter[] = batch.lost.map((letter) => ({
      ...letter,
      at,
      code: "LOST",
      message: "the log does not hold it any more",
    }));
    const notes: SentNote[] = [];
    for (const [index, event] of batch.events.entries()) {
      const outcome = outcomes[index] as Outcome;
      const attempts = (batch.letters[index] as DeadLetter).attempts + 1;
      notes.push(sentNote(event, outcome, { run: batch.run, at, attempt: attempts }));
      if (outcome.status === "delivered") continue;
      const { code, message } = outcome;
      letters.push(deadLetterOf(event, { notifier: this.#notifier.name, run: batch.run, at, attempts, code, message }));
    }
    this.#next = batch.next;
    return { letters, notes };
  }

  async #look(now: number): Promise<void> {
    if (now < this.#lookAt) return;
    this.#lookAt = now + LOOK_MS;
    const { until, next } = await findRequest(this.#store, this.#notifier.name, this.#lookedUpTo);
    this.#lookedUpTo = next;
    if (until !== undefined) this.#until = until;
  }

  async #read(
    stored: readonly StoredLetter[],
    { logs, upgradeId, next }: { logs: Logs; upgradeId: string; next: number | undefined },
  ): Promise<RedriveBatch> {
    const { run } = (stored[0] as StoredLetter).letter;
    const events: ProgressEvent[] = [];
    const [letters, lost]: [DeadLetter[], DeadLetter[]] = [[], []];
    const open = await openRun(logs, upgradeId, run);
    const find = open && eventFinder(open.reader);
    let sizeBytes = 0;
    let behind = this.#next;
    try {
      for (const { letter, next: place } of stored) {
        const read = await find?.(letter.seq);
        const found = read?.event.id === letter.id ? read : undefined;
        sizeBytes += found?.sizeBytes ?? 0;
        if (events.length > 0 && sizeBytes > this.#notifier.limits.maxBytes)
          return { run, events, letters, lost, next: behind };
        behind = place;
        if (found === undefined) lost.push(letter);
        else {
          events.push(found.event);
          letters.push(letter);
        }
      }
      return { run, events, letters, lost, next: next ?? behind };
    } finally {
      open?.reader.close();
    }
  }
}
