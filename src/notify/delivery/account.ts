/** What became of what was told, until it is stored: first the dead letters, then the notes for people, then the record. */

import type { DeliveryStore } from "../../storage/storage.ts";
import { isoMaker } from "../../tracker/clock.ts";
import type { Notifier } from "../notifier.ts";
import type { DeliveryClock } from "./clock.ts";
import type { DeadLetter } from "./dead-letters.ts";
import { formatRecord, type DeliveryRecord } from "./record.ts";
import type { SentNote } from "./sent.ts";
import type { Settled } from "./settle.ts";

/** A record that only says that nothing was selected is not worth a write for each event. */
const SAVE_MOVES_MS = 5_000;

export interface AccountOptions {
  readonly store: DeliveryStore;
  readonly notifier: Notifier;
  readonly clock: DeliveryClock;
  /** Told of all that is added. */
  readonly onSettled: (settled: Settled) => void;
  /** Where the delivery stands. */
  readonly compose: () => Omit<DeliveryRecord, "version" | "savedAt">;
}

export class Account {
  readonly #options: AccountOptions;
  readonly #iso = isoMaker();
  #letters: readonly DeadLetter[] = [];
  #notes: readonly SentNote[] = [];
  /** Outcomes that the record does not know. */
  #isUnsaved = false;
  #hasMoved = false;
  #savedAt: number;
  /** One write at a time. */
  #keeping: Promise<void> = Promise.resolve();

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#savedAt = options.clock.monotonic();
  }

  add(settled: Settled): void {
    this.#letters = [...this.#letters, ...settled.letters];
    this.#notes = [...this.#notes, ...settled.notes];
    this.#options.onSettled(settled);
    this.#isUnsaved = true;
  }

  /** Something is to be stored with the next `keep`. */
  changed(): void {
    this.#isUnsaved = true;
  }

  /** Only the place has changed. */
  moved(): void {
    this.#hasMoved = true;
  }

  /** Stores what is not stored. @throws STORAGE_DEGRADED, UNKNOWN_UPGRADE: then it is still to be stored. */
  keep({ andMoves = false } = {}): Promise<void> {
    const kept = this.#keeping.then(() => this.#keep(andMoves));
    this.#keeping = kept.catch(() => undefined);
    return kept;
  }

  /** Stores now and then where the delivery stands when nothing else is to be stored. */
  async keepNowAndThen(): Promise<void> {
    if (this.#hasMoved && this.#options.clock.monotonic() - this.#savedAt >= SAVE_MOVES_MS)
      await this.keep({ andMoves: true });
  }

  async #keep(andMoves: boolean): Promise<void> {
    if (!this.#isUnsaved && !(andMoves && this.#hasMoved)) return;
    const { store, notifier, clock, compose } = this.#options;
    // All of one moment: a record must not pass a letter that came while it was written.
    const [letters, notes] = [this.#letters, this.#notes];
    const record: DeliveryRecord = { version: 1, ...compose(), savedAt: this.#iso(clock.now()) };
    this.#isUnsaved = this.#hasMoved = false;
    try {
      if (letters.length > 0) await store.addDeadLetters(letters.map((letter) => JSON.stringify(letter)));
      this.#letters = this.#letters.slice(letters.length);
      const lines = notes.map((note) => JSON.stringify(note));
      if (lines.length > 0) await store.addSent(notifier.name, lines);
      this.#notes = this.#notes.slice(notes.length);
      await store.save(notifier.name, formatRecord(record));
    } catch (error) {
      this.#isUnsaved = true;
      throw error;
    }
    this.#savedAt = clock.monotonic();
  }
}
